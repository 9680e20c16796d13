//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

// The clock. Nanotime follows from the time stamp counter, (TSC - tscBase) *
// tscMult / 2^32, unless the counter is no good as a clock: then it follows from a
// counter of the chipset, which takes a thousand times as long to read, but there
// is only one of it.
//
// Which of the two it is shows in tscBase alone, so that the fast way needs no look
// at anything else: notTSC makes the difference negative, and whoever reads the
// clock in assembly (NANOTIME) then goes the slow way, nanotimeSlow. That one reads
// slowNow under the sequence lock slowSeq; while that is odd, it waits.
//
// A switch goes like this, on one CPU with interrupts off: slowSeq odd, tscBase
// notTSC - from here on nobody gets a new time -, the old clock read once more, the
// new clock set to begin there, slowSeq even.

// tscHz, tscBase and tscMult: see above. tscHz and tscMult are set once at boot.
var tscHz, tscBase, tscMult uint64

// notTSC is tscBase when the TSC is not the clock.
const notTSC = 1 << 63

// slowSource is a counter of the chipset as the clock, which then is
// ns + (count - start) * mult / 2^32. The counter has fewer bits than count: a tick,
// at least once a second, extends it. Fields are set while slowSeq is odd.
type slowSource struct {
	reg   uint64 // address of the register, or number of the port
	port  uint64 // 1: a port
	shift uint64 // 64 less the bits of the counter
	mult  uint64 // ns per count, times 2^32
	count uint64 // atomic: the counter as of the last tick, with bits above its own
	start uint64 // count at ns
	ns    int64
}

var (
	slowHPET, slowPM slowSource

	slowSeq uint32  // atomic; see above
	slowNow uintptr // the clock: the address of one of the two above; 0: it is the TSC
)

// slowClock returns the clock, nil if it is the TSC. No pointer is kept, since one
// must not be written where interrupts are off.
//
//go:nosplit
func slowClock() *slowSource { return (*slowSource)(unsafe.Pointer(slowNow)) }

// Nanotime returns nanoseconds since boot; it never goes back.
func Nanotime() int64

// slowCount reads the counter behind s, extended. It is written in assembly since
// the slow way of Nanotime needs no stack.
func slowCount(s *slowSource) uint64

// slowTick extends the counter of the clock, if that is not the TSC. It must happen
// more often than the counter comes round in half.
//   - Interrupts are off.
//
//go:nosplit
func slowTick() {
	s := slowClock()
	if s == nil {
		return
	}
	// If another CPU does the same just now, that is as good.
	old := atomic.LoadUint64(&s.count)
	if now := slowCount(s); int64(now-old) > 0 {
		atomic.CompareAndSwapUint64(&s.count, old, now)
	}
}

// busyTime is Nanotime for who waits until it is late enough, and keeps this CPU
// from ticking meanwhile, or has no other left that does: a clock that comes round
// during the wait would never get there.
func busyTime() int64 {
	s := pin()
	slowTick()
	unpin(s)
	return Nanotime()
}

// slowTickLength is how often slowTick is called at least, in ns: the shortest way
// round is that of a power management timer of 24 bits, 4.7 s.
const slowTickLength = 1_000_000_000

// startClock makes the TSC the clock for the first time. Time begins at begun.
func startClock(hz, begun uint64) {
	tscHz, tscBase = hz, begun
	tscMult = 1_000_000_000 << 32 / hz
}

// tscTime returns what the TSC says of the time if base is its tscBase.
//
//go:nosplit
func tscTime(base uint64) int64 {
	return int64(mulShift(rdtsc()-base, tscMult))
}

// useSlow makes s the clock, at the time that the clock now says, or at floor if
// that is later.
//   - Interrupts are off, and only one CPU switches at a time.
//
//go:nosplit
func useSlow(s *slowSource, floor int64) {
	atomic.AddUint32(&slowSeq, 1)
	ns := int64(0)
	if old := slowClock(); old == nil {
		base := tscBase
		atomic.StoreUint64(&tscBase, notTSC)
		ns = tscTime(base)
	} else {
		ns = old.time()
	}
	// A tick that is still under way for an earlier use of s must not find the
	// count it knows: the bits above the counter's own begin anew.
	s.count = slowCount(s) + 1<<48
	s.start = s.count
	s.ns = max(ns, floor)
	slowNow = uintptr(unsafe.Pointer(s))
	atomic.AddUint32(&slowSeq, 1)
}

// useTSC makes the TSC the clock again.
//   - Interrupts are off, and only one CPU switches at a time.
//
//go:nosplit
func useTSC() {
	s := slowClock()
	if s == nil {
		return
	}
	atomic.AddUint32(&slowSeq, 1)
	ns := uint64(s.time())
	slowNow = 0
	atomic.StoreUint64(&tscBase, rdtsc()-shiftDiv(ns, tscMult))
	atomic.AddUint32(&slowSeq, 1)
}

// time returns what s says, if it is the clock.
//
//go:nosplit
func (s *slowSource) time() int64 {
	return s.ns + int64(mulShift(slowCount(s)-s.start, s.mult))
}
