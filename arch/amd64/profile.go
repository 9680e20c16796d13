//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The profiler's samples: while it runs, each CPU's timer has a second deadline,
// percpu.sampleAt, at which the interrupt notes what it has interrupted in the
// CPU's ring. The ring has one writer, the interrupt, and one reader at a time,
// ProfileDrain; neither waits for the other.
//
// A record is a header word (profileKind, then the number of words that follow
// from bit 8 on), how late the interrupt came, and then:
//
//	user    the name of the context, two words
//	kernel  instruction pointer, the two words on top of the stack, return addresses
//	idle    nothing

// profilePeriod is the mean time between two samples of a CPU, in ns; 0: the
// profiler is off. Atomic.
var profilePeriod int64

// profileText is where the kernel's code is. Set at the first start.
var profileLow, profileHigh uint64

// textRange returns the bounds of the program's code.
func textRange() (lo, hi uint64)

const (
	ringOrder = 6 // pages of a ring: 256 KiB
	ringWords = PageSize << ringOrder / 8

	// maxSampleDepth bounds the return addresses of a sample.
	maxSampleDepth = 48
)

// ProfileStart makes every CPU take hz samples a second. The rings stay
// allocated for the next time.
//   - The caller keeps starts, stops and drains apart.
func ProfileStart(hz int) error {
	if atomic.LoadInt64(&profilePeriod) != 0 {
		return unix.EBUSY
	}
	if hz < 1 || hz > MaxProfileRate {
		return unix.EINVAL
	}
	profileLow, profileHigh = textRange()
	for i := range NumCPU() {
		c := cpuByIndex(i)
		if c.ring == 0 {
			f, ok := AllocPages(ringOrder, UseKernel)
			if !ok {
				return unix.ENOMEM
			}
			c.ring = uint64(uintptr(physPointer(uint64(f))))
			c.sampleSeed = seedWord() | 1
		}
		atomic.StoreUint64(&c.ringTail, atomic.LoadUint64(&c.ringHead))
		atomic.StoreUint64(&c.ringLost, 0)
	}
	atomic.StoreInt64(&profilePeriod, int64(1_000_000_000/hz))
	for i := range NumCPU() {
		c := cpuByIndex(i)
		atomic.OrUint32(&c.requests, requestProfile)
		sendIPIAnywhere(c.apicID, vectorRequest)
	}
	return nil
}

// ProfileStop ends the sampling. A CPU may still add the sample it is taking.
func ProfileStop() { atomic.StoreInt64(&profilePeriod, 0) }

// sampleWords has room for the words of the sample that ProfileDrain shows.
var sampleWords [maxSampleDepth + 3]uint64

// ProfileDrain calls f for each sample that has not been seen yet; s is good
// until f returns. lost counts samples since the start that found a full ring.
func ProfileDrain(f func(s *ProfileSample)) (lost uint64) {
	var s ProfileSample
	for i := range NumCPU() {
		c := cpuByIndex(i)
		if c.ring == 0 {
			continue
		}
		head, tail := atomic.LoadUint64(&c.ringHead), c.ringTail
		for tail != head {
			h := *c.ringAt(tail)
			n := h >> 8
			s.Kind, s.CPU, s.Late = ProfileKind(h&0xff), i, int64(*c.ringAt(tail + 1))
			s.Words = sampleWords[:n-1]
			for k := range s.Words {
				s.Words[k] = *c.ringAt(tail + 2 + uint64(k))
			}
			f(&s)
			tail += 1 + n
			atomic.StoreUint64(&c.ringTail, tail)
		}
		lost += atomic.LoadUint64(&c.ringLost)
	}
	return lost
}

func (c *percpu) ringAt(i uint64) *uint64 { return wordAt(c.ring + i%ringWords*8) }

// profileArm sets the CPU's next sample.
//   - Interrupts are off.
//
//go:nosplit
func profileArm(c *percpu) {
	period := atomic.LoadInt64(&profilePeriod)
	if period == 0 {
		c.sampleAt = 0
		return
	}
	// Up to a quarter earlier or later, lest the samples fall into step with
	// a loop, or with the tick.
	x := c.sampleSeed
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	c.sampleSeed = x
	now := Nanotime()
	c.sampleAt = max(c.sampleAt, now-period/2) + period*3/4 + int64(x%uint64(period/2+1))
	programTimer(c, now)
}

// profileTick is the timer interrupt while the profiler runs: it takes the
// sample that is due, and reports whether the tick is due too.
func profileTick(c *percpu, t *kthread, user bool) (tickDue bool) {
	now := Nanotime()
	tickDue = c.tickAt != 0 && now >= c.tickAt
	if now < c.sampleAt {
		if !tickDue {
			programTimer(c, now) // the timer was early
		}
		return tickDue
	}
	takeSample(c, t, user, now-c.sampleAt)
	profileArm(c)
	if c.sampleAt == 0 && c.tickAt != 0 && !tickDue {
		programTimer(c, now)
	}
	if user && !tickDue && c.preempt == 0 && atomic.LoadUint64(&t.pending)&^t.mask == 0 {
		t.AX = uint64(reasonSample)
	}
	return tickDue
}

// takeSample notes what the interrupt has found.
func takeSample(c *percpu, t *kthread, user bool, late int64) {
	head := c.ringHead
	if ringWords-(head-atomic.LoadUint64(&c.ringTail)) < maxSampleDepth+5 {
		atomic.AddUint64(&c.ringLost, 1)
		return
	}
	kind, n := ProfileIdle, uint64(1)
	*c.ringAt(head + 1) = uint64(late)
	switch {
	case user && c.user != 0:
		u := (*UserContext)(unsafe.Pointer(uintptr(c.user)))
		kind, n = ProfileUser, 3
		*c.ringAt(head + 2) = u.label[0]
		*c.ringAt(head + 3) = u.label[1]
	case t.isIdle == 0:
		kind = ProfileKernel
		*c.ringAt(head + 2) = t.IP
		*c.ringAt(head + 3) = 0
		*c.ringAt(head + 4) = 0
		if stackReadable(t.SP) && stackReadable(t.SP+8) {
			*c.ringAt(head + 3) = codeAddress(*wordAt(t.SP))
			*c.ringAt(head + 4) = codeAddress(*wordAt(t.SP + 8))
		}
		n = 4 + callChain(c, t.BP, head+5)
	}
	*c.ringAt(head) = uint64(kind) | n<<8
	atomic.StoreUint64(&c.ringHead, head+1+n)
}

// callChain writes the return addresses of the frames from bp on into the ring
// and returns how many there are. A frame begins with the caller's frame
// pointer, and behind it is the return address; the runtime's switches between
// stacks keep to that or end the chain with 0.
func callChain(c *percpu, bp, at uint64) (n uint64) {
	for n < maxSampleDepth && bp&7 == 0 && stackReadable(bp) && stackReadable(bp+8) {
		ret := codeAddress(*wordAt(bp + 8))
		if ret == 0 {
			break
		}
		*c.ringAt(at + n) = ret
		n++
		bp = *wordAt(bp)
	}
	return n
}

// codeAddress returns a if it can be a return address, else 0.
func codeAddress(a uint64) uint64 {
	if a > profileLow && a <= profileHigh {
		return a
	}
	return 0
}

// stackReadable reports whether va lies in a mapped page where stacks can be:
// the heap, or a window that is not a device's. The interrupt must not fault.
func stackReadable(va uint64) bool {
	if !inHeap(va) && (va < windowBase || va >= windowEnd) {
		return false
	}
	t := kernelRoot
	for shift := uint(39); ; shift -= indexBits {
		e := LoadPTE(entry(t, va, shift))
		if !e.Present() || e&(pteLarge|pteNoCache) != 0 {
			return false
		}
		if shift == PageShift {
			return true
		}
		t = e.Frame()
	}
}
