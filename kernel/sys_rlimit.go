package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// Resource limits: getrlimit(2).

// sysPrlimit64 is prlimit64(2): pid, resource, new limits, old limits.
func sysPrlimit64(t *proc.Task, a *Args) (uintptr, error) {
	var set *unix.Rlimit
	if a[2] != 0 {
		l, err := readRlimit(t, a[2])
		if err != nil {
			return 0, err
		}
		set = &l
	}
	old, err := t.Prlimit(int32(a[0]), int(uint32(a[1])), set)
	if err != nil {
		return 0, err
	}
	if a[3] != 0 {
		return 0, writePair(t, a[3], old.Cur, old.Max)
	}
	return 0, nil
}

func readRlimit(t *proc.Task, addr uint64) (unix.Rlimit, error) {
	var b [16]byte
	err := t.AS.CopyIn(b[:], addr)
	return unix.Rlimit{Cur: get64(b[:], 0), Max: get64(b[:], 8)}, err
}

func sysGetrlimit(t *proc.Task, a *Args) (uintptr, error) {
	old, err := t.Prlimit(0, int(uint32(a[0])), nil)
	if err != nil {
		return 0, err
	}
	return 0, writePair(t, a[1], old.Cur, old.Max)
}

func sysSetrlimit(t *proc.Task, a *Args) (uintptr, error) {
	l, err := readRlimit(t, a[1])
	if err != nil {
		return 0, err
	}
	_, err = t.Prlimit(0, int(uint32(a[0])), &l)
	return 0, err
}

// sysTimes is times(2), in ticks of 1/100 s.
func sysTimes(t *proc.Task, a *Args) (uintptr, error) {
	if a[0] != 0 {
		self, children := t.Group.Usage(), t.Group.ChildUsage()
		var b [32]byte
		put64(b[:], 0, uint64(self.User/1e7))
		put64(b[:], 8, uint64(self.System/1e7))
		put64(b[:], 16, uint64(children.User/1e7))
		put64(b[:], 24, uint64(children.System/1e7))
		if err := t.AS.CopyOut(a[0], b[:]); err != nil {
			return 0, err
		}
	}
	return uintptr(after(0) / 1e7), nil
}
