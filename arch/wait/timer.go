package wait

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"
)

// Timer calls a function at a deadline, as a [time.Timer] of time.AfterFunc
// does. Go's own timers have two prices: as long as there is one, the scheduler
// reads the clock at every switch of goroutines, and setting one for a sleep
// that is hardly ever slept to its end (poll(2) with a time-out) takes as long
// as the sleep's own switches. So a deadline far away is kept here, and goes to
// a Go timer shortly before it comes.
//
// Reset and Stop are for one goroutine at a time.
type Timer struct {
	f    func()
	when atomic.Int64 // deadline on the clock of Now; 0: stopped

	// look is when the keeper looks at it; 0: it does not. Written under
	// keeper.mu. It may come long before the deadline: Reset to a later one and
	// Stop change when only.
	look  atomic.Int64
	index int // in keeper.timers; guarded by keeper.mu

	mu    sync.Mutex  // guards near; leaf but for the runtime's own
	near  *time.Timer // made when it is first needed
	armed atomic.Bool // near may be running
}

// lead is how long before its deadline a timer becomes a Go timer.
const lead = int64(10 * time.Millisecond)

// AfterFunc makes a timer that calls f in d, on a goroutine of its own.
func AfterFunc(d time.Duration, f func()) *Timer {
	t := &Timer{f: f}
	t.Reset(d)
	return t
}

// Reset sets t for a deadline in d, whether or not it was set.
func (t *Timer) Reset(d time.Duration) {
	left := max(int64(d), 0)
	when := max(Now()+left, 1)
	t.when.Store(when)
	if left <= lead {
		t.arm()
	} else if look := t.look.Load(); look == 0 || look > when-lead {
		keeper.add(t, when-lead)
	}
}

// Stop makes t not call its function any more; a call may be under way.
func (t *Timer) Stop() {
	t.when.Store(0)
	if t.armed.Load() {
		t.mu.Lock()
		t.armed.Store(false)
		t.near.Stop()
		t.mu.Unlock()
	}
}

// arm makes the Go timer fire at the deadline. That is read under mu: of two
// that arm it at a time, a Reset and the keeper, the last one has it right.
func (t *Timer) arm() {
	t.mu.Lock()
	if when := t.when.Load(); when != 0 {
		left := time.Duration(max(when-Now(), 0))
		t.armed.Store(true)
		if t.near == nil {
			t.near = time.AfterFunc(left, t.fire)
		} else {
			t.near.Reset(left)
		}
	}
	t.mu.Unlock()
}

// fire is called by the Go timer, perhaps for a deadline that has been changed.
func (t *Timer) fire() {
	when := t.when.Load()
	if when == 0 {
		return
	}
	if left := when - Now(); left > lead {
		return // the keeper has it
	} else if left > 0 {
		t.arm()
		return
	}
	if t.when.CompareAndSwap(when, 0) {
		t.f()
	}
}

// keeper holds the timers whose deadline is far away.
var keeper timerKeeper

type timerKeeper struct {
	mu     sync.Mutex // guards all but bell; leaf
	timers timerHeap
	sweep  int // how many there may be before those that are stopped go
	runs   bool
	until  int64         // how long it sleeps
	bell   atomic.Uint32 // the word it sleeps on; changes to wake it
}

// add makes the keeper look at t at the time look, if it does not earlier anyway.
func (k *timerKeeper) add(t *Timer, look int64) {
	k.mu.Lock()
	if old := t.look.Load(); old == 0 {
		if len(k.timers) >= k.sweep {
			k.dropStopped()
		}
		t.look.Store(look)
		heap.Push(&k.timers, t)
	} else if look < old {
		t.look.Store(look)
		heap.Fix(&k.timers, t.index)
	}
	ring := false
	if !k.runs {
		k.runs = true
		go k.run()
	} else if look < k.until {
		k.until = look
		k.bell.Add(1)
		ring = true
	}
	k.mu.Unlock()
	if ring {
		wakeThread(&k.bell)
	}
}

// dropStopped takes out the timers that have been stopped: they cost memory.
//   - k.mu is held
func (k *timerKeeper) dropStopped() {
	kept := k.timers[:0]
	for _, t := range k.timers {
		look := t.look.Load()
		t.look.Store(0) // first: a Reset from here on adds it itself
		if t.when.Load() != 0 {
			t.look.Store(look)
			t.index = len(kept)
			kept = append(kept, t)
		}
	}
	clear(k.timers[len(kept):])
	k.timers = kept
	heap.Init(&k.timers)
	k.sweep = max(2*len(kept), 64)
}

// run is the keeper's goroutine. It sleeps below the Go scheduler, with its
// thread: that takes no Go timer. And a thread that sleeps so tells the runtime
// that a program whose goroutines all wait has not come to a deadlock.
func (k *timerKeeper) run() {
	for {
		k.mu.Lock()
		now := Now()
		for len(k.timers) > 0 && k.timers[0].look.Load() <= now {
			t := heap.Pop(&k.timers).(*Timer)
			t.look.Store(0) // first: a Reset from here on adds it itself
			k.mu.Unlock()
			t.hand(now)
			k.mu.Lock()
		}
		k.until = now + int64(time.Hour)
		if len(k.timers) > 0 {
			k.until = k.timers[0].look.Load()
		}
		left, bell := k.until-now, k.bell.Load()
		k.mu.Unlock()
		sleepThread(&k.bell, bell, left)
	}
}

// hand gives t to a Go timer, if its deadline is near now.
func (t *Timer) hand(now int64) {
	switch when := t.when.Load(); {
	case when == 0:
	case when-lead > now:
		keeper.add(t, when-lead)
	default:
		t.arm()
	}
}

// timerHeap has the timer that is to be looked at next in front.
type timerHeap []*Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].look.Load() < h[j].look.Load() }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	n := len(old) - 1
	t := old[n]
	old[n] = nil
	*h = old[:n]
	return t
}
