package proc

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
)

// Delivery: what a task does about its signals before it goes back to ring 3.

// delivery is a signal whose handler is to run.
type delivery struct {
	info   SigInfo
	action SigAction
}

// handleSignals acts on everything that is pending for t: it runs default
// actions, sits through stops, and sets up the frames of handlers. nr is the
// number of the system call that t comes from, -1 if it comes from a fault or an
// interrupt: an interrupted call is set up to be restarted, or given EINTR, as
// the rules of signal(7) have it. It reports whether the task has to exit.
//
// Called by the task loop on t's goroutine when workSignal is set, or when a
// call has returned one of wait.ErrRestart*.
func (t *Task) handleSignals(nr int64) (exit bool) {
	var d delivery
	for {
		found, exit := t.nextSignal(&d)
		if exit {
			return true
		}
		if !found {
			break
		}
		if nr >= 0 {
			t.restartForHandler(nr, d.action.Flags)
			nr = -1
		}
		t.pushHandler(&d)
		if t.work.Load()&workSignal == 0 {
			break // nothing has been left, nothing has come
		}
	}
	if nr >= 0 {
		t.restartWithout(nr)
	}
	if t.sig.restoreSaved {
		t.sig.restoreSaved = false
		t.setBlocked(t.sig.saved)
	}
	return false
}

// restartForHandler settles the result of the interrupted call nr when a
// handler with the given sa_flags runs.
func (t *Task) restartForHandler(nr int64, flags uint64) {
	ret := t.Ctx.Return()
	if ret-restartFirst > restartCount {
		return
	}
	switch restartCode(ret) {
	case wait.ErrRestartSys:
		if flags&SA_RESTART != 0 {
			t.Ctx.RestartSyscall(uint64(nr))
			return
		}
	case wait.ErrRestartNoIntr:
		t.Ctx.RestartSyscall(uint64(nr))
		return
	case wait.ErrRestartNoHand, wait.ErrRestartBlock:
	default:
		return
	}
	t.Ctx.SetReturn(^uint64(unix.EINTR) + 1)
}

// restartWithout has the interrupted call nr done again when no handler ran.
func (t *Task) restartWithout(nr int64) {
	switch restartCode(t.Ctx.Return()) {
	case wait.ErrRestartSys, wait.ErrRestartNoIntr, wait.ErrRestartNoHand:
		t.Ctx.RestartSyscall(uint64(nr))
	case wait.ErrRestartBlock:
		t.Ctx.RestartSyscall(unix.SYS_RESTART_SYSCALL)
	}
}

// restartCode turns the value of the return register into one of wait.ErrRestart*, nil for others.
func restartCode(ret uint64) error {
	switch -ret {
	case 512:
		return wait.ErrRestartSys
	case 513:
		return wait.ErrRestartNoIntr
	case 514:
		return wait.ErrRestartNoHand
	case 516:
		return wait.ErrRestartBlock
	}
	return nil
}

// nextSignal dequeues signals and runs their default actions until one has a
// handler, for which it fills in d, or none is left.
func (t *Task) nextSignal(d *delivery) (found, exit bool) {
	s := &t.Group.sig
	s.mu.Lock()
	found, exit = t.nextSignalLocked(d)
	t.recalcLocked()
	s.mu.Unlock()
	return found, exit
}

// nextSignalLocked is nextSignal.
//
//   - t.Group.sig.mu is held; it is given up now and then
func (t *Task) nextSignalLocked(d *delivery) (found, exit bool) {
	g := t.Group
	s := &g.sig
	for {
		if owe := s.flags & (groupCLDStopped | groupCLDContinued); owe != 0 {
			s.flags &^= groupCLDStopped | groupCLDContinued
			code := int32(CLD_CONTINUED)
			if owe&groupCLDStopped != 0 {
				code = CLD_STOPPED
			}
			s.mu.Unlock()
			g.notifyParentStop(t, code, unix.SIGCONT)
			s.mu.Lock()
			continue
		}
		if t.sig.killed || s.flags&groupExiting != 0 {
			return false, true
		}
		if t.sig.stopPending {
			t.stopLocked(0)
			continue
		}
		q, sig := t.dequeueLocked(t.sig.blocked)
		if sig == 0 {
			return false, false
		}
		t.takeInfoLocked(&d.info, q, sig)
		d.action = t.sig.hand.Action(sig)
		switch h := d.action.Handler; {
		case h == SIG_IGN:
			continue
		case h != SIG_DFL:
			if d.action.Flags&SA_RESETHAND != 0 {
				a := d.action
				a.Handler = SIG_DFL
				t.sig.hand.set(sig, a)
			}
			return true, false
		case sigIgnore.Has(sig):
			continue
		case s.flags&groupProtected != 0 && !sigUnblockable.Has(sig):
			continue
		case sigStop.Has(sig):
			if sig != unix.SIGSTOP {
				seq := s.contSeq
				s.mu.Unlock()
				orphaned := g.inOrphanedGroup()
				s.mu.Lock()
				// A stop that SIGCONT has overtaken does not count any more.
				if orphaned || s.contSeq != seq || s.flags&groupExiting != 0 {
					continue
				}
			}
			t.stopLocked(sig)
			continue
		}
		t.logFatal(&d.info)
		g.exitLocked(int(sig), t)
		return false, true
	}
}

// dequeueLocked takes the next signal that is not in blocked, faults first, then
// t's own, then the process's. q is nil when nothing more is known about it.
//
//   - t.Group.sig.mu is held
func (t *Task) dequeueLocked(blocked SigSet) (q *sigQueued, sig unix.Signal) {
	p := &t.sig.pending
	if sig = p.nextForced(blocked); sig == 0 {
		if sig = p.next(blocked); sig == 0 {
			p = &t.Group.sig.shared
			if sig = p.next(blocked); sig == 0 {
				return nil, 0
			}
		}
	}
	return p.take(sig), sig
}

// takeInfoLocked ends the life of a dequeued record and stores its content. A
// timer sees that its signal has been delivered, and goes on.
//
//   - t.Group.sig.mu is held; it is given up for a moment
func (t *Task) takeInfoLocked(info *SigInfo, q *sigQueued, sig unix.Signal) {
	g := t.Group
	if q == nil {
		*info = SigInfo{Signo: int32(sig)} // SI_USER by nobody: all that is known
		return
	}
	*info = q.info
	switch {
	case q.timer != nil:
		q.timer.queued = false
		g.sig.mu.Unlock()
		q.timer.delivered(info)
		g.sig.mu.Lock()
	default:
		q.release()
		g.sig.spare = q
		if sig == unix.SIGALRM && info.Code == SI_KERNEL {
			g.sig.mu.Unlock()
			g.alarmDelivered()
			g.sig.mu.Lock()
		}
	}
}

// stopLocked joins the group stop that is pending for t, or starts one because
// of sig, and returns when it is over.
//
//   - t.Group.sig.mu is held; it is given up while t is stopped
func (t *Task) stopLocked(sig unix.Signal) {
	g := t.Group
	s := &g.sig
	if !t.sig.stopPending {
		if s.flags&groupStopped == 0 {
			s.stopSignal = sig
		}
		s.stopCount = 0
		for _, o := range g.threads {
			if o.sig.exiting || o.sig.killed || o.sig.stopped {
				continue
			}
			o.sig.stopPending = true
			s.stopCount++
			if o != t {
				o.interruptLocked()
			}
		}
	}
	t.sig.stopped = true
	last := t.joinStopLocked()
	for {
		t.Thread.Prepare()
		s.mu.Unlock()
		if last {
			last = false
			g.notifyParentStop(t, CLD_STOPPED, 0)
		} else {
			t.Thread.Park()
		}
		s.mu.Lock()
		if !t.sig.stopped {
			return
		}
	}
}

// joinStopLocked counts t in for the stop that is under way, and reports
// whether t was the last, so that the parent has to be told.
//
//   - t.Group.sig.mu is held
func (t *Task) joinStopLocked() (last bool) {
	s := &t.Group.sig
	t.sig.stopPending = false
	if s.stopCount > 0 {
		s.stopCount--
	}
	if s.stopCount == 0 && s.flags&groupStopped == 0 {
		s.flags = s.flags&^groupContinued | groupStopped
		return true
	}
	return false
}

// exitSignals is called by t when it begins to exit: from now on signals for
// the process go to other threads, a stop does not wait for t, and what is
// pending for t alone is gone.
func (t *Task) exitSignals() {
	g := t.Group
	g.sig.mu.Lock()
	t.sig.exiting = true
	t.sig.pending.discard(^SigSet(0))
	last := false
	if t.sig.stopPending {
		last = t.joinStopLocked()
	}
	// What t had been chosen to take is another's now.
	if left := g.sig.shared.set &^ t.sig.blocked; left != 0 && g.sig.flags&groupExiting == 0 {
		for _, o := range g.threads {
			if mine := left &^ o.sig.blocked; o != t && !o.sig.exiting && mine != 0 {
				o.interruptLocked()
				left &^= mine
			}
		}
	}
	g.sig.mu.Unlock()
	t.sig.hand.Unref() // it stays readable: the process may outlive its first thread
	if last {
		g.notifyParentStop(t, CLD_STOPPED, 0)
	}
}

// pushHandler writes the frame of a handler to t's stack and turns its
// registers to the handler. A frame that cannot be written is a SIGSEGV.
func (t *Task) pushHandler(d *delivery) {
	sig := d.info.Signal()
	mask := t.sig.blocked
	if t.sig.restoreSaved {
		mask = t.sig.saved
	}
	f := arch.SignalFrame{
		Signal:   int32(sig),
		Handler:  d.action.Handler,
		Restorer: d.action.Restorer,
		Mask:     uint64(mask),
		AltStack: t.sig.alt.abi(),
		OnStack:  d.action.Flags&SA_ONSTACK != 0,
	}
	var err error = unix.EFAULT
	if d.action.Flags&SA_RESTORER != 0 { // x86-64 has no other way back
		err = t.writeFrame(&f, d)
	}
	if err != nil {
		t.forceSIGSEGV(sig)
		return
	}
	t.sig.restoreSaved = false
	if t.sig.alt.flags&ssAutodisarm != 0 {
		t.sig.alt = altStack{}
	}
	block := t.sig.blocked | d.action.Mask
	if d.action.Flags&SA_NODEFER == 0 {
		block |= sigBit(sig)
	}
	t.setBlocked(block)
}

// writeFrame writes the frame f for d to the user's stack and starts the handler.
func (t *Task) writeFrame(f *arch.SignalFrame, d *delivery) error {
	u := t.Ctx
	if err := u.PlaceFrame(f); err != nil {
		return err
	}
	b := &t.frameHeads().out
	u.FillFrame(b, f)
	info := d.action.Flags&SA_SIGINFO != 0
	if info {
		d.info.Put(&b.Info)
	}
	head := b.Bytes(info)
	if arch.CopyToUser(t.AS.PageTable(), f.SP, head) < len(head) {
		if err := t.AS.CopyOut(f.SP, head); err != nil {
			return err
		}
	}
	if !u.PutImage(t.AS.PageTable(), f) {
		if err := t.AS.CopyOut(f.FP, u.FrameImage()); err != nil {
			return err
		}
	}
	u.StartHandler(f)
	return nil
}

// frameHeads are the heads of the frame that is made and of the one that is read.
type frameHeads struct{ out, in arch.FrameHead }

// frameHeads returns them, whatever they hold.
func (t *Task) frameHeads() *frameHeads {
	if t.sig.heads == nil {
		t.sig.heads = new(frameHeads)
	}
	return t.sig.heads
}

// SigReturn implements rt_sigreturn(2): it takes the registers back from the
// frame on the stack. A frame that is not one is a SIGSEGV.
func (t *Task) SigReturn() uint64 {
	t.sysNr = -1 // the RAX that comes now is no result
	t.sig.restart = nil
	mask, alt, err := t.readFrame()
	if err != nil {
		t.forceSIGSEGV(0)
		return t.Ctx.Return()
	}
	t.setBlocked(SigSet(mask))
	t.setAltStack(alt, t.Ctx.SP, minSigStack) // a bad one is ignored here
	return t.Ctx.Return()
}

// readFrame takes the registers from the frame at the top of the user's stack,
// and returns the mask and the alternate stack that it asks for.
func (t *Task) readFrame() (mask uint64, alt arch.AltStack, err error) {
	u := t.Ctx
	b := &t.frameHeads().in
	head, at := b.Bytes(false), u.FrameAddress()
	if arch.CopyFromUser(t.AS.PageTable(), head, at) < len(head) {
		if err := t.AS.CopyIn(head, at); err != nil {
			return 0, alt, err
		}
	}
	fp, err := u.CheckFrame(b)
	if err != nil {
		return 0, alt, err
	}
	if fp == 0 || !u.TakeImage(t.AS.PageTable(), fp) {
		if err := t.copyImage(fp); err != nil {
			return 0, alt, err
		}
	}
	return u.RestoreFrame(b)
}

// copyImage takes the extended state from the image at fp, whatever it is; 0
// asks for the initial state.
func (t *Task) copyImage(fp uint64) error {
	u := t.Ctx
	n := 0
	if fp != 0 {
		p := u.FrameSpace()
		n = len(p)
		if t.AS.CopyIn(p, fp) != nil { // perhaps a short one at the end of a mapping
			n = arch.FrameImageMin
			if err := t.AS.CopyIn(p[:n], fp); err != nil {
				u.RestoreImage(0)
				return err
			}
		}
	}
	return u.RestoreImage(n)
}

// RestartSyscall implements restart_syscall(2).
func (t *Task) RestartSyscall() (uintptr, error) {
	fn := t.sig.restart
	if fn == nil {
		return 0, unix.EINTR
	}
	t.sig.restart = nil
	return fn(t)
}

// SetRestart is called by a system call that is about to return
// wait.ErrRestartBlock: fn goes on with it if no handler runs.
func (t *Task) SetRestart(fn func(t *Task) (uintptr, error)) { t.sig.restart = fn }
