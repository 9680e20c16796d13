package proc

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
)

// setBlocked replaces t's mask. Signals of the process that t has just blocked
// go to a thread that has not; unblocked ones are seen on the way to ring 3.
func (t *Task) setBlocked(set SigSet) {
	set &^= sigUnblockable
	if set == t.sig.blocked {
		return
	}
	g := t.Group
	g.sig.mu.Lock()
	if g.sig.shared.set|t.sig.pending.set == 0 && t.work.Load() == 0 {
		t.sig.blocked = set // there is nothing to block or to unblock
		g.sig.mu.Unlock()
		return
	}
	if newly := g.sig.shared.set & set &^ t.sig.blocked; newly != 0 {
		for _, o := range g.threads {
			if mine := newly &^ o.sig.blocked; o != t && !o.sig.exiting && mine != 0 {
				o.interruptLocked()
				newly &^= mine
			}
		}
	}
	t.sig.blocked = set
	t.recalcLocked()
	g.sig.mu.Unlock()
}

// Blocked returns the mask of the calling task.
func (t *Task) Blocked() SigSet { return t.sig.blocked }

// ChangeMask implements sigprocmask(2) and returns the old mask.
func (t *Task) ChangeMask(how int, set SigSet) (SigSet, error) {
	old := t.sig.blocked
	switch how {
	case unix.SIG_BLOCK:
		t.setBlocked(old | set)
	case unix.SIG_UNBLOCK:
		t.setBlocked(old &^ set)
	case unix.SIG_SETMASK:
		t.setBlocked(set)
	default:
		return old, unix.EINVAL
	}
	return old, nil
}

// SetTemporaryMask replaces the mask for the duration of one call (ppoll,
// pselect6, epoll_pwait, rt_sigsuspend). The call then ends with
// EndTemporaryMask.
func (t *Task) SetTemporaryMask(set SigSet) {
	t.sig.saved = t.sig.blocked
	t.sig.restoreSaved = true
	t.setBlocked(set)
}

// EndTemporaryMask restores the mask of before SetTemporaryMask, unless the
// call was interrupted: then the handler runs under the temporary mask first,
// and its frame restores the old one. It does nothing without a temporary mask.
func (t *Task) EndTemporaryMask(interrupted bool) {
	if t.sig.restoreSaved && !interrupted {
		t.sig.restoreSaved = false
		t.setBlocked(t.sig.saved)
	}
}

// Suspend implements rt_sigsuspend(2).
func (t *Task) Suspend(set SigSet) error {
	t.SetTemporaryMask(set)
	t.waitForSignal()
	return wait.ErrRestartNoHand
}

// Pause implements pause(2).
func (t *Task) Pause() error {
	t.waitForSignal()
	return wait.ErrRestartNoHand
}

// waitForSignal sleeps until there is a signal to act on.
func (t *Task) waitForSignal() {
	for {
		t.Thread.Prepare()
		if t.Thread.Interrupted() {
			return
		}
		t.Thread.Park()
	}
}

// PendingSignals implements rt_sigpending(2): what is pending and blocked.
func (t *Task) PendingSignals() SigSet {
	g := t.Group
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	return (t.sig.pending.set | g.sig.shared.set) & t.sig.blocked
}

// WaitSignal implements rt_sigtimedwait(2): it takes one of the signals in set,
// waiting for it until deadline (wait.Never: for ever). EAGAIN: none came in
// time; EINTR: another signal came.
func (t *Task) WaitSignal(set SigSet, deadline int64) (SigInfo, error) {
	set &^= sigUnblockable
	g := t.Group
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	q, sig := t.dequeueLocked(^set)
	if sig == 0 && (deadline < 0 || wait.Now() < deadline) {
		// While it waits, the signals are not blocked, so that senders choose
		// this thread; realBlocked keeps their default action from killing.
		t.sig.realBlocked = t.sig.blocked
		t.sig.blocked &^= set
		t.recalcLocked()
		for {
			t.Thread.Prepare()
			if t.Thread.Interrupted() {
				break
			}
			g.sig.mu.Unlock()
			late := t.Thread.ParkUntil(deadline)
			g.sig.mu.Lock()
			if late {
				break
			}
		}
		t.sig.blocked, t.sig.realBlocked = t.sig.realBlocked, 0
		q, sig = t.dequeueLocked(^set)
		interrupted := t.Thread.Interrupted()
		t.recalcLocked()
		if sig == 0 {
			if interrupted {
				return SigInfo{}, unix.EINTR
			}
			return SigInfo{}, unix.EAGAIN
		}
	}
	if sig == 0 {
		return SigInfo{}, unix.EAGAIN
	}
	var info SigInfo
	t.takeInfoLocked(&info, q, sig)
	t.recalcLocked()
	return info, nil
}

// SetAction implements rt_sigaction(2). A signal that is ignored from now on
// is taken out of the queues of the process.
func (t *Task) SetAction(sig unix.Signal, a SigAction) (SigAction, error) {
	if sigUnblockable.Has(sig) {
		return SigAction{}, unix.EINVAL
	}
	a.Flags &= saKnown
	a.Mask &^= sigUnblockable
	g := t.Group
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	old := t.sig.hand.set(sig, a)
	if a.ignores(sig) {
		g.discardLocked(sigBit(sig))
	}
	return old, nil
}

// GetAction returns the present action of sig.
func (t *Task) GetAction(sig unix.Signal) SigAction { return t.sig.hand.Action(sig) }

// Flags and sizes of sigaltstack(2) (UAPI linux/signal.h, asm/signal.h).
const (
	ssOnStack    = 1
	ssDisable    = 2
	ssAutodisarm = 1 << 31
	minSigStack  = 2048 // MINSIGSTKSZ
)

// abi returns the stack as struct stack_t shows it outside of a handler.
func (a altStack) abi() arch.AltStack {
	if a.size == 0 {
		return arch.AltStack{Flags: ssDisable}
	}
	return arch.AltStack{SP: a.sp, Size: a.size, Flags: a.flags}
}

// AltStack returns the alternate stack as sigaltstack(2) reports it to code
// that runs with stack pointer sp.
func (t *Task) AltStack(sp uint64) arch.AltStack {
	s := t.sig.alt.abi()
	if s.Contains(sp) {
		s.Flags |= ssOnStack
	}
	return s
}

// SetAltStack implements sigaltstack(2) for code with stack pointer sp.
func (t *Task) SetAltStack(s arch.AltStack, sp uint64) error {
	return t.setAltStack(s, sp, minSigStack)
}

func (t *Task) setAltStack(s arch.AltStack, sp uint64, min uint64) error {
	if s.Flags == ssDisable && t.sig.alt.size == 0 {
		return nil
	}
	cur := t.sig.alt.abi()
	if cur.Contains(sp) {
		return unix.EPERM
	}
	mode := s.Flags &^ ssAutodisarm
	if mode != 0 && mode != ssDisable && mode != ssOnStack {
		return unix.EINVAL
	}
	if mode == ssDisable {
		t.sig.alt = altStack{}
		return nil
	}
	if s.Size < min {
		return unix.ENOMEM
	}
	t.sig.alt = altStack{sp: s.SP, size: s.Size, flags: s.Flags}
	return nil
}
