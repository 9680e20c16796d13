package wait

import (
	"math/bits"
	"sync/atomic"
	_ "unsafe" // for go:linkname
)

// Never is the deadline that does not come.
const Never int64 = -1

//go:linkname nanotime runtime.nanotime
func nanotime() int64

// Now returns the monotonic clock in nanoseconds, the base of all deadlines of
// this package. On the machine its zero is the start of the clock source.
func Now() int64 { return nanotime() }

// ticks reads the processor's time-stamp counter (ticks_amd64.s). Running time
// is counted in its ticks, since a task's every sleep reads it twice: it costs a
// tenth of Now.
func ticks() int64

// byClock is set where the time-stamp counter is no good; then running time is
// counted in nanoseconds of Now. Set before there are threads.
var byClock bool

// CountByClock makes running time be counted without the time-stamp counter. It is
// called before there are threads.
func CountByClock() {
	byClock = true
	tickScale.Store(1 << 32)
}

// running returns what running time is counted in.
func running() int64 {
	if byClock {
		return Now()
	}
	return ticks()
}

// tickScale is nanoseconds per tick as a fixed-point number with 32 bits behind
// the point; 0 until it is known.
var tickScale atomic.Uint64

// SetTickRate tells how many ticks the time-stamp counter makes in a second.
// Without it the rate is measured at the first use.
func SetTickRate(hz uint64) {
	if hz != 0 {
		tickScale.Store(1e9 << 32 / hz)
	}
}

// ticksToNs converts a number of ticks to nanoseconds.
func ticksToNs(n int64) int64 {
	scale := tickScale.Load()
	if scale == 0 {
		ns, t := Now(), ticks()
		for Now() < ns+1e6 {
		}
		ns, t = Now()-ns, ticks()-t
		scale = uint64(ns) << 32 / uint64(max(t, 1))
		tickScale.CompareAndSwap(0, scale)
	}
	hi, lo := bits.Mul64(uint64(n), scale)
	return int64(hi<<32 | lo>>32)
}
