package proc

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

// WaitTarget says for which children wait4(2) or waitid(2) waits.
type WaitTarget struct {
	Type int   // P_ALL, P_PID, P_PGID
	ID   int32 // for P_PID and P_PGID
	// Group, if not nil, is the one process meant (P_PIDFD).
	Group   *ThreadGroup
	Options int // WNOHANG, WEXITED, WSTOPPED, WCONTINUED, WNOWAIT, __WALL, __WCLONE, __WNOTHREAD
}

// WaitResult is what is known of the child that was found.
type WaitResult struct {
	PID    int32 // 0: none (WNOHANG)
	UID    uint32
	Status int   // wait status as of wait4(2)
	Code   int32 // CLD_*
	Value  int32 // si_status: exit code or signal
	Usage  unix.Rusage
}

// Wait waits for a change of state of a child (wait4(2), waitid(2)): ECHILD when
// there is none that could change, a zero PID under WNOHANG when none has.
func (t *Task) Wait(w *WaitTarget) (WaitResult, error) {
	g := t.Group
	var r WaitResult
	linked := false
	defer func() {
		if linked {
			g.childEvents.Remove(&t.childWait)
		}
	}()
	for {
		t.Thread.Prepare()
		found, any := t.scanChildren(w, &r)
		switch {
		case found:
			return r, nil
		case !any:
			return r, unix.ECHILD
		case w.Options&unix.WNOHANG != 0:
			return WaitResult{}, nil
		case !linked:
			linked = true
			g.childEvents.Add(&t.childWait, &t.Thread)
		case t.Thread.Interrupted():
			return r, wait.ErrRestartSys
		default:
			t.Thread.Park()
		}
	}
}

// scanChildren looks for a child that w waits for and that has something to
// report (found), and notes whether there is one that might some day (any).
func (t *Task) scanChildren(w *WaitTarget, r *WaitResult) (found, any bool) {
	tree.RLock()
	c := t.nextWaitable(w, &any)
	tree.RUnlock()
	if c == nil {
		return false, any
	}
	// What was found under the shared lock may be taken by another thread until
	// we hold it alone: look again.
	tree.Lock()
	defer tree.Unlock()
	for {
		any = false
		if c = t.nextWaitable(w, &any); c == nil {
			return false, any
		}
		if c.report(w, t, r) {
			return true, true
		}
	}
}

// nextWaitable returns the first child of t's process that w waits for and that
// has something to report.
//
//   - tree is held
func (t *Task) nextWaitable(w *WaitTarget, any *bool) *ThreadGroup {
	for c := t.Group.children.head; c != nil; c = c.sibling.next {
		if !c.matches(w, t) {
			continue
		}
		*any = true
		if c.ready(w) {
			return c
		}
	}
	return nil
}

// matches reports whether g is one of the children that w means, for caller t.
//
//   - tree is held
func (g *ThreadGroup) matches(w *WaitTarget, t *Task) bool {
	switch {
	case w.Group != nil:
		if g != w.Group {
			return false
		}
	case w.Type == unix.P_PID:
		if g.PID != w.ID {
			return false
		}
	case w.Type == unix.P_PGID:
		if g.pgrp == nil || g.pgrp.ID != w.ID {
			return false
		}
	}
	if w.Options&unix.WNOTHREAD != 0 && g.creator != t {
		return false
	}
	clone := g.exitSignal != unix.SIGCHLD
	return w.Options&unix.WALL != 0 || clone == (w.Options&unix.WCLONE != 0)
}

// ready reports whether g has something to report that w asks for.
//
//   - tree is held
func (g *ThreadGroup) ready(w *WaitTarget) bool {
	if g.state == groupZombie {
		return w.Options&unix.WEXITED != 0
	}
	if w.Options&unix.WSTOPPED != 0 {
		if _, ok := g.peekStop(false); ok {
			return true
		}
	}
	return w.Options&unix.WCONTINUED != 0 && g.peekContinued(false)
}

// report fills in r and, without WNOWAIT, consumes what it reports; false if
// there was nothing after all.
//
//   - tree is held for writing
func (g *ThreadGroup) report(w *WaitTarget, t *Task, r *WaitResult) bool {
	consume := w.Options&unix.WNOWAIT == 0
	*r = WaitResult{PID: g.PID, UID: g.Leader.Cred().UID}
	if g.state == groupZombie {
		g.sig.mu.Lock()
		r.Status = g.sig.exitStatus
		used := g.deadUsage
		g.sig.mu.Unlock()
		r.Code, r.Value = exitCode(r.Status)
		used.add(&g.childUsage)
		r.Usage = used.Unix()
		if consume {
			t.Group.childUsage.add(&used)
			g.unlink()
		}
		return true
	}
	if w.Options&unix.WSTOPPED != 0 {
		if sig, ok := g.peekStop(consume); ok {
			r.Status, r.Code, r.Value = int(sig)<<8|0x7f, CLD_STOPPED, int32(sig)
			u := g.Usage()
			r.Usage = u.Unix()
			return true
		}
	}
	if w.Options&unix.WCONTINUED != 0 && g.peekContinued(consume) {
		r.Status, r.Code, r.Value = 0xffff, CLD_CONTINUED, int32(unix.SIGCONT)
		u := g.Usage()
		r.Usage = u.Unix()
		return true
	}
	return false
}

// exitCode splits a wait status into the si_code and si_status of waitid(2).
func exitCode(status int) (code, value int32) {
	switch s := status & 0x7f; {
	case s == 0:
		return CLD_EXITED, int32(status >> 8 & 0xff)
	case status&0x80 != 0:
		return CLD_DUMPED, int32(s)
	default:
		return CLD_KILLED, int32(s)
	}
}
