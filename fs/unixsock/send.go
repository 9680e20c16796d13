package unixsock

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// maxPiece is how much of a stream goes into one message.
const maxPiece = 32 << 10

// Sent is what goes along with data.
type Sent struct {
	To    Name       // datagram: the destination, if not the connected one
	Files []*fs.File // SCM_RIGHTS; Send takes the references over and sets it to nil when they are sent
	Cred  Cred
}

// Send is sendmsg(2). flags: MSG_NOSIGNAL, MSG_EOR. Files that were
// not sent stay the caller's.
func (s *Socket) Send(ctx *fs.Context, it *mm.Iter, m *Sent, flags int, nonblock bool) (int, error) {
	if flags&unix.MSG_OOB != 0 {
		return 0, unix.EOPNOTSUPP
	}
	end := deadline(s.sndTimeo.Load())
	if s.typ != unix.SOCK_STREAM {
		n, err := s.sendRecord(ctx, it, m, nonblock, end)
		if err == unix.EPIPE && flags&unix.MSG_NOSIGNAL == 0 {
			ctx.Signal(unix.SIGPIPE)
		}
		return n, err
	}
	if m.To != "" {
		s.mu.Lock()
		st := s.state
		s.mu.Unlock()
		if st == connected {
			return 0, unix.EISCONN
		}
		return 0, unix.EOPNOTSUPP
	}
	total := 0
	for {
		peer, err := s.writable()
		if err == nil && it.Len() == 0 { // descriptors need a byte to go with
			return total, nil
		}
		n := min(it.Len(), maxPiece)
		var msg *message
		if err == nil {
			msg, err = peer.fill(it, n, m)
		}
		if err == nil {
			err = peer.put(ctx, s, msg, nonblock, end) // then it is the receiver's
			if err != nil {
				it.Revert(n)
			}
		}
		if err != nil {
			if total > 0 {
				return total, nil
			}
			if err == unix.EPIPE && flags&unix.MSG_NOSIGNAL == 0 {
				ctx.Signal(unix.SIGPIPE)
			}
			return 0, err
		}
		m.Files = nil
		total += n
		if it.Len() == 0 {
			return total, nil
		}
	}
}

// writable returns the peer of a connected stream: EPIPE, ENOTCONN.
func (s *Socket) writable() (*Socket, error) {
	var err error
	s.mu.Lock()
	peer := s.peer
	switch {
	case s.err != nil && !s.gone:
		err = s.err
		s.err = nil
	case s.wrShut || s.gone:
		err = unix.EPIPE
	case s.state != connected:
		err = unix.ENOTCONN
	}
	s.mu.Unlock()
	return peer, err
}

// fill makes a message to s of the next n bytes.
func (s *Socket) fill(it *mm.Iter, n int, m *Sent) (*message, error) {
	if !mm.Admit() {
		return nil, unix.ENOBUFS
	}
	msg := s.newMessage(n)
	msg.files, msg.cred = m.Files, m.Cred
	got, err := it.CopyFrom(msg.data)
	if err != nil {
		it.Revert(got)
		return nil, err
	}
	return msg, nil
}

// sendRecord sends a datagram, or a record of a seqpacket connection.
func (s *Socket) sendRecord(ctx *fs.Context, it *mm.Iter, m *Sent, nonblock bool, end int64) (int, error) {
	n := it.Len()
	s.mu.Lock()
	limit, peer, name := s.sndbuf, s.peer, s.name
	shut := s.wrShut
	s.mu.Unlock()
	if n > limit-32 {
		return 0, unix.EMSGSIZE
	}
	if shut {
		return 0, unix.EPIPE
	}
	var err error
	switch {
	case s.connects():
		if m.To != "" {
			return 0, unix.EISCONN
		}
		if peer, err = s.writable(); err != nil {
			return 0, err
		}
	case m.To != "":
		if peer, err = find(ctx, m.To, s.typ); err != nil {
			return 0, err
		}
	case peer == nil:
		return 0, unix.ENOTCONN
	default:
		// A connected datagram socket takes data from its peer only.
		peer.mu.Lock()
		other := peer.peer
		peer.mu.Unlock()
		if other != nil && other != s {
			return 0, unix.EPERM
		}
	}
	msg, err := peer.fill(it, n, m)
	if err != nil {
		return 0, err
	}
	msg.from = name
	if err := peer.put(ctx, s, msg, nonblock, end); err != nil {
		it.Revert(n)
		if err == unix.ECONNREFUSED && m.To == "" {
			s.mu.Lock()
			if s.peer == peer {
				s.peer = nil
			}
			s.mu.Unlock()
		}
		return 0, err
	}
	m.Files = nil
	return n, nil
}

// put appends a message to s's queue, waiting for room.
func (s *Socket) put(ctx *fs.Context, from *Socket, msg *message, nonblock bool, end int64) error {
	// Who waits for room hears of it on its own queue when it is the peer, else on s's.
	q := &s.wrq
	if s.connects() {
		q = &from.wrq
	}
	fly(msg.files)
	for {
		s.mu.Lock()
		var err error
		switch {
		case s.state == closed && s.connects():
			err = unix.EPIPE
		case s.state == closed:
			err = unix.ECONNREFUSED
		case s.rdShut:
			err = unix.EPIPE
		case s.roomLocked():
			s.queue.push(msg)
			s.queued += len(msg.data)
			s.mu.Unlock()
			s.rdq.Wake(unix.POLLIN | fs.PollRDNorm)
			return nil
		case nonblock:
			err = unix.EAGAIN
		}
		s.mu.Unlock()
		if err == nil {
			err = timedOut(q.Wait(ctx.Thread, end, s.hasRoom))
		}
		if err != nil {
			land(msg.files)
			return err
		}
	}
}
