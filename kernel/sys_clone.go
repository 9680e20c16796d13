package kernel

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/proc"
)

// Making tasks: fork(2), vfork(2), clone(2), clone3(2).

// signalMask is where clone(2) has the exit signal (CSIGNAL, UAPI linux/sched.h).
const signalMask = 0xff

func sysFork(t *proc.Task, a *Args) (uintptr, error) {
	return pidResult(t.Clone(&proc.CloneArgs{ExitSignal: uint64(unix.SIGCHLD)}))
}

func sysVfork(t *proc.Task, a *Args) (uintptr, error) {
	return pidResult(t.Clone(&proc.CloneArgs{Flags: unix.CLONE_VFORK | unix.CLONE_VM, ExitSignal: uint64(unix.SIGCHLD)}))
}

// sysClone is clone(2): flags, stack, parent's tid, child's tid, TLS.
func sysClone(t *proc.Task, a *Args) (uintptr, error) {
	flags := a[0] & 0xffffffff
	c := proc.CloneArgs{Flags: flags &^ signalMask, ExitSignal: flags & signalMask, StackTop: a[1],
		ParentTID: a[2], ChildTID: a[3], TLS: a[4], PIDFD: a[2]}
	if flags&unix.CLONE_PIDFD != 0 && flags&unix.CLONE_PARENT_SETTID != 0 {
		return 0, unix.EINVAL // both would go to the same address
	}
	if flags&unix.CLONE_PIDFD == 0 {
		c.Flags &^= unix.CLONE_DETACHED // ignored, as ever
	}
	return pidResult(t.Clone(&c))
}

// Sizes of struct clone_args through time (UAPI linux/sched.h).
const (
	cloneArgsSize0 = 64
	cloneArgsSize  = 88
)

// sysClone3 is clone3(2): address and size of struct clone_args.
func sysClone3(t *proc.Task, a *Args) (uintptr, error) {
	addr, size := a[0], a[1]
	if size > arch.PageSize {
		return 0, unix.E2BIG
	}
	if size < cloneArgsSize0 {
		return 0, unix.EINVAL
	}
	var b [cloneArgsSize]byte
	if err := copyStruct(t, b[:], addr, size); err != nil {
		return 0, err
	}
	c := proc.CloneArgs{Flags: get64(b[:], 0), PIDFD: get64(b[:], 8), ChildTID: get64(b[:], 16),
		ParentTID: get64(b[:], 24), ExitSignal: get64(b[:], 32), TLS: get64(b[:], 56)}
	stack, stackSize := get64(b[:], 40), get64(b[:], 48)
	setTID, setTIDSize := get64(b[:], 64), get64(b[:], 72)
	if (setTID == 0) != (setTIDSize == 0) || setTIDSize > 32 {
		return 0, unix.EINVAL
	}
	for i := range setTIDSize {
		v, err := t.AS.Read32(setTID + 4*i)
		if err != nil {
			return 0, err
		}
		c.SetTID = append(c.SetTID, int32(v))
	}
	if (stack == 0) != (stackSize == 0) || stack+stackSize < stack || stack+stackSize > arch.UserTop {
		return 0, unix.EINVAL
	}
	c.StackTop = stack + stackSize
	if err := proc.CheckClone3(&c); err != nil {
		return 0, err
	}
	return pidResult(t.Clone(&c))
}

// copyStruct reads a structure that grows from version to version: the size
// bytes at addr, what b has beyond them is zero, what they have beyond b must be
// zero (E2BIG otherwise). (copy_struct_from_user)
func copyStruct(t *proc.Task, b []byte, addr, size uint64) error {
	n := min(size, uint64(len(b)))
	clear(b[n:])
	if err := t.AS.CopyIn(b[:n], addr); err != nil {
		return err
	}
	var rest [64]byte
	for n < size {
		k := min(size-n, uint64(len(rest)))
		if err := t.AS.CopyIn(rest[:k], addr+n); err != nil {
			return err
		}
		for _, c := range rest[:k] {
			if c != 0 {
				return unix.E2BIG
			}
		}
		n += k
	}
	return nil
}

// sysUnshare is unshare(2).
func sysUnshare(t *proc.Task, a *Args) (uintptr, error) { return 0, t.Unshare(a[0]) }
