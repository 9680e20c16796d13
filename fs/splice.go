package fs

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/mm"
)

// copyBufs are the buffers of sendfile and copy_file_range.
var copyBufs = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// Sendfile is sendfile(2): from in, at *pos or at its own position when pos is
// nil, to out at its position. It returns how much was written.
func (ctx *Context) Sendfile(out, in *File, pos *int64, n int) (int, error) {
	if in.mode&ModeRead == 0 || out.mode&ModeWrite == 0 {
		return 0, unix.EBADF
	}
	if out.Flags()&unix.O_APPEND != 0 {
		return 0, unix.EINVAL
	}
	if in.mode&ModeStream != 0 || in.inode.Base().IsDir() {
		if pos != nil {
			return 0, unix.ESPIPE
		}
		return 0, unix.EINVAL
	}
	own := pos == nil
	if own {
		in.posMu.Lock()
		defer in.posMu.Unlock()
		ctx.pos2 = in.pos
	} else {
		if *pos < 0 {
			return 0, unix.EINVAL
		}
		ctx.pos2 = *pos
	}
	done, err := ctx.copyOut(out, in, min(n, MaxRW))
	if own {
		in.pos = ctx.pos2
	} else {
		*pos = ctx.pos2
	}
	if done > 0 {
		err = nil
	}
	return done, err
}

// copyOut copies up to n bytes of in from ctx.pos2 on, which it advances, to out
// at its position.
func (ctx *Context) copyOut(out, in *File, n int) (done int, err error) {
	buf := copyBufs.Get().(*[64 << 10]byte)
	defer copyBufs.Put(buf)
	for done < n {
		ctx.Iter = mm.BytesIter(buf[:min(n-done, len(buf))])
		start := ctx.pos2
		got, err := in.ops.Read(ctx, in, &ctx.Iter, &ctx.pos2)
		if got <= 0 {
			return done, err
		}
		ctx.Iter = mm.BytesIter(buf[:got])
		put, err := ctx.Write(out, &ctx.Iter)
		done += put
		if put < got {
			ctx.pos2 = start + int64(put)
			return done, err
		}
		if ctx.Thread.Interrupted() {
			break
		}
	}
	return done, nil
}

// CopyFileRange is copy_file_range(2); nil positions mean the files' own.
func (ctx *Context) CopyFileRange(in *File, inPos *int64, out *File, outPos *int64, n int) (int, error) {
	ib, ob := in.inode.Base(), out.inode.Base()
	switch {
	case in.mode&ModeRead == 0 || out.mode&ModeWrite == 0 || out.Flags()&unix.O_APPEND != 0:
		return 0, unix.EBADF
	case ib.IsDir() || ob.IsDir():
		return 0, unix.EISDIR
	case !ib.IsRegular() || !ob.IsRegular():
		return 0, unix.EINVAL
	}
	from, to := int64(0), int64(0)
	get := func(f *File, p *int64) int64 {
		if p != nil {
			return *p
		}
		f.posMu.Lock()
		defer f.posMu.Unlock()
		return f.pos
	}
	from, to = get(in, inPos), get(out, outPos)
	if from < 0 || to < 0 {
		return 0, unix.EINVAL
	}
	n = min(n, MaxRW)
	if ib == ob && from < to+int64(n) && to < from+int64(n) {
		return 0, unix.EINVAL
	}
	buf := copyBufs.Get().(*[64 << 10]byte)
	defer copyBufs.Put(buf)
	done := 0
	var err error
	for done < n {
		ctx.Iter = mm.BytesIter(buf[:min(n-done, len(buf))])
		ctx.pos2 = from
		var got, put int
		if got, err = in.ops.Read(ctx, in, &ctx.Iter, &ctx.pos2); got <= 0 {
			break
		}
		ctx.Iter = mm.BytesIter(buf[:got])
		ctx.pos2 = to
		put, err = out.ops.Write(ctx, out, &ctx.Iter, &ctx.pos2)
		done += put
		from += int64(put)
		to += int64(put)
		if put < got || ctx.Thread.Interrupted() {
			break
		}
	}
	set := func(f *File, p *int64, v int64) {
		if p != nil {
			*p = v
			return
		}
		f.posMu.Lock()
		f.pos = v
		f.posMu.Unlock()
	}
	set(in, inPos, from)
	set(out, outPos, to)
	if done > 0 {
		err = nil
	}
	return done, err
}

// pipeOf returns f's pipe if it is one end of one.
func pipeOf(f *File) *pipe {
	if e, ok := f.ops.(*pipeEnd); ok {
		return e.p
	}
	return nil
}

// Splice is splice(2): at least one side is a pipe; positions only for the other.
func (ctx *Context) Splice(in *File, inPos *int64, out *File, outPos *int64, n int, flags int) (int, error) {
	const known = unix.SPLICE_F_MOVE | unix.SPLICE_F_NONBLOCK | unix.SPLICE_F_MORE | unix.SPLICE_F_GIFT
	if flags&^known != 0 {
		return 0, unix.EINVAL
	}
	if in.mode&ModeRead == 0 || out.mode&ModeWrite == 0 {
		return 0, unix.EBADF
	}
	n = min(n, MaxRW)
	nonblock := flags&unix.SPLICE_F_NONBLOCK != 0
	ip, op := pipeOf(in), pipeOf(out)
	switch {
	case ip != nil && op != nil:
		if inPos != nil || outPos != nil {
			return 0, unix.ESPIPE
		}
		if ip == op {
			return 0, unix.EINVAL
		}
		return ctx.movePages(ip, op, n, nonblock || in.Nonblock(), nonblock || out.Nonblock(), true)
	case ip != nil:
		if inPos != nil {
			return 0, unix.ESPIPE
		}
		if outPos != nil && out.mode&ModeStream != 0 {
			return 0, unix.EINVAL
		}
		if out.Flags()&unix.O_APPEND != 0 {
			return 0, unix.EINVAL
		}
		return ctx.pipeToFile(ip, out, outPos, n, nonblock || in.Nonblock())
	case op != nil:
		if outPos != nil {
			return 0, unix.ESPIPE
		}
		if inPos != nil && in.mode&ModeStream != 0 {
			return 0, unix.EINVAL
		}
		return ctx.fileToPipe(in, inPos, op, n, nonblock || out.Nonblock())
	}
	return 0, unix.EINVAL
}

// waitData waits, p.mu held, until p has something; false at the end of data.
func (p *pipe) waitData(ctx *Context, nonblock bool) (bool, error) {
	for p.empty() {
		if p.writers.Load() == 0 {
			return false, nil
		}
		if nonblock {
			return false, unix.EAGAIN
		}
		p.mu.Unlock()
		err := p.rdq.Wait(ctx.Thread, wait.Never, func() bool { return p.used.Load() != 0 || p.writers.Load() == 0 })
		p.mu.Lock()
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// waitRoom waits, p.mu held, until p has a free slot. EPIPE (with SIGPIPE)
// without a reader.
func (p *pipe) waitRoom(ctx *Context, nonblock bool) error {
	for {
		if p.readers.Load() == 0 {
			ctx.Signal(unix.SIGPIPE)
			return unix.EPIPE
		}
		if !p.full() {
			return nil
		}
		if nonblock {
			return unix.EAGAIN
		}
		p.mu.Unlock()
		err := p.wrq.Wait(ctx.Thread, wait.Never, func() bool { return p.used.Load() < p.size.Load() || p.readers.Load() == 0 })
		p.mu.Lock()
		if err != nil {
			return err
		}
	}
}

// pipeToFile writes what the pipe has, page by page.
func (ctx *Context) pipeToFile(p *pipe, out *File, pos *int64, n int, nonblock bool) (int, error) {
	done := 0
	var err error
	p.mu.Lock()
	for done < n {
		var ok bool
		if ok, err = p.waitData(ctx, nonblock || done > 0); !ok {
			break
		}
		s := p.slot(0)
		m := min(int(s.n), n-done)
		ctx.Iter = mm.BytesIter(s.frame.Page()[s.off : int(s.off)+m])
		var put int
		if pos != nil {
			ctx.pos2 = *pos
			put, err = out.ops.Write(ctx, out, &ctx.Iter, &ctx.pos2)
			*pos += int64(put)
		} else {
			put, err = ctx.Write(out, &ctx.Iter)
		}
		s.off += uint16(put)
		s.n -= uint16(put)
		done += put
		if s.n == 0 {
			p.pop(p.slot(0))
		}
		if err != nil || put < m {
			break
		}
	}
	p.mu.Unlock()
	if done > 0 {
		p.wrq.Wake(pollWrite)
		err = nil
	}
	return done, err
}

// fileToPipe reads into fresh pages of the pipe.
func (ctx *Context) fileToPipe(in *File, pos *int64, p *pipe, n int, nonblock bool) (int, error) {
	done := 0
	var err error
	for done < n {
		p.mu.Lock()
		if err = p.waitRoom(ctx, nonblock || done > 0); err != nil {
			p.mu.Unlock()
			break
		}
		p.mu.Unlock()
		fr, ok := arch.AllocFrame(arch.UseCache)
		if !ok {
			err = unix.ENOMEM
			break
		}
		ctx.Iter = mm.BytesIter(fr.Page()[:min(n-done, arch.PageSize)])
		var got int
		if pos != nil {
			ctx.pos2 = *pos
			got, err = in.ops.Read(ctx, in, &ctx.Iter, &ctx.pos2)
			*pos += int64(got)
		} else {
			got, err = ctx.Read(in, &ctx.Iter)
		}
		if got <= 0 {
			fr.Unref()
			break
		}
		p.mu.Lock()
		// Whoever took the room meanwhile leaves again; data read is not lost.
		if werr := p.waitRoom(ctx, false); werr != nil {
			p.mu.Unlock()
			fr.Unref()
			err = werr
			break
		}
		p.push(pipeSlot{frame: fr, n: uint16(got)})
		p.mu.Unlock()
		p.rdq.Wake(pollRead)
		done += got
		if in.mode&ModeStream != 0 {
			break // do not block for more
		}
	}
	if done > 0 {
		err = nil
	}
	return done, err
}

// movePages moves (or with take false, duplicates: tee) slots between pipes.
func (ctx *Context) movePages(from, to *pipe, n int, fromNB, toNB, take bool) (int, error) {
	for {
		from.mu.Lock()
		ok, err := from.waitData(ctx, fromNB)
		from.mu.Unlock()
		if !ok {
			return 0, err
		}
		to.mu.Lock()
		err = to.waitRoom(ctx, toNB)
		to.mu.Unlock()
		if err != nil {
			return 0, err
		}
		a, b := from, to
		if uintptr(unsafe.Pointer(b)) < uintptr(unsafe.Pointer(a)) {
			a, b = b, a
		}
		a.mu.Lock()
		b.mu.Lock()
		done := 0
		for i := int32(0); done < n && i < from.used.Load() && !to.full(); {
			s := from.slot(i)
			m := min(int(s.n), n-done)
			copied := *s
			copied.n = uint16(m)
			copied.shared = true
			done += m
			if take && m == int(s.n) {
				copied.shared = s.shared
				*s = pipeSlot{}
				from.pop(from.slot(0))
			} else {
				s.frame.Ref()
				s.shared = true
				if take {
					s.off += uint16(m)
					s.n -= uint16(m)
				}
				i++
			}
			to.push(copied)
		}
		b.mu.Unlock()
		a.mu.Unlock()
		if done == 0 {
			continue // somebody was faster
		}
		if take {
			from.wrq.Wake(pollWrite)
		}
		to.rdq.Wake(pollRead)
		return done, nil
	}
}

// Tee is tee(2).
func (ctx *Context) Tee(in, out *File, n int, flags int) (int, error) {
	ip, op := pipeOf(in), pipeOf(out)
	if ip == nil || op == nil || ip == op {
		return 0, unix.EINVAL
	}
	if in.mode&ModeRead == 0 || out.mode&ModeWrite == 0 {
		return 0, unix.EBADF
	}
	nonblock := flags&unix.SPLICE_F_NONBLOCK != 0
	return ctx.movePages(ip, op, min(n, MaxRW), nonblock || in.Nonblock(), nonblock || out.Nonblock(), false)
}
