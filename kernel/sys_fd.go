package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

func sysClose(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	err := ctx.Files.Close(ctx, fdArg(a[0]))
	if err != nil && err != unix.EBADF && err != unix.EIO && err != unix.ENOSPC && err != unix.EDQUOT {
		err = unix.EINTR // the descriptor is gone: close is never restarted
	}
	return 0, err
}

func sysCloseRange(t *proc.Task, a *Args) (uintptr, error) {
	first, last, flags := uint32(a[0]), uint32(a[1]), uint32(a[2])
	if flags&^(unix.CLOSE_RANGE_UNSHARE|unix.CLOSE_RANGE_CLOEXEC) != 0 || first > last {
		return 0, unix.EINVAL
	}
	ctx := t.FSContext()
	if flags&unix.CLOSE_RANGE_UNSHARE != 0 && ctx.Files.Shared() {
		t.ReplaceFiles(ctx.Files.Fork())
	}
	if flags&unix.CLOSE_RANGE_CLOEXEC != 0 {
		ctx.Files.SetCloseOnExecRange(first, last)
	} else {
		ctx.Files.CloseRange(ctx, first, last)
	}
	return 0, nil
}

func sysDup(t *proc.Task, a *Args) (uintptr, error) {
	return dupAbove(t.FSContext(), fdArg(a[0]), 0, false)
}

// dupAbove makes the lowest free descriptor from min on another one of fd's file.
func dupAbove(ctx *fs.Context, fd, min int32, cloexec bool) (uintptr, error) {
	f, err := ctx.Files.GetRaw(fd)
	if err != nil {
		return 0, err
	}
	n, err := ctx.Files.Install(f, min, cloexec, ctx.Limits.NoFile.Load())
	if err != nil {
		f.Unref()
		return 0, err
	}
	return uintptr(n), nil
}

func sysDup2(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	if oldfd, newfd := fdArg(a[0]), fdArg(a[1]); oldfd == newfd {
		f, err := ctx.Files.GetRaw(oldfd)
		if err != nil {
			return 0, err
		}
		f.Unref()
		return uintptr(newfd), nil
	}
	return dup3(ctx, a, 0)
}

func sysDup3(t *proc.Task, a *Args) (uintptr, error) {
	flags := int(int32(a[2]))
	if flags&^unix.O_CLOEXEC != 0 || fdArg(a[0]) == fdArg(a[1]) {
		return 0, unix.EINVAL
	}
	return dup3(t.FSContext(), a, flags)
}

func dup3(ctx *fs.Context, a *Args, flags int) (uintptr, error) {
	newfd := fdArg(a[1])
	limit := ctx.Limits.NoFile.Load()
	if newfd < 0 || uint64(newfd) >= limit {
		return 0, unix.EBADF
	}
	f, err := ctx.Files.GetRaw(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	if err := ctx.Files.DupTo(ctx, f, newfd, flags&unix.O_CLOEXEC != 0, limit); err != nil {
		f.Unref()
		return 0, err
	}
	return uintptr(newfd), nil
}

func sysFsync(t *proc.Task, a *Args) (uintptr, error)     { return fsync(t, a, false) }
func sysFdatasync(t *proc.Task, a *Args) (uintptr, error) { return fsync(t, a, true) }

func fsync(t *proc.Task, a *Args, dataOnly bool) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	return 0, ctx.Fsync(f, dataOnly)
}

func sysSync(t *proc.Task, a *Args) (uintptr, error) {
	fs.SyncAll()
	return 0, nil
}

func sysSyncfs(t *proc.Task, a *Args) (uintptr, error) {
	f, err := t.FSContext().Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if sb := f.Inode().Base().Super; sb != nil {
		return 0, sb.Ops.Sync()
	}
	return 0, nil
}

func sysSyncFileRange(t *proc.Task, a *Args) (uintptr, error) {
	f, err := t.FSContext().Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if int64(a[1]) < 0 || int64(a[2]) < 0 || int64(a[1]+a[2]) < 0 || uint32(a[3])&^7 != 0 {
		return 0, unix.EINVAL
	}
	switch f.Inode().Base().Type() {
	case unix.S_IFREG, unix.S_IFBLK, unix.S_IFDIR, unix.S_IFLNK:
		return 0, nil
	}
	return 0, unix.ESPIPE
}

func sysFadvise64(t *proc.Task, a *Args) (uintptr, error) {
	f, err := t.FSContext().Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if f.Inode().Base().Type() == unix.S_IFIFO {
		return 0, unix.ESPIPE
	}
	if int64(a[2]) < 0 || a[3] > unix.FADV_NOREUSE {
		return 0, unix.EINVAL
	}
	return 0, nil // everything is in memory
}

func sysReadahead(t *proc.Task, a *Args) (uintptr, error) {
	f, err := t.FSContext().Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if f.Mode()&fs.ModeRead == 0 {
		return 0, unix.EBADF
	}
	if !f.Inode().Base().IsRegular() {
		return 0, unix.EINVAL
	}
	return 0, nil
}

func sysFallocate(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	return 0, ctx.Fallocate(f, uint32(a[1]), int64(a[2]), int64(a[3]))
}

func sysFlock(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	return 0, ctx.Flock(f, int(int32(a[1])))
}
