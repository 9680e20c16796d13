package unixsock

import "tamarix/fs"

// message is one send: for streams a piece of the stream.
type message struct {
	data  []byte // not yet read
	files []*fs.File
	cred  Cred
	from  *string // sender's name, nil without one

	next *message // in messages
	buf  []byte   // what data is the end of, for reuse
}

// messages is a list of messages, oldest first.
type messages struct {
	first, last *message
	n           int
}

func (l *messages) empty() bool { return l.first == nil }

func (l *messages) push(m *message) {
	if l.last != nil {
		l.last.next = m
	} else {
		l.first = m
	}
	l.last = m
	l.n++
}

// pop takes the oldest message out; there is one.
func (l *messages) pop() *message {
	m := l.first
	if l.first = m.next; l.first == nil {
		l.last = nil
	}
	m.next = nil
	l.n--
	return m
}

// Buffers of messages: none is smaller than minBuf, and one of up to keepBuf is
// kept for the next message.
const (
	minBuf  = 64
	keepBuf = 4096
)

// newMessage returns a message to s with room for n bytes: the last one that s
// has received, if it will do.
func (s *Socket) newMessage(n int) *message {
	m := s.spare.Load()
	if m == nil || !s.spare.CompareAndSwap(m, nil) {
		m = new(message)
	}
	if cap(m.buf) < n {
		m.buf = make([]byte, max(n, minBuf))
	}
	m.data = m.buf[:n]
	return m
}

// recycle lets go of messages that s has received; those of a record whose
// reader wanted no descriptors still have them.
func (s *Socket) recycle(done messages) {
	for m := done.first; m != nil; {
		next := m.next
		if len(m.files) != 0 {
			m.drop()
		}
		if cap(m.buf) <= keepBuf {
			m.data, m.from, m.next = nil, nil, nil
			s.spare.Store(m)
		}
		m = next
	}
}

// drop lets go of the descriptors in m.
func (m *message) drop() {
	land(m.files)
	for _, f := range m.files {
		f.Unref()
	}
	m.files = nil
}

// drop lets go of the descriptors in all messages of l.
func (l *messages) drop() {
	for m := l.first; m != nil; m = m.next {
		m.drop()
	}
}
