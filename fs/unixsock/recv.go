package unixsock

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// Received is what came along with data.
type Received struct {
	From  Name
	Files []*fs.File // the caller's references
	Cred  Cred
	Flags int  // MSG_TRUNC
	Have  bool // a message came: Cred is set
}

// Receive is recvmsg(2). flags: MSG_PEEK, MSG_WAITALL, MSG_TRUNC.
func (s *Socket) Receive(ctx *fs.Context, it *mm.Iter, r *Received, flags int, nonblock bool) (int, error) {
	if flags&unix.MSG_OOB != 0 {
		return 0, unix.EOPNOTSUPP
	}
	end := deadline(s.rcvTimeo.Load())
	stream := s.typ == unix.SOCK_STREAM
	total := 0
	var done []*message // to be dropped without the lock
	defer func() { recycle(done) }()
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			var err error
			eof := false
			switch {
			case s.err != nil:
				err = s.err
				s.err = nil
			case s.connects() && s.state == fresh:
				err = unix.EINVAL
				if s.typ == unix.SOCK_SEQPACKET {
					err = unix.ENOTCONN
				}
			case s.state == listening:
				err = unix.EINVAL
			case s.rdShut || s.gone:
				eof = true
			case nonblock:
				err = unix.EAGAIN
			}
			s.mu.Unlock()
			if total > 0 || eof {
				if total > 0 && !eof && err == nil { // MSG_WAITALL
					err = s.waitData(ctx, end)
					if err == nil {
						continue
					}
				}
				return total, nil
			}
			if err == nil {
				err = s.waitData(ctx, end)
			}
			if err != nil {
				return 0, err
			}
			continue
		}
		if !stream {
			n, m, err := s.recordLocked(it, r, flags)
			s.mu.Unlock()
			if m != nil {
				done = append(done, m)
			}
			s.consumed()
			return n, err
		}
		n, finished, stop, err := s.pieceLocked(it, r, flags, total)
		s.mu.Unlock()
		done = append(done, finished...)
		total += n
		if flags&unix.MSG_PEEK == 0 && n > 0 {
			s.consumed()
		}
		if err != nil {
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
		if stop || it.Len() == 0 || flags&unix.MSG_WAITALL == 0 || flags&unix.MSG_PEEK != 0 {
			return total, nil
		}
	}
}

func (s *Socket) waitData(ctx *fs.Context, end int64) error {
	return timedOut(s.rdq.WaitExclusive(ctx.Thread, end, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.queue) != 0 || s.rdShut || s.gone || s.err != nil || s.state == closed
	}))
}

// consumed tells senders that there is room, and other readers that there is more.
func (s *Socket) consumed() {
	s.mu.Lock()
	peer, more := s.peer, len(s.queue) != 0
	s.mu.Unlock()
	if s.connects() {
		if peer != nil {
			peer.wrq.Wake(unix.POLLOUT | fs.PollWRNorm)
		}
	} else {
		s.wrq.Wake(unix.POLLOUT | fs.PollWRNorm)
	}
	if more {
		s.rdq.Wake(unix.POLLIN | fs.PollRDNorm)
	}
}

// give hands a message's extras to the caller. Peeking duplicates descriptors.
func (r *Received) give(m *message, peek bool) {
	r.Have = true
	r.Cred = m.cred
	if m.from != nil {
		r.From = Name(*m.from)
	}
	if len(m.files) == 0 {
		return
	}
	if peek {
		for _, f := range m.files {
			r.Files = append(r.Files, f.Ref())
		}
		return
	}
	land(m.files)
	r.Files = m.files
	m.files = nil
}

// recordLocked takes one whole record; what does not fit is lost.
func (s *Socket) recordLocked(it *mm.Iter, r *Received, flags int) (int, *message, error) {
	m := s.queue[0]
	whole := len(m.data)
	n, err := it.CopyTo(m.data)
	if err != nil {
		return 0, nil, err
	}
	if n < whole {
		r.Flags |= unix.MSG_TRUNC
	}
	if flags&unix.MSG_TRUNC != 0 {
		n = whole
	}
	peek := flags&unix.MSG_PEEK != 0
	r.give(m, peek)
	if peek {
		return n, nil, nil
	}
	s.popLocked()
	s.queued -= whole
	return n, m, nil
}

// pieceLocked takes what fits of a stream, up to and not beyond a message with
// descriptors. stop: the caller should get what there is now.
func (s *Socket) pieceLocked(it *mm.Iter, r *Received, flags, before int) (n int, finished []*message, stop bool, err error) {
	peek := flags&unix.MSG_PEEK != 0
	for i := 0; i < len(s.queue) && (it.Len() > 0 || n == 0 && before == 0 && i == 0); {
		m := s.queue[i]
		if len(m.files) != 0 && (n > 0 || before > 0) {
			return n, finished, true, nil // its descriptors belong to the next receive
		}
		if r.Have && r.Cred != m.cred && s.passCred.Load() {
			return n, finished, true, nil
		}
		k, err := it.CopyTo(m.data)
		n += k
		if err != nil && k == 0 && n == 0 {
			return 0, finished, true, err
		}
		rights := len(m.files) != 0
		r.give(m, peek)
		if peek {
			i++
		} else {
			m.data = m.data[k:]
			s.queued -= k
			if len(m.data) == 0 {
				s.popLocked()
				finished = append(finished, m)
			}
		}
		if rights || err != nil {
			return n, finished, true, nil
		}
		if it.Len() == 0 {
			break
		}
	}
	return n, finished, false, nil
}

func (s *Socket) popLocked() {
	s.queue[0] = nil
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		s.queue = nil
	}
}

// recycle lets go of consumed messages; those of a record whose reader wanted no
// descriptors still have them.
func recycle(done []*message) { drop(done) }
