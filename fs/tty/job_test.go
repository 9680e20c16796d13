package tty

import (
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// loopDriver is a Driver that keeps what it is sent.
type loopDriver struct {
	sent  chan []byte
	block chan struct{} // if not nil, Write waits for it
}

func (d *loopDriver) Write(p []byte) (int, error) {
	if d.block != nil {
		<-d.block
	}
	d.sent <- append([]byte(nil), p...)
	return len(p), nil
}
func (d *loopDriver) SetTermios(*Termios) {}
func (d *loopDriver) Break(int)           {}

// line is a real terminal with one open file, under job control.
type line struct {
	t      *Terminal
	m      *Manager
	jobs   *fakeJobs
	driver *loopDriver
	ourSide
}

// shell is the session leader that has opened the line: session and group 10.
func newLine(t *testing.T, flags int) *line {
	t.Helper()
	jobs := &fakeJobs{caller: Caller{SID: 10, PGID: 10, Leader: true}, groups: map[int32]int32{10: 10, 11: 10, 12: 10, 20: 20}}
	m := NewManager(jobs)
	d := &loopDriver{sent: make(chan []byte, 1000)}
	term := m.NewTerminal(Config{Name: "ttyS0", Dev: unix.Mkdev(4, 64), Driver: d, Speed: 115200})
	m.SetConsole(term)
	l := &line{t: term, m: m, jobs: jobs, driver: d}
	l.ourSide = l.open(t, flags)
	return l
}

func (l *line) open(t *testing.T, flags int) ourSide {
	t.Helper()
	mode := fs.ModeRead | fs.ModeWrite
	if flags&unix.O_ACCMODE == unix.O_WRONLY {
		mode = fs.ModeWrite
	}
	f, ctx := openFlags(flags, mode), testContext()
	ops, err := l.t.Open(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	return ourSide{ctx, f, ops}
}

// from makes the task of l's context a member of a group.
func (l *line) from(pgid int32) { l.jobs.caller = Caller{SID: 10, PGID: pgid} }

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if err != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantSent(t *testing.T, jobs *fakeJobs, want ...string) {
	t.Helper()
	if got := jobs.take(); !reflect.DeepEqual(got, want) {
		t.Errorf("signals %q, want %q", got, want)
	}
}

func TestFirstOpenByLeaderClaims(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	if l.t.Session() != 10 || l.t.Foreground() != 10 || l.jobs.terminal[10] != l.t {
		t.Fatalf("session %d, foreground %d", l.t.Session(), l.t.Foreground())
	}
	// Another session's leader gets nothing while the first has it.
	l.jobs.caller = Caller{SID: 20, PGID: 20, Leader: true}
	o := l.open(t, unix.O_RDWR)
	if l.t.Session() != 10 || l.jobs.terminal[20] != nil {
		t.Fatal("the terminal changed hands by an open")
	}
	wantErr(t, "TIOCSCTTY of a taken terminal", l.t.setControlling(o.ctx, o.f, 0), unix.EPERM)
	o.ctx.Cred = fs.UserCred(1000, 1000)
	wantErr(t, "TIOCSCTTY 1 by a user", l.t.setControlling(o.ctx, o.f, 1), unix.EPERM)
	o.ctx.Cred = fs.RootCred()
	wantErr(t, "TIOCSCTTY 1 by root", l.t.setControlling(o.ctx, o.f, 1), nil)
	if l.t.Session() != 20 || l.jobs.terminal[10] != nil || l.jobs.terminal[20] != l.t {
		t.Fatal("root could not take the terminal")
	}
}

func TestOpenWithoutClaim(t *testing.T) {
	for name, c := range map[string]struct {
		flags  int
		caller Caller
	}{
		"O_NOCTTY":   {unix.O_RDWR | unix.O_NOCTTY, Caller{SID: 10, PGID: 10, Leader: true}},
		"write-only": {unix.O_WRONLY, Caller{SID: 10, PGID: 10, Leader: true}},
		"no leader":  {unix.O_RDWR, Caller{SID: 10, PGID: 11}},
	} {
		l := newLine(t, unix.O_RDWR|unix.O_NOCTTY)
		l.jobs.caller = c.caller
		l.open(t, c.flags)
		if l.t.Session() != 0 {
			t.Errorf("%s: the terminal was claimed", name)
		}
	}
	// /dev/console never becomes the controlling terminal by being opened.
	l := newLine(t, unix.O_RDWR|unix.O_NOCTTY)
	if _, err := l.m.OpenConsole(l.ctx, openFlags(unix.O_RDWR, readWrite)); err != nil || l.t.Session() != 0 {
		t.Errorf("console: %v, session %d", err, l.t.Session())
	}
}

func TestBackgroundRead(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	l.t.Receive([]byte("line\n"))
	l.from(11)
	_, err := l.read(10)
	wantErr(t, "background read", err, wait.ErrRestartSys)
	wantSent(t, l.jobs, "SIGTTIN to group 11")

	l.jobs.ignored = map[unix.Signal]bool{unix.SIGTTIN: true}
	_, err = l.read(10)
	wantErr(t, "background read, SIGTTIN ignored", err, unix.EIO)
	l.jobs.ignored = nil
	l.jobs.orphaned = map[int32]bool{11: true}
	_, err = l.read(10)
	wantErr(t, "background read, orphaned", err, unix.EIO)
	wantSent(t, l.jobs)

	// Neither the foreground nor a stranger to the terminal is stopped.
	l.from(10)
	if s, err := l.read(10); s != "line\n" || err != nil {
		t.Errorf("foreground read: %q, %v", s, err)
	}
	l.jobs.caller = Caller{SID: 20, PGID: 20}
	l.t.Receive([]byte("more\n"))
	if s, err := l.read(10); s != "more\n" || err != nil {
		t.Errorf("read from another session: %q, %v", s, err)
	}
}

func TestBackgroundWrite(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	l.from(11)
	if _, err := l.write("x"); err != nil {
		t.Errorf("background write without TOSTOP: %v", err)
	}
	tio := l.t.tio
	tio.Lflag |= unix.TOSTOP
	l.t.apply(&tio)
	_, err := l.write("x")
	wantErr(t, "background write under TOSTOP", err, wait.ErrRestartSys)
	wantSent(t, l.jobs, "SIGTTOU to group 11")
	l.jobs.ignored = map[unix.Signal]bool{unix.SIGTTOU: true}
	_, err = l.write("x")
	wantErr(t, "background write, SIGTTOU ignored", err, nil)
	l.jobs.ignored = nil
	l.jobs.orphaned = map[int32]bool{11: true}
	_, err = l.write("x")
	wantErr(t, "background write, orphaned", err, unix.EIO)
}

func TestKeysSignalTheForeground(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	l.t.setForegroundForTest(12)
	l.t.Receive([]byte("lost\x03kept\x1a\x1c"))
	wantSent(t, l.jobs, "SIGINT to group 12", "SIGQUIT to group 12", "SIGTSTP to group 12")
	l.t.SetWindowSize(50, 100, 0, 0)
	wantSent(t, l.jobs, "SIGWINCH to group 12")
	l.t.SetWindowSize(50, 100, 0, 0)
	wantSent(t, l.jobs)
	l.t.SetWindowSize(0, 0, 0, 0)
	if l.t.rows != defaultRows || l.t.cols != defaultCols {
		t.Errorf("a window of %d by %d", l.t.rows, l.t.cols)
	}
}

func TestHangUp(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	console, err := l.m.OpenConsole(l.ctx, openFlags(unix.O_RDWR|unix.O_NONBLOCK, readWrite))
	if err != nil {
		t.Fatal(err)
	}
	// A reader that sleeps is woken by it and sees the end of the file.
	done := make(chan error)
	go func() {
		r := l.ourSide
		r.ctx = testContext()
		s, err := r.read(10)
		if s != "" {
			t.Errorf("read %q", s)
		}
		done <- err
	}()
	time.Sleep(10 * time.Millisecond)
	l.t.setForegroundForTest(12)
	l.t.Disassociate(true)
	select {
	case err := <-done:
		wantErr(t, "sleeping reader", err, nil)
	case <-time.After(5 * time.Second):
		t.Fatal("the reader still sleeps")
	}
	wantSent(t, l.jobs, "SIGHUP to leader 10", "SIGCONT to leader 10", "SIGHUP to group 12")
	if l.t.Session() != 0 || l.t.Foreground() != 0 || l.jobs.terminal[10] != nil {
		t.Error("the session still has the terminal")
	}
	_, err = l.write("x")
	wantErr(t, "write after hang-up", err, unix.EIO)
	s, err := l.read(10)
	if s != "" || err != nil {
		t.Errorf("read after hang-up: %q, %v", s, err)
	}
	if ev := l.ops.Poll(l.f, nil); ev&(evHup|evIn) != evHup|evIn&ev || ev&evHup == 0 {
		t.Errorf("poll after hang-up: %#x", ev)
	}
	_, err = l.ops.Ioctl(l.ctx, l.f, unix.TCGETS, 0)
	wantErr(t, "ioctl after hang-up", err, unix.EIO)
	_, err = l.ops.Ioctl(l.ctx, l.f, unix.TIOCSPGRP, 0)
	wantErr(t, "TIOCSPGRP after hang-up", err, unix.ENOTTY)
	// The console's file lives on, and so does a new one.
	it := mm.BytesIter([]byte("x"))
	if _, err := console.Write(l.ctx, openFlags(unix.O_RDWR, readWrite), &it, nil); err != nil {
		t.Errorf("console after hang-up: %v", err)
	}
	if _, err := l.open(t, unix.O_RDWR|unix.O_NOCTTY).write("y"); err != nil {
		t.Errorf("new file after hang-up: %v", err)
	}
}

func TestGiveUpTerminal(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	l.t.setForegroundForTest(12)
	l.from(12)
	wantErr(t, "TIOCNOTTY by a member", l.t.giveUp(l.ctx), nil)
	wantSent(t, l.jobs, "leave")
	l.jobs.caller = Caller{SID: 10, PGID: 10, Leader: true}
	wantErr(t, "TIOCNOTTY by the leader", l.t.giveUp(l.ctx), nil)
	wantSent(t, l.jobs, "SIGHUP to group 12", "SIGCONT to group 12")
	wantErr(t, "TIOCNOTTY again", l.t.giveUp(l.ctx), unix.ENOTTY)
	if _, err := l.m.OpenCurrent(l.ctx, openFlags(unix.O_RDWR, readWrite)); err != unix.ENXIO {
		t.Errorf("/dev/tty without a terminal: %v", err)
	}
}

func (t *Terminal) setForegroundForTest(pgid int32) {
	t.mu.Lock()
	t.pgid = pgid
	t.mu.Unlock()
}
