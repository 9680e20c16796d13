package unixsock

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// maxBacklog bounds listen(2)'s backlog (net.core.somaxconn).
const maxBacklog = 4096

// Listen is listen(2).
func (s *Socket) Listen(ctx *fs.Context, backlog int) error {
	if !s.connects() {
		return unix.EOPNOTSUPP
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != fresh && s.state != listening || s.name == nil {
		return unix.EINVAL
	}
	if backlog < 0 || backlog > maxBacklog {
		backlog = maxBacklog
	}
	s.state = listening
	s.maxLog = backlog
	s.cred = CredOf(ctx)
	s.wrq.WakeAll(^uint32(0))
	return nil
}

// Connect is connect(2).
func (s *Socket) Connect(ctx *fs.Context, name Name, nonblock bool) error {
	target, err := find(ctx, name, s.typ)
	if err != nil {
		return err
	}
	if !s.connects() {
		s.mu.Lock()
		s.peer = target
		s.mu.Unlock()
		return nil
	}
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	switch st {
	case connected:
		return unix.EISCONN
	case listening:
		return unix.EINVAL
	}
	end := deadline(s.sndTimeo.Load())
	// The server's end, which accept will give a file.
	n := newSocket(ctx, s.typ)
	n.state = connected
	n.peer = s
	n.pcred = CredOf(ctx)
	for {
		target.mu.Lock()
		if target.state != listening {
			target.mu.Unlock()
			return unix.ECONNREFUSED
		}
		if len(target.backlog) <= target.maxLog {
			break
		}
		target.mu.Unlock()
		if nonblock {
			return unix.EAGAIN
		}
		if err := target.wrq.Wait(ctx.Thread, end, func() bool {
			target.mu.Lock()
			defer target.mu.Unlock()
			return target.state != listening || len(target.backlog) <= target.maxLog
		}); err != nil {
			return timedOut(err)
		}
	}
	// target.mu held: nobody accepts n before s knows it.
	n.name = target.name
	n.cred = target.cred
	target.backlog = append(target.backlog, n)
	pcred := target.cred
	target.mu.Unlock()
	s.mu.Lock()
	if s.state != fresh { // another thread connected the same socket
		s.mu.Unlock()
		target.withdraw(n)
		return unix.EISCONN
	}
	s.state, s.peer, s.pcred = connected, n, pcred
	s.mu.Unlock()
	// The listener may have closed in between and have closed n with it.
	n.mu.Lock()
	dead := n.state == closed
	n.mu.Unlock()
	if dead {
		s.peerClosed(n, false)
	}
	target.rdq.Wake(unix.POLLIN | fs.PollRDNorm)
	s.wrq.WakeAll(^uint32(0))
	return nil
}

// withdraw takes n out of the backlog again.
func (s *Socket) withdraw(n *Socket) {
	s.mu.Lock()
	for i, o := range s.backlog {
		if o == n {
			s.backlog = append(s.backlog[:i:i], s.backlog[i+1:]...)
			break
		}
	}
	s.mu.Unlock()
}

// Disconnect is connect(2) with AF_UNSPEC: a datagram socket forgets its peer.
func (s *Socket) Disconnect() error {
	if s.connects() {
		return unix.EINVAL
	}
	s.mu.Lock()
	s.peer = nil
	s.mu.Unlock()
	return nil
}

// Accept is accept4(2): the open file of the next connection.
func (s *Socket) Accept(ctx *fs.Context, nonblock, newNonblock bool) (*fs.File, *Socket, error) {
	if !s.connects() {
		return nil, nil, unix.EOPNOTSUPP
	}
	end := deadline(s.rcvTimeo.Load())
	for {
		s.mu.Lock()
		if s.state != listening {
			s.mu.Unlock()
			return nil, nil, unix.EINVAL
		}
		if len(s.backlog) > 0 {
			n := s.backlog[0]
			s.backlog = s.backlog[1:]
			s.mu.Unlock()
			s.wrq.WakeAll(^uint32(0))
			f, err := n.open(ctx, newNonblock)
			if err != nil {
				n.Release(nil)
				return nil, nil, err
			}
			return f, n, nil
		}
		s.mu.Unlock()
		if nonblock {
			return nil, nil, unix.EAGAIN
		}
		if err := s.rdq.WaitExclusive(ctx.Thread, end, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.state != listening || len(s.backlog) > 0
		}); err != nil {
			return nil, nil, timedOut(err)
		}
	}
}
