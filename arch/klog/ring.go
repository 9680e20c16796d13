package klog

import (
	"sync"
	"time"
)

const (
	textSize   = 128 << 10 // bytes of text kept
	maxText    = 1000      // of one record; LOG_LINE_MAX of Linux, about
	maxRecords = 4096
)

// header describes a record whose text lies in the ring's buffer.
type header struct {
	time     time.Duration
	pos      uint32 // of its text; it may wrap round
	len      uint16
	level    Level
	facility uint8
}

// ring holds the newest records: their texts one after the other in a circular
// buffer, and a circular table of headers. Old records go when either is full.
type ring struct {
	// mu guards everything below. A leaf: nothing is called with it held.
	mu           sync.Mutex
	first, next  uint64 // sequence numbers of the oldest record, and after the newest
	pos          uint32 // where the next text goes
	used         uint32 // bytes of text in the buffer
	consoleLevel Level
	loud         int // calls of Loud that have not ended
	console      func([]byte)

	headers [maxRecords]header
	text    [textSize]byte
}

var log = ring{consoleLevel: 7}

// append adds a record. mu is held.
func (g *ring) append(l Level, facility uint8, msg string, t time.Duration) Record {
	if len(msg) > maxText {
		msg = msg[:maxText]
	}
	n := uint32(len(msg))
	for g.used+n > textSize || g.next-g.first == maxRecords {
		g.used -= uint32(g.headers[g.first%maxRecords].len)
		g.first++
	}
	h := header{t, g.pos, uint16(n), l, facility}
	for i := range len(msg) {
		g.text[(g.pos+uint32(i))%textSize] = msg[i]
	}
	g.pos = (g.pos + n) % textSize
	g.used += n
	g.headers[g.next%maxRecords] = h
	g.next++
	return Record{g.next - 1, t, l, facility, msg}
}

// read returns the record seq or the first after it. mu is held.
func (g *ring) read(seq uint64) (r Record, next uint64, ok bool) {
	seq = max(seq, g.first)
	if seq >= g.next {
		return Record{}, g.next, false
	}
	h := g.headers[seq%maxRecords]
	b := make([]byte, h.len)
	n := copy(b, g.text[h.pos:])
	copy(b[n:], g.text[:])
	return Record{seq, h.time, h.level, h.facility, string(b)}, seq + 1, true
}
