package fs

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/mm"
)

// Sizes of pipes (pipe(7)).
const (
	PipeBuf          = 4096    // writes up to this many bytes are atomic
	pipeSlots        = 16      // of a new pipe
	PipeMaxSize      = 1 << 20 // fs.pipe-max-size
	pipeAbsoluteSize = 1 << 31 // F_SETPIPE_SZ never goes beyond (EINVAL)
)

// pipeSlot is one page of a pipe.
type pipeSlot struct {
	frame  arch.Frame
	off    uint16 // first byte not read
	n      uint16 // bytes not read
	packet bool   // O_DIRECT: a read does not go beyond
	shared bool   // the frame is somebody else's too (tee): do not append
}

// pipe is the ring of pages behind the two ends of pipe(2) or an open FIFO. A
// write of up to PipeBuf bytes lands in one slot, which makes it atomic; what
// fits into the last slot is appended there.
type pipe struct {
	mu sync.Mutex // guards the ring and the counts below; held while copying to and from user memory

	ring  []pipeSlot // a power of two
	tail  uint32     // oldest slot; free running
	spare arch.Frame // one page kept for the next write

	// Written under mu, read anywhere.
	used    atomic.Int32 // slots with data
	size    atomic.Int32 // len(ring)
	readers atomic.Int32
	writers atomic.Int32

	// For the rendezvous of opening a FIFO: how often it was opened for each.
	opensRead, opensWrite atomic.Uint32

	rdq wait.Queue // woken when there is something to read, or no writer
	wrq wait.Queue // woken when there is room, or no reader

	slots [pipeSlots]pipeSlot // ring, as long as its size is not changed
}

func newPipe() *pipe {
	p := new(pipe)
	p.init()
	return p
}

func (p *pipe) init() {
	p.ring = p.slots[:]
	p.size.Store(pipeSlots)
}

// pipeEnd is the FileOps of one open file of a pipe.
type pipeEnd struct {
	BaseOps
	p    *pipe
	base *InodeBase // of the open file's inode
	// quiet: opened for reading without blocking before any writer came; while
	// opensWrite still is this, poll does not say POLLHUP.
	quiet    bool
	quietGen uint32
}

// anonPipe is all that pipe2(2) makes but for the open files: one object, which
// lies on one or two pages.
type anonPipe struct {
	p    pipe
	ends [2]pipeEnd
	ino  plainInode
}

// Pipe is pipe2(2): flags are O_CLOEXEC (the caller's business), O_NONBLOCK and
// O_DIRECT.
func (ctx *Context) Pipe(flags int) (r, w *File, err error) {
	if flags&^(unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_DIRECT) != 0 {
		return nil, nil, unix.EINVAL
	}
	m := pipeMount()
	made := new(anonPipe)
	p, ino := &made.p, &made.ino
	ino.Init(m.Super, m.Super.NextIno(), unix.S_IFIFO|0o600, ctx.Cred.FSUID, ctx.Cred.FSGID)
	p.init()
	p.readers.Store(1)
	p.writers.Store(1)
	p.opensRead.Store(1)
	p.opensWrite.Store(1)
	ino.fifo.Store(p)
	path := Path{m, NewDentry("pipe:["+itoa(ino.Ino)+"]", ino)}
	flags &= unix.O_NONBLOCK | unix.O_DIRECT
	if r, err = ctx.newFile(path, unix.O_RDONLY|flags&unix.O_NONBLOCK); err != nil {
		return nil, nil, err
	}
	if w, err = ctx.newFile(path, unix.O_WRONLY|flags); err != nil {
		r.Unref()
		return nil, nil, err
	}
	for i := range made.ends {
		made.ends[i].p, made.ends[i].base = p, &ino.InodeBase
	}
	r.ops, w.ops = &made.ends[0], &made.ends[1]
	r.mode |= ModeStream | ModePoll
	w.mode |= ModeStream | ModePoll
	return r, w, nil
}

// slot returns the i-th used slot, oldest first. mu held.
func (p *pipe) slot(i int32) *pipeSlot {
	return &p.ring[(p.tail+uint32(i))&uint32(len(p.ring)-1)]
}

// data returns what is to be read in s.
func (s *pipeSlot) data() []byte { return s.frame.Page()[s.off : s.off+s.n] }

// room returns the free end of s that a write may be appended to.
func (s *pipeSlot) room() []byte {
	if s.packet || s.shared {
		return nil
	}
	return s.frame.Page()[s.off+s.n:]
}

// pop drops s, the oldest slot. mu held.
func (p *pipe) pop(s *pipeSlot) {
	if s.frame != 0 {
		if p.spare == 0 && !s.shared {
			p.spare = s.frame
		} else {
			s.frame.Unref()
		}
	}
	*s = pipeSlot{}
	p.tail++
	p.used.Add(-1)
}

// push appends a slot; there must be room. mu held.
func (p *pipe) push(s pipeSlot) {
	*p.slot(p.used.Load()) = s
	p.used.Add(1)
}

func (p *pipe) full() bool  { return p.used.Load() >= p.size.Load() }
func (p *pipe) empty() bool { return p.used.Load() == 0 }

const (
	pollRead  = unix.POLLIN | PollRDNorm
	pollWrite = unix.POLLOUT | PollWRNorm
)

// Read implements FileOps.
func (e *pipeEnd) Read(ctx *Context, f *File, it *mm.Iter, _ *int64) (int, error) {
	if it.Len() == 0 {
		return 0, nil
	}
	p := e.p
	p.mu.Lock()
	for p.empty() {
		if p.writers.Load() == 0 {
			p.mu.Unlock()
			return 0, nil
		}
		if ctx.NoWaitOnce(f) {
			p.mu.Unlock()
			return 0, unix.EAGAIN
		}
		p.rdq.Enlist(ctx.Thread)
		p.mu.Unlock()
		if err := p.rdq.Sleep(ctx.Thread, wait.Never); err != nil {
			return 0, err
		}
		p.mu.Lock()
	}
	total := 0
	var err error
	freed := false
	for {
		s := p.slot(0)
		n, cerr := it.CopyTo(s.data())
		total += n
		packet := s.packet
		if left := s.n - uint16(n); left == 0 || packet && cerr == nil {
			p.pop(s)
			freed = true
		} else {
			s.off += uint16(n)
			s.n = left
		}
		if cerr != nil && total == 0 {
			err = cerr
		}
		if cerr != nil || packet || it.Len() == 0 || p.empty() {
			break
		}
	}
	more := !p.empty()
	p.mu.Unlock()
	if freed {
		p.wrq.Wake(pollWrite)
	}
	if more { // the wake-up of one reader may have been for two writes
		p.rdq.Wake(pollRead)
	}
	if total > 0 && e.base.atime.Load() != Now() {
		f.Accessed()
	}
	return total, err
}

// Write implements FileOps.
func (e *pipeEnd) Write(ctx *Context, f *File, it *mm.Iter, _ *int64) (int, error) {
	if it.Len() == 0 {
		return 0, nil
	}
	p := e.p
	total := 0
	var err error
	packet := f.Flags()&unix.O_DIRECT != 0
	p.mu.Lock()
	// The odd end of the data goes behind what is there, if it fits whole.
	if n := it.Len() & (arch.PageSize - 1); n != 0 && !packet && !p.empty() && p.readers.Load() != 0 {
		if room := p.slot(p.used.Load() - 1).room(); n <= len(room) {
			total, err = it.CopyFrom(room[:n])
			p.slot(p.used.Load() - 1).n += uint16(total)
		}
	}
	for it.Len() > 0 && err == nil {
		if p.readers.Load() == 0 {
			ctx.Signal(unix.SIGPIPE)
			err = unix.EPIPE
			break
		}
		if !p.full() {
			var n int
			n, err = p.fill(it, packet)
			total += n
			continue
		}
		if ctx.NoWaitOnce(f) {
			err = unix.EAGAIN
			break
		}
		p.wrq.Enlist(ctx.Thread)
		p.mu.Unlock()
		p.wrote(total)
		err = p.wrq.Sleep(ctx.Thread, wait.Never)
		p.mu.Lock()
	}
	room := !p.full()
	p.mu.Unlock()
	if room { // another writer may be waiting too
		p.wrq.Wake(pollWrite)
	}
	if total == 0 {
		return 0, err
	}
	p.wrote(total)
	if now := Now(); e.base.mtime.Load() != now {
		e.base.Touch()
	}
	return total, nil
}

// fill puts up to a page of it into a slot of its own; there is a free one.
// mu held.
func (p *pipe) fill(it *mm.Iter, packet bool) (int, error) {
	fr := p.spare
	if p.spare = 0; fr == 0 {
		var ok bool
		if fr, ok = arch.AllocFrame(arch.UseCache); !ok {
			return 0, unix.ENOMEM
		}
	}
	n, err := it.CopyFrom(fr.Page()[:min(it.Len(), arch.PageSize)])
	if n != 0 {
		p.push(pipeSlot{frame: fr, n: uint16(n), packet: packet})
	} else if p.spare == 0 {
		p.spare = fr
	} else {
		fr.Unref()
	}
	return n, err
}

// wrote wakes a reader after a write.
func (p *pipe) wrote(total int) {
	if total > 0 {
		p.rdq.Wake(pollRead)
	}
}

// Poll implements FileOps.
func (e *pipeEnd) Poll(f *File, pt *wait.PollTable) uint32 {
	p, mode := e.p, f.mode
	ev := uint32(0)
	if pt != nil {
		if mode&ModeRead != 0 {
			pt.Add(&p.rdq, 0)
		}
		if mode&ModeWrite != 0 {
			pt.Add(&p.wrq, 0)
		}
	}
	if mode&ModeRead != 0 {
		if !p.empty() {
			ev = pollRead
		}
		if p.writers.Load() == 0 && !(e.quiet && p.opensWrite.Load() == e.quietGen) {
			ev |= unix.POLLHUP
		}
	}
	if mode&ModeWrite != 0 {
		if !p.full() {
			ev |= pollWrite
		}
		if p.readers.Load() == 0 {
			ev |= unix.POLLERR
		}
	}
	return ev
}
