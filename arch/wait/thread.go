package wait

import (
	"sync/atomic"
	"time"
)

// States of a Thread.
const (
	idle     uint32 = iota // runs, or is about to park; no Wake since Prepare
	notified               // a Wake came and was not consumed
	parked                 // its goroutine is off the scheduler
)

// Thread is the sleeping side of one task. The zero value is ready for use;
// it must not be copied. Prepare, Park, ParkUntil and Queue.Wait are called by
// the goroutine that owns it only, everything else by anyone.
type Thread struct {
	state       atomic.Uint32
	interrupted atomic.Bool
	killed      atomic.Bool
	clock       atomic.Int64  // ticks it has run; less the ticks of now while it runs, which is negative
	sleeps      atomic.Uint64 // written by the owner
	busy        bool          // entry is linked into a queue; owner's goroutine only
	park        parking       // how the goroutine is found again
	timer       *Timer        // made at the first timed sleep, then reused; owner's goroutine only
	entry       Entry         // for the Wait functions, so that they need not allocate
}

// Bind tells t which goroutine owns it: the caller's.
func (t *Thread) Bind() { t.park.bind() }

// Prepare arms t: a Wake that comes after it makes the next Park return at
// once. An earlier Wake that nobody waited for is forgotten.
func (t *Thread) Prepare() { t.state.Store(idle) }

// Wake ends t's sleep, or keeps the next Park from sleeping. It is idempotent
// and may be called from any goroutine, but not from an interrupt handler.
func (t *Thread) Wake() {
	for {
		switch s := t.state.Load(); s {
		case notified:
			return
		case idle:
			if t.state.CompareAndSwap(idle, notified) {
				return
			}
		case parked:
			if t.state.CompareAndSwap(parked, notified) {
				t.park.ready()
				return
			}
		}
	}
}

// Park sleeps until Wake. A Wake that came since Prepare is enough.
func (t *Thread) Park() {
	if t.state.Load() == notified {
		return
	}
	// StopClock and StartClock, but for the calls: this is the hottest path.
	ran := t.clock.Load()
	if ran < 0 {
		ran = max(running()+ran, 0)
		t.clock.Store(ran)
	}
	t.sleeps.Store(t.sleeps.Load() + 1)
	t.park.sleep(t)
	t.clock.Store(ran - running())
}

// StartClock begins to count t's running time, StopClock holds the count. Park
// does both around a sleep; the owner calls them at its beginning and end and
// around a voluntary Gosched. A sleep on a Go mutex counts as running.
func (t *Thread) StartClock() {
	if c := t.clock.Load(); c >= 0 {
		t.clock.Store(c - running())
	}
}

// StopClock: see StartClock.
func (t *Thread) StopClock() {
	if c := t.clock.Load(); c < 0 {
		t.clock.Store(max(running()+c, 0))
	}
}

// Sleeps returns how often t has gone to sleep (voluntary context switches).
func (t *Thread) Sleeps() uint64 { return t.sleeps.Load() }

// Ran returns for how many nanoseconds t has run.
func (t *Thread) Ran() int64 {
	n := t.clock.Load()
	if n < 0 {
		n = max(running()+n, 0)
	}
	return ticksToNs(n)
}

// ParkUntil is Park with a deadline on the clock of Now; a negative deadline
// never comes. It reports whether the deadline has passed, whatever ended the
// sleep: look at the condition first.
func (t *Thread) ParkUntil(deadline int64) (timedOut bool) {
	if deadline < 0 {
		t.Park()
		return false
	}
	left := deadline - Now()
	if left <= 0 {
		return true
	}
	if t.timer == nil {
		t.timer = AfterFunc(time.Duration(left), t.Wake)
	} else {
		t.timer.Reset(time.Duration(left))
	}
	t.Park()
	t.timer.Stop()
	return Now() >= deadline
}

// SetInterrupted says whether a signal wants this task. It does not wake it.
func (t *Thread) SetInterrupted(v bool) { t.interrupted.Store(v) }

// Interrupted reports whether interruptible sleeps have to end.
func (t *Thread) Interrupted() bool { return t.interrupted.Load() }

// SetKilled says that a fatal signal is pending. It does not wake the task.
func (t *Thread) SetKilled() { t.killed.Store(true) }

// Killed reports whether even killable sleeps have to end.
func (t *Thread) Killed() bool { return t.killed.Load() }

// Asleep reports whether the goroutine is parked right now (for the state
// letter of /proc/PID/stat).
func (t *Thread) Asleep() bool { return t.state.Load() == parked }
