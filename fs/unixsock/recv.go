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
	total := 0
	for {
		s.mu.Lock()
		if s.queue.empty() {
			eof, err := s.emptyLocked(nonblock)
			if eof || err != nil || total > 0 && flags&unix.MSG_WAITALL == 0 {
				s.mu.Unlock()
				if total > 0 {
					err = nil
				}
				return total, err
			}
			s.rdq.Enlist(ctx.Thread)
			s.mu.Unlock()
			if err := s.rdq.Sleep(ctx.Thread, end); err != nil {
				if total > 0 {
					return total, nil
				}
				return 0, timedOut(err)
			}
			continue
		}
		var done messages // to be dropped without the lock
		var n int
		var stop bool
		var err error
		if s.typ != unix.SOCK_STREAM {
			n, err = s.recordLocked(it, r, flags, &done)
			stop = true
		} else {
			n, stop, err = s.pieceLocked(it, r, flags, total, &done)
		}
		peer, more := s.peer, !s.queue.empty()
		s.mu.Unlock()
		if done.first != nil {
			s.recycle(done)
		}
		if flags&unix.MSG_PEEK == 0 {
			s.consumed(peer, more)
		} else if more { // the wake-up may have been meant for one who takes it
			s.rdq.Wake(unix.POLLIN | fs.PollRDNorm)
		}
		total += n
		if err != nil && total == 0 {
			return 0, err
		}
		if stop || err != nil || it.Len() == 0 || flags&unix.MSG_WAITALL == 0 || flags&unix.MSG_PEEK != 0 {
			return total, nil
		}
	}
}

// emptyLocked says what receiving from an empty queue is: the end of the data,
// an error, or, with neither, a wait.
func (s *Socket) emptyLocked(nonblock bool) (eof bool, err error) {
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
	case s.rdShut || s.gone || s.state == closed:
		eof = true
	case nonblock:
		err = unix.EAGAIN
	}
	return eof, err
}

// consumed tells senders that there is room, and other readers that there is more.
func (s *Socket) consumed(peer *Socket, more bool) {
	q := &s.wrq
	if s.connects() && peer != nil {
		q = &peer.wrq
	}
	q.Wake(unix.POLLOUT | fs.PollWRNorm)
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
func (s *Socket) recordLocked(it *mm.Iter, r *Received, flags int, done *messages) (int, error) {
	m := s.queue.first
	whole := len(m.data)
	n, err := it.CopyTo(m.data)
	if err != nil {
		return 0, err
	}
	if n < whole {
		r.Flags |= unix.MSG_TRUNC
	}
	if flags&unix.MSG_TRUNC != 0 {
		n = whole
	}
	peek := flags&unix.MSG_PEEK != 0
	r.give(m, peek)
	if !peek {
		s.queued -= whole
		done.push(s.queue.pop())
	}
	return n, nil
}

// pieceLocked takes what fits of a stream, up to and not beyond a message with
// descriptors; before is what earlier calls have taken. stop: the caller should
// get what there is now. Finished messages go to done.
func (s *Socket) pieceLocked(it *mm.Iter, r *Received, flags, before int, done *messages) (n int, stop bool, err error) {
	peek := flags&unix.MSG_PEEK != 0
	m := s.queue.first
	for m != nil && (it.Len() > 0 || n == 0 && before == 0 && m == s.queue.first) {
		if len(m.files) != 0 && (n > 0 || before > 0) {
			return n, true, nil // its descriptors belong to the next receive
		}
		if r.Have && r.Cred != m.cred && s.passCred.Load() {
			return n, true, nil
		}
		k, err := it.CopyTo(m.data)
		n += k
		if err != nil && k == 0 && n == 0 {
			return 0, true, err
		}
		rights := len(m.files) != 0
		r.give(m, peek)
		next := m.next
		if !peek {
			m.data = m.data[k:]
			s.queued -= k
			if len(m.data) == 0 {
				done.push(s.queue.pop())
			}
		}
		if rights || err != nil {
			return n, true, nil
		}
		m = next
	}
	return n, false, nil
}
