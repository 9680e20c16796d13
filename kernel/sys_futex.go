package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/proc"
)

// Operations of futex(2) (UAPI linux/futex.h).
const (
	futexWait       = 0
	futexWake       = 1
	futexRequeue    = 3
	futexCmpRequeue = 4
	futexWakeOp     = 5
	futexLockPI     = 6
	futexUnlockPI   = 7
	futexTrylockPI  = 8
	futexWaitBitset = 9
	futexWakeBitset = 10
	futexLockPI2    = 13
	futexPrivate    = 128
	futexRealtime   = 256
	futexCommand    = ^uint32(futexPrivate | futexRealtime)
	futexMatchAny   = ^uint32(0)
)

// sysFutex is futex(2): word, operation, value, time-out or second value,
// second word, third value.
func sysFutex(t *proc.Task, a *Args) (uintptr, error) {
	addr, op, val := a[0], uint32(a[1]), uint32(a[2])
	shared := op&futexPrivate == 0
	switch op & futexCommand {
	case futexWait, futexWaitBitset:
		return futexSleep(t, a, shared)
	case futexWake:
		return count(t.FutexWake(addr, limit(val), futexMatchAny, shared))
	case futexWakeBitset:
		return count(t.FutexWake(addr, limit(val), uint32(a[5]), shared))
	case futexRequeue:
		return count(t.FutexRequeue(addr, a[4], int(int32(val)), int(int32(a[3])), nil, shared))
	case futexCmpRequeue:
		cmp := uint32(a[5])
		return count(t.FutexRequeue(addr, a[4], int(int32(val)), int(int32(a[3])), &cmp, shared))
	case futexWakeOp:
		return count(t.FutexWakeOp(addr, a[4], limit(val), limit(uint32(a[3])), uint32(a[5]), shared))
	case futexLockPI, futexLockPI2, futexTrylockPI:
		deadline := wait.Never
		if a[3] != 0 && op&futexCommand != futexTrylockPI {
			ns, err := readTimespec(t, a[3])
			if err != nil {
				return 0, err
			}
			deadline = absolute(ns, op&futexCommand == futexLockPI || op&futexRealtime != 0)
		}
		return 0, t.FutexLockPI(addr, shared, op&futexCommand == futexTrylockPI, deadline)
	case futexUnlockPI:
		return 0, t.FutexUnlockPI(addr, shared)
	}
	return 0, unix.ENOSYS
}

// limit turns a count of waiters into an int: at least one, as Linux has it for
// FUTEX_WAKE of zero.
func limit(n uint32) int { return max(int(int32(n)), 1) }

func count(n int, err error) (uintptr, error) { return uintptr(n), err }

// absolute returns the deadline on the clock of wait.Now that an absolute time
// means. A change of the wall clock does not move it.
func absolute(ns int64, realtime bool) int64 {
	if realtime {
		ns -= proc.Wall() - wait.Now()
	}
	return max(ns, 0)
}

// futexSleep is FUTEX_WAIT, whose time-out is relative, and FUTEX_WAIT_BITSET,
// whose is absolute.
func futexSleep(t *proc.Task, a *Args, shared bool) (uintptr, error) {
	addr, op, val := a[0], uint32(a[1]), uint32(a[2])
	bitset, deadline := futexMatchAny, wait.Never
	relative := op&futexCommand == futexWait
	if !relative {
		bitset = uint32(a[5])
	}
	if a[3] != 0 {
		ns, err := readTimespec(t, a[3])
		if err != nil {
			return 0, err
		}
		if relative {
			deadline = after(ns)
		} else {
			deadline = absolute(ns, op&futexRealtime != 0)
		}
	}
	err := t.FutexWait(addr, val, bitset, shared, deadline)
	if err == wait.ErrRestartSys && a[3] != 0 && relative {
		// Continued with the same deadline, not the whole time again.
		t.SetRestart(func(t *proc.Task) (uintptr, error) {
			return 0, t.FutexWait(addr, val, bitset, shared, deadline)
		})
		return 0, wait.ErrRestartBlock
	}
	return 0, err
}
