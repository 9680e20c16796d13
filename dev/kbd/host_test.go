package kbd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// board is a keyboard of the tests. It does not repeat by itself.
type board struct {
	name string
	leds LEDs
}

func (b *board) Name() string   { return b.name }
func (b *board) SetLEDs(l LEDs) { b.leds = l }

// typematic is a board that repeats by itself.
type typematic struct {
	board
	delay, period time.Duration
}

func (b *typematic) SetRepeat(delay, period time.Duration) { b.delay, b.period = delay, period }

// desk is all that a test has: keyboards, a terminal, and what came of the keys.
type desk struct {
	t     *testing.T
	k     *Keyboards
	kb    *board
	tty   *Terminal
	typed strings.Builder
	did   []string // calls of the sink and the system, oldest first
	clock fakeClock

	noSysRq bool
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, kb: &board{name: "one"}}
	d.k = New(d)
	d.k.clock = &d.clock
	d.k.SetSink(d)
	d.tty = d.k.NewTerminal(func(p []byte) { d.typed.Write(p) })
	d.k.SetForeground(d.tty)
	d.k.Attach(d.kb)
	return d
}

func (d *desk) note(format string, a ...any)        { d.did = append(d.did, fmt.Sprintf(format, a...)) }
func (d *desk) Switch(n int)                        { d.note("switch %d", n) }
func (d *desk) Cycle(by int)                        { d.note("cycle %d", by) }
func (d *desk) Last()                               { d.note("last") }
func (d *desk) Scroll(n int)                        { d.note("scroll %d", n) }
func (d *desk) Hold()                               { d.note("hold") }
func (d *desk) Break()                              { d.note("break") }
func (d *desk) SecureAttention()                    { d.note("sak") }
func (d *desk) CtrlAltDel()                         { d.note("ctrl-alt-del") }
func (d *desk) SysRqEnabled() bool                  { return !d.noSysRq }
func (d *desk) SysRq(key byte)                      { d.note("sysrq %c", key) }
func (d *desk) Show(key byte)                       { d.note("show %c", key) }
func (d *desk) Signal(p int32, s unix.Signal) error { d.note("signal %d %d", p, s); return nil }

// press holds the keys down in their order and lets them go in the reverse order.
func (d *desk) press(codes ...Code) {
	for _, c := range codes {
		d.k.Key(d.kb, c, true)
	}
	for i := len(codes) - 1; i >= 0; i-- {
		d.k.Key(d.kb, codes[i], false)
	}
}

// want checks what was typed since the last time.
func (d *desk) want(text string) {
	d.t.Helper()
	if got := d.typed.String(); got != text {
		d.t.Errorf("typed %q, want %q", got, text)
	}
	d.typed.Reset()
}

// wantDone checks what the sink and the system were asked for since the last time.
func (d *desk) wantDone(what ...string) {
	d.t.Helper()
	if got, want := strings.Join(d.did, ", "), strings.Join(what, ", "); got != want {
		d.t.Errorf("asked for %q, want %q", got, want)
	}
	d.did = nil
}

// fakeClock runs timers when it is told to.
type fakeClock struct {
	time   time.Duration
	timers []*fakeTimer
}

type fakeTimer struct {
	at      time.Duration
	f       func()
	stopped bool
}

func (t *fakeTimer) Stop() bool { was := !t.stopped; t.stopped = true; return was }

func (c *fakeClock) after(d time.Duration, f func()) stopper {
	t := &fakeTimer{at: c.time + d, f: f}
	c.timers = append(c.timers, t)
	return t
}

func (c *fakeClock) now() time.Duration { return c.time }

// stall has the timers that are due by then ring only after that time.
func (c *fakeClock) stall(d time.Duration) {
	c.time += d
	c.pass(0)
}

// pass lets time go by.
func (c *fakeClock) pass(d time.Duration) {
	end := c.time + d
	for {
		var next *fakeTimer
		for _, t := range c.timers {
			if !t.stopped && t.at <= end && (next == nil || t.at < next.at) {
				next = t
			}
		}
		if next == nil {
			break
		}
		c.time, next.stopped = max(c.time, next.at), true
		next.f()
	}
	c.time = end
}

// pending is the number of timers that run.
func (c *fakeClock) pending() int {
	n := 0
	for _, t := range c.timers {
		if !t.stopped {
			n++
		}
	}
	return n
}
