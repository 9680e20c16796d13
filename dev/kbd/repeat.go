package kbd

import (
	"time"

	"tamarix/arch/wait"
)

// Bounds and defaults of the repeat, as Linux's input core and KDKBDREP have
// them.
const (
	defaultDelay  = 250 * time.Millisecond
	defaultPeriod = 33 * time.Millisecond
	minDelay      = 10 * time.Millisecond
	maxDelay      = 10 * time.Second
	minPeriod     = 5 * time.Millisecond
	maxPeriod     = 10 * time.Second
)

// A timer that rings late means that the machine was busy, and the key's release
// may be waiting in its driver just as long: it is given time to come through
// before the key repeats.
const (
	tooLate = 30 * time.Millisecond
	respite = 75 * time.Millisecond
)

// clock starts timers; tests have one of their own.
type clock interface {
	// after calls f in a goroutine of its own when d has passed.
	after(d time.Duration, f func()) stopper
	// now is the time since whenever.
	now() time.Duration
}

// stopper keeps a timer from calling; it may do so all the same if it was about to.
type stopper interface{ Stop() bool }

type realClock struct{}

func (realClock) now() time.Duration { return time.Duration(wait.Now()) }

func (realClock) after(d time.Duration, f func()) stopper { return time.AfterFunc(d, f) }

// repeating is the key that repeats by software, and its timer.
type repeating struct {
	device *device // nil: none
	code   Code
	timer  stopper
	due    time.Duration // when the timer should ring
	turn   uint64        // counts the keys, so that a late timer knows that it is
}

// follow starts and stops the repeat as a key changes. Modifiers do not repeat:
// nothing would come of it. Precondition: mu held.
func (k *Keyboards) follow(d *device, code Code, c change, s Symbol) {
	r := &k.repeating
	switch c {
	case pressed:
		k.stopRepeat()
		if _, own := d.Device.(Repeater); own {
			return
		}
		switch s.kind() {
		case kindShift, kindLock, kindSlock:
			return
		}
		r.device, r.code = d, code
		k.startTimer(k.delay)
	case released:
		if r.device == d && r.code == code {
			k.stopRepeat()
		}
	}
}

func (k *Keyboards) stopRepeat() {
	r := &k.repeating
	if r.device != nil {
		r.timer.Stop()
		r.turn++
		r.device, r.timer = nil, nil
	}
}

func (k *Keyboards) startTimer(d time.Duration) {
	turn := k.repeating.turn
	k.repeating.due = k.clock.now() + d
	k.repeating.timer = k.clock.after(d, func() { k.repeatKey(turn) })
}

// repeatKey is called by the timer.
func (k *Keyboards) repeatKey(turn uint64) {
	k.order.Lock()
	defer k.order.Unlock()
	k.mu.Lock()
	r := &k.repeating
	if r.device == nil || r.turn != turn {
		k.mu.Unlock()
		return
	}
	if k.clock.now() > r.due+tooLate {
		k.startTimer(respite)
		k.mu.Unlock()
		return
	}
	k.event(r.device, r.code, repeated)
	k.startTimer(k.period)
	k.deliver()
}

// setRepeat is KDKBDREP: it sets what is not zero, as near as can be, and
// returns what is in force. Precondition: mu held.
func (k *Keyboards) setRepeat(delay, period time.Duration) (time.Duration, time.Duration) {
	if delay > 0 {
		k.delay = min(max(delay, minDelay), maxDelay)
	}
	if period > 0 {
		k.period = min(max(period, minPeriod), maxPeriod)
	}
	if delay > 0 || period > 0 {
		for _, e := range k.devices {
			if r, ok := e.Device.(Repeater); ok {
				r.SetRepeat(k.delay, k.period)
			}
		}
	}
	return k.delay, k.period
}
