package proc

import (
	"golang.org/x/sys/unix"
)

// Process groups and sessions: setpgid(2), setsid(2), credentials(7).

// leaveProcessGroup takes g out of its process group, which ends with its last
// member, and its session with its last group.
//
//   - tree is held for writing
func (g *ThreadGroup) leaveProcessGroup() {
	pg := g.pgrp
	if pg == nil {
		return
	}
	pg.members.remove(g, linkMember)
	g.pgrp = nil
	if pg.members.head != nil {
		return
	}
	if s := pids.slot(pg.ID); s != nil && s.pgrp.Load() == pg {
		s.pgrp.Store(nil)
		pids.release(pg.ID)
	}
	ses := pg.Session
	if ses.groups--; ses.groups == 0 {
		if s := pids.slot(ses.ID); s != nil && s.session.Load() == ses {
			s.session.Store(nil)
			pids.release(ses.ID)
		}
	}
}

// enterProcessGroup puts g, which is in none, into pg.
//
//   - tree is held for writing
func (g *ThreadGroup) enterProcessGroup(pg *ProcessGroup) {
	g.pgrp = pg
	pg.members.add(g, linkMember)
}

// newProcessGroup makes a group whose id is that of a process in session s.
//
//   - tree is held for writing
func newProcessGroup(id int32, s *Session) *ProcessGroup {
	pg := &ProcessGroup{ID: id, Session: s}
	pids.slot(id).pgrp.Store(pg)
	s.groups++
	return pg
}

// SetProcessGroup is setpgid(2): it moves process pid (0: the caller) to group
// pgid (0: one with its own number).
func (t *Task) SetProcessGroup(pid, pgid int32) error {
	if pgid < 0 {
		return unix.EINVAL
	}
	tree.Lock()
	defer tree.Unlock()
	g := t.Group
	if pid != 0 && pid != g.PID {
		g = FindGroup(pid)
		switch {
		case g == nil || g.parent != t.Group:
			return unix.ESRCH
		case g.session != t.Group.session:
			return unix.EPERM
		case g.executed:
			return unix.EACCES
		}
	}
	if g.session.leader == g {
		return unix.EPERM
	}
	if pgid == 0 {
		pgid = g.PID
	}
	if g.pgrp != nil && g.pgrp.ID == pgid {
		return nil
	}
	pg := FindProcessGroup(pgid)
	switch {
	case pg != nil && pg.Session != g.session:
		return unix.EPERM
	case pg == nil && pgid != g.PID:
		return unix.EPERM
	case g.pgrp == nil:
		return unix.ESRCH // reaped meanwhile
	case pg == nil:
		pg = newProcessGroup(pgid, g.session)
	}
	g.leaveProcessGroup()
	g.enterProcessGroup(pg)
	return nil
}

// NewSession is setsid(2): it returns the id of the new session.
func (t *Task) NewSession() (int32, error) {
	g := t.Group
	tree.Lock()
	defer tree.Unlock()
	if g.session.leader == g || FindProcessGroup(g.PID) != nil {
		return 0, unix.EPERM
	}
	g.startSession()
	return g.PID, nil
}

// startSession makes g the leader of a session and a process group of its own.
//
//   - tree is held for writing
//   - no process group or session has g's number
func (g *ThreadGroup) startSession() {
	s := &Session{ID: g.PID, leader: g}
	pids.slot(g.PID).session.Store(s)
	pg := newProcessGroup(g.PID, s)
	g.leaveProcessGroup()
	g.enterProcessGroup(pg)
	g.session = s
	g.leftTTY.Store(false)
}

// groupOf returns the process that pid names for getpgid(2) and getsid(2).
func (t *Task) groupOf(pid int32) *ThreadGroup {
	if pid == 0 {
		return t.Group
	}
	if o := FindTask(pid); o != nil {
		return o.Group
	}
	return nil
}

// ProcessGroupOf is getpgid(2).
func (t *Task) ProcessGroupOf(pid int32) (int32, error) {
	tree.RLock()
	defer tree.RUnlock()
	g := t.groupOf(pid)
	if g == nil || g.pgrp == nil {
		return 0, unix.ESRCH
	}
	return g.pgrp.ID, nil
}

// SessionOf is getsid(2).
func (t *Task) SessionOf(pid int32) (int32, error) {
	tree.RLock()
	defer tree.RUnlock()
	g := t.groupOf(pid)
	if g == nil || g.pgrp == nil {
		return 0, unix.ESRCH
	}
	return g.session.ID, nil
}

// Session returns the session g is in.
func (g *ThreadGroup) Session() *Session {
	tree.RLock()
	defer tree.RUnlock()
	return g.session
}

// SessionID returns its number.
func (g *ThreadGroup) SessionID() int32 { return g.Session().ID }

// ProcessGroup returns the process group g is in, nil once it has been reaped.
func (g *ThreadGroup) ProcessGroup() *ProcessGroup {
	tree.RLock()
	defer tree.RUnlock()
	return g.pgrp
}

// Parent returns g's parent, nil for PID 1.
func (g *ThreadGroup) Parent() *ThreadGroup {
	tree.RLock()
	defer tree.RUnlock()
	return g.parent
}

// ParentPID is getppid(2): 0 for PID 1.
func (g *ThreadGroup) ParentPID() int32 { return g.parentPID.Load() }

// setParent makes p the parent.
//
//   - tree is held for writing
func (g *ThreadGroup) setParent(p *ThreadGroup, creator *Task) {
	g.parent, g.creator = p, creator
	if p != nil {
		g.parentPID.Store(p.PID)
	}
}

// FindSession returns the session with that number, or nil.
func FindSession(id int32) *Session {
	if s := pids.slot(id); s != nil {
		if ses := s.session.Load(); ses != nil && ses.ID == id {
			return ses
		}
	}
	return nil
}

// Leader returns the process that made the session, nil when it has ended.
func (s *Session) Leader() *ThreadGroup {
	tree.RLock()
	defer tree.RUnlock()
	return s.leader
}

// TTY returns the controlling terminal, or nil.
func (s *Session) TTY() ControllingTerminal {
	if p := s.tty.Load(); p != nil {
		return *p
	}
	return nil
}

// SetTTY sets the controlling terminal; nil takes it away.
func (s *Session) SetTTY(tty ControllingTerminal) {
	if tty == nil {
		s.tty.Store(nil)
		return
	}
	s.tty.Store(&tty)
}

// Orphaned reports whether no process outside pg could continue its members
// when they are stopped.
func (pg *ProcessGroup) Orphaned() bool {
	tree.RLock()
	defer tree.RUnlock()
	return pg.orphaned(nil)
}
