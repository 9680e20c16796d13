package proc

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Exit is exit(2): the calling thread ends with status (its low byte) when it
// would return to ring 3.
func (t *Task) Exit(status int) {
	t.exitStatus = status & 0xff << 8
	t.work.Or(workExit)
}

// ExitGroup is exit_group(2): so do all threads of the process.
func (t *Task) ExitGroup(status int) {
	g := t.Group
	g.sig.mu.Lock()
	g.exitLocked(status&0xff<<8, t)
	g.sig.mu.Unlock()
	t.work.Or(workExit)
}

// exitSteps is the end of a task, in order: it gives back what it has, leaves
// its relatives in order, and tells whoever waits. Each step is done once, even
// if one before it ran into a Go panic, so that a mistake in one of them costs
// no more than what it holds.
var exitSteps = [...]func(t *Task){
	(*Task).exitSignals, // from here on no signal is given to t
	(*Task).exitRobustFutexes,
	(*Task).clearTID,
	(*Task).exitSpace,
	(*Task).endGroup,
	(*Task).releaseFiles,
	(*Task).leave,
}

// exit ends t, on its own goroutine.
func (t *Task) exit() {
	for t.exitStep < len(exitSteps) {
		t.exitUntilPanic()
	}
	t.account.tasks.Add(-1)
	t.Ctx.Free()
}

func (t *Task) exitUntilPanic() {
	defer func() {
		if r := recover(); r != nil {
			t.logOops(r)
		}
	}()
	for t.exitStep < len(exitSteps) {
		step := exitSteps[t.exitStep]
		t.exitStep++
		step(t)
	}
}

// clearTID tells the C library that the thread is gone (set_tid_address(2)).
func (t *Task) clearTID() {
	addr := t.clearChildTID
	if addr == 0 {
		return
	}
	t.clearChildTID = 0
	if t.AS.Write32(addr, 0) == nil {
		t.FutexWake(addr, 1, ^uint32(0), true)
	}
}

// exitSpace gives up the address space.
func (t *Task) exitSpace() {
	t.userTime.Store(t.Ctx.UserTime())
	t.peakRSS = peakRSS(t.AS)
	t.finishVfork()
	t.releaseSpace()
}

// leave takes t out of its process, and the process, if t was its last thread,
// from among the living.
func (t *Task) leave() {
	t.Thread.StopClock()
	g := t.Group
	tree.Lock()
	defer tree.Unlock()
	t.leaveGroup()
	if t.last {
		g.becomeZombie()
	} else {
		g.disownThread(t)
	}
}

// finishVfork lets the parent of a vfork child go on.
func (t *Task) finishVfork() {
	if v := t.vfork; v != nil {
		t.vfork = nil
		v.finish()
	}
}

// endGroup is what the last thread of a process does for all of it.
func (t *Task) endGroup() {
	g := t.Group
	if t.last = g.liveCount.Add(-1) == 0; !t.last {
		return
	}
	g.sig.mu.Lock()
	if g.sig.flags&groupExiting == 0 {
		g.sig.flags |= groupExiting
		g.sig.exitStatus = g.Leader.exitStatus
	}
	status := g.sig.exitStatus
	g.sig.mu.Unlock()
	if g.PID == 1 {
		Panic(fmt.Sprintf("Attempted to kill init! %s", describeStatus(status)))
	}
	g.releaseExe()
	tree.RLock()
	s := g.session
	leads := s != nil && s.leader == g
	tree.RUnlock()
	if leads {
		if tty := s.TTY(); tty != nil {
			tty.Disassociate(true)
		}
	}
}

// describeStatus says in words what a wait status means.
func describeStatus(status int) string {
	w := unix.WaitStatus(status)
	switch {
	case w.Signaled():
		return fmt.Sprintf("killed by signal %d (%s), exitcode=%#08x", int(w.Signal()), unix.SignalName(w.Signal()), status)
	default:
		return fmt.Sprintf("exit status %d, exitcode=%#08x", w.ExitStatus(), status)
	}
}

// leaveGroup takes t off its process's list of threads. A leader keeps its
// number and stays as the process's zombie; any other thread is gone.
//
//   - tree is held for writing
func (t *Task) leaveGroup() {
	g := t.Group
	used := t.rusage()
	g.sig.mu.Lock()
	for i, o := range g.threads {
		if o == t {
			g.threads = append(g.threads[:i:i], g.threads[i+1:]...)
			break
		}
	}
	g.deadUsage.add(&used)
	g.deadUsage.MaxRSS = max(g.deadUsage.MaxRSS, t.peakRSS)
	waiter := g.execWaiter
	g.sig.mu.Unlock()
	t.exited = true
	if t != g.Leader {
		t.freeTID()
	}
	if waiter != nil {
		waiter.Thread.Wake()
	}
}

// freeTID gives t's number back.
//
//   - tree is held for writing
func (t *Task) freeTID() {
	if s := pids.slot(t.TID); s != nil && s.task.Load() == t {
		s.task.Store(nil)
		pids.release(t.TID)
		taskCount--
	}
}

// becomeZombie is the process's change from living to dead: its children go to
// another parent, its parent hears of it.
//
//   - tree is held for writing
func (g *ThreadGroup) becomeZombie() {
	g.state = groupZombie
	g.endSignals()
	g.giveAwayChildren()
	g.hangUpOrphans(g.parent)
	if s := g.session; s.leader == g {
		s.leader = nil
	}
	g.exitEvents.WakeAll(unix.POLLIN | pollRdNorm)
	if g.parent == nil || g.notifyParentExit(g.Leader) {
		g.unlink()
	}
}

// hangUpOrphans sends SIGHUP and SIGCONT to g's process group if it has stopped
// members and g's end, or its change to another parent, leaves nobody who could
// continue them (POSIX _exit, "Consequences of process termination"). parent is
// the one that g had.
//
//   - tree is held for writing
func (g *ThreadGroup) hangUpOrphans(parent *ThreadGroup) {
	pg := g.pgrp
	if pg == nil || parent == nil || parent.pgrp == pg || parent.session != g.session {
		return // g did not keep its group from being an orphan
	}
	if pg.orphaned(g) && pg.hasStopped() {
		signalMembersLocked(pg, unix.SIGHUP)
		signalMembersLocked(pg, unix.SIGCONT)
	}
}

// signalMembersLocked sends sig from the kernel to all members of pg.
//
//   - tree is held
func signalMembersLocked(pg *ProcessGroup, sig unix.Signal) {
	info := KernelInfo(sig)
	for m := pg.members.head; m != nil; m = m.member.next {
		SendGroup(m, &info)
	}
}

// giveAwayChildren finds a new parent for g's children: the nearest ancestor
// that is a subreaper and lives, else PID 1.
//
//   - tree is held for writing
func (g *ThreadGroup) giveAwayChildren() {
	if g.children.head == nil {
		return
	}
	reaper := g.reaper()
	for c := g.children.head; c != nil; c = g.children.head {
		g.children.remove(c, linkSibling)
		c.setParent(reaper, reaper.Leader)
		c.exitSignal = unix.SIGCHLD
		reaper.children.add(c, linkSibling)
		c.sendParentDeath()
		// A job that g alone could have continued is an orphan now.
		if pg := c.pgrp; pg != g.pgrp && c.session == g.session && pg.orphaned(nil) && pg.hasStopped() {
			signalMembersLocked(pg, unix.SIGHUP)
			signalMembersLocked(pg, unix.SIGCONT)
		}
		if c.state == groupZombie && c.notifyParentExit(c.Leader) {
			c.unlink()
		}
	}
}

// reaper returns who becomes the parent of g's children.
//
//   - tree is held
func (g *ThreadGroup) reaper() *ThreadGroup {
	if g.hasSubreaper {
		for p := g.parent; p != nil; p = p.parent {
			if p.subreaper && p.state == groupAlive && p.liveCount.Load() > 0 {
				return p
			}
		}
	}
	return initGroup
}

// disownThread is the end of a thread of a process that lives on: children it
// made now count as another thread's.
//
//   - tree is held for writing
func (g *ThreadGroup) disownThread(t *Task) {
	for c := g.children.head; c != nil; c = c.sibling.next {
		if c.creator == t {
			c.creator = g.Leader
			c.sendParentDeath()
		}
	}
}

// sendParentDeath sends the signals that g's threads asked for by
// PR_SET_PDEATHSIG.
//
//   - tree is held for writing
func (g *ThreadGroup) sendParentDeath() {
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	for _, t := range g.threads {
		if t.parentDeath != 0 {
			info := UserInfo(t.parentDeath, SI_USER, 0, 0)
			g.sendLocked(t, &info, true, false)
		}
	}
}

// unlink takes a dead process out of all lists: its number is free after this.
//
//   - tree is held for writing
//   - g is a zombie
func (g *ThreadGroup) unlink() {
	g.state = groupReaped
	if p := g.parent; p != nil {
		p.children.remove(g, linkSibling)
	}
	g.leaveProcessGroup()
	g.Leader.freeTID()
	g.exitEvents.WakeAll(unix.POLLIN | pollRdNorm | unix.POLLHUP)
}

// waitForOthers sleeps until t is the only thread of its process that has not
// ended, after they have been told to go.
func (t *Task) waitForOthers() {
	g := t.Group
	for {
		t.Thread.Prepare()
		g.sig.mu.Lock()
		alone := len(g.threads) == 1 && g.threads[0] == t
		if alone {
			g.execWaiter = nil
		} else {
			g.execWaiter = t
		}
		g.sig.mu.Unlock()
		if alone {
			return
		}
		t.Thread.Park()
	}
}
