package tty

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// file is an open file of a terminal.
type file struct {
	fs.BaseOps
	t       *Terminal
	hangUps uint64 // of t when it was opened
	console bool   // opened as /dev/console: outlives hang-ups, exempt from SIGTTIN and SIGTTOU
}

// hungUpLocked reports whether the terminal was hung up since o was opened.
// Precondition: t.mu held.
func (o *file) hungUpLocked() bool { return o.hangUps != o.t.hangUps && !o.console }

func (o *file) hungUp() bool {
	o.t.mu.Lock()
	defer o.t.mu.Unlock()
	return o.hungUpLocked()
}

// Open opens the terminal by its own device node. A session leader that has no
// controlling terminal gets it, unless O_NOCTTY, if it opens it for reading and
// it controls no other session.
func (t *Terminal) Open(ctx *fs.Context, f *fs.File) (fs.FileOps, error) {
	return t.open(ctx, f, f.Flags()&unix.O_NOCTTY != 0, false)
}

// OpenQuietly is Open that never makes t the controlling terminal.
func (t *Terminal) OpenQuietly(ctx *fs.Context, f *fs.File) (fs.FileOps, error) {
	return t.open(ctx, f, true, false)
}

// OpenConsole opens the terminal as /dev/console: it never becomes the
// controlling terminal by that, and the file outlives hang-ups.
func (t *Terminal) OpenConsole(ctx *fs.Context, f *fs.File) (fs.FileOps, error) {
	return t.open(ctx, f, true, true)
}

func (t *Terminal) open(ctx *fs.Context, f *fs.File, noctty, console bool) (fs.FileOps, error) {
	t.mu.Lock()
	if t.master != nil && !t.master.openSlaveLocked() {
		t.mu.Unlock()
		return nil, unix.EIO
	}
	if t.exclusive && t.opens > 0 && !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		t.mu.Unlock()
		return nil, unix.EBUSY
	}
	t.opens++
	o := &file{t: t, hangUps: t.hangUps, console: console}
	free := t.sid == 0
	t.mu.Unlock()
	f.AddMode(fs.ModeStream | fs.ModePoll)
	if !noctty && free && f.Mode()&fs.ModeRead != 0 {
		if c := t.jobs.Caller(ctx); c.Leader && c.Terminal == nil {
			t.claim(c)
		}
	}
	return o, nil
}

// Release implements fs.FileOps. The last file closed discards what was typed,
// and lets what was written go out.
func (o *file) Release(*fs.File) {
	t := o.t
	t.mu.Lock()
	t.opens--
	last := t.opens == 0
	if last {
		t.flushInput()
		t.backlog.cut(0)
		t.exclusive = false
		t.tcoStopped = false
		t.setStopped(false)
	}
	t.mu.Unlock()
	if !last {
		return
	}
	if t.master != nil {
		t.master.slaveClosed()
	} else {
		t.startOutput()
	}
}

// Read implements fs.FileOps.
func (o *file) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	if o.hungUp() {
		return 0, nil
	}
	if !o.console {
		if err := o.t.checkChange(ctx, unix.SIGTTIN); err != nil {
			return 0, err
		}
	}
	return o.t.read(ctx, o, f.Nonblock(), it)
}

// Write implements fs.FileOps.
func (o *file) Write(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	return o.t.write(ctx, o, f.Nonblock(), it)
}

// Poll implements fs.FileOps.
func (o *file) Poll(_ *fs.File, pt *wait.PollTable) uint32 { return o.t.poll(o, pt) }
