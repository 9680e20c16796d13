package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

// pathArg reads the path name at user address addr into the task's first path
// buffer: EFAULT, ENAMETOOLONG. The string is valid until the task's next call;
// package fs clones the names it keeps.
func pathArg(t *proc.Task, addr uint64) (string, error) { return pathInto(t, addr, 0) }

// pathArg2 is pathArg with the second buffer, for calls with two names.
func pathArg2(t *proc.Task, addr uint64) (string, error) { return pathInto(t, addr, 1) }

func pathInto(t *proc.Task, addr uint64, i int) (string, error) {
	ctx := t.FSContext()
	if ctx.PathBuf[i] == nil {
		ctx.PathBuf[i] = make([]byte, fs.PathMax)
	}
	n, err := ctx.AS.CopyInPath(ctx.PathBuf[i], addr)
	if err != nil {
		return "", err
	}
	return unsafe.String(&ctx.PathBuf[i][0], n), nil
}

const atCwd = unix.AT_FDCWD

func sysMkdir(t *proc.Task, a *Args) (uintptr, error)   { return mkdir(t, atCwd, a[0], a[1]) }
func sysMkdirat(t *proc.Task, a *Args) (uintptr, error) { return mkdir(t, fdArg(a[0]), a[1], a[2]) }

func mkdir(t *proc.Task, dirfd int32, path, mode uint64) (uintptr, error) {
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Mkdir(dirfd, p, uint32(mode))
}

func sysMknod(t *proc.Task, a *Args) (uintptr, error) { return mknod(t, atCwd, a[0], a[1], a[2]) }
func sysMknodat(t *proc.Task, a *Args) (uintptr, error) {
	return mknod(t, fdArg(a[0]), a[1], a[2], a[3])
}

func mknod(t *proc.Task, dirfd int32, path, mode, dev uint64) (uintptr, error) {
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Mknod(dirfd, p, uint32(mode)&0xffff, userDev(uint32(dev)))
}

// userDev decodes the 32-bit device number that mknod(2) takes (new_decode_dev,
// linux/kdev_t.h).
func userDev(d uint32) uint64 {
	return unix.Mkdev(d>>8&0xfff, d&0xff|d>>12&0xfff00)
}

func sysSymlink(t *proc.Task, a *Args) (uintptr, error) { return symlink(t, a[0], atCwd, a[1]) }
func sysSymlinkat(t *proc.Task, a *Args) (uintptr, error) {
	return symlink(t, a[0], fdArg(a[1]), a[2])
}

func symlink(t *proc.Task, target uint64, dirfd int32, path uint64) (uintptr, error) {
	text, err := pathArg2(t, target)
	if err != nil {
		return 0, err
	}
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Symlink(text, dirfd, p)
}

func sysLink(t *proc.Task, a *Args) (uintptr, error) { return link(t, atCwd, a[0], atCwd, a[1], 0) }
func sysLinkat(t *proc.Task, a *Args) (uintptr, error) {
	return link(t, fdArg(a[0]), a[1], fdArg(a[2]), a[3], a[4])
}

func link(t *proc.Task, oldfd int32, oldpath uint64, newfd int32, newpath, flags uint64) (uintptr, error) {
	o, err := pathArg(t, oldpath)
	if err != nil {
		return 0, err
	}
	n, err := pathArg2(t, newpath)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Link(oldfd, o, newfd, n, int(int32(flags)))
}

func sysUnlink(t *proc.Task, a *Args) (uintptr, error) { return unlink(t, atCwd, a[0], false) }
func sysRmdir(t *proc.Task, a *Args) (uintptr, error)  { return unlink(t, atCwd, a[0], true) }
func sysUnlinkat(t *proc.Task, a *Args) (uintptr, error) {
	if uint32(a[2])&^unix.AT_REMOVEDIR != 0 {
		return 0, unix.EINVAL
	}
	return unlink(t, fdArg(a[0]), a[1], a[2]&unix.AT_REMOVEDIR != 0)
}

func unlink(t *proc.Task, dirfd int32, path uint64, rmdir bool) (uintptr, error) {
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	if rmdir {
		return 0, t.FSContext().Rmdir(dirfd, p)
	}
	return 0, t.FSContext().Unlink(dirfd, p)
}

func sysRename(t *proc.Task, a *Args) (uintptr, error) {
	return rename(t, atCwd, a[0], atCwd, a[1], 0)
}

func sysRenameat(t *proc.Task, a *Args) (uintptr, error) {
	return rename(t, fdArg(a[0]), a[1], fdArg(a[2]), a[3], 0)
}

func sysRenameat2(t *proc.Task, a *Args) (uintptr, error) {
	return rename(t, fdArg(a[0]), a[1], fdArg(a[2]), a[3], a[4])
}

func rename(t *proc.Task, oldfd int32, oldpath uint64, newfd int32, newpath, flags uint64) (uintptr, error) {
	o, err := pathArg(t, oldpath)
	if err != nil {
		return 0, err
	}
	n, err := pathArg2(t, newpath)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Rename(oldfd, o, newfd, n, uint(uint32(flags)))
}

func sysReadlink(t *proc.Task, a *Args) (uintptr, error) { return readlink(t, atCwd, a[0], a[1], a[2]) }
func sysReadlinkat(t *proc.Task, a *Args) (uintptr, error) {
	return readlink(t, fdArg(a[0]), a[1], a[2], a[3])
}

func readlink(t *proc.Task, dirfd int32, path, buf, size uint64) (uintptr, error) {
	if int32(size) <= 0 {
		return 0, unix.EINVAL
	}
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	ctx := t.FSContext()
	text, err := ctx.Readlink(dirfd, p)
	if err != nil {
		return 0, err
	}
	n := min(len(text), int(int32(size)))
	return uintptr(n), ctx.AS.CopyOut(buf, unsafe.Slice(unsafe.StringData(text), n))
}

func sysTruncate(t *proc.Task, a *Args) (uintptr, error) {
	p, err := pathArg(t, a[0])
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Truncate(p, int64(a[1]))
}

func sysFtruncate(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.FSContext().Ftruncate(fdArg(a[0]), int64(a[1]))
}

func sysChdir(t *proc.Task, a *Args) (uintptr, error) {
	p, err := pathArg(t, a[0])
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Chdir(p)
}

func sysFchdir(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.FSContext().Fchdir(fdArg(a[0]))
}

func sysChroot(t *proc.Task, a *Args) (uintptr, error) {
	p, err := pathArg(t, a[0])
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Chroot(p)
}

func sysUmask(t *proc.Task, a *Args) (uintptr, error) {
	return uintptr(t.FSContext().FS.SetUmask(uint32(a[0]))), nil
}

func sysGetcwd(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, err := ctx.Getcwd()
	if err != nil {
		return 0, err
	}
	b := append([]byte(s), 0)
	if uint64(len(b)) > a[1] {
		return 0, unix.ERANGE
	}
	return uintptr(len(b)), ctx.AS.CopyOut(a[0], b)
}
