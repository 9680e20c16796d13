package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be init, too: TestNamespace starts it as process
// 1 of a PID namespace.
func TestMain(m *testing.M) {
	if os.Getpid() == 1 && os.Getenv("BE_INIT") != "" {
		unix.Mount("proc", "/proc", "proc", 0, "")
		unix.Mount("run", "/run", "tmpfs", 0, "")
		os.Exit(runInit(os.Args[1:]))
	}
	if os.Getenv("BE_TELINIT") != "" {
		os.Exit(dispatch(os.Getenv("BE_TELINIT"), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// A container is init as process 1 of namespaces of its own on this host.
type container struct {
	*testing.T
	cmd *exec.Cmd
	out *os.File // what init and its processes print
	dir string
}

// contain starts init with the given table; %D in it is a directory that the
// test can look into, %T a command for telinit and its kin: %T poweroff args.
func contain(t *testing.T, table string) *container {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, for a PID namespace (make test as root runs it; QEMU tests run init as well)")
	}
	t.Parallel()
	c := &container{T: t, dir: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	table = strings.ReplaceAll(table, "%D", c.dir)
	file := filepath.Join(c.dir, "inittab")
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	if c.out, err = os.Create(filepath.Join(c.dir, "out")); err != nil {
		t.Fatal(err)
	}
	c.cmd = exec.Command(self, "--inittab="+file)
	c.cmd.Env = append(os.Environ(), "BE_INIT=1", "SELF="+self)
	c.cmd.Stdout, c.cmd.Stderr = c.out, c.out
	c.cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS,
		Unshareflags: syscall.CLONE_NEWNS, // makes all mounts private
		Setsid:       true,
	}
	if err := c.cmd.Start(); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		if t.Failed() {
			b, _ := os.ReadFile(c.out.Name())
			t.Logf("what init said:\n%s", b)
		}
	})
	return c
}

// eventually waits for a file in the container's directory to hold text.
func (c *container) eventually(file, text string) {
	c.Helper()
	var b []byte
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if b, _ = os.ReadFile(filepath.Join(c.dir, file)); bytes.Contains(b, []byte(text)) {
			return
		}
	}
	c.Fatalf("%s never holds %q; it holds %q", file, text, b)
}

// ends waits for init's end: reboot(2) in a PID namespace kills its process 1,
// with SIGHUP for a reboot and SIGINT for a halt or a power off.
func (c *container) ends(by unix.Signal) {
	c.Helper()
	done := make(chan error, 1)
	go func() { done <- c.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		c.Fatal("init has not ended")
	}
	ws := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ws.Signaled() || ws.Signal() != by {
		c.Errorf("init ended with status %v, want signal %v", ws, by)
	}
}

func TestNamespaceBootAndPowerOff(t *testing.T) {
	c := contain(t, `
id:3:initdefault:
bad line
a::sysinit:echo sysinit >> %D/log
b::boot:echo boot >> %D/log
c:3:wait:sleep 0.2; echo wait >> %D/log
d:3:once:echo once level $RUNLEVEL from $PREVLEVEL >> %D/log
e:3:respawn:echo respawn >> %D/again; exec sleep 0.1
s::shutdown:echo shutdown >> %D/log
f:3:respawn:trap 'echo polite >> %D/log; exit' TERM; echo ready >> %D/ready; while :; do sleep 0.05; done
`)
	c.eventually("ready", "ready")
	c.eventually("log", "sysinit\nboot\nwait\nonce level 3 from N\n")
	c.eventually("out", "inittab:3: 1 fields")
	c.eventually("again", "respawn\nrespawn\nrespawn\n")
	c.cmd.Process.Signal(unix.SIGUSR2)
	c.ends(unix.SIGINT)
	c.eventually("log", "shutdown\npolite\n")
}

func TestNamespaceCommandsTalkToInit(t *testing.T) {
	c := contain(t, `
id:2:initdefault:
a:2:once:for i in 1 2 3 4 5 6 7 8 9; do [ -p /run/initctl ] && break; sleep 0.1; done; BE_TELINIT=telinit $SELF 4 && echo asked >> %D/log
b:4:once:echo in $RUNLEVEL from $PREVLEVEL >> %D/log; BE_TELINIT=reboot exec $SELF
`)
	c.eventually("log", "in 4 from 2\n")
	c.ends(unix.SIGHUP)
}

func TestNamespaceReapsOrphans(t *testing.T) {
	c := contain(t, `
a:3:once:(sleep 0.1; echo orphan >> %D/log) & exit
b:3:once:sleep 0.5; ls -d /proc/[0-9]* | wc -l >> %D/count; grep -l 'State:.Z' /proc/[0-9]*/status >> %D/zombies; echo done >> %D/zombies
`)
	c.eventually("log", "orphan")
	c.eventually("zombies", "done")
	if b, _ := os.ReadFile(filepath.Join(c.dir, "zombies")); string(b) != "done\n" {
		t.Errorf("zombies: %s", b)
	}
	c.cmd.Process.Signal(unix.SIGTERM)
	c.ends(unix.SIGHUP)
}

func TestNamespaceRestart(t *testing.T) {
	c := contain(t, `
a:3:once:echo up >> %D/log
r::restart:/bin/sh -c 'echo restarted as $$ >> %D/log'
`)
	c.eventually("log", "up")
	c.cmd.Process.Signal(unix.SIGQUIT)
	c.eventually("log", "restarted as 1\n")
}
