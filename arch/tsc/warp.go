package tsc

import "sync/atomic"

// Warp is where two CPUs compare their counters. Each takes the lock in turn and
// reads its counter; the one before it must not have read a later time.
type Warp struct {
	lock uint32
	last uint64 // what was read last; guarded by lock
	max  uint64 // the farthest that a reading lay behind the one before it; likewise
}

// Run takes part for as long as its own counter takes for so many ticks; the other
// CPU does the same at the same time. It returns by how many ticks this CPU's
// counter was behind, and how often it was read.
func (w *Warp) Run(tsc func() uint64, ticks uint64) (behind uint64, n int) {
	start := tsc()
	for ; n < 1<<22; n++ {
		for !atomic.CompareAndSwapUint32(&w.lock, 0, 1) {
		}
		prev, now := w.last, tsc()
		w.last = now
		if d := prev - now; prev > now {
			behind = max(behind, d)
			w.max = max(w.max, d)
		}
		atomic.StoreUint32(&w.lock, 0)
		if now-start >= ticks {
			break
		}
	}
	return behind, n
}

// Max returns the farthest that either CPU was behind, once both are done.
func (w *Warp) Max() uint64 { return w.max }

// Reset readies w for the next pair.
func (w *Warp) Reset() { w.last, w.max = 0, 0 }
