package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/initramfs/inittab"
)

// runInit is process 1. Arguments: a runlevel (S and single mean single user),
// --inittab=FILE; the rest is not for us (the kernel hands on what it does not
// know).
func runInit(args []string) int {
	file, initial := "/etc/inittab", byte(0)
	for _, a := range args {
		if f, ok := strings.CutPrefix(a, "--inittab="); ok {
			file = f
		} else if a == "single" || a == "emergency" {
			initial = 'S'
		} else if len(a) == 1 && strings.Contains("12345789Ss", a) {
			initial = strings.ToUpper(a)[0]
		}
	}
	openConsole()
	unix.Setsid() // fails where we lead a session already
	unix.Umask(022)
	unix.Chdir("/")
	for _, e := range []string{"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", "SHELL=/bin/sh", "TERM=linux"} {
		k, v, _ := strings.Cut(e, "=")
		if os.Getenv(k) == "" || k == "PATH" || k == "SHELL" {
			os.Setenv(k, v)
		}
	}

	signals := make(chan os.Signal, 64)
	// Also those that mean nothing to us: without a handler of ours the Go
	// runtime would end init on some. (SIGURG is the runtime's own.)
	signal.Notify(signals, unix.SIGCHLD, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGTERM,
		unix.SIGINT, unix.SIGQUIT, unix.SIGPWR, unix.SIGWINCH,
		unix.SIGALRM, unix.SIGVTALRM, unix.SIGPROF, unix.SIGIO, unix.SIGXCPU, unix.SIGXFSZ,
		unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCONT, unix.SIGABRT, unix.SIGTRAP,
		unix.SIGSYS, unix.SIGSTKFLT, unix.SIGPIPE)
	// The three keys send SIGINT instead of rebooting at once.
	unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF)
	acceptKeyboardSignal()

	s := newSupervisor(system{
		start: startProcess, kill: unix.Kill, alone: alone, now: time.Now, say: say, down: down,
		there: func(id string) bool { return terminal(id) != "" }, note: note,
	}, file, initial)
	s.run(signals, make(chan request, 8))
	return 1 // never
}

// acceptKeyboardSignal asks for SIGWINCH when somebody presses the key
// "KeyboardSignal" of keymaps(5) on a virtual terminal, if there is one: that
// runs the kbrequest entries.
func acceptKeyboardSignal() {
	const kdsigaccept = 0x4b4e // UAPI linux/kd.h
	if fd, err := unix.Open("/dev/tty0", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err == nil {
		unix.IoctlSetInt(fd, kdsigaccept, int(unix.SIGWINCH))
		unix.Close(fd)
	}
}

// openConsole makes /dev/console descriptors 0 to 2, if the kernel has not.
func openConsole() {
	if _, err := unix.FcntlInt(1, unix.F_GETFD, 0); err == nil {
		if st, err := os.Stdout.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			return
		}
		// Standard output is a file or a pipe: a test reads what we say.
		return
	}
	if fd, err := unix.Open("/dev/console", unix.O_RDWR|unix.O_NOCTTY, 0); err == nil {
		for i := range 3 {
			unix.Dup2(fd, i)
		}
	}
}

// say writes a message to the console.
func say(format string, a ...any) {
	fmt.Fprintf(os.Stderr, "init: "+format+"\n", a...)
}

// note writes a message for those who look for it to the kernel log.
func note(format string, a ...any) {
	if f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0); err == nil {
		fmt.Fprintf(f, "<7>init: "+format+"\n", a...) // LOG_KERN|LOG_DEBUG
		f.Close()
	}
}

// run is init's life: wait for something to happen, act on it, start what may
// be started.
func (s *supervisor) run(signals <-chan os.Signal, requests chan request) {
	timer := time.NewTimer(time.Hour)
	listening := false
	for {
		s.advance()
		if !listening && s.phase >= phaseBoot {
			// Not before: sysinit mounts /run.
			listening = true
			go listen(requests)
		}
		timer.Stop()
		var alarm <-chan time.Time
		if t := s.nextTime(); !t.IsZero() {
			timer.Reset(max(time.Until(t), 0))
			alarm = timer.C
		}
		select {
		case sig := <-signals:
			s.signal(sig.(unix.Signal))
		case r := <-requests:
			s.request(r)
		case <-alarm:
		}
		s.reap()
	}
}

// reap collects every child that has ended: our own and the orphans.
func (s *supervisor) reap() {
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		s.ended(pid)
	}
}

// signal acts on a signal to init.
func (s *supervisor) signal(sig unix.Signal) {
	switch sig {
	case unix.SIGHUP:
		s.read(false)
	case unix.SIGUSR1:
		s.goDown(downHalt, "")
	case unix.SIGUSR2:
		s.goDown(downPowerOff, "")
	case unix.SIGTERM:
		s.goDown(downReboot, "")
	case unix.SIGINT:
		if !s.trigger(inittab.CtrlAltDel) {
			s.goDown(downReboot, "")
		}
	case unix.SIGWINCH:
		s.trigger(inittab.KbRequest)
	case unix.SIGPWR:
		s.trigger(inittab.PowerWait)
		s.trigger(inittab.PowerFail)
	case unix.SIGQUIT:
		for _, j := range s.jobs {
			if j.Action == inittab.Restart && !j.gone {
				s.goDown(downRestart, j.Process)
				return
			}
		}
	}
}

// alone tells whether no process is left but init. Linux's kernel threads
// (children of kthreadd, process 2) do not count.
func alone() bool {
	if unix.Kill(-1, 0) == unix.ESRCH {
		return true
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	if len(stats) == 0 {
		return false // no procfs: the time-out decides
	}
	for _, f := range stats {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has just gone
		}
		pid, ppid := parseStat(string(b))
		if pid != 1 && pid != 2 && ppid != 2 {
			return false
		}
	}
	return true
}

// parseStat takes pid and ppid out of a /proc/PID/stat (proc(5)): the command
// in parentheses may hold anything, so the fields count from the last one.
func parseStat(stat string) (pid, ppid int) {
	head, _, _ := strings.Cut(stat, " ")
	pid, _ = strconv.Atoi(head)
	if i := strings.LastIndexByte(stat, ')'); i >= 0 {
		if f := strings.Fields(stat[i+1:]); len(f) > 1 {
			ppid, _ = strconv.Atoi(f[1])
		}
	}
	return pid, ppid
}

// down stops the machine, or executes the restart entry's command.
func down(k downKind, restart string) {
	unix.Sync()
	cmd := unix.LINUX_REBOOT_CMD_POWER_OFF
	switch k {
	case downRestart:
		argv := command(inittab.Entry{Process: restart})
		if len(argv) == 3 && argv[1] == "-c" {
			argv[2] = "exec " + argv[2] // its command is to be process 1, not its child
		}
		err := unix.Exec(argv[0], argv, os.Environ())
		say("restart: %s: %v", argv[0], err)
		// What else is there to execute but ourselves?
		unix.Exec("/sbin/init", []string{"init"}, os.Environ())
		return
	case downReboot:
		cmd = unix.LINUX_REBOOT_CMD_RESTART
	case downHalt:
		cmd = unix.LINUX_REBOOT_CMD_HALT
	}
	if err := unix.Reboot(cmd); err != nil {
		say("reboot: %v", err)
	}
	for { // process 1 must not end
		time.Sleep(time.Hour)
	}
}
