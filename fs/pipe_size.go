package fs

import (
	"math/bits"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/mm"
)

// Ioctl implements FileOps: FIONREAD.
func (e *pipeEnd) Ioctl(ctx *Context, f *File, cmd uint32, arg uint64) (uintptr, error) {
	if cmd != unix.TIOCINQ {
		return 0, unix.ENOTTY
	}
	p := e.p
	p.mu.Lock()
	n := uint32(0)
	for i := int32(0); i < p.used.Load(); i++ {
		n += uint32(p.slot(i).n)
	}
	p.mu.Unlock()
	return 0, ctx.AS.Write32(arg, n)
}

// PipeSize is F_GETPIPE_SZ: EBADF for what is no pipe.
func (f *File) PipeSize() (int, error) {
	e, ok := f.ops.(*pipeEnd)
	if !ok {
		return 0, unix.EBADF
	}
	return int(e.p.size.Load()) * arch.PageSize, nil
}

// SetPipeSize is F_SETPIPE_SZ: it returns the size set, n rounded up to a power
// of two of pages. EPERM above PipeMaxSize without CAP_SYS_RESOURCE, EBUSY when
// more is in the pipe.
func (ctx *Context) SetPipeSize(f *File, n uint64) (int, error) {
	e, ok := f.ops.(*pipeEnd)
	if !ok {
		return 0, unix.EBADF
	}
	if n == 0 || n > pipeAbsoluteSize {
		return 0, unix.EINVAL
	}
	slots := int64(n+arch.PageSize-1) / arch.PageSize
	slots = 1 << bits.Len64(uint64(slots-1))
	p := e.p
	if slots*arch.PageSize > PipeMaxSize && slots > int64(p.size.Load()) && !ctx.Cred.Capable(unix.CAP_SYS_RESOURCE) {
		return 0, unix.EPERM
	}
	if slots > 1<<16 || !mm.Admit() { // 256 MiB, for anybody
		return 0, unix.ENOMEM
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	used := p.used.Load()
	if int64(used) > slots {
		return 0, unix.EBUSY
	}
	ring := make([]pipeSlot, slots)
	for i := int32(0); i < used; i++ {
		ring[i] = *p.slot(i)
	}
	p.ring, p.tail = ring, 0
	p.size.Store(int32(slots))
	p.wrq.WakeAll(pollWrite)
	return int(slots) * arch.PageSize, nil
}
