package proc

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/mm"
)

// Priority-inheritance futexes (futex(2), "Priority-inheritance futexes"). The
// kernel hands the lock itself to the next waiter by writing that thread's id
// into the word. Priorities are not inherited: every task is of one class.

// Bits of the word of a PI or robust futex (UAPI linux/futex.h).
const (
	futexWaiters   = 0x80000000
	futexOwnerDied = 0x40000000
	futexTIDMask   = 0x3fffffff
)

// piWaiters counts tasks that wait for PI locks, so that a thread's end need not
// look for them when there are none.
var piWaiters atomic.Int32

// FutexLockPI takes the lock at addr: it sleeps until it is the caller's. try
// asks for EAGAIN instead of sleeping. EDEADLK if the caller holds it, ESRCH if
// the holder does not exist.
func (t *Task) FutexLockPI(addr uint64, shared, try bool, deadline int64) error {
	key, err := t.AS.FutexKey(addr, shared)
	if err != nil {
		return err
	}
	b := bucketOf(&key)
	w := &t.futex
	for {
		b.mu.Lock()
		old, ok := arch.LoadUser32(t.AS.PageTable(), addr)
		owner := int32(old & futexTIDMask)
		v := old | futexWaiters
		switch {
		case !ok:
		case owner == t.TID:
			b.mu.Unlock()
			return unix.EDEADLK
		case owner == 0:
			v = uint32(t.TID) | old&futexOwnerDied
			if b.first(&key) != nil {
				v |= futexWaiters
			}
		case try:
			b.mu.Unlock()
			return unix.EAGAIN
		case FindTask(owner) == nil:
			b.mu.Unlock()
			return unix.ESRCH
		}
		var cur uint32
		if ok {
			cur, ok = arch.CASUser32(t.AS.PageTable(), addr, old, v)
		}
		switch {
		case !ok:
			b.mu.Unlock()
			if err := t.faultInForWrite(addr); err != nil {
				return err
			}
		case cur != old:
			b.mu.Unlock()
		case owner == 0:
			b.mu.Unlock()
			return nil
		default:
			w.key, w.bitset, w.t, w.owner = key, ^uint32(0), t, owner
			t.Thread.Prepare()
			b.add(w)
			b.mu.Unlock()
			piWaiters.Add(1)
			err := t.sleepOnFutex(w, deadline)
			piWaiters.Add(-1)
			if err == wait.ErrRestartSys {
				return wait.ErrRestartNoIntr
			}
			if err != nil {
				return err
			}
			if v, err := t.AS.Read32(addr); err != nil || int32(v&futexTIDMask) == t.TID {
				return err
			}
			// The holder died without a robust list: look again.
		}
	}
}

// first returns the first waiter of key.
//
//   - b.mu is held
func (b *futexBucket) first(key *mm.Key) *futexWaiter {
	for w := b.head; w != nil; w = w.next {
		if sameKey(&w.key, key) {
			return w
		}
	}
	return nil
}

// handOver gives the PI lock at addr, whose word is old, to its first waiter;
// with none the word becomes rest, with one rest is added to its thread id. ok
// is false when the word could not be reached.
//
//   - b.mu is held
func (b *futexBucket) handOver(t *Task, key *mm.Key, addr uint64, old, rest uint32) (done, ok bool) {
	w := b.first(key)
	v := rest
	if w != nil {
		v |= uint32(w.t.TID)
		for o := w.next; o != nil; o = o.next {
			if sameKey(&o.key, key) {
				v |= futexWaiters
				o.owner = w.t.TID
			}
		}
	}
	cur, ok := arch.CASUser32(t.AS.PageTable(), addr, old, v)
	if !ok || cur != old {
		return false, ok
	}
	if w != nil {
		next := w.t
		b.remove(w)
		next.Thread.Wake()
	}
	return true, true
}

// wakePIWaiters wakes those who wait for PI locks of t, which ends: they will
// find the holder gone.
func (t *Task) wakePIWaiters() {
	for i := range futexes {
		b := &futexes[i]
		b.mu.Lock()
		for w := b.head; w != nil; {
			next := w.next
			if w.owner == t.TID {
				o := w.t
				b.remove(w)
				o.Thread.Wake()
			}
			w = next
		}
		b.mu.Unlock()
	}
}

// FutexUnlockPI hands the lock at addr to the first waiter, or frees it: EPERM
// if the caller does not hold it.
func (t *Task) FutexUnlockPI(addr uint64, shared bool) error {
	key, err := t.AS.FutexKey(addr, shared)
	if err != nil {
		return err
	}
	b := bucketOf(&key)
	for {
		v, err := t.AS.Read32(addr)
		if err != nil {
			return err
		}
		if int32(v&futexTIDMask) != t.TID {
			return unix.EPERM
		}
		b.mu.Lock()
		done, ok := b.handOver(t, &key, addr, v, 0)
		b.mu.Unlock()
		if done {
			return nil
		}
		if !ok {
			if err := t.faultInForWrite(addr); err != nil {
				return err
			}
		}
	}
}
