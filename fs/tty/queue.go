package tty

// inputSize is the length of a terminal's input queue in bytes: at most
// inputSize-1 characters of a line, and MAX_CANON of limits(5) counts its end
// too (N_TTY_BUF_SIZE of Linux drivers/tty/n_tty.c).
const inputSize = 4096

// inputQueue holds what was typed and not yet read. Positions count up without
// wrapping; a position's byte is at its low bits. Guarded by Terminal.mu.
//
//	tail ........ canonHead ........ head
//	 | whole lines    | line being     |
//	 |                | edited         |
type inputQueue struct {
	buf       [inputSize]byte
	ends      [inputSize / 64]uint64 // bit set: this byte ends a line
	tail      uint64                 // next byte to read
	canonHead uint64                 // where the line being edited begins
	head      uint64                 // next byte to store
}

func (q *inputQueue) at(pos uint64) byte { return q.buf[pos%inputSize] }

func (q *inputQueue) put(c byte) {
	q.buf[q.head%inputSize] = c
	q.head++
}

func (q *inputQueue) count() int { return int(q.head - q.tail) }

func (q *inputQueue) isEnd(pos uint64) bool {
	i := pos % inputSize
	return q.ends[i/64]&(1<<(i%64)) != 0
}

func (q *inputQueue) setEnd(pos uint64) {
	i := pos % inputSize
	q.ends[i/64] |= 1 << (i % 64)
}

func (q *inputQueue) clearEnd(pos uint64) {
	i := pos % inputSize
	q.ends[i/64] &^= 1 << (i % 64)
}

func (q *inputQueue) reset() {
	q.tail, q.canonHead, q.head = 0, 0, 0
	clear(q.ends[:])
}

// byteQueue is a ring of bytes of a fixed size that is a power of two.
type byteQueue struct {
	buf        []byte
	size       int // of buf, which a lazyQueue does without until something is appended
	head, tail uint64
}

func newByteQueue(size int) byteQueue { return byteQueue{buf: make([]byte, size), size: size} }

// lazyQueue returns a queue that is only appended to, and seldom.
func lazyQueue(size int) byteQueue { return byteQueue{size: size} }

func (q *byteQueue) len() int { return int(q.head - q.tail) }

func (q *byteQueue) put(c byte) {
	q.buf[q.head&uint64(len(q.buf)-1)] = c
	q.head++
}

// append stores as much of p as there is room for.
func (q *byteQueue) append(p []byte) int {
	p = p[:min(len(p), q.size-q.len())]
	if len(p) == 0 {
		return 0
	}
	if q.buf == nil {
		q.buf = make([]byte, q.size)
	}
	at := int(q.head & uint64(len(q.buf)-1))
	n := copy(q.buf[at:], p)
	copy(q.buf, p[n:])
	q.head += uint64(len(p))
	return len(p)
}

// peek returns the first bytes of the queue that lie together, at most max.
func (q *byteQueue) peek(max int) []byte {
	at := int(q.tail & uint64(len(q.buf)-1))
	return q.buf[at:min(at+min(q.len(), max), len(q.buf))]
}

func (q *byteQueue) drop(n int) { q.tail += uint64(n) }

// cut discards all but the first keep bytes.
func (q *byteQueue) cut(keep int) {
	if q.len() > keep {
		q.head = q.tail + uint64(keep)
	}
}
