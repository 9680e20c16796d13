package qemutest

import (
	"strings"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// A session is a person at the console.
type session struct {
	*testing.T
	vm     *qemu.VM
	prompt string
}

// logIn boots an image and logs root in.
func logIn(t *testing.T, c qemu.Config, prompt string) *session {
	t.Helper()
	c.Append = "console=ttyS0 quiet " + c.Append
	s := &session{t, boot(t, c), prompt}
	s.expect(`login: $`, time.Minute)
	s.vm.Send("root\r")
	s.expect(prompt, time.Minute)
	return s
}

// expect waits for re and returns what came before its end, as text.
func (s *session) expect(re string, limit time.Duration) string {
	s.Helper()
	out, err := s.vm.Until(re, 3*limit) // limit is for an idle host
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// run types a command, waits for the prompt after it and returns what was shown
// between the two.
func (s *session) run(command string) string {
	s.Helper()
	s.vm.Send(command + "\r")
	return s.expect(s.prompt, 30*time.Second)
}

// settle waits until the shell has done all that was typed, so that no prompt of
// before is taken for the end of the next command.
func (s *session) settle() {
	s.Helper()
	s.vm.Send("echo sett''led\r")
	s.expect(`settled`, 10*time.Second)
	s.expect(s.prompt, 10*time.Second)
}

// wants runs a command whose output must hold each of the texts.
func (s *session) wants(command string, texts ...string) {
	s.Helper()
	out := s.run(command)
	for _, text := range texts {
		if !strings.Contains(out, text) {
			s.Errorf("%s: no %q in\n%s", command, text, out)
		}
	}
}

// powerOff ends the machine from the shell; QEMU must end with status 0.
func (s *session) powerOff() {
	s.Helper()
	s.vm.Send("poweroff\r")
	status, err := s.vm.Wait(2 * time.Minute)
	if err != nil || status != 0 {
		s.Errorf("poweroff: QEMU's exit status %d, %v", status, err)
	}
}

// edits writes a file with busybox's vi.
func (s *session) edits() {
	s.Helper()
	s.vm.Send("vi /tmp/v\r")
	s.expect(`- /tmp/v`, 10*time.Second)
	s.vm.Send("ione line")
	s.expect(`I /tmp/v`, 10*time.Second)
	s.vm.Send("\x1b")
	s.expect(`- /tmp/v`, 10*time.Second) // or Escape and : would make one key
	s.vm.Send(":wq\r")
	s.expect(s.prompt, 10*time.Second)
	s.wants("cat /tmp/v", "one line")
}

// both runs a test on each kernel.
func both(t *testing.T, f func(t *testing.T, kernel string)) {
	root := needQEMU(t)
	t.Run("tamarix", func(t *testing.T) { f(t, tamarix(t, root)) })
	t.Run("linux", func(t *testing.T) { f(t, linux(t, root)) })
}

// job says when it has begun and when it is continued, until it is interrupted.
const job = `sh -c 'trap "echo contin""ued" CONT; echo be''gun; while :; do sleep 0.2; done'`

// starts types a command that prints "begun" when it runs. Only then is it to be
// stopped or killed: before, it may ignore signals as the shell that forked it does.
func (s *session) starts(command string) {
	s.Helper()
	s.vm.Send(command + "\r")
	s.expect(`begun`, 20*time.Second)
}

// jobControl stops a job, brings it back, stops it again, lets it go on in the
// background and kills it. list is the command that shows the jobs.
func (s *session) jobControl(list string) {
	s.Helper()
	s.starts(job)
	for _, command := range []string{"fg\r", "bg\r"} {
		s.vm.Send("\x1a")
		s.expect(`Stopped`, 10*time.Second)
		s.expect(s.prompt, 10*time.Second)
		s.wants(list, "Stopped", "sleep 0.2")
		s.vm.Send(command)
		s.expect(`continued`, 10*time.Second)
	}
	s.settle() // the prompt after bg comes before or after what the job says
	s.wants(list, "Running", "sleep 0.2")
	s.wants("kill %1; wait %1; echo st$?", "st143")
}

// TestBusybox is a session with busybox's shell, job control included.
func TestBusybox(t *testing.T) {
	both(t, func(t *testing.T, kernel string) {
		root := needQEMU(t)
		s := logIn(t, qemu.Config{Kernel: kernel, Initrd: userland(t, root, "busybox"), SMP: 2, Mem: "256M"}, `~ # $`)
		s.wants("echo he''llo", "hello")
		s.wants("ls /", "bin", "proc", "tmp")
		s.wants("ps", "init", "ps")
		s.wants("cat /proc/version", " version ")
		s.wants("tty", "/dev/ttyS0")
		s.wants("stty size", "24 80")
		s.wants("id", "uid=0(root)", "gid=0(root)")
		s.wants("echo $HOME $SHELL $USER $(pwd)", "/root /bin/sh root /root")

		// ^C ends the command, not the shell.
		s.starts(`sh -c 'echo be''gun; exec sleep 100'`)
		s.vm.Send("\x03")
		s.expect(s.prompt, 10*time.Second)
		s.wants("echo $?", "130")

		// ^Z, jobs, bg, fg.
		s.jobControl("jobs")
		s.wants("jobs; echo no-more", "no-more")
		s.starts(`sh -c 'echo be''gun; exec sleep 60' &`)
		s.settle()
		s.wants("kill %1; wait %1; echo st$?", "st143")

		// Line editing: the arrow keys, history.
		s.vm.Send("echo abX\x7fc\r")
		s.expect(`\nabc\n`, 10*time.Second)
		s.expect(s.prompt, 10*time.Second)
		s.vm.Send("\x1b[A\r")
		s.expect(`\nabc\n`, 10*time.Second)
		s.expect(s.prompt, 10*time.Second)

		s.wants("ls -lR / 2>/dev/null | tail -n 3; echo listed", "listed")
		s.wants("find / 2>/dev/null | sort | wc -l", "\n")
		s.wants("top -b -n1 | head -n 4", "Mem:", "CPU")
		s.edits()

		// What is typed while output scrolls is not lost.
		s.vm.Send("seq 1 3000\r")
		for _, c := range "echo typed-$((40+2))\r" {
			s.vm.Send(string(c))
			time.Sleep(5 * time.Millisecond)
		}
		s.expect(`typed-42`, 30*time.Second)
		s.expect(s.prompt, 10*time.Second)

		// Leaving the shell brings a new getty.
		s.vm.Send("exit\r")
		s.expect(`login: $`, 10*time.Second)
		s.vm.Send("nobody-here\r")
		s.expect(`Password: $`, 10*time.Second)
		s.vm.Send("secret\r")
		out := s.expect(`Login incorrect`, 10*time.Second)
		if strings.Contains(out, "secret") {
			t.Error("the password was echoed")
		}
		s.expect(`login: $`, 10*time.Second)
		s.vm.Send("root\r")
		s.expect(s.prompt, 10*time.Second)
		s.powerOff()
	})
}

// TestBash is a session with bash as the login shell.
func TestBash(t *testing.T) {
	both(t, func(t *testing.T, kernel string) {
		root := needQEMU(t)
		s := logIn(t, qemu.Config{Kernel: kernel, Initrd: userland(t, root, "bash"), SMP: 2, Mem: "256M"}, `root@tamarix:[^\n]*# $`)
		s.wants("echo $BASH_VERSION; shopt login_shell", "5.2", "on")
		s.wants("echo $((6*7)) {1..3}", "42 1 2 3")
		s.jobControl("jobs -l")
		s.wants("cat <(echo substituted)", "substituted")
		s.wants("for i in 1 2 3; do sleep 0.1 & done; wait; echo waited", "waited")
		s.wants("trap 'echo trapped' USR1; kill -USR1 $$; :", "trapped")
		s.vm.Send("echo abcd\x1b[D\x1b[D\x7fX\r")
		s.expect(`\naXcd\n`, 10*time.Second)
		s.expect(s.prompt, 10*time.Second)
		s.powerOff()
	})
}

// TestURoot is a session with gosh and u-root's commands: the default image.
func TestURoot(t *testing.T) {
	both(t, func(t *testing.T, kernel string) {
		root := needQEMU(t)
		s := logIn(t, qemu.Config{Kernel: kernel, Initrd: userland(t, root, "uroot"), SMP: 2, Mem: "128M"}, `C-d`)
		gosh(s, "echo sum-$((40+2))", `sum-42`)
		gosh(s, "ls /", `proc`)
		gosh(s, "cat /proc/version", `version \d`)
		gosh(s, "seq 1 200 | grep 9 | wc -l", `\b38\b`)
		gosh(s, "echo to-file > /tmp/f; cat /tmp/f /tmp/f | wc -l", `\b2\b`)
		gosh(s, "uname -m", `x86_64`)
		// History: the last command again.
		typed(s, "\x1b[A", `uname -m`, `x86_64`)
		s.expect(`C-d`, 20*time.Second)
		// ^C ends the command.
		gosh(s, "echo be''gun > /tmp/b; echo made-$((3*3))", `made-9`)
		typed(s, "tail -f /tmp/b", ``, `begun`)
		s.vm.Send("\x03")
		s.expect(`C-d`, 20*time.Second)
		gosh(s, "echo still-$((1+1))", `still-2`)
		s.powerOff()
	})
}

// gosh types a command and waits for re in its output, and for the next prompt.
func gosh(s *session, command, re string) {
	s.Helper()
	typed(s, command, ``, re)
	s.expect(`C-d`, 20*time.Second)
}

// typed types at gosh's prompt, waits until the line shows what is expected, ends it
// and waits for re, which must not match the line itself: that is echoed. gosh's
// editor drops keys, on any kernel, that come while it changes the terminal's mode:
// what had no effect is cleared and typed once more.
func typed(s *session, keys, line, re string) {
	s.Helper()
	for range 3 {
		s.vm.Send(keys)
		_, err := s.vm.Expect(line, 20*time.Second)
		if err == nil {
			s.vm.Send("\r")
			_, err = s.vm.Expect(re, 20*time.Second)
		}
		if err == nil {
			return
		}
		s.vm.Send("\x03")
	}
	s.Fatalf("%q: no %q\n%s", keys, re, s.vm.Tail(40))
}
