package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

// twoFiles gets two descriptors; done drops them.
func twoFiles(ctx *fs.Context, a, b uint64) (fa, fb *fs.File, done func(), err error) {
	if fa, err = ctx.Files.Get(fdArg(a)); err != nil {
		return
	}
	if fb, err = ctx.Files.Get(fdArg(b)); err != nil {
		fa.Unref()
		return
	}
	return fa, fb, func() { fa.Unref(); fb.Unref() }, nil
}

// offset is a position that a call takes from user memory and writes back.
type offset struct {
	addr uint64
	v    int64
}

// offsetArg reads the position at addr; nil when addr is 0.
func offsetArg(t *proc.Task, addr uint64) (*offset, error) {
	if addr == 0 {
		return nil, nil
	}
	v, err := t.AS.Read64(addr)
	if err != nil {
		return nil, err
	}
	if int64(v) < 0 {
		return nil, unix.EINVAL
	}
	return &offset{addr, int64(v)}, nil
}

func (o *offset) pos() *int64 {
	if o == nil {
		return nil
	}
	return &o.v
}

func (o *offset) put(t *proc.Task) error {
	if o == nil {
		return nil
	}
	return t.AS.Write64(o.addr, uint64(o.v))
}

func sysSendfile(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	off, err := offsetArg(t, a[2])
	if err != nil {
		return 0, err
	}
	in, out, done, err := twoFiles(ctx, a[1], a[0])
	if err != nil {
		return 0, err
	}
	defer done()
	if int64(a[3]) < 0 {
		return 0, unix.EINVAL
	}
	n, err := ctx.Sendfile(out, in, off.pos(), int(min(a[3], fs.MaxRW)))
	if perr := off.put(t); perr != nil {
		return 0, perr
	}
	return uintptr(n), err
}

func sysSplice(t *proc.Task, a *Args) (uintptr, error) {
	if a[4] == 0 {
		return 0, nil
	}
	return twoSided(t, a, func(ctx *fs.Context, in *fs.File, ip *int64, out *fs.File, op *int64, n int) (int, error) {
		return ctx.Splice(in, ip, out, op, n, int(int32(a[5])))
	})
}

func sysCopyFileRange(t *proc.Task, a *Args) (uintptr, error) {
	if uint32(a[5]) != 0 {
		return 0, unix.EINVAL
	}
	return twoSided(t, a, func(ctx *fs.Context, in *fs.File, ip *int64, out *fs.File, op *int64, n int) (int, error) {
		return ctx.CopyFileRange(in, ip, out, op, n)
	})
}

// twoSided is the frame of splice and copy_file_range: in, its position, out,
// its position, length.
func twoSided(t *proc.Task, a *Args, do func(*fs.Context, *fs.File, *int64, *fs.File, *int64, int) (int, error)) (uintptr, error) {
	ctx := t.FSContext()
	in, out, done, err := twoFiles(ctx, a[0], a[2])
	if err != nil {
		return 0, err
	}
	defer done()
	ip, err := offsetArg(t, a[1])
	if err != nil {
		return 0, err
	}
	op, err := offsetArg(t, a[3])
	if err != nil {
		return 0, err
	}
	n, err := do(ctx, in, ip.pos(), out, op.pos(), int(min(a[4], fs.MaxRW)))
	if perr := ip.put(t); perr != nil {
		return 0, perr
	}
	if perr := op.put(t); perr != nil {
		return 0, perr
	}
	return uintptr(n), err
}

func sysTee(t *proc.Task, a *Args) (uintptr, error) {
	if a[2] == 0 {
		return 0, nil
	}
	ctx := t.FSContext()
	in, out, done, err := twoFiles(ctx, a[0], a[1])
	if err != nil {
		return 0, err
	}
	defer done()
	n, err := ctx.Tee(in, out, int(min(a[2], fs.MaxRW)), int(int32(a[3])))
	return uintptr(n), err
}

// sysVmsplice copies: user pages are not given away, whatever SPLICE_F_GIFT says.
func sysVmsplice(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	mode := f.Mode()
	_, perr := f.PipeSize()
	f.Unref()
	if perr != nil {
		return 0, unix.EBADF
	}
	flags := 0
	if a[3]&unix.SPLICE_F_NONBLOCK != 0 {
		flags = unix.RWF_NOWAIT
	}
	return vectored(t, a, mode&fs.ModeWrite != 0, -1, flags)
}
