package kernel

import (
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/proc"
)

// pollDeadline returns the deadline that lies ns from now; negative: none. For
// no time at all that is 0, which has passed without a look at the clock.
func pollDeadline(ns int64) int64 {
	if ns < 0 {
		return wait.Never
	}
	if ns == 0 {
		return 0
	}
	now := wait.Now()
	if ns > math.MaxInt64-now {
		return wait.Never
	}
	return now + ns
}

// timespecArg reads a relative time-out at addr: a deadline, wait.Never for
// address 0. EINVAL for what is no time.
func timespecArg(t *proc.Task, addr uint64) (int64, error) {
	if addr == 0 {
		return wait.Never, nil
	}
	var ts unix.Timespec
	if err := t.AS.CopyIn(structBytes(&ts), addr); err != nil {
		return 0, err
	}
	if ts.Sec < 0 || ts.Nsec < 0 || ts.Nsec > 999999999 {
		return 0, unix.EINVAL
	}
	if ts.Sec > math.MaxInt64/1000000000-1 {
		return wait.Never, nil
	}
	return pollDeadline(ts.Sec*1e9 + ts.Nsec), nil
}

// putRemaining stores what is left until deadline, as select(2) and ppoll(2) do
// on Linux. A fault is ignored.
func putRemaining(t *proc.Task, addr uint64, deadline int64, micro bool) {
	if addr == 0 || deadline < 0 {
		return
	}
	left := fs.Timespec(max(0, deadline-wait.Now()))
	if micro {
		left.Nsec /= 1000
	}
	t.AS.CopyOut(addr, structBytes(&left))
}

// withMask runs a call under the signal mask at addr (size bytes), if there is one.
func withMask(t *proc.Task, addr, size uint64, call func() (uintptr, error)) (uintptr, error) {
	if addr == 0 {
		return call()
	}
	if size != sigSetSize {
		return 0, unix.EINVAL
	}
	set, err := readSigSet(t, addr)
	if err != nil {
		return 0, err
	}
	t.SetTemporaryMask(set)
	n, err := call()
	t.EndTemporaryMask(err == wait.ErrRestartNoHand || err == unix.EINTR)
	return n, err
}

func sysPoll(t *proc.Task, a *Args) (uintptr, error) {
	ms := int64(int32(a[2]))
	if ms > 0 {
		ms *= 1e6
	}
	deadline := pollDeadline(ms)
	fds, nfds := a[0], a[1]
	n, err := poll(t, fds, nfds, deadline)
	if err == wait.ErrRestartNoHand {
		t.SetRestart(func(t *proc.Task) (uintptr, error) { return poll(t, fds, nfds, deadline) })
		err = wait.ErrRestartBlock
	}
	return n, err
}

func sysPpoll(t *proc.Task, a *Args) (uintptr, error) {
	deadline, err := timespecArg(t, a[2])
	if err != nil {
		return 0, err
	}
	n, err := withMask(t, a[3], a[4], func() (uintptr, error) { return poll(t, a[0], a[1], deadline) })
	putRemaining(t, a[2], deadline, false)
	return n, err
}

// poll does poll(2) on n structures at addr. Interrupted: wait.ErrRestartNoHand.
func poll(t *proc.Task, addr, n uint64, deadline int64) (uintptr, error) {
	ctx := t.FSContext()
	if uint64(uint32(n)) > ctx.Limits.NoFile.Load() {
		return 0, unix.EINVAL
	}
	n = uint64(uint32(n))
	fds := ctx.PollBuf(int(n))
	var raw []byte
	if n > 0 {
		raw = unsafe.Slice((*byte)(unsafe.Pointer(&fds[0])), int(n)*int(unsafe.Sizeof(fds[0])))
		if err := ctx.AS.CopyIn(raw, addr); err != nil {
			return 0, err
		}
	}
	count, err := ctx.Poll(fds, deadline)
	if err == wait.ErrRestartSys {
		return 0, wait.ErrRestartNoHand
	}
	if err != nil {
		return 0, err
	}
	if n > 0 {
		if err := ctx.AS.CopyOut(addr, raw); err != nil {
			return 0, err
		}
	}
	return uintptr(count), nil
}

func sysSelect(t *proc.Task, a *Args) (uintptr, error) {
	deadline := wait.Never
	if a[4] != 0 {
		var tv unix.Timeval
		if err := t.AS.CopyIn(structBytes(&tv), a[4]); err != nil {
			return 0, err
		}
		if tv.Sec < 0 || tv.Usec < 0 {
			return 0, unix.EINVAL
		}
		sec := tv.Sec + tv.Usec/1e6
		if sec >= 0 && sec < math.MaxInt64/1000000000-1 {
			deadline = pollDeadline(sec*1e9 + tv.Usec%1e6*1000)
		}
	}
	n, err := doSelect(t, a, deadline)
	putRemaining(t, a[4], deadline, true)
	return n, err
}

func sysPselect6(t *proc.Task, a *Args) (uintptr, error) {
	deadline, err := timespecArg(t, a[4])
	if err != nil {
		return 0, err
	}
	var mask [2]uint64 // pointer and size
	if a[5] != 0 {
		if err := t.AS.CopyIn(structBytes(&mask), a[5]); err != nil {
			return 0, err
		}
	}
	n, err := withMask(t, mask[0], mask[1], func() (uintptr, error) { return doSelect(t, a, deadline) })
	putRemaining(t, a[4], deadline, false)
	return n, err
}

// doSelect does select(2) on the sets at a[1], a[2] and a[3].
func doSelect(t *proc.Task, a *Args, deadline int64) (uintptr, error) {
	ctx := t.FSContext()
	n := int(int32(a[0]))
	if n < 0 {
		return 0, unix.EINVAL
	}
	n = min(n, ctx.Files.Capacity())
	words := (n + 63) / 64
	bytes := (n + 7) / 8 // the kernel reads whole longs
	bytes = (bytes + 7) &^ 7
	var sets [3][]uint64
	raw := func(i int) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&sets[i][0])), bytes) }
	for i := range sets {
		if a[1+i] == 0 || words == 0 {
			continue
		}
		sets[i] = make([]uint64, words)
		if err := ctx.AS.CopyIn(raw(i), a[1+i]); err != nil {
			return 0, err
		}
	}
	count, err := ctx.Select(n, sets[0], sets[1], sets[2], deadline)
	if err == wait.ErrRestartSys {
		return 0, wait.ErrRestartNoHand
	}
	if err != nil {
		return 0, err
	}
	for i := range sets {
		if sets[i] != nil {
			if err := ctx.AS.CopyOut(a[1+i], raw(i)); err != nil {
				return 0, err
			}
		}
	}
	return uintptr(count), nil
}
