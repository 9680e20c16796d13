package proc

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Handlers with a meaning of their own (UAPI asm-generic/signal-defs.h).
const (
	SIG_DFL = 0
	SIG_IGN = 1
)

// Flags of sigaction(2) (UAPI asm-generic/signal-defs.h, asm/signal.h).
const (
	SA_NOCLDSTOP      = 0x00000001
	SA_NOCLDWAIT      = 0x00000002
	SA_SIGINFO        = 0x00000004
	SA_UNSUPPORTED    = 0x00000400
	SA_EXPOSE_TAGBITS = 0x00000800
	SA_RESTORER       = 0x04000000
	SA_ONSTACK        = 0x08000000
	SA_RESTART        = 0x10000000
	SA_NODEFER        = 0x40000000
	SA_RESETHAND      = 0x80000000

	// saKnown is what the kernel keeps of sa_flags; the rest is cleared so that
	// programs can probe for flags (sigaction(2), "Dynamically probing for flag bits").
	saKnown = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |
		SA_NODEFER | SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER
)

// SigAction is what happens when a signal is delivered: struct
// kernel_sigaction of x86-64, in the order of rt_sigaction(2).
type SigAction struct {
	Handler  uint64
	Flags    uint64
	Restorer uint64
	Mask     SigSet
}

// ignores reports whether the action throws sig away.
func (a *SigAction) ignores(sig unix.Signal) bool { return ignores(a.Handler, sig) }

func ignores(handler uint64, sig unix.Signal) bool {
	return handler == SIG_IGN || handler == SIG_DFL && sigIgnore.Has(sig)
}

// Sighand is a table of signal actions. Threads of a process share one, and so
// do processes made with CLONE_SIGHAND.
type Sighand struct {
	refs atomic.Int32

	mu sync.Mutex // guards what follows; taken under groupSignals.mu, leaf
	// The handlers in the table are stored atomically, and may be read without mu.
	table atomic.Pointer[actionTable]
	// copied says that table is another Sighand's, too: parent and child of a
	// fork have the same until one of them changes an action. It is not to be
	// written then.
	copied bool
}

// actionTable has the action of signal n at n-1.
type actionTable [NSIG]SigAction

// defaultActions is the table in which every action is the default one.
var defaultActions actionTable

// NewSighand returns a table in which every action is the default one.
func NewSighand() *Sighand {
	h := &Sighand{copied: true}
	h.table.Store(&defaultActions)
	h.refs.Store(1)
	return h
}

// Ref adds a reference (CLONE_SIGHAND).
func (h *Sighand) Ref() *Sighand { h.refs.Add(1); return h }

// Unref drops one.
func (h *Sighand) Unref() { h.refs.Add(-1) }

// Fork returns a copy with one reference.
func (h *Sighand) Fork() *Sighand {
	n := &Sighand{copied: true}
	n.refs.Store(1)
	h.mu.Lock()
	h.copied = true
	n.table.Store(h.table.Load())
	h.mu.Unlock()
	return n
}

// Shared reports whether more than one task uses the table.
func (h *Sighand) Shared() bool { return h.refs.Load() > 1 }

// Action returns the action of sig.
func (h *Sighand) Action(sig unix.Signal) SigAction {
	h.mu.Lock()
	a := h.table.Load()[sig-1]
	h.mu.Unlock()
	return a
}

// handler returns the handler of sig.
func (h *Sighand) handler(sig unix.Signal) uint64 {
	return atomic.LoadUint64(&h.table.Load()[sig-1].Handler)
}

// set replaces the action of sig and returns the old one.
func (h *Sighand) set(sig unix.Signal, a SigAction) SigAction {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := &h.table.Load()[sig-1]
	old := *p
	if a == old {
		return old
	}
	if h.copied {
		own := *h.table.Load()
		own[sig-1] = a
		h.table.Store(&own)
		h.copied = false
		return old
	}
	atomic.StoreUint64(&p.Handler, a.Handler)
	p.Flags, p.Restorer, p.Mask = a.Flags, a.Restorer, a.Mask
	return old
}

// Reset is what execve(2) and clone3(2) with CLONE_CLEAR_SIGHAND do: caught
// signals get their default action back, ignored ones stay ignored.
func (h *Sighand) Reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	old, next := h.table.Load(), &defaultActions
	if old == next {
		return
	}
	for i := range old {
		if old[i].Handler == SIG_IGN {
			if next == &defaultActions {
				next = new(actionTable)
			}
			next[i].Handler = SIG_IGN
		}
	}
	h.table.Store(next)
	h.copied = next == &defaultActions
}

// Sets returns the ignored and the caught signals, for /proc/PID/status.
func (h *Sighand) Sets() (ignored, caught SigSet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	table := h.table.Load()
	for i := range table {
		switch table[i].Handler {
		case SIG_DFL:
		case SIG_IGN:
			ignored |= 1 << i
		default:
			caught |= 1 << i
		}
	}
	return ignored, caught
}
