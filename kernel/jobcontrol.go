package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/fs/tty"
	"tamarix/proc"
)

// jobControl tells terminals about processes, groups and sessions.
type jobControl struct{}

// taskOf returns the task a context belongs to; nil for the kernel's own.
func taskOf(ctx *fs.Context) *proc.Task {
	t, _ := ctx.Task.(*proc.Task)
	return t
}

// Caller implements [tty.JobControl].
func (jobControl) Caller(ctx *fs.Context) tty.Caller {
	t := taskOf(ctx)
	if t == nil {
		return tty.Caller{}
	}
	g := t.Group
	s, pg := g.Session(), g.ProcessGroup()
	if s == nil || pg == nil {
		return tty.Caller{}
	}
	c := tty.Caller{SID: s.ID, PGID: pg.ID, Leader: s.Leader() == g}
	if !g.LeftTTY() {
		c.Terminal, _ = s.TTY().(*tty.Terminal)
	}
	return c
}

// SetTerminal implements [tty.JobControl].
func (jobControl) SetTerminal(sid int32, t *tty.Terminal) {
	s := proc.FindSession(sid)
	switch {
	case s == nil:
	case t == nil:
		s.SetTTY(nil)
	default:
		s.SetTTY(t)
	}
}

// LeaveTerminal implements [tty.JobControl].
func (jobControl) LeaveTerminal(ctx *fs.Context) {
	if t := taskOf(ctx); t != nil {
		t.Group.LeaveTTY()
	}
}

// SignalGroup implements [tty.JobControl].
func (jobControl) SignalGroup(sid, pgid int32, sig unix.Signal) {
	if pg := proc.FindProcessGroup(pgid); pg != nil && pg.Session.ID == sid {
		proc.SignalProcessGroup(pgid, sig)
	}
}

// SignalLeader implements [tty.JobControl].
func (jobControl) SignalLeader(sid int32, sig unix.Signal) {
	s := proc.FindSession(sid)
	if s == nil {
		return
	}
	if g := s.Leader(); g != nil {
		info := proc.KernelInfo(sig)
		proc.SendGroup(g, &info)
	}
}

// GroupSession implements [tty.JobControl].
func (jobControl) GroupSession(pgid int32) (sid int32, ok bool) {
	pg := proc.FindProcessGroup(pgid)
	if pg != nil {
		return pg.Session.ID, true
	}
	if g := proc.FindGroup(pgid); g != nil {
		return g.SessionID(), true
	}
	return 0, false
}

// Orphaned implements [tty.JobControl].
func (jobControl) Orphaned(pgid int32) bool {
	pg := proc.FindProcessGroup(pgid)
	return pg == nil || pg.Orphaned()
}

// Ignores implements [tty.JobControl].
func (jobControl) Ignores(ctx *fs.Context, sig unix.Signal) bool {
	t := taskOf(ctx)
	if t == nil {
		return true
	}
	return t.Blocked().Has(sig) || t.GetAction(sig).Handler == proc.SIG_IGN
}
