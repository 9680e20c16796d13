package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

func sysIoctl(t *proc.Task, a *Args) (uintptr, error) {
	return t.FSContext().Ioctl(fdArg(a[0]), uint32(a[1]), a[2])
}

// struct f_owner_ex and its types (asm-generic/fcntl.h).
type ownerEx struct{ typ, pid int32 }

const (
	ownerTID  = 0 // F_OWNER_TID
	ownerPID  = 1 // F_OWNER_PID
	ownerPGRP = 2 // F_OWNER_PGRP
)

// Commands of fcntl(2) that x/sys/unix lacks (asm-generic/fcntl.h).
const (
	fSetSig   = 10
	fGetSig   = 11
	fSetOwner = 15 // F_SETOWN_EX
	fGetOwner = 16 // F_GETOWN_EX
)

func sysFcntl(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	fd, cmd, arg := fdArg(a[0]), int(int32(a[1])), a[2]
	switch cmd {
	case unix.F_DUPFD, unix.F_DUPFD_CLOEXEC:
		if arg >= ctx.Limits.NoFile.Load() {
			if f, err := ctx.Files.GetRaw(fd); err != nil {
				return 0, err
			} else {
				f.Unref()
			}
			return 0, unix.EINVAL
		}
		return dupAbove(ctx, fd, int32(arg), cmd == unix.F_DUPFD_CLOEXEC)
	}
	f, err := ctx.Files.GetRaw(fd)
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	switch cmd {
	case unix.F_GETFD:
		if ctx.Files.CloseOnExec(fd) {
			return unix.FD_CLOEXEC, nil
		}
		return 0, nil
	case unix.F_SETFD:
		return 0, ctx.Files.SetCloseOnExec(fd, arg&unix.FD_CLOEXEC != 0)
	case unix.F_GETFL:
		return uintptr(f.Flags()), nil
	}
	if f.Mode()&fs.ModePath != 0 {
		return 0, unix.EBADF
	}
	switch cmd {
	case unix.F_SETFL:
		return 0, ctx.SetStatusFlags(f, int(int32(arg)))
	case unix.F_GETLK, unix.F_SETLK, unix.F_SETLKW, unix.F_OFD_GETLK, unix.F_OFD_SETLK, unix.F_OFD_SETLKW:
		var fl unix.Flock_t
		if err := ctx.AS.CopyIn(structBytes(&fl), arg); err != nil {
			return 0, err
		}
		if err := ctx.RecordLock(f, cmd, &fl); err != nil {
			return 0, err
		}
		if cmd == unix.F_GETLK || cmd == unix.F_OFD_GETLK {
			return 0, ctx.AS.CopyOut(arg, structBytes(&fl))
		}
		return 0, nil
	case unix.F_GETOWN:
		id, _ := f.Owner()
		return uintptr(id), nil
	case unix.F_SETOWN:
		f.SetOwner(int32(arg))
		return 0, nil
	case fGetSig:
		_, sig := f.Owner()
		return uintptr(sig), nil
	case fSetSig:
		return 0, f.SetOwnerSignal(int32(arg))
	case fGetOwner:
		id, _ := f.Owner()
		o := ownerEx{ownerPID, id}
		if id < 0 {
			o = ownerEx{ownerPGRP, -id}
		}
		return 0, ctx.AS.CopyOut(arg, structBytes(&o))
	case fSetOwner:
		var o ownerEx
		if err := ctx.AS.CopyIn(structBytes(&o), arg); err != nil {
			return 0, err
		}
		switch o.typ {
		case ownerTID, ownerPID:
			f.SetOwner(o.pid)
		case ownerPGRP:
			f.SetOwner(-o.pid)
		default:
			return 0, unix.EINVAL
		}
		return 0, nil
	case unix.F_GETPIPE_SZ:
		n, err := f.PipeSize()
		return uintptr(n), err
	case unix.F_SETPIPE_SZ:
		n, err := ctx.SetPipeSize(f, uint64(uint32(arg)))
		return uintptr(n), err
	case unix.F_GET_SEALS:
		s, err := f.Seals()
		return uintptr(s), err
	case unix.F_ADD_SEALS:
		return 0, f.AddSeals(uint32(arg))
	case unix.F_GETLEASE:
		return unix.F_UNLCK, nil
	}
	return 0, unix.EINVAL
}
