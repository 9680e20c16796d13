package proc

import (
	"golang.org/x/sys/unix"
)

// Telling the parent, and what wait4(2) sees of stops.

// clockTick is the unit of times in siginfo and times(2): USER_HZ is 100.
const clockTick = 10_000_000 // ns

// notifyParentStop tells the parent that the process has stopped or gone on:
// SIGCHLD unless the parent does not want it (SA_NOCLDSTOP), and a wake-up for
// wait4(2). t is the thread that speaks for the process.
//
// No lock is held.
func (g *ThreadGroup) notifyParentStop(t *Task, code int32, status unix.Signal) {
	tree.RLock()
	defer tree.RUnlock()
	parent := g.parent
	if parent == nil {
		return
	}
	if code == CLD_STOPPED {
		g.sig.mu.Lock()
		status = g.sig.stopSignal
		g.sig.mu.Unlock()
	}
	user, system := g.CPUTimes()
	info := ChildInfo(unix.SIGCHLD, code, g.PID, t.Cred().UID, int32(status),
		uint64(user/clockTick), uint64(system/clockTick))
	parent.sig.mu.Lock()
	if len(parent.threads) > 0 {
		to := parent.threads[0]
		a := to.sig.hand.Action(unix.SIGCHLD)
		if a.Handler != SIG_IGN && a.Flags&SA_NOCLDSTOP == 0 {
			parent.sendLocked(to, &info, true, false)
		}
	}
	parent.sig.mu.Unlock()
	parent.childEvents.WakeAll(^uint32(0))
}

// notifyParentExit tells the parent that g has ended, by g.exitSignal, and
// reports whether nobody will wait for g: the parent ignores SIGCHLD or has set
// SA_NOCLDWAIT (sigaction(2)). leader is g's first thread.
//
//   - tree is held for writing
//   - g.sig.mu is not held, and the wait status is final
func (g *ThreadGroup) notifyParentExit(leader *Task) (autoreap bool) {
	parent := g.parent
	if parent == nil {
		return false
	}
	sig, status := g.exitSignal, g.sig.exitStatus
	code, value := int32(CLD_EXITED), int32(status>>8)
	if s := status & 0x7f; s != 0 {
		code, value = CLD_KILLED, int32(s)
		if status&0x80 != 0 {
			code = CLD_DUMPED
		}
	}
	user, system := g.CPUTimes()
	parent.sig.mu.Lock()
	if len(parent.threads) > 0 {
		to := parent.threads[0]
		if sig == unix.SIGCHLD {
			a := to.sig.hand.Action(sig)
			autoreap = a.Handler == SIG_IGN || a.Flags&SA_NOCLDWAIT != 0
			if a.Handler == SIG_IGN {
				sig = 0
			}
		}
		if sig != 0 {
			info := ChildInfo(sig, code, g.PID, leader.Cred().UID, value,
				uint64(user/clockTick), uint64(system/clockTick))
			parent.sendLocked(to, &info, true, false)
		}
	}
	parent.sig.mu.Unlock()
	parent.childEvents.WakeAll(^uint32(0))
	return autoreap
}

// orphaned reports whether no member of the group has a parent in another group
// of the same session (POSIX 3.264): then nobody could continue it. except, if
// not nil, does not count: it is about to end.
//
//   - tree is held
func (pg *ProcessGroup) orphaned(except *ThreadGroup) bool {
	for g := pg.members.head; g != nil; g = g.member.next {
		if g == except || g.state != groupAlive || g.parent == nil || g.parent.PID == 1 {
			continue
		}
		if g.parent.pgrp != pg && g.parent.session == pg.Session {
			return false
		}
	}
	return true
}

// hasStopped reports whether a member of the group is stopped.
//
//   - tree is held
func (pg *ProcessGroup) hasStopped() bool {
	for g := pg.members.head; g != nil; g = g.member.next {
		g.sig.mu.Lock()
		stopped := g.sig.flags&groupStopped != 0
		g.sig.mu.Unlock()
		if stopped {
			return true
		}
	}
	return false
}

// inOrphanedGroup reports whether SIGTSTP, SIGTTIN and SIGTTOU have no effect
// on g because nobody could continue it.
func (g *ThreadGroup) inOrphanedGroup() bool {
	tree.RLock()
	defer tree.RUnlock()
	return g.pgrp == nil || g.pgrp.orphaned(nil)
}

// peekStop returns the signal that has stopped g, if it is stopped and that has
// not been reported yet. consume marks it as reported.
func (g *ThreadGroup) peekStop(consume bool) (sig unix.Signal, ok bool) {
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	if g.sig.flags&groupStopped == 0 || g.sig.stopSignal == 0 {
		return 0, false
	}
	sig = g.sig.stopSignal
	if consume {
		g.sig.stopSignal = 0
	}
	return sig, true
}

// peekContinued reports whether g has been continued since it was last
// reported. consume marks it as reported.
func (g *ThreadGroup) peekContinued(consume bool) bool {
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	if g.sig.flags&groupContinued == 0 {
		return false
	}
	if consume {
		g.sig.flags &^= groupContinued
	}
	return true
}

// Stopped reports whether t sits in a stop (state T of /proc/PID/stat).
func (t *Task) Stopped() bool {
	g := t.Group
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	return t.sig.stopped
}
