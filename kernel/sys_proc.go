package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// Identity of processes: their numbers, groups and sessions (credentials(7)).

// sysGetpid is getpid(2): the id of the caller's process, whatever the thread.
func sysGetpid(t *proc.Task, a *Args) (uintptr, error) {
	return uintptr(t.Group.PID), nil
}

// sysGettid is gettid(2).
func sysGettid(t *proc.Task, a *Args) (uintptr, error) { return uintptr(t.TID), nil }

// sysGetppid is getppid(2).
func sysGetppid(t *proc.Task, a *Args) (uintptr, error) { return uintptr(t.Group.ParentPID()), nil }

// sysGetpgrp is getpgrp(2).
func sysGetpgrp(t *proc.Task, a *Args) (uintptr, error) { return pidResult(t.ProcessGroupOf(0)) }

// sysGetpgid is getpgid(2).
func sysGetpgid(t *proc.Task, a *Args) (uintptr, error) {
	return pidResult(t.ProcessGroupOf(int32(a[0])))
}

// sysGetsid is getsid(2).
func sysGetsid(t *proc.Task, a *Args) (uintptr, error) { return pidResult(t.SessionOf(int32(a[0]))) }

// sysSetsid is setsid(2).
func sysSetsid(t *proc.Task, a *Args) (uintptr, error) { return pidResult(t.NewSession()) }

// sysSetpgid is setpgid(2).
func sysSetpgid(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.SetProcessGroup(int32(a[0]), int32(a[1]))
}

func pidResult(pid int32, err error) (uintptr, error) { return uintptr(pid), err }

// sysSetTIDAddress is set_tid_address(2).
func sysSetTIDAddress(t *proc.Task, a *Args) (uintptr, error) {
	t.SetClearChildTID(a[0])
	return uintptr(t.TID), nil
}

// robustListSize is sizeof(struct robust_list_head) (UAPI linux/futex.h).
const robustListSize = 24

// sysSetRobustList is set_robust_list(2).
func sysSetRobustList(t *proc.Task, a *Args) (uintptr, error) {
	if a[1] != robustListSize {
		return 0, unix.EINVAL
	}
	t.SetRobustList(a[0])
	return 0, nil
}

// sysGetRobustList is get_robust_list(2).
func sysGetRobustList(t *proc.Task, a *Args) (uintptr, error) {
	head, err := t.RobustList(int32(a[0]))
	if err != nil {
		return 0, err
	}
	if err := t.AS.Write64(a[2], robustListSize); err != nil {
		return 0, err
	}
	return 0, t.AS.Write64(a[1], head)
}

// sysRseq refuses rseq(2): there are no restartable sequences. It stands in the
// table because every program of a current C library asks once.
func sysRseq(t *proc.Task, a *Args) (uintptr, error) { return 0, unix.ENOSYS }

// sysPidfdOpen is pidfd_open(2).
func sysPidfdOpen(t *proc.Task, a *Args) (uintptr, error) {
	pid, flags := int32(a[0]), uint32(a[1])
	if flags&^unix.PIDFD_NONBLOCK != 0 || pid <= 0 {
		return 0, unix.EINVAL
	}
	f, err := t.OpenPIDFile(pid, int(flags))
	if err != nil {
		return 0, err
	}
	return installNew(t, f, true)
}

// groupOfFD returns the process that descriptor fd, a pidfd, refers to: EBADF if
// it is none.
func groupOfFD(t *proc.Task, fd int32) (*proc.ThreadGroup, error) {
	f, err := t.FSContext().Files.Get(fd)
	if err != nil {
		return nil, err
	}
	defer f.Unref()
	if g := proc.GroupOfFile(f); g != nil {
		return g, nil
	}
	return nil, unix.EBADF
}

// sysPidfdGetfd is pidfd_getfd(2).
func sysPidfdGetfd(t *proc.Task, a *Args) (uintptr, error) {
	if uint32(a[2]) != 0 {
		return 0, unix.EINVAL
	}
	g, err := groupOfFD(t, fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	o := g.Leader
	if !t.MayAccess(o) {
		return 0, unix.EPERM
	}
	files := o.Files()
	if files == nil {
		return 0, unix.ESRCH
	}
	ctx := t.FSContext()
	defer files.Unref(ctx)
	f, err := files.GetRaw(fdArg(a[1]))
	if err != nil {
		return 0, err
	}
	return installNew(t, f, true)
}

// put32 and put64 build structures for user memory.
func put32(p []byte, at int, v uint32) { binary.LittleEndian.PutUint32(p[at:], v) }
func put64(p []byte, at int, v uint64) { binary.LittleEndian.PutUint64(p[at:], v) }
func get32(p []byte, at int) uint32    { return binary.LittleEndian.Uint32(p[at:]) }
func get64(p []byte, at int) uint64    { return binary.LittleEndian.Uint64(p[at:]) }
