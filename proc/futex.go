package proc

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/mm"
)

// futex(2): sleeping on a word of user memory. Waiters stand in buckets by the
// hash of their word's key; one waiter is one task. The word is looked at with
// the bucket locked, so that no wake-up falls between the look and the sleep.
//
// Lock order: two buckets in order of their index; nothing is taken under them
// but wait.Thread's own state.

const futexBuckets = 256

type futexBucket struct {
	mu    sync.Mutex // guards the list and the waiters in it
	head  *futexWaiter
	tail  *futexWaiter
	place int32     // its number plus one
	_     [5]uint64 // a cache line of its own
}

var futexes [futexBuckets]futexBucket

func init() {
	for i := range futexes {
		futexes[i].place = int32(i) + 1
	}
}

// futexWaiter is a task's place in a bucket. All fields but bucket are guarded
// by the bucket it stands in, and are the task's own while it stands in none.
type futexWaiter struct {
	key    mm.Key
	bitset uint32
	owner  int32 // thread id that holds the priority-inheritance lock it waits for; 0: an ordinary waiter
	t      *Task
	next   *futexWaiter
	prev   *futexWaiter

	// place is the number of the bucket it stands in plus one, 0 when it has been
	// woken. Written with that bucket locked, read by anyone.
	place atomic.Int32
}

func bucketOf(k *mm.Key) *futexBucket {
	h := (k.Off>>2 + ownerHash(k)) * 0x9e3779b97f4a7c15
	return &futexes[h>>56%futexBuckets]
}

// add puts w at the end of b.
//
//   - b.mu is held
func (b *futexBucket) add(w *futexWaiter) {
	w.next, w.prev = nil, b.tail
	if b.tail != nil {
		b.tail.next = w
	} else {
		b.head = w
	}
	b.tail = w
	w.place.Store(b.place)
}

// remove takes w out of b. From then on w is its task's again.
//
//   - b.mu is held
func (b *futexBucket) remove(w *futexWaiter) {
	b.unlink(w)
	w.place.Store(0)
}

// unlink takes w off b's list only.
//
//   - b.mu is held
func (b *futexBucket) unlink(w *futexWaiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		b.head = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		b.tail = w.prev
	}
	w.next, w.prev = nil, nil
}

// leave takes w out of the bucket it stands in; false when it has been woken.
func (w *futexWaiter) leave() bool {
	for {
		n := w.place.Load()
		if n == 0 {
			return false
		}
		b := &futexes[n-1]
		b.mu.Lock()
		if w.place.Load() == n {
			b.remove(w)
			b.mu.Unlock()
			return true
		}
		b.mu.Unlock()
	}
}

// FutexWait sleeps until a wake-up with one of the bits of bitset comes for the
// word at addr, if the word holds val: EAGAIN if it does not, ETIMEDOUT at the
// deadline (clock of wait.Now, negative: none), ErrRestartSys when interrupted.
func (t *Task) FutexWait(addr uint64, val, bitset uint32, shared bool, deadline int64) error {
	if bitset == 0 {
		return unix.EINVAL
	}
	key, err := t.futexKey(addr, shared)
	if err != nil {
		return err
	}
	b := bucketOf(&key)
	w := &t.futex
	w.key, w.bitset, w.t, w.owner = key, bitset, t, 0
	for {
		b.mu.Lock()
		v, ok := arch.LoadUser32(t.AS.PageTable(), addr)
		if !ok {
			b.mu.Unlock()
			if _, err := t.AS.Read32(addr); err != nil {
				return err
			}
			continue
		}
		if v != val {
			b.mu.Unlock()
			return unix.EAGAIN
		}
		t.Thread.Prepare()
		b.add(w)
		b.mu.Unlock()
		break
	}
	return t.sleepOnFutex(w, deadline)
}

// sleepOnFutex sleeps until w, which stands in a bucket, has been woken.
func (t *Task) sleepOnFutex(w *futexWaiter, deadline int64) error {
	for {
		timedOut := false
		if !t.Thread.Interrupted() {
			timedOut = t.Thread.ParkUntil(deadline)
		}
		if w.place.Load() == 0 {
			return nil
		}
		if timedOut || t.Thread.Interrupted() {
			if !w.leave() {
				return nil
			}
			if timedOut {
				return unix.ETIMEDOUT
			}
			return wait.ErrRestartSys
		}
		t.Thread.Prepare()
		if w.place.Load() == 0 {
			return nil
		}
	}
}

// FutexWake wakes up to n waiters of the word at addr with a bit in bitset, and
// returns how many.
func (t *Task) FutexWake(addr uint64, n int, bitset uint32, shared bool) (int, error) {
	if bitset == 0 {
		return 0, unix.EINVAL
	}
	key, err := t.futexKey(addr, shared)
	if err != nil {
		return 0, err
	}
	b := bucketOf(&key)
	b.mu.Lock()
	woken, err := b.wake(&key, n, bitset)
	b.mu.Unlock()
	return woken, err
}

// futexKey is AddressSpace.FutexKey, short for the commonest case: a private
// futex is its address space and address.
func (t *Task) futexKey(addr uint64, shared bool) (mm.Key, error) {
	if !shared && addr&3 == 0 && addr < arch.UserTop {
		return mm.Key{Owner: t.AS, Off: addr}, nil
	}
	return t.AS.FutexKey(addr, shared)
}

// wake wakes up to n waiters of key.
//
//   - b.mu is held
func (b *futexBucket) wake(key *mm.Key, n int, bitset uint32) (woken int, err error) {
	for w := b.head; w != nil && woken < n; {
		next := w.next
		if sameKey(&w.key, key) && w.bitset&bitset != 0 {
			if w.owner != 0 {
				return woken, unix.EINVAL
			}
			t := w.t
			b.remove(w)
			t.Thread.Wake()
			woken++
		}
		w = next
	}
	return woken, nil
}

// lockBoth locks two buckets in a fixed order.
func lockBoth(a, b *futexBucket) {
	switch {
	case a == b:
		a.mu.Lock()
	case a.place < b.place:
		a.mu.Lock()
		b.mu.Lock()
	default:
		b.mu.Lock()
		a.mu.Lock()
	}
}

func unlockBoth(a, b *futexBucket) {
	a.mu.Unlock()
	if a != b {
		b.mu.Unlock()
	}
}
