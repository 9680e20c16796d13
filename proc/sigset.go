package proc

import (
	"math/bits"

	"golang.org/x/sys/unix"
)

// Numbers of signals (signal(7), UAPI asm/signal.h): 1 to 31 are the standard
// signals, SIGRTMIN to NSIG the real-time ones, which queue.
const (
	NSIG     = 64
	SIGRTMIN = 32
	SIGRTMAX = NSIG
)

// SigSet is a set of signals as the kernel's sigset_t: bit n-1 stands for signal n.
type SigSet uint64

// sigBit returns the set that holds only sig, which must be valid.
func sigBit(sig unix.Signal) SigSet { return 1 << (uint(sig) - 1) }

func sigSetOf(sigs ...unix.Signal) (s SigSet) {
	for _, sig := range sigs {
		s |= sigBit(sig)
	}
	return s
}

// Has reports whether sig is in the set.
func (s SigSet) Has(sig unix.Signal) bool { return s&sigBit(sig) != 0 }

// First returns the lowest signal of the set, 0 if it is empty.
func (s SigSet) First() unix.Signal {
	if s == 0 {
		return 0
	}
	return unix.Signal(bits.TrailingZeros64(uint64(s)) + 1)
}

// ValidSignal reports whether sig is the number of a signal (0 is not).
func ValidSignal(sig int) bool { return sig >= 1 && sig <= NSIG }

// Signals by their default action (signal(7), "Standard signals"); what is in
// none of these sets terminates.
var (
	// sigUnblockable can neither be caught, blocked nor ignored.
	sigUnblockable = sigSetOf(unix.SIGKILL, unix.SIGSTOP)
	sigStop        = sigSetOf(unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
	sigIgnore      = sigSetOf(unix.SIGCONT, unix.SIGCHLD, unix.SIGWINCH, unix.SIGURG)
	sigCore        = sigSetOf(unix.SIGQUIT, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGFPE,
		unix.SIGSEGV, unix.SIGBUS, unix.SIGSYS, unix.SIGXCPU, unix.SIGXFSZ)
	// sigSynchronous are raised by the instruction that runs; they are delivered
	// first, so that the handler's frame shows that instruction.
	sigSynchronous = sigSetOf(unix.SIGSEGV, unix.SIGBUS, unix.SIGILL, unix.SIGTRAP, unix.SIGFPE, unix.SIGSYS)
)
