package proc

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Sending a signal, from the check of permissions to the thread that wakes.
// The steps and their names follow kill(2), signal(7) and POSIX 2.4; where
// those leave a choice, the choice is Linux's.

// mayKill reports whether a task with credentials c may send sig to one with
// credentials to (kill(2)): CAP_KILL, or real or effective user id equal to the
// target's real or saved one.
func mayKill(c, to *fs.Cred) bool {
	return c.EUID == to.SUID || c.EUID == to.UID || c.UID == to.SUID || c.UID == to.UID ||
		c.Capable(unix.CAP_KILL)
}

// checkKill applies kill(2)'s rules to a signal that t wants to send to to:
// EPERM, or nil. SIGCONT may go anywhere within the session. Threads of one
// process may always signal each other.
//
//   - tree is held for reading
func (t *Task) checkKill(to *Task, sig unix.Signal) error {
	if t.Group == to.Group || mayKill(t.Cred(), to.Cred()) {
		return nil
	}
	if sig == unix.SIGCONT && t.Group.session == to.Group.session {
		return nil
	}
	return unix.EPERM
}

// SendTask sends a signal to one thread. It returns EAGAIN when a real-time
// signal finds the queue full, nil otherwise - also when nobody will see it.
func SendTask(t *Task, info *SigInfo) error {
	g := t.Group
	g.sig.mu.Lock()
	var err error
	if !t.sig.exiting { // else it will look at no signal any more
		err = g.sendLocked(t, info, false, false)
	}
	g.sig.mu.Unlock()
	return err
}

// SendGroup sends a signal to a process: to whichever thread takes it first.
func SendGroup(g *ThreadGroup, info *SigInfo) error {
	g.sig.mu.Lock()
	var err error
	if len(g.threads) != 0 { // else a zombie
		err = g.sendLocked(g.threads[0], info, true, false)
	}
	g.sig.mu.Unlock()
	return err
}

// sendSelf is SendTask to t or, with group, SendGroup to its process, on t's own
// goroutine.
func (t *Task) sendSelf(info *SigInfo, group bool) error {
	g := t.Group
	g.sig.mu.Lock()
	to := t
	if group && len(g.threads) != 0 {
		to = g.threads[0]
	}
	var err error
	if !t.sig.exiting {
		t.sig.self = true
		err = g.sendLocked(to, info, group, false)
		t.sig.self = false
	}
	g.sig.mu.Unlock()
	return err
}

// PostSignal sends sig from the kernel to the calling thread: SIGPIPE, SIGXFSZ.
func (t *Task) PostSignal(sig unix.Signal) {
	info := UserInfo(sig, SI_USER, t.Group.PID, t.Cred().UID)
	t.sendSelf(&info, false)
}

// sendLocked queues a signal for t alone or, with group, for the process that
// t belongs to. force says that it comes from the kernel itself and reaches
// even a PID 1 that does not handle it.
//
//   - g.sig.mu is held
//   - t is a thread of g
func (g *ThreadGroup) sendLocked(t *Task, info *SigInfo, group, force bool) error {
	sig := info.Signal()
	if !g.prepareLocked(t, sig, force) {
		return nil
	}
	p := &t.sig.pending
	if group {
		p = &g.sig.shared
	}
	if sig < SIGRTMIN && p.set.Has(sig) {
		return nil // standard signals do not queue
	}
	if sig != unix.SIGKILL { // of which nobody ever sees the siginfo
		limit := int64(-1)
		if sig >= SIGRTMIN || info.Code < 0 {
			limit = int64(g.Limit(rlimSigPending))
		}
		u := chargeSignal(t.Cred().UID, limit)
		switch {
		case u != nil:
			q := g.sig.spare
			if g.sig.spare = nil; q == nil {
				q = new(sigQueued)
			}
			q.info, q.user = *info, u
			p.push(q)
		case sig >= SIGRTMIN && info.Code != SI_USER:
			return unix.EAGAIN
		}
	}
	p.set |= sigBit(sig)
	g.completeLocked(t, sig, group)
	return nil
}

// sendTimerLocked queues the record q of a timer, which is in no queue. It
// reports whether q was queued: an ignored signal is not.
//
//   - g.sig.mu is held
func (g *ThreadGroup) sendTimerLocked(t *Task, q *sigQueued, group bool) bool {
	sig := q.info.Signal()
	if !g.prepareLocked(t, sig, false) {
		return false
	}
	if group {
		g.sig.shared.push(q)
	} else {
		t.sig.pending.push(q)
	}
	g.completeLocked(t, sig, group)
	return true
}

// prepareLocked does what a signal does even if it is blocked or ignored -
// stop signals and SIGCONT cancel each other, SIGCONT continues - and reports
// whether it should become pending.
//
//   - g.sig.mu is held
func (g *ThreadGroup) prepareLocked(t *Task, sig unix.Signal, force bool) bool {
	s := &g.sig
	switch {
	case s.flags&groupExiting != 0:
		return false // the process is dying
	case sigStop.Has(sig):
		g.discardLocked(sigBit(unix.SIGCONT))
	case sig == unix.SIGCONT:
		s.contSeq++
		g.discardLocked(sigStop)
		g.continueLocked()
	}
	return !g.ignoredLocked(t, sig, force)
}

// continueLocked ends a group stop, whole or half, and notes what the parent
// has to be told; a thread of the process tells it when it runs.
//
//   - g.sig.mu is held
func (g *ThreadGroup) continueLocked() {
	s := &g.sig
	owe := uint32(0)
	switch {
	case s.flags&groupStopped != 0:
		owe = groupCLDContinued
	case s.stopCount > 0:
		owe = groupCLDStopped
	}
	for _, t := range g.threads {
		t.sig.stopPending = false
		if t.sig.stopped {
			t.sig.stopped = false
			t.Thread.Wake()
		}
	}
	if owe == 0 {
		return
	}
	s.flags = s.flags&^(groupStopped|groupCLDStopped|groupCLDContinued) | groupContinued | owe
	s.stopCount, s.stopSignal = 0, 0
	for _, t := range g.threads {
		if !t.sig.exiting {
			t.interruptLocked() // one of them has to tell the parent
			break
		}
	}
}

// ignoredLocked reports whether sig, sent to t, would be thrown away. A
// blocked signal is kept: its action may have changed when it is unblocked.
func (g *ThreadGroup) ignoredLocked(t *Task, sig unix.Signal, force bool) bool {
	if (t.sig.blocked | t.sig.realBlocked).Has(sig) {
		return false
	}
	h := t.sig.hand.handler(sig)
	if g.sig.flags&groupProtected != 0 && h == SIG_DFL && !(force && sigUnblockable.Has(sig)) {
		return true
	}
	return ignores(h, sig)
}

// discardLocked throws away the pending signals of s of the whole process.
//
//   - g.sig.mu is held
func (g *ThreadGroup) discardLocked(s SigSet) {
	g.sig.shared.discard(s)
	for _, t := range g.threads {
		t.sig.pending.discard(s)
	}
}

// wantsLocked reports whether t can take sig right now.
func (t *Task) wantsLocked(sig unix.Signal) bool {
	if t.sig.exiting || t.sig.blocked.Has(sig) {
		return false
	}
	if sig == unix.SIGKILL {
		return true
	}
	return !t.sig.stopped && !t.Thread.Interrupted()
}

// completeLocked finds the thread that takes the pending signal sig and wakes
// it: t if it can, otherwise, for a signal to the process, the next one that
// can. If none can, the signal waits for one that unblocks it. A signal that
// will end the process without a core does so at once for all threads.
//
//   - g.sig.mu is held
func (g *ThreadGroup) completeLocked(t *Task, sig unix.Signal, group bool) {
	g.sig.arrived.Wake(unix.POLLIN)
	if !t.wantsLocked(sig) {
		if !group || len(g.threads) <= 1 {
			return
		}
		found := false
		for i := range g.threads {
			n := (g.sig.turn + i) % len(g.threads)
			if g.threads[n].wantsLocked(sig) {
				t, found = g.threads[n], true
				g.sig.turn = n
				break
			}
		}
		if !found {
			return
		}
	}
	if g.fatalLocked(t, sig) && !t.sig.realBlocked.Has(sig) && !sigCore.Has(sig) {
		g.exitLocked(int(sig), nil)
		return
	}
	t.interruptLocked()
}

// fatalLocked reports whether the action of sig ends the process.
func (g *ThreadGroup) fatalLocked(t *Task, sig unix.Signal) bool {
	if g.sig.flags&groupExiting != 0 || (sigIgnore|sigStop).Has(sig) && sig != unix.SIGKILL {
		return false
	}
	if g.sig.flags&groupProtected != 0 && sig != unix.SIGKILL {
		return false // decided when it is dequeued
	}
	return t.sig.hand.handler(sig) == SIG_DFL
}

// exitLocked decides that the process ends with the given wait status and
// tells every thread but except to go. Only the first call counts; it reports
// whether it was this one.
//
//   - g.sig.mu is held
func (g *ThreadGroup) exitLocked(status int, except *Task) bool {
	if g.sig.flags&groupExiting != 0 {
		return false
	}
	g.sig.flags = g.sig.flags&groupProtected | groupExiting
	g.sig.exitStatus = status
	g.sig.stopCount, g.sig.stopSignal = 0, 0
	for _, t := range g.threads {
		if t != except {
			t.killLocked()
		}
	}
	return true
}

// killLocked makes t end: it leaves ring 3 and every killable sleep.
//
//   - t.Group.sig.mu is held
func (t *Task) killLocked() {
	if s := &t.Group.sig; t.sig.stopPending && s.stopCount > 0 {
		s.stopCount-- // execve(2): the stop does not wait for a thread that goes
	}
	t.sig.stopPending, t.sig.stopped = false, false
	t.sig.killed = true
	t.Thread.SetKilled()
	t.interruptLocked()
}

// interruptLocked makes t look at its signals soon: it ends an interruptible
// sleep or brings t back from ring 3.
//
//   - t.Group.sig.mu is held
func (t *Task) interruptLocked() {
	if t.sig.self {
		t.work.Or(workSignal)
		t.Thread.SetInterrupted(true)
		return
	}
	t.setWork(workSignal)
}

// recalcLocked sets or clears the mark that t has signals to act on.
//
//   - t.Group.sig.mu is held
//   - on t's goroutine
func (t *Task) recalcLocked() {
	switch {
	case t.hasPendingLocked() || t.sig.killed:
		t.work.Or(workSignal)
		t.Thread.SetInterrupted(true)
	case t.work.Load() == 0 && !t.Thread.Interrupted():
	case t.work.And(^uint32(workSignal))&^workSignal == 0:
		t.Thread.SetInterrupted(false)
	}
}

// ForceFault sends t, which is the caller, a signal raised by its own
// instruction. It cannot be held off: if it is blocked or ignored, its action
// becomes the default one and the process dies of it, PID 1 included.
func ForceFault(t *Task, info *SigInfo) { t.force(info, false) }

// ForceSIGSEGV is for a frame that could not be written or read: a process
// whose handler for SIGSEGV itself has no stack dies.
func (t *Task) forceSIGSEGV(sig unix.Signal) {
	info := KernelInfo(unix.SIGSEGV)
	t.force(&info, sig == unix.SIGSEGV)
}

func (t *Task) force(info *SigInfo, deflt bool) {
	sig := info.Signal()
	g := t.Group
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	a := t.sig.hand.Action(sig)
	ignored, blocked := a.Handler == SIG_IGN, t.sig.blocked.Has(sig)
	if ignored || blocked || deflt {
		a.Handler = SIG_DFL
		t.sig.hand.set(sig, a)
		if blocked {
			t.sig.blocked &^= sigBit(sig)
		}
	}
	if a.Handler == SIG_DFL {
		g.sig.flags &^= groupProtected
	}
	t.sig.self = true
	g.sendLocked(t, info, false, true)
	t.sig.self = false
	t.recalcLocked()
}

// Kill implements kill(2) and, with an info of the caller's, rt_sigqueueinfo(2)
// and pidfd_send_signal(2) towards processes: pid > 0 a process, 0 the caller's
// group, -1 everyone, < -1 a group. Signal 0 only checks.
func (t *Task) Kill(pid int32, sig int, info *SigInfo) error {
	if sig != 0 && !ValidSignal(sig) {
		return unix.EINVAL
	}
	s := unix.Signal(sig)
	if pid == t.Group.PID && s != 0 { // to oneself: always allowed, and there
		return t.sendSelf(info, true)
	}
	tree.RLock()
	defer tree.RUnlock()
	switch {
	case pid > 0:
		to := FindTask(pid)
		if to == nil {
			return unix.ESRCH
		}
		return t.killOne(to.Group, s, info)
	case pid == 0:
		return t.killMembers(t.Group.pgrp, s, info)
	case pid == -1:
		return t.killAll(s, info)
	case pid == -1<<31:
		return unix.ESRCH
	}
	return t.killMembers(FindProcessGroup(-pid), s, info)
}

// killOne sends sig (0: only checks) to g if the caller may.
//
//   - tree is held for reading
func (t *Task) killOne(g *ThreadGroup, sig unix.Signal, info *SigInfo) error {
	if err := t.checkKill(g.Leader, sig); err != nil {
		return err
	}
	if sig == 0 {
		return nil
	}
	return SendGroup(g, info)
}

// killMembers signals a process group. One success is success; otherwise the
// last error counts.
//
//   - tree is held for reading
func (t *Task) killMembers(pg *ProcessGroup, sig unix.Signal, info *SigInfo) error {
	err, done := error(unix.ESRCH), false
	if pg != nil {
		for g := pg.members.head; g != nil; g = g.member.next {
			if err = t.killOne(g, sig, info); err == nil {
				done = true
			}
		}
	}
	if done {
		return nil
	}
	return err
}

// killAll signals every process but PID 1 and the caller's. Those that may not
// be signalled are passed over in silence.
//
//   - tree is held for reading
func (t *Task) killAll(sig unix.Signal, info *SigInfo) error {
	var err error
	found := false
	for g := NextGroup(2); g != nil; g = NextGroup(g.PID + 1) {
		if g == t.Group {
			continue
		}
		found = true
		if e := t.killOne(g, sig, info); e != unix.EPERM {
			err = e
		}
	}
	if !found {
		return unix.ESRCH
	}
	return err
}

// SignalProcessGroup sends sig from the kernel to every process of a group
// (terminals: ^C, hang-up). It reports whether there is such a group.
func SignalProcessGroup(pgid int32, sig unix.Signal) bool {
	tree.RLock()
	defer tree.RUnlock()
	pg := FindProcessGroup(pgid)
	if pg == nil {
		return false
	}
	pg.signalLocked(sig)
	return true
}

// signalLocked sends sig from the kernel to every process of the group.
//
//   - tree is held
func (pg *ProcessGroup) signalLocked(sig unix.Signal) {
	info := KernelInfo(sig)
	for g := pg.members.head; g != nil; g = g.member.next {
		SendGroup(g, &info)
	}
}

// KillGroup is Kill for a process that the caller holds on to by other means
// than its number: pidfd_send_signal(2).
func (t *Task) KillGroup(g *ThreadGroup, sig int, info *SigInfo) error {
	if sig != 0 && !ValidSignal(sig) {
		return unix.EINVAL
	}
	tree.RLock()
	defer tree.RUnlock()
	if g.state == groupReaped {
		return unix.ESRCH
	}
	return t.killOne(g, unix.Signal(sig), info)
}

// KillThread implements tgkill(2), tkill(2) (tgid 0) and rt_tgsigqueueinfo(2):
// a signal to one thread, which has to belong to process tgid. Signal 0 only checks.
func (t *Task) KillThread(tgid, tid int32, sig int, info *SigInfo) error {
	if sig != 0 && !ValidSignal(sig) {
		return unix.EINVAL
	}
	if tid == t.TID && tgid == t.Group.PID && sig != 0 {
		return t.sendSelf(info, false)
	}
	tree.RLock()
	defer tree.RUnlock()
	to := FindTask(tid)
	if to == nil || tgid > 0 && to.Group.PID != tgid {
		return unix.ESRCH
	}
	if err := t.checkKill(to, unix.Signal(sig)); err != nil {
		return err
	}
	if sig == 0 {
		return nil
	}
	return SendTask(to, info)
}
