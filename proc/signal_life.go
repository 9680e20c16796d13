package proc

import (
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/arch/wait"
)

// Signal state at the turning points of a task's life.

// initFork gives a new task, which does not run yet, the signal state that
// clone(2) wants it to have: the parent's mask, nothing pending, and the
// alternate stack unless parent and child will run in the same memory.
func (s *taskSignals) initFork(parent *Task, flags uint64) {
	p := &parent.sig
	s.blocked = p.blocked
	if p.restoreSaved {
		s.blocked = p.saved
	}
	if flags&unix.CLONE_VM == 0 || flags&unix.CLONE_VFORK != 0 {
		s.alt = p.alt
	}
	switch {
	case flags&unix.CLONE_SIGHAND != 0:
		s.hand = p.hand.Ref()
	default:
		s.hand = p.hand.Fork()
		if flags&unix.CLONE_CLEAR_SIGHAND != 0 {
			s.hand.Reset()
		}
	}
}

// execReset does to the signal state of t, the only thread left, what
// execve(2) does: handlers, alternate stack and timers go, the mask and what is
// pending stay.
func (t *Task) execReset() {
	g := t.Group
	if t.sig.hand.Shared() {
		h := t.sig.hand.Fork()
		g.sig.mu.Lock()
		old := t.sig.hand
		t.sig.hand = h
		g.sig.mu.Unlock()
		old.Unref()
	}
	t.sig.hand.Reset()
	t.sig.alt = altStack{}
	t.sig.restart = nil
	g.deletePosixTimers()
}

// endSignals throws away what the process still has: its threads have ended.
func (g *ThreadGroup) endSignals() {
	g.stopTimers()
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	g.sig.shared.discard(^SigSet(0))
}

// fatalLog limits logFatal to so many lines in a stretch of time: a user must
// not drown the log.
var fatalLog struct {
	mu    sync.Mutex // guards the rest; leaf
	until int64      // wait.Now()
	left  int
}

const (
	fatalLogLines  = 10
	fatalLogPeriod = 5e9 // ns
)

// mayLogFatal reports whether one more line is allowed.
func mayLogFatal() bool {
	fatalLog.mu.Lock()
	defer fatalLog.mu.Unlock()
	if now := wait.Now(); now >= fatalLog.until {
		fatalLog.until, fatalLog.left = now+fatalLogPeriod, fatalLogLines
	}
	fatalLog.left--
	return fatalLog.left >= 0
}

// logFatal notes in the kernel log that a fault ends the process, as Linux does
// for faults nobody handles: that line is often all there is to find a bug by.
func (t *Task) logFatal(info *SigInfo) {
	sig := info.Signal()
	if !sigSynchronous.Has(sig) || info.Code <= SI_USER || info.Code == SI_KERNEL && sig != unix.SIGSEGV || !mayLogFatal() {
		return
	}
	klog.Infof("%s[%d]: signal %d code %d at %#x ip %#x sp %#x", t.Comm(), t.TID, info.Signo,
		info.Code, info.Addr(), t.Ctx.IP, t.Ctx.SP)
}
