package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
	"tamarix/proc"
)

// fdArg returns a descriptor argument.
func fdArg(v uint64) int32 { return int32(uint32(v)) }

// userIter sets ctx.Iter to the n bytes of user memory at addr, cut to what one
// call may transfer (read(2)): EFAULT outside user space, as access_ok decides.
func userIter(ctx *fs.Context, addr, n uint64) error {
	if n > fs.MaxRW {
		if int64(n) < 0 {
			return unix.EINVAL
		}
		if !userSpan(addr, n) {
			return unix.EFAULT
		}
		n = fs.MaxRW
	}
	if addr > userTop-n {
		return unix.EFAULT
	}
	ctx.Iter.SetUser(ctx.AS, addr, int(n))
	return nil
}

// userTop is the first address above user space.
const userTop = 0x7fff_ffff_f000

func userSpan(addr, n uint64) bool { return n <= userTop && addr <= userTop-n }

// giveBack ends a call that has failed with f borrowed, or without a file.
func giveBack(f *fs.File, counted bool, err error) (uintptr, error) {
	if counted {
		f.Unref()
	}
	return 0, err
}

func sysRead(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	f, counted := ctx.Files.Borrow(fdArg(a[0]))
	if f == nil || f.Mode()&fs.ModeRead == 0 {
		return giveBack(f, counted, unix.EBADF)
	}
	if err := userIter(ctx, a[1], a[2]); err != nil {
		return giveBack(f, counted, err)
	}
	n, err := ctx.Read(f, &ctx.Iter)
	if counted {
		f.Unref()
	}
	return uintptr(n), err
}

func sysWrite(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	f, counted := ctx.Files.Borrow(fdArg(a[0]))
	if f == nil || f.Mode()&fs.ModeWrite == 0 {
		return giveBack(f, counted, unix.EBADF)
	}
	if err := userIter(ctx, a[1], a[2]); err != nil {
		return giveBack(f, counted, err)
	}
	n, err := ctx.Write(f, &ctx.Iter)
	if counted {
		f.Unref()
	}
	return uintptr(n), err
}

func sysPread64(t *proc.Task, a *Args) (uintptr, error) {
	return positioned(t, a, (*fs.Context).Pread)
}

func sysPwrite64(t *proc.Task, a *Args) (uintptr, error) {
	return positioned(t, a, (*fs.Context).Pwrite)
}

func positioned(t *proc.Task, a *Args, do func(*fs.Context, *fs.File, *mm.Iter, int64) (int, error)) (uintptr, error) {
	ctx := t.FSContext()
	if int64(a[3]) < 0 {
		return 0, unix.EINVAL
	}
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if err := userIter(ctx, a[1], a[2]); err != nil {
		return 0, err
	}
	n, err := do(ctx, f, &ctx.Iter, int64(a[3]))
	return uintptr(n), err
}

// maxIovec is UIO_MAXIOV (linux/uio.h).
const maxIovec = 1024

// vectors reads an iovec array. Short ones stay on the caller's stack.
func vectors(ctx *fs.Context, addr, count uint64, small []mm.Segment) ([]mm.Segment, error) {
	if count > maxIovec {
		return nil, unix.EINVAL
	}
	segs := small
	if int(count) > len(small) {
		segs = make([]mm.Segment, count)
	}
	segs = segs[:count]
	if count > 0 {
		if err := ctx.AS.CopyIn(segmentBytes(segs), addr); err != nil {
			return nil, err
		}
	}
	for _, s := range segs {
		if int64(s.Len) < 0 {
			return nil, unix.EINVAL
		}
		if !userSpan(s.Base, s.Len) {
			return nil, unix.EFAULT
		}
	}
	if _, err := mm.CheckSegments(segs); err != nil {
		return nil, err
	}
	return segs, nil
}

// segmentBytes returns segs as the bytes of the struct iovec array it is.
func segmentBytes(segs []mm.Segment) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&segs[0])), len(segs)*int(unsafe.Sizeof(segs[0])))
}

// vectored is readv and its kin. pos -1 means the file's own position.
func vectored(t *proc.Task, a *Args, write bool, pos int64, flags int) (uintptr, error) {
	ctx := t.FSContext()
	if pos < -1 {
		return 0, unix.EINVAL
	}
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if write && f.Mode()&fs.ModeWrite == 0 || !write && f.Mode()&fs.ModeRead == 0 {
		return 0, unix.EBADF
	}
	if flags&^(unix.RWF_HIPRI|unix.RWF_DSYNC|unix.RWF_SYNC|unix.RWF_NOWAIT|unix.RWF_APPEND) != 0 {
		return 0, unix.EOPNOTSUPP
	}
	segs, err := vectors(ctx, a[1], a[2], nil)
	if err != nil {
		return 0, err
	}
	ctx.Iter = mm.UserVecIter(ctx.AS, segs)
	ctx.SetTransferFlags(flags)
	defer ctx.SetTransferFlags(0)
	var n int
	switch {
	case pos < 0 && write:
		n, err = ctx.Write(f, &ctx.Iter)
	case pos < 0:
		n, err = ctx.Read(f, &ctx.Iter)
	case write:
		n, err = ctx.Pwrite(f, &ctx.Iter, pos)
	default:
		n, err = ctx.Pread(f, &ctx.Iter, pos)
	}
	return uintptr(n), err
}

func sysReadv(t *proc.Task, a *Args) (uintptr, error)  { return vectored(t, a, false, -1, 0) }
func sysWritev(t *proc.Task, a *Args) (uintptr, error) { return vectored(t, a, true, -1, 0) }

func sysPreadv(t *proc.Task, a *Args) (uintptr, error) {
	if int64(a[3]) < 0 {
		return 0, unix.EINVAL
	}
	return vectored(t, a, false, int64(a[3]), 0)
}

func sysPwritev(t *proc.Task, a *Args) (uintptr, error) {
	if int64(a[3]) < 0 {
		return 0, unix.EINVAL
	}
	return vectored(t, a, true, int64(a[3]), 0)
}

func sysPreadv2(t *proc.Task, a *Args) (uintptr, error) {
	return vectored(t, a, false, int64(a[3]), int(int32(a[5])))
}

func sysPwritev2(t *proc.Task, a *Args) (uintptr, error) {
	return vectored(t, a, true, int64(a[3]), int(int32(a[5])))
}

func sysLseek(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	n, err := ctx.Seek(f, int64(a[1]), int(int32(a[2])))
	return uintptr(n), err
}
