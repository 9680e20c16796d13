//go:build tamarix

package amd64

import "sync/atomic"

// A CPU without work keeps the root of the last user context loaded, in case that
// comes back, but it touches no user address. Others need not wait for it: it has
// put the context's extended state into memory, and what it is to forget of user
// addresses it forgets when it has work again.

// percpu.idling
const (
	idleNot   uint32 = iota // the CPU has work
	idleClean               // it has none
	idleStale               // nor has it; its TLB is to be flushed before it has
)

// goIdle says that c has no work.
//   - Interrupts are off; runs on c.
func goIdle(c *percpu) {
	if NumCPU() == 1 {
		return
	}
	if c.owner != 0 {
		dropOwner()
	}
	// From being idle to being idle: what is to be forgotten stays so.
	atomic.CompareAndSwapUint32(&c.idling, idleNot, idleClean)
}

// endIdle takes that back.
//   - Interrupts are off; runs on c.
func endIdle(c *percpu) {
	if atomic.SwapUint32(&c.idling, idleNot) == idleStale {
		writeCR3(readCR3())
	}
}

// flushWhenBusy leaves it to c to flush its TLB when it has work, if it has none;
// false if it has some. The entry that has changed was written before: either c
// sees idleStale or its walks, from then on, see the new entry.
//
//go:nosplit
func flushWhenBusy(c *percpu) bool {
	return atomic.CompareAndSwapUint32(&c.idling, idleClean, idleStale) || atomic.LoadUint32(&c.idling) == idleStale
}
