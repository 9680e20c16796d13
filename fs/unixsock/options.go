package unixsock

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Option returns the value of an option of level SOL_SOCKET that is a number:
// ENOPROTOOPT for one there is not.
func (s *Socket) Option(name int) (int32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	flag := func(b bool) (int32, error) {
		if b {
			return 1, nil
		}
		return 0, nil
	}
	switch name {
	case unix.SO_TYPE:
		return int32(s.typ), nil
	case unix.SO_DOMAIN:
		return unix.AF_UNIX, nil
	case unix.SO_PROTOCOL:
		return 0, nil
	case unix.SO_ERROR:
		err := s.err
		s.err = nil
		if errno, ok := err.(unix.Errno); ok {
			return int32(errno), nil
		}
		return 0, nil
	case unix.SO_SNDBUF:
		return int32(s.sndbuf), nil
	case unix.SO_RCVBUF:
		return int32(s.rcvbuf), nil
	case unix.SO_ACCEPTCONN:
		return flag(s.state == listening)
	case unix.SO_PASSCRED:
		return flag(s.passCred.Load())
	case unix.SO_RCVLOWAT:
		return 1, nil
	case unix.SO_REUSEADDR, unix.SO_KEEPALIVE, unix.SO_BROADCAST, unix.SO_OOBINLINE, unix.SO_PRIORITY,
		unix.SO_REUSEPORT, unix.SO_TIMESTAMP, unix.SO_PASSSEC, unix.SO_DONTROUTE, unix.SO_NO_CHECK, unix.SO_MARK:
		return 0, nil
	}
	return 0, unix.ENOPROTOOPT
}

// SetOption sets a numeric option of level SOL_SOCKET.
func (s *Socket) SetOption(ctx *fs.Context, name int, v int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case unix.SO_SNDBUF, unix.SO_RCVBUF, unix.SO_SNDBUFFORCE, unix.SO_RCVBUFFORCE:
		if (name == unix.SO_SNDBUFFORCE || name == unix.SO_RCVBUFFORCE) && !ctx.Cred.Capable(unix.CAP_NET_ADMIN) {
			return unix.EPERM
		}
		// The kernel keeps twice what is asked for (socket(7)).
		n := max(minBuffer, 2*min(max(0, int(v)), maxBuffer/2))
		if name == unix.SO_SNDBUF || name == unix.SO_SNDBUFFORCE {
			s.sndbuf = n
		} else {
			s.rcvbuf = n
		}
		return nil
	case unix.SO_PASSCRED:
		s.passCred.Store(v != 0)
		return nil
	case unix.SO_REUSEADDR, unix.SO_KEEPALIVE, unix.SO_BROADCAST, unix.SO_OOBINLINE, unix.SO_PRIORITY,
		unix.SO_REUSEPORT, unix.SO_TIMESTAMP, unix.SO_PASSSEC, unix.SO_DONTROUTE, unix.SO_NO_CHECK, unix.SO_RCVLOWAT:
		return nil
	case unix.SO_TYPE, unix.SO_ERROR, unix.SO_DOMAIN, unix.SO_PROTOCOL, unix.SO_ACCEPTCONN:
		return unix.ENOPROTOOPT
	}
	return unix.ENOPROTOOPT
}

// Timeouts returns SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds, 0 for none.
func (s *Socket) Timeouts() (rcv, snd int64) { return s.rcvTimeo.Load(), s.sndTimeo.Load() }

// SetReceiveTimeout sets SO_RCVTIMEO.
func (s *Socket) SetReceiveTimeout(ns int64) { s.rcvTimeo.Store(ns) }

// SetSendTimeout sets SO_SNDTIMEO.
func (s *Socket) SetSendTimeout(ns int64) { s.sndTimeo.Store(ns) }

// PassesCreds reports SO_PASSCRED.
func (s *Socket) PassesCreds() bool { return s.passCred.Load() }

// PeerCred is SO_PEERCRED: pid 0 and ids of -1 without a peer.
func (s *Socket) PeerCred() Cred {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != connected {
		return Cred{0, ^uint32(0), ^uint32(0)}
	}
	return s.pcred
}
