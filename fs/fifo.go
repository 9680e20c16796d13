package fs

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

// openFIFO opens a FIFO, or reopens a pipe by /proc/PID/fd: fifo(7).
func openFIFO(ctx *Context, f *File) (FileOps, error) {
	b := f.inode.Base()
	rd, wr := f.mode&ModeRead != 0, f.mode&ModeWrite != 0
	nonblock := f.Nonblock()
	// Only a FIFO waits for its other side: a pipe's was there at the beginning.
	fifo := b.Super != pipeMount().Super
	b.small.Lock()
	p := b.fifo.Load()
	if p == nil {
		p = newPipe()
		b.fifo.Store(p)
	}
	if fifo && wr && !rd && nonblock && p.readers.Load() == 0 {
		if p.writers.Load() == 0 {
			b.fifo.Store(nil)
		}
		b.small.Unlock()
		return nil, unix.ENXIO
	}
	e := &pipeEnd{p: p, base: b}
	p.mu.Lock()
	if rd {
		p.readers.Add(1)
		p.opensRead.Add(1)
	}
	if wr {
		p.writers.Add(1)
		p.opensWrite.Add(1)
	}
	genR, genW := p.opensRead.Load(), p.opensWrite.Load()
	haveR, haveW := p.readers.Load() != 0, p.writers.Load() != 0
	p.mu.Unlock()
	b.small.Unlock()
	f.mode |= ModeStream | ModePoll
	p.rdq.WakeAll(^uint32(0))
	p.wrq.WakeAll(^uint32(0))

	var err error
	switch {
	case !fifo:
	case rd && !haveW && nonblock:
		e.quiet, e.quietGen = true, genW
	case rd && !haveW:
		err = p.rdq.Wait(ctx.Thread, wait.Never, func() bool { return p.opensWrite.Load() != genW })
	case wr && !haveR:
		err = p.wrq.Wait(ctx.Thread, wait.Never, func() bool { return p.opensRead.Load() != genR })
	}
	if err != nil {
		e.leave(b, rd, wr)
		return nil, err
	}
	return e, nil
}

// Release implements FileOps.
func (e *pipeEnd) Release(f *File) {
	e.leave(f.inode.Base(), f.mode&ModeRead != 0, f.mode&ModeWrite != 0)
}

func (e *pipeEnd) leave(b *InodeBase, rd, wr bool) {
	p := e.p
	b.small.Lock()
	p.mu.Lock()
	if rd {
		p.readers.Add(-1)
	}
	if wr {
		p.writers.Add(-1)
	}
	last := p.readers.Load() == 0 && p.writers.Load() == 0
	if last {
		for p.used.Load() > 0 {
			p.pop(p.slot(0))
		}
		if p.spare != 0 {
			p.spare.Unref()
			p.spare = 0
		}
		if b.fifo.Load() == p {
			b.fifo.Store(nil)
		}
	}
	p.mu.Unlock()
	b.small.Unlock()
	if !last {
		p.rdq.WakeAll(^uint32(0))
		p.wrq.WakeAll(^uint32(0))
	}
}
