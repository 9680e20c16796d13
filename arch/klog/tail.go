package klog

import "time"

// Tail copies the newest records that fit into p, as the console shows them, each
// with a newline at its end, and returns how many bytes it has written.
//
// It is for a kernel that cannot go on: it takes no lock and allocates nothing,
// and may be called in any context. What is logged meanwhile may make a mess of
// the text, of nothing else.
func Tail(p []byte) int { return log.tail(p) }

func (g *ring) tail(p []byte) int {
	// How many of the newest records fit.
	seq, room := g.next, len(p)
	for seq > 0 && seq > g.first && g.next-seq < maxRecords {
		h := &g.headers[(seq-1)%maxRecords]
		if room -= prefixSize + min(int(h.len), maxText) + 1; room < 0 {
			break
		}
		seq--
	}
	n := 0
	for end := g.next; seq < end; seq++ {
		h := g.headers[seq%maxRecords]
		size := min(int(h.len), maxText)
		if len(p)-n < prefixSize+size+1 {
			break
		}
		n += putPrefix(p[n:], h.time)
		for i := range size {
			c := g.text[(h.pos+uint32(i))%textSize]
			if c < ' ' {
				c = ' ' // one record, one line
			}
			p[n+i] = c
		}
		n += size
		p[n] = '\n'
		n++
	}
	return n
}

// prefixSize is how long a time stamp is at most.
const prefixSize = 32

// putPrefix writes what AppendPrefix appends.
func putPrefix(p []byte, t time.Duration) int {
	n := 0
	put := func(v uint64, digits int, pad byte) {
		for i := range digits {
			d := v
			for range digits - 1 - i {
				d /= 10
			}
			c := '0' + byte(d%10)
			if d == 0 && i < digits-1 {
				c = pad
			}
			p[n] = c
			n++
		}
	}
	p[0] = '['
	n = 1
	seconds := uint64(max(t, 0) / time.Second)
	digits := 5
	for v := seconds / 100_000; v > 0; v /= 10 {
		digits++
	}
	put(seconds, digits, ' ')
	p[n] = '.'
	n++
	put(uint64(max(t, 0)%time.Second/time.Microsecond), 6, '0')
	p[n], p[n+1] = ']', ' '
	return n + 2
}
