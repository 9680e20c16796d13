package wait

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Entry links one Thread, or one callback, into one Queue. The zero value is
// unlinked; it must not be copied or reused while linked.
type Entry struct {
	// Mask is the set of events (POLL* bits) that concern this entry; 0 stands for all.
	Mask uint32
	// Func, if not nil, is called instead of waking a thread, with the queue's
	// lock held: it must be short, and take only locks below every queue.
	Func func(e *Entry, mask uint32)

	thread     *Thread
	queue      *Queue // the queue it was last linked in
	next, prev *Entry // guarded by queue.mu
	exclusive  bool   // one Wake is for one such entry, and unlinks it

	// linked is written under queue.mu. Whoever reads false has the entry for
	// itself: unlinking stores it last.
	linked atomic.Bool
}

// Queue is a list of waiters. The zero value is ready; it must not be copied.
type Queue struct {
	n    atomic.Int32 // entries linked; lets Wake skip an empty queue. Written under mu.
	mu   sync.Mutex   // guards the list and the links of its entries; leaf
	head *Entry
	tail *Entry
}

// Add links e for t: Wake wakes t as long as e is linked.
func (q *Queue) Add(e *Entry, t *Thread) { q.add(e, t, false) }

// AddFunc links e with its Func and no thread.
func (q *Queue) AddFunc(e *Entry) { q.add(e, nil, false) }

// add links e. Exclusive entries stand last: one Wake wakes the first of them
// only.
func (q *Queue) add(e *Entry, t *Thread, exclusive bool) {
	if e.linked.Load() {
		panic("wait: entry is linked already")
	}
	q.mu.Lock()
	if e.thread != t { // most often it is the same as last time
		e.thread = t
	}
	if e.queue != q {
		e.queue = q
	}
	e.exclusive = exclusive
	switch {
	case q.tail == nil:
		q.head, q.tail = e, e
	case exclusive:
		e.prev, q.tail.next = q.tail, e
		q.tail = e
	default:
		e.next, q.head.prev = q.head, e
		q.head = e
	}
	e.linked.Store(true)
	q.n.Add(1)
	q.mu.Unlock()
}

// unlink takes e, which is linked, off q.
//   - q.mu is held
func (q *Queue) unlink(e *Entry) {
	prev, next := e.prev, e.next
	if prev != nil {
		prev.next = next
	} else {
		q.head = next
	}
	if next != nil {
		next.prev = prev
	} else {
		q.tail = prev
	}
	if prev != nil || next != nil {
		e.next, e.prev = nil, nil
	}
	q.n.Add(-1)
	e.linked.Store(false)
}

// Remove unlinks e; after it neither e's thread nor its Func hears of q again.
// It does nothing when e is not linked in q.
func (q *Queue) Remove(e *Entry) { q.remove(e) }

// remove is Remove; it reports whether e was linked.
func (q *Queue) remove(e *Entry) (was bool) {
	q.mu.Lock()
	was = e.queue == q && e.linked.Load()
	if was {
		q.unlink(e)
	}
	q.mu.Unlock()
	return was
}

// Wake wakes all ordinary waiters whose Mask meets mask, and one exclusive one.
func (q *Queue) Wake(mask uint32) {
	if q.n.Load() != 0 {
		q.wake(mask, 1)
	}
}

// WakeAll wakes every waiter whose Mask meets mask.
func (q *Queue) WakeAll(mask uint32) {
	if q.n.Load() != 0 {
		q.wake(mask, -1)
	}
}

// Empty reports whether nobody waits. The answer is exact only for a caller
// that excludes new waiters by a lock of its own.
func (q *Queue) Empty() bool { return q.n.Load() == 0 }

// wake is Wake for so many exclusive waiters, -1 for all.
func (q *Queue) wake(mask uint32, exclusive int) {
	q.mu.Lock()
	for e := q.head; e != nil; {
		next, t := e.next, e.thread
		if e.Mask == 0 || e.Mask&mask != 0 {
			if e.exclusive {
				q.unlink(e) // from here on e is its waiter's
				exclusive--
				t.Wake()
				if exclusive == 0 {
					break
				}
			} else if e.Func != nil {
				e.Func(e, mask)
			} else {
				t.Wake()
			}
		}
		e = next
	}
	q.mu.Unlock()
}

// Kinds of sleep, by what ends them early.
type sleepKind uint8

const (
	interruptible sleepKind = iota
	killable
)

// Wait sleeps until cond() is true. It returns nil; ErrRestartSys when the
// thread is interrupted or killed; or ETIMEDOUT at the deadline (clock of Now;
// negative: none). cond is called without q's lock and must be free of side
// effects other than the success it reports. Whoever makes cond true calls
// Wake afterwards.
func (q *Queue) Wait(t *Thread, deadline int64, cond func() bool) error {
	return q.wait(t, deadline, cond, interruptible, false)
}

// WaitExclusive is Wait as an exclusive waiter: one Wake wakes one of them. A
// waiter that was chosen after its last look at cond passes the Wake on,
// whether it got what it came for or gave up.
func (q *Queue) WaitExclusive(t *Thread, deadline int64, cond func() bool) error {
	return q.wait(t, deadline, cond, interruptible, true)
}

// WaitKillable is Wait that only a fatal signal ends early.
func (q *Queue) WaitKillable(t *Thread, deadline int64, cond func() bool) error {
	return q.wait(t, deadline, cond, killable, false)
}

// Enlist arms t and puts it on q as an exclusive waiter. It is for callers whose
// condition has a lock, which they hold: they have just seen that it is false,
// call Enlist, unlock, call Sleep, lock, and look again.
func (q *Queue) Enlist(t *Thread) {
	if t.busy {
		panic("wait: the thread waits already")
	}
	t.Prepare()
	t.entry.Mask = 0
	q.add(&t.entry, t, true)
}

// Sleep sleeps as Wait does after Enlist, but for one Wake of any kind only.
// It returns nil if there may be something to see; then the caller looks. t is
// not on q any more.
func (q *Queue) Sleep(t *Thread, deadline int64) error {
	e := &t.entry
	if t.Interrupted() || t.Killed() {
		return q.leave(e, ErrRestartSys)
	}
	timedOut := false
	if deadline < 0 {
		t.Park()
	} else {
		timedOut = t.ParkUntil(deadline)
	}
	if e.linked.Load() && q.remove(e) && timedOut {
		return unix.ETIMEDOUT
	}
	return nil
}

func (q *Queue) wait(t *Thread, deadline int64, cond func() bool, kind sleepKind, exclusive bool) error {
	if cond() {
		return nil
	}
	e := &t.entry
	own := !t.busy
	if own {
		t.busy = true
		e.Mask = 0
	} else {
		e = new(Entry) // a cond that sleeps itself
	}
	err := q.sleep(t, e, deadline, cond, kind, exclusive)
	if own {
		t.busy = false
	}
	return err
}

// sleep is the loop of the Wait functions: cond was false just now, and e is
// not linked; neither is it afterwards.
func (q *Queue) sleep(t *Thread, e *Entry, deadline int64, cond func() bool, kind sleepKind, exclusive bool) error {
	for {
		t.Prepare()
		if !e.linked.Load() { // the first time, or a Wake has chosen it
			q.add(e, t, exclusive)
		}
		if cond() {
			return q.leave(e, nil)
		}
		if kind == interruptible && t.Interrupted() || t.Killed() {
			return q.leave(e, ErrRestartSys)
		}
		timedOut := t.ParkUntil(deadline)
		if !e.linked.Load() {
			// Chosen: this look is what that Wake was for.
			if cond() {
				return nil
			}
		} else if timedOut && cond() {
			return q.leave(e, nil)
		}
		if timedOut {
			return q.leave(e, unix.ETIMEDOUT)
		}
	}
}

// leave takes e off the queue, with the result err. A Wake that has chosen it
// after its last look is for another.
func (q *Queue) leave(e *Entry, err error) error {
	if !q.remove(e) {
		q.Wake(^uint32(0))
	}
	return err
}
