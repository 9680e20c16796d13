package unixsock

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// defaultBuffer is the size of a socket's buffers (net.core.wmem_default), and
// maxBuffer the most SO_SNDBUF and SO_RCVBUF set.
const (
	defaultBuffer = 212992
	maxBuffer     = 2 * 212992
	minBuffer     = 4608
)

// maxDatagrams is how many messages a datagram socket keeps (net.unix.max_dgram_qlen).
const maxDatagrams = 10

// state is how far a stream or seqpacket socket has come.
type state uint8

const (
	fresh state = iota
	listening
	connected
	closed
)

// Cred is struct ucred (unix(7), SO_PEERCRED).
type Cred struct {
	PID      int32
	UID, GID uint32
}

// CredOf returns the caller's credentials as a message carries them.
func CredOf(ctx *fs.Context) Cred { return Cred{ctx.PID, ctx.Cred.EUID, ctx.Cred.EGID} }

// Socket is one AF_UNIX socket.
type Socket struct {
	fs.BaseOps
	typ int // SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET; immutable

	rdq wait.Queue // woken when there is something to read or accept
	wrq wait.Queue // woken when there may be room to write

	mu      sync.Mutex // guards everything below
	state   state
	name    *string // sun_path's bytes; nil: none
	bound   *fs.InodeBase
	peer    *Socket
	queue   messages
	queued  int // bytes in queue
	rdShut  bool
	wrShut  bool
	gone    bool // the peer of a stream has been closed
	err     error
	backlog []*Socket
	maxLog  int
	cred    Cred // of who made or bound it
	pcred   Cred // of the peer
	sndbuf  int
	rcvbuf  int

	spare    atomic.Pointer[message] // for newMessage
	passCred atomic.Bool
	rcvTimeo atomic.Int64 // ns; 0: none
	sndTimeo atomic.Int64

	file     atomic.Pointer[fs.File] // the open file it is, not counted
	inflight int                     // references to file held by messages; guarded by gcMu
}

func newSocket(ctx *fs.Context, typ int) *Socket {
	return &Socket{typ: typ, cred: CredOf(ctx), sndbuf: defaultBuffer, rcvbuf: defaultBuffer}
}

// New is socket(2): the open file of a new socket.
func New(ctx *fs.Context, typ, protocol int, nonblock bool) (*fs.File, error) {
	switch typ {
	case unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET:
	case unix.SOCK_RAW: // as Linux has it
		typ = unix.SOCK_DGRAM
	default:
		return nil, unix.ESOCKTNOSUPPORT
	}
	if protocol != 0 && protocol != unix.AF_UNIX {
		return nil, unix.EPROTONOSUPPORT
	}
	return newSocket(ctx, typ).open(ctx, nonblock)
}

// open gives s its open file.
func (s *Socket) open(ctx *fs.Context, nonblock bool) (*fs.File, error) {
	flags := 0
	if nonblock {
		flags = unix.O_NONBLOCK
	}
	f, err := ctx.NewSocketFile(s, flags)
	if err != nil {
		return nil, err
	}
	s.file.Store(f)
	return f, nil
}

// Pair is socketpair(2).
func Pair(ctx *fs.Context, typ, protocol int, nonblock bool) (fa, fb *fs.File, err error) {
	if fa, err = New(ctx, typ, protocol, nonblock); err != nil {
		return nil, nil, err
	}
	if fb, err = New(ctx, typ, protocol, nonblock); err != nil {
		fa.Unref()
		return nil, nil, err
	}
	a, b := fa.Ops().(*Socket), fb.Ops().(*Socket)
	a.peer, b.peer = b, a
	a.state, b.state = connected, connected
	a.pcred, b.pcred = b.cred, a.cred
	return fa, fb, nil
}

// Of returns the socket behind an open file: ENOTSOCK.
func Of(f *fs.File) (*Socket, error) {
	if s, ok := f.Ops().(*Socket); ok {
		return s, nil
	}
	return nil, unix.ENOTSOCK
}

// connects reports whether s is of a kind that connects.
func (s *Socket) connects() bool { return s.typ != unix.SOCK_DGRAM }

// deadline returns the end of a wait with the time-out in ns (0: none).
func deadline(ns int64) int64 {
	if ns == 0 {
		return wait.Never
	}
	return wait.Now() + ns
}

// timedOut makes EAGAIN of a time-out (SO_RCVTIMEO, socket(7)).
func timedOut(err error) error {
	if err == unix.ETIMEDOUT {
		return unix.EAGAIN
	}
	return err
}

// Release implements fs.FileOps.
func (s *Socket) Release(*fs.File) {
	embryo := s.file.Load() == nil // never accepted
	s.mu.Lock()
	old := s.state
	s.state = closed
	peer := s.peer
	s.peer = nil
	unread := !s.queue.empty()
	left := s.takeLocked()
	pending := s.backlog
	s.backlog = nil
	s.mu.Unlock()
	s.file.Store(nil)
	s.unbind()
	s.rdq.WakeAll(^uint32(0))
	s.wrq.WakeAll(^uint32(0))
	if s.connects() && peer != nil && old == connected {
		peer.peerClosed(s, unread || embryo)
	}
	for _, n := range pending { // connections that nobody will accept
		n.Release(nil)
	}
	left.drop()
	collect()
}

// takeLocked empties the queue.
func (s *Socket) takeLocked() messages {
	l := s.queue
	s.queue, s.queued = messages{}, 0
	return l
}

// peerClosed tells a stream that its peer is gone; reset: with unread data.
func (s *Socket) peerClosed(peer *Socket, reset bool) {
	s.mu.Lock()
	if s.peer == peer {
		s.gone = true
		if reset && s.err == nil {
			s.err = unix.ECONNRESET
		}
	}
	s.mu.Unlock()
	s.rdq.WakeAll(^uint32(0))
	s.wrq.WakeAll(^uint32(0))
}

// Read implements fs.FileOps.
func (s *Socket) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	var m Received
	return s.Receive(ctx, it, &m, 0, ctx.NoWaitOnce(f))
}

// Write implements fs.FileOps.
func (s *Socket) Write(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	return s.Send(ctx, it, &Sent{Cred: CredOf(ctx)}, 0, ctx.NoWaitOnce(f))
}

// Shutdown is shutdown(2).
func (s *Socket) Shutdown(how int) error {
	if how < unix.SHUT_RD || how > unix.SHUT_RDWR {
		return unix.EINVAL
	}
	s.mu.Lock()
	peer := s.peer
	rd, wr := how != unix.SHUT_WR, how != unix.SHUT_RD
	s.rdShut = s.rdShut || rd
	s.wrShut = s.wrShut || wr
	s.mu.Unlock()
	s.rdq.WakeAll(^uint32(0))
	s.wrq.WakeAll(^uint32(0))
	if s.connects() && peer != nil {
		peer.mu.Lock()
		peer.rdShut = peer.rdShut || wr
		peer.wrShut = peer.wrShut || rd
		peer.mu.Unlock()
		peer.rdq.WakeAll(^uint32(0))
		peer.wrq.WakeAll(^uint32(0))
	}
	return nil
}

// Poll implements fs.FileOps.
func (s *Socket) Poll(f *fs.File, pt *wait.PollTable) uint32 {
	pt.Add(&s.rdq, 0)
	pt.Add(&s.wrq, 0)
	s.mu.Lock()
	ev := uint32(0)
	if s.err != nil {
		ev |= unix.POLLERR
	}
	if s.rdShut || s.gone {
		ev |= unix.POLLRDHUP | unix.POLLIN | fs.PollRDNorm
	}
	if s.rdShut && s.wrShut || s.gone || s.connects() && s.state == fresh {
		ev |= unix.POLLHUP
	}
	if !s.queue.empty() || len(s.backlog) != 0 {
		ev |= unix.POLLIN | fs.PollRDNorm
	}
	peer, st := s.peer, s.state
	s.mu.Unlock()
	if st != listening && (peer == nil || peer.hasRoom()) {
		ev |= unix.POLLOUT | fs.PollWRNorm | fs.PollWRBand
	}
	return ev
}

// hasRoom reports whether a sender to s would not wait.
func (s *Socket) hasRoom() bool {
	s.mu.Lock()
	ok := s.roomLocked()
	s.mu.Unlock()
	return ok
}

func (s *Socket) roomLocked() bool {
	if s.state == closed || s.rdShut {
		return true // an error awaits
	}
	if s.typ == unix.SOCK_DGRAM && s.queue.n > maxDatagrams {
		return false
	}
	return s.queued < s.rcvbuf
}

// Requests of ioctl(2) on sockets (linux/sockios.h).
const (
	siocInq  = 0x541b
	siocOutq = 0x5411
)

// Ioctl implements fs.FileOps.
func (s *Socket) Ioctl(ctx *fs.Context, f *fs.File, cmd uint32, arg uint64) (uintptr, error) {
	n := 0
	switch cmd {
	case siocInq:
		s.mu.Lock()
		if s.state == listening {
			s.mu.Unlock()
			return 0, unix.EINVAL
		}
		if n = s.queued; s.typ != unix.SOCK_STREAM && !s.queue.empty() {
			n = len(s.queue.first.data)
		}
		s.mu.Unlock()
	case siocOutq:
		s.mu.Lock()
		peer := s.peer
		s.mu.Unlock()
		if peer != nil {
			peer.mu.Lock()
			n = peer.queued
			peer.mu.Unlock()
		}
	default:
		return 0, unix.ENOTTY
	}
	return 0, ctx.AS.Write32(arg, uint32(n))
}
