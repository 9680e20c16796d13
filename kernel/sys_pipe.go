package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/fs/tmpfs"
	"tamarix/proc"
)

// install gives f, whose reference it consumes, a descriptor.
func install(ctx *fs.Context, f *fs.File, cloexec bool) (uintptr, error) {
	fd, err := ctx.Files.Install(f, 0, cloexec, ctx.Limits.NoFile.Load())
	if err != nil {
		f.Unref()
		return 0, err
	}
	return uintptr(fd), nil
}

func sysPipe(t *proc.Task, a *Args) (uintptr, error)  { return 0, pipe2(t, a[0], 0) }
func sysPipe2(t *proc.Task, a *Args) (uintptr, error) { return 0, pipe2(t, a[0], int(int32(a[1]))) }

func pipe2(t *proc.Task, addr uint64, flags int) error {
	ctx := t.FSContext()
	r, w, err := ctx.Pipe(flags)
	if err != nil {
		return err
	}
	return installPair(ctx, r, w, flags&unix.O_CLOEXEC != 0, addr)
}

// installPair gives two files, whose references it consumes, descriptors and
// stores those at user address addr.
func installPair(ctx *fs.Context, x, y *fs.File, cloexec bool, addr uint64) error {
	limit := ctx.Limits.NoFile.Load()
	xfd, err := ctx.Files.Reserve(limit)
	if err != nil {
		x.Unref()
		y.Unref()
		return err
	}
	yfd, err := ctx.Files.Reserve(limit)
	if err == nil {
		fds := [2]int32{xfd, yfd}
		if err = ctx.AS.CopyOut(addr, structBytes(&fds)); err == nil {
			ctx.Files.Fill(xfd, x, cloexec)
			ctx.Files.Fill(yfd, y, cloexec)
			return nil
		}
		ctx.Files.Release(yfd)
	}
	ctx.Files.Release(xfd)
	x.Unref()
	y.Unref()
	return err
}

func sysEventfd(t *proc.Task, a *Args) (uintptr, error) { return eventfd(t, a[0], 0) }
func sysEventfd2(t *proc.Task, a *Args) (uintptr, error) {
	return eventfd(t, a[0], int(int32(a[1])))
}

func eventfd(t *proc.Task, initial uint64, flags int) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Eventfd(uint32(initial), flags)
	if err != nil {
		return 0, err
	}
	return install(ctx, f, flags&unix.EFD_CLOEXEC != 0)
}

// Flags of memfd_create(2) that concern this kernel (linux/memfd.h).
const memfdFlags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING | unix.MFD_NOEXEC_SEAL | unix.MFD_EXEC

// memfdNameMax is the longest name without its NUL (MFD_NAME_MAX_LEN, mm/memfd.c).
const memfdNameMax = fs.NameMax - len("memfd:")

func sysMemfdCreate(t *proc.Task, a *Args) (uintptr, error) {
	flags := uint32(a[1])
	if flags&^memfdFlags != 0 {
		return 0, unix.EINVAL
	}
	ctx := t.FSContext()
	name, err := ctx.AS.CopyInString(a[0], memfdNameMax+1)
	if err == unix.ENAMETOOLONG {
		err = unix.EINVAL
	}
	if err != nil {
		return 0, err
	}
	f, err := tmpfs.NewMemfd(ctx, name, flags&(unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL) != 0)
	if err != nil {
		return 0, err
	}
	return install(ctx, f, flags&unix.MFD_CLOEXEC != 0)
}
