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
	queue      *Queue      // the queue it is linked in; written under that queue's mu
	next, prev *Entry      // guarded by queue.mu
	exclusive  bool        // guarded by queue.mu
	woken      atomic.Bool // exclusive: a Wake chose it, and its waiter has not looked since
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

// add links e. Exclusive entries stand last, and one Wake wakes only one of
// them: the first that no other Wake has chosen already.
func (q *Queue) add(e *Entry, t *Thread, exclusive bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.queue != nil {
		panic("wait: entry is linked already")
	}
	e.thread, e.queue, e.exclusive = t, q, exclusive
	e.woken.Store(false)
	if exclusive && q.tail != nil {
		e.prev, q.tail.next = q.tail, e
		q.tail = e
	} else {
		e.next = q.head
		if q.head != nil {
			q.head.prev = e
		} else {
			q.tail = e
		}
		q.head = e
	}
	q.n.Add(1)
}

// Remove unlinks e; after it neither e's thread nor its Func hears of q again.
// It does nothing when e is not linked in q.
func (q *Queue) Remove(e *Entry) { q.remove(e) }

// remove is Remove; it reports whether e leaves a Wake behind that chose it
// and that it has not looked for.
func (q *Queue) remove(e *Entry) (woken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.queue != q {
		return false
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		q.head = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		q.tail = e.prev
	}
	e.next, e.prev, e.queue, e.thread = nil, nil, nil, nil
	q.n.Add(-1)
	return e.woken.Load()
}

// Wake wakes all ordinary waiters whose Mask meets mask, and one exclusive one.
func (q *Queue) Wake(mask uint32) { q.wake(mask, 1) }

// WakeAll wakes every waiter whose Mask meets mask.
func (q *Queue) WakeAll(mask uint32) { q.wake(mask, -1) }

// Empty reports whether nobody waits. The answer is exact only for a caller
// that excludes new waiters by a lock of its own.
func (q *Queue) Empty() bool { return q.n.Load() == 0 }

func (q *Queue) wake(mask uint32, exclusive int) {
	if q.n.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.head; e != nil; {
		next := e.next
		if e.Mask == 0 || e.Mask&mask != 0 {
			if e.exclusive {
				if exclusive == 0 {
					break // exclusive entries are last
				}
				// One that is on its way already will look once only: this
				// Wake may be about something else, and belongs to the next.
				if e.woken.Load() && exclusive > 0 {
					e = next
					continue
				}
				e.woken.Store(true)
				exclusive--
			}
			if e.Func != nil {
				e.Func(e, mask)
			} else {
				e.thread.Wake()
			}
		}
		e = next
	}
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

func (q *Queue) wait(t *Thread, deadline int64, cond func() bool, kind sleepKind, exclusive bool) error {
	if cond() {
		return nil
	}
	e := &t.entry
	own := !t.busy
	if own {
		t.busy = true
		e.Mask, e.Func = 0, nil
	} else {
		e = new(Entry) // a cond that sleeps itself
	}
	q.add(e, t, exclusive)
	err := sleep(t, e, deadline, cond, kind)
	woken := q.remove(e)
	if own {
		t.busy = false
	}
	if woken {
		q.Wake(^uint32(0))
	}
	return err
}

func sleep(t *Thread, e *Entry, deadline int64, cond func() bool, kind sleepKind) error {
	for {
		t.Prepare()
		if e.woken.Load() {
			e.woken.Store(false) // before cond: what made a later Wake may not have been seen by it
		}
		if cond() {
			return nil
		}
		if kind == interruptible && t.Interrupted() || t.Killed() {
			return ErrRestartSys
		}
		if t.ParkUntil(deadline) {
			if cond() {
				return nil
			}
			return unix.ETIMEDOUT
		}
	}
}
