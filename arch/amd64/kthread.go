//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

// kthread is a thread of the kernel: what the Go runtime calls an M. It lives
// in a frame, without Go pointers, and its frame is never given back: dead
// threads wait for reuse, so that an address stays that of a kthread for ever.
//
// The registers are stored by the entry code of the CPU that runs the thread.
type kthread struct {
	AX, BX, CX, DX, SI, DI, BP, SP uint64
	R8, R9, R10, R11               uint64
	R12, R13, R14, R15             uint64
	IP, Flags                      uint64
	FS                             uint64 // thread pointer
	vector, errorCode              uint64 // why it trapped
	full                           uint32 // restore all registers, by IRET
	fromUser                       uint32 // the interrupt came from ring 3
	xmm                            [16][2]uint64

	// Guarded by sched.lock.
	state    uint32
	next     uint64 // in the run queue, a futex chain or the list of the dead
	key      uint64 // futex word waited for; or epoll buffer
	deadline int64  // 0: none
	later    uint64 // next in sched.timers
	room     uint64 // in epoll_pwait: how many events fit

	// Signals. pending is set by anyone (atomic), the rest is the thread's own.
	pending  uint64
	mask     uint64
	altStack uint64
	altSize  uint64

	isIdle uint32
	magic  uint32
}

const (
	threadRunning uint32 = iota + 1
	threadReady          // in the run queue
	threadFutex          // waits for a wake-up of key, or deadline
	threadSleep          // waits for deadline
	threadPoll           // waits in epoll_pwait
	threadDead
)

const threadMagic = 0x7468726d

// sched is the scheduler of kernel threads. There are about as many threads
// that want to run as CPUs: the Go scheduler above sees to that.
var sched struct {
	lock spinlock // leaf but for apic registers; guards all below and the fields of kthread said to be guarded

	head, tail uint64 // run queue
	ready      uint32 // its length; read without the lock as a hint
	dead       uint64 // threads to reuse
	timers     uint64 // threads with a deadline, soonest first
	idleCPUs   [MaxCPUs / 64]uint64
	futexes    [64]uint64 // chains of waiting threads
	armed      int64      // soonest deadline for which some CPU has armed its timer; 0: none
	threads    int
}

//go:nosplit
func threadAt(a uint64) *kthread { return (*kthread)(unsafe.Pointer(uintptr(a))) }

//go:nosplit
func (t *kthread) addr() uint64 { return uint64(uintptr(unsafe.Pointer(t))) }

// tid is the thread's number as the runtime sees it: its frame's.
func (t *kthread) tid() uint64 { return (t.addr() - directMapBase) >> PageShift }

// threadByTID returns the thread with number tid, nil if there never was one.
func threadByTID(tid uint64) *kthread {
	f := Frame(tid << PageShift)
	if !f.Valid() || f.Use() != UseKernel {
		return nil
	}
	t := (*kthread)(unsafe.Pointer(f.Page()))
	if t.magic != threadMagic || t.state == threadDead {
		return nil
	}
	return t
}

// newThread makes a thread with everything zero.
func newThread() *kthread {
	lock(&sched.lock)
	var t *kthread
	if sched.dead != 0 {
		t = threadAt(sched.dead)
		sched.dead = t.next
	}
	sched.threads++
	unlock(&sched.lock)
	if t != nil {
		*t = kthread{}
	} else {
		f, ok := AllocZeroFrame(UseKernel)
		if !ok {
			return nil
		}
		t = (*kthread)(unsafe.Pointer(f.Page()))
	}
	t.magic = threadMagic
	return t
}

// enqueue makes t ready to run.
//   - sched.lock is held.
func enqueue(t *kthread) {
	t.state = threadReady
	t.next = 0
	if sched.tail != 0 {
		threadAt(sched.tail).next = t.addr()
	} else {
		sched.head = t.addr()
	}
	sched.tail = t.addr()
	atomic.AddUint32(&sched.ready, 1)
}

// wake makes t ready and gives it an idle CPU if there is one. urgent: if there
// is none, it takes this one at the handler's end.
//   - sched.lock is held.
func wake(c *percpu, t *kthread, urgent bool) {
	enqueue(t)
	for i, w := range sched.idleCPUs[:(NumCPU()+63)/64] {
		if w == 0 {
			continue
		}
		n := i*64 + trailingZeros(w)
		sched.idleCPUs[i] &^= w & -w
		if o := cpuByIndex(n); o != c {
			sendIPI(o.apicID, vectorRequest)
		}
		return
	}
	if urgent {
		c.preempt = 1
	}
}

// dequeue takes the next thread to run; nil if there is none.
//   - sched.lock is held.
func dequeue() *kthread {
	if sched.head == 0 {
		return nil
	}
	t := threadAt(sched.head)
	sched.head = t.next
	if sched.head == 0 {
		sched.tail = 0
	}
	atomic.AddUint32(&sched.ready, ^uint32(0))
	return t
}

// switchAway gives c to the next ready thread, or to its idle thread. The
// present one's state has been set.
//   - sched.lock is held.
func switchAway(c *percpu) {
	t := dequeue()
	if t == nil {
		t = threadAt(c.idle)
		t.IP, t.Flags, t.full = pcIdle(), flagIF|flagFixed, 1
		sched.idleCPUs[c.index/64] |= 1 << (c.index & 63)
		chargeSwitch(c)
		goIdle(c)
	} else {
		if c.thread().isIdle != 0 {
			sched.idleCPUs[c.index/64] &^= 1 << (c.index & 63)
			chargeSwitch(c)
			endIdle(c)
		}
		armTick(c)
	}
	t.state = threadRunning
	c.preempt = 0
	c.current = t.addr()
}

// block switches away from the current thread, which waits in state until
// deadline (0: none).
//   - sched.lock is held.
func block(c *percpu, t *kthread, state uint32, deadline int64) {
	t.state = state
	t.deadline = deadline
	if deadline != 0 {
		addTimer(c, t)
	}
	switchAway(c)
}

// yield puts the current thread behind the others. A CPU that has nothing to
// do says again that it is idle: whoever wakes it takes that mark away, and
// another may have taken the thread it was woken for.
func yield(c *percpu) {
	if atomic.LoadUint32(&sched.ready) == 0 && c.current != c.idle {
		return
	}
	lock(&sched.lock)
	switch t := c.thread(); {
	case sched.head == 0:
		if t.isIdle != 0 {
			sched.idleCPUs[c.index/64] |= 1 << (c.index & 63)
		}
	case t.isIdle != 0:
		switchAway(c)
	default:
		enqueue(t)
		switchAway(c)
	}
	unlock(&sched.lock)
}

// addTimer puts t into the list of deadlines.
//   - sched.lock is held.
func addTimer(c *percpu, t *kthread) {
	p := &sched.timers
	for *p != 0 && threadAt(*p).deadline <= t.deadline {
		p = &threadAt(*p).later
	}
	t.later = *p
	*p = t.addr()
	if sched.armed == 0 || t.deadline < sched.armed {
		sched.armed = t.deadline
		armTimer(c, t.deadline)
	}
}

// dropTimer takes t off the list of deadlines, if it is there.
//   - sched.lock is held.
func dropTimer(t *kthread) {
	if t.deadline == 0 {
		return
	}
	for p := &sched.timers; *p != 0; p = &threadAt(*p).later {
		if *p == t.addr() {
			*p = t.later
			break
		}
	}
	t.deadline = 0
}

// expire wakes the threads whose deadline has come and arms c's timer for the next.
//   - sched.lock is held.
func expire(c *percpu, now int64) {
	for sched.timers != 0 {
		t := threadAt(sched.timers)
		if t.deadline > now {
			break
		}
		sched.timers = t.later
		t.deadline = 0
		switch t.state {
		case threadFutex:
			dropFutex(t)
			t.AX = negErrno(110) // ETIMEDOUT
		case threadPoll:
			dropPoll(t)
			t.AX = 0
		default:
			t.AX = 0
		}
		wake(c, t, true)
	}
	sched.armed = 0
	if sched.timers != 0 {
		sched.armed = threadAt(sched.timers).deadline
		armTimer(c, sched.armed)
	}
}

// Chains of threads that wait for a futex word.

func futexChain(key uint64) *uint64 { return &sched.futexes[(key>>2^key>>12)%64] }

// dropFutex takes t out of its chain.
//   - sched.lock is held.
func dropFutex(t *kthread) {
	for p := futexChain(t.key); *p != 0; p = &threadAt(*p).next {
		if *p == t.addr() {
			*p = t.next
			return
		}
	}
}

// futexWake wakes up to n threads that wait for key, first come first.
func futexWake(c *percpu, key, n uint64) (woken uint64) {
	lock(&sched.lock)
	for p := futexChain(key); *p != 0 && woken < n; {
		t := threadAt(*p)
		if t.key != key {
			p = &t.next
			continue
		}
		*p = t.next
		dropTimer(t)
		t.AX = 0
		wake(c, t, false)
		woken++
	}
	unlock(&sched.lock)
	return woken
}

// futexWait waits while the word at key holds v. timeout is a relative time in
// ns, negative for none.
func futexWait(c *percpu, t *kthread, key uint64, v uint32, timeout int64) uint64 {
	lock(&sched.lock)
	// May fault on demand: the nested handler takes no scheduler lock.
	if atomic.LoadUint32((*uint32)(unsafe.Pointer(uintptr(key)))) != v {
		unlock(&sched.lock)
		return negErrno(eagain)
	}
	t.AX = 0
	t.key = key
	t.next = 0
	p := futexChain(key)
	for *p != 0 {
		p = &threadAt(*p).next
	}
	*p = t.addr()
	deadline := int64(0)
	if timeout >= 0 {
		deadline = max(1, Nanotime()+timeout)
	}
	block(c, t, threadFutex, deadline)
	unlock(&sched.lock)
	return resultLater
}

// exitThread ends the current thread.
func exitThread(c *percpu, t *kthread) {
	lock(&sched.lock)
	t.state = threadDead
	switchAway(c)
	t.next = sched.dead
	sched.dead = t.addr()
	sched.threads--
	unlock(&sched.lock)
}

//go:nosplit
func negErrno(e uint64) uint64 { return -e }

//go:nosplit
func trailingZeros(w uint64) (n int) {
	for w&1 == 0 {
		w >>= 1
		n++
	}
	return n
}
