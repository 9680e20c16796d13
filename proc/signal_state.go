package proc

import (
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

// taskSignals is the signal state of one thread (embedded in Task as sig).
type taskSignals struct {
	hand *Sighand // replaced by the owner only (exec, unshare); shared per CLONE_SIGHAND

	// Guarded by groupSignals.mu; blocked is written by the task itself only,
	// which may therefore read it without the lock.
	blocked SigSet
	// realBlocked is the mask that rt_sigtimedwait(2) has opened up: a signal in
	// it must not kill the process before the call has had its look.
	realBlocked SigSet
	pending     pending // signals for this thread alone
	stopPending bool    // has to join a group stop
	stopped     bool    // sits in a group stop
	exiting     bool    // will run no handler any more: signals pass it by
	self        bool    // the task sends the signal to itself: it need not be fetched from anywhere
	killed      bool    // SIGKILL has been sent to it, or the group is exiting

	// Owned by the task's goroutine.
	saved        SigSet // mask to restore after a temporary one (rt_sigsuspend, ppoll)
	restoreSaved bool
	alt          altStack
	heads        *frameHeads                    // scratch; nil before the first frame
	restart      func(t *Task) (uintptr, error) // continues a call after ErrRestartBlock; nil: EINTR
}

// altStack is the alternate signal stack, sigaltstack(2).
type altStack struct {
	sp, size uint64
	flags    uint32 // SS_AUTODISARM
}

// Bits of groupSignals.flags, after Linux's SIGNAL_* of sched/signal.h.
const (
	groupStopped      = 1 << iota // every thread is stopped
	groupContinued                // SIGCONT came since; consumed by WCONTINUED
	groupCLDStopped               // owe the parent CLD_STOPPED for a stop that SIGCONT overtook
	groupCLDContinued             // owe the parent CLD_CONTINUED
	groupExiting                  // exitStatus is decided, every thread has to go
	groupProtected                // PID 1: default actions do not touch it
)

// groupSignals is the signal state of one process (embedded in ThreadGroup as sig).
type groupSignals struct {
	// mu guards everything below, the pending sets, masks and stop states of all
	// threads, and the list of threads itself (Linux: siglock). It is taken
	// after the task list's lock and before Sighand.mu; two groups' mu are never
	// held together.
	mu sync.Mutex

	shared     pending // signals for the process
	flags      uint32
	exitStatus int         // wait status, once groupExiting is set
	stopSignal unix.Signal // of the stop that is under way or done; reported by WUNTRACED, then 0
	stopCount  int         // threads that have not joined the stop that is under way
	contSeq    uint32      // counts SIGCONT
	spare      *sigQueued  // a record to use next: most signals come one at a time
	turn       int         // where the search for a thread that takes a signal begins

	arrived wait.Queue // woken with POLLIN on every new signal: signalfd(2). Below mu.

	timers groupTimers // own lock
}

// hasPendingLocked reports whether t has a signal to act on, or a stop to join.
// Precondition: g.sig.mu is held.
func (t *Task) hasPendingLocked() bool {
	g := &t.Group.sig
	return (t.sig.pending.set|g.shared.set)&^t.sig.blocked != 0 || t.sig.stopPending ||
		g.flags&(groupCLDStopped|groupCLDContinued) != 0
}
