package kbd

import (
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Code names a key: KEY_* of UAPI linux/input-event-codes.h.
type Code uint16

// LEDs are the lights of a keyboard, one bit each, in the order of KDSETLED.
type LEDs uint8

// The lights.
const (
	ScrollLock LEDs = 1 << iota
	NumLock
	CapsLock
)

// Device is one keyboard. Its methods are called with a lock of this package
// held: they must return at once (work that takes time is the driver's to put
// off) and must not call back.
type Device interface {
	// Name is what the log calls it, as in "AT keyboard" or "usb-1.2".
	Name() string
	// SetLEDs says which lights are to be lit from now on, all others dark.
	SetLEDs(l LEDs)
}

// Repeater is a Device that repeats a held key by itself: it calls Key with
// down again. For other devices Keyboards repeats.
type Repeater interface {
	Device
	// SetRepeat sets how long a key is held before it repeats, and how long it
	// then takes from one to the next. The device takes what it can do nearest to it.
	SetRepeat(delay, period time.Duration)
}

// Sink is the virtual terminals as a whole. See the package comment for what its
// methods may do.
type Sink interface {
	// Switch shows terminal n, counted from 1; one that does not exist is no error.
	Switch(n int)
	// Cycle shows the next (by = 1) or the previous (by = -1) terminal.
	Cycle(by int)
	// Last shows the terminal that was shown before this one.
	Last()
	// Scroll moves the view of the foreground terminal by so many half screens:
	// back into what has scrolled off if negative.
	Scroll(halfScreens int)
	// Hold stops the foreground terminal's output if it runs, and lets it run
	// again if it is stopped: Scroll Lock. Who does that otherwise too tells of
	// it by Terminal.SetLock.
	Hold()
	// Break is a break condition on the foreground terminal's line.
	Break()
}

// System is what keys do to the machine rather than to a terminal.
type System interface {
	// CtrlAltDel is Ctrl-Alt-Del: reboot(2), LINUX_REBOOT_CMD_CAD_ON and OFF.
	CtrlAltDel()
	// SysRqEnabled reports whether Alt-SysRq means anything at all
	// (/proc/sys/kernel/sysrq); if not, SysRq is an ordinary key.
	SysRqEnabled() bool
	// SysRq is Alt-SysRq with the key that has that character on a US keyboard.
	SysRq(key byte)
	// Show writes to the log what SysRq with that key would, m, t or p, but
	// whoever types may always ask for it: Show_Memory and its kin of keymaps(5).
	Show(key byte)
	// SecureAttention takes the foreground terminal away from all processes that
	// have it open, so that who logs in next talks to getty and nobody else.
	SecureAttention()
	// Signal sends a signal to the process that asked by KDSIGACCEPT to be told
	// of the key "KeyboardSignal", Alt-Up in the default map.
	Signal(pid int32, sig unix.Signal) error
}

// Speaker makes a sound of so many hertz until told otherwise; 0 is silence. It
// may be called from any goroutine, with a lock of this package held, and must
// return at once.
type Speaker interface {
	Tone(hertz int)
}

// Keyboards is all keyboards of the machine together. Make it with New.
type Keyboards struct {
	sys    System
	clock  clock     // immutable
	nobody *Terminal // in the foreground when no other is; immutable

	// order makes keys one after the other; see the package comment.
	order sync.Mutex

	mu      sync.Mutex // guards everything below, and the terminals' state
	sink    Sink
	front   *Terminal // gets what is typed, or nobody
	keyMap  *keyMap
	devices []*device
	lit     LEDs // what the devices were told last

	delay     time.Duration // before a held key repeats
	period    time.Duration // between two repeats
	repeating repeating

	modifiers int  // columns' bits that held keys stand for
	number    int  // typed with Alt and the keypad
	numbering bool // there is such a number
	sysrq     sysrqState

	watcher    int32 // process to tell of the key KeyboardSignal; 0: none
	watcherSig unix.Signal

	speaker Speaker
	ringing stopper // ends the sound; nil: none is timed
	tones   uint64  // counts the sounds, so that a late timer ends only its own

	// What the key that is being worked on has come to; used and emptied by
	// deliver.
	text []byte
	todo func()
}

// device is an attached Device.
type device struct {
	Device
	down map[Code]Symbol // keys that are held, with what they did when they went down
}

// How a key changed.
type change uint8

const (
	released change = iota
	pressed
	repeated
)

// New makes the machine's keyboards, of which none is attached yet.
func New(sys System) *Keyboards {
	k := &Keyboards{sys: sys, clock: realClock{}, keyMap: newKeyMap(), delay: defaultDelay, period: defaultPeriod}
	k.nobody = k.NewTerminal(func([]byte) {})
	k.front = k.nobody
	return k
}

// SetSink says who gets the keys for the terminals as a whole. Until then they
// are lost.
func (k *Keyboards) SetSink(s Sink) {
	k.mu.Lock()
	k.sink = s
	k.mu.Unlock()
}

// Attach makes d one of the keyboards: its lights are set as the others' are,
// and its keys count from now on.
func (k *Keyboards) Attach(d Device) {
	k.order.Lock()
	defer k.order.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.find(d) != nil {
		return
	}
	k.devices = append(k.devices, &device{Device: d, down: map[Code]Symbol{}})
	if r, ok := d.(Repeater); ok {
		r.SetRepeat(k.delay, k.period)
	}
	d.SetLEDs(k.lit)
}

// Detach forgets d. Keys that were held on it are released. Unknown devices are
// no error.
func (k *Keyboards) Detach(d Device) {
	k.order.Lock()
	defer k.order.Unlock()
	k.mu.Lock()
	for i, e := range k.devices {
		if e.Device != d {
			continue
		}
		for _, code := range slices.Sorted(maps.Keys(e.down)) {
			k.event(e, code, released)
			k.deliver()
			k.mu.Lock()
		}
		k.devices = slices.Delete(k.devices, i, i+1)
		break
	}
	k.mu.Unlock()
}

// Key says that a key of d went down or up. A key that was down already
// repeats; one that was not down does not go up. It may be called from any
// goroutine, not from an interrupt handler.
func (k *Keyboards) Key(d Device, code Code, down bool) {
	if code == 0 || code > maxCode {
		return
	}
	k.order.Lock()
	defer k.order.Unlock()
	k.mu.Lock()
	e := k.find(d)
	if e == nil {
		k.mu.Unlock()
		return
	}
	_, held := e.down[code]
	switch {
	case down && held:
		k.event(e, code, repeated)
	case down:
		k.event(e, code, pressed)
	case held:
		k.event(e, code, released)
	}
	k.deliver()
}

// find returns the device that d is, nil if it is not attached. Precondition:
// mu held.
func (k *Keyboards) find(d Device) *device {
	for _, e := range k.devices {
		if e.Device == d {
			return e
		}
	}
	return nil
}

// SetForeground says which terminal gets what is typed from now on, and whose
// locks the lights show; nil: none.
func (k *Keyboards) SetForeground(t *Terminal) {
	if t == nil {
		t = k.nobody
	}
	k.mu.Lock()
	k.front = t
	k.light()
	k.mu.Unlock()
}

// ShiftState returns the modifiers that are held, as bits of a column's number
// (TIOCL_GETSHIFTSTATE of ioctl_console(2)).
func (k *Keyboards) ShiftState() byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return byte(k.modifiers)
}

// deliver hands on what a key has come to: it releases mu. Preconditions: order
// and mu held.
func (k *Keyboards) deliver() {
	text, todo, t := k.text, k.todo, k.front
	k.text, k.todo = nil, nil
	k.mu.Unlock()
	if len(text) > 0 {
		t.input(text)
	}
	if todo != nil {
		todo()
	}
	k.mu.Lock()
	if k.text == nil {
		k.text = text[:0]
	}
	k.mu.Unlock()
}

// toSink has deliver call f with the sink. Precondition: mu held.
func (k *Keyboards) toSink(f func(Sink)) {
	if s := k.sink; s != nil {
		k.todo = func() { f(s) }
	}
}

// light tells the devices which lights are to be lit, if that has changed.
// Precondition: mu held.
func (k *Keyboards) light() {
	l := k.front.lights()
	if l == k.lit {
		return
	}
	k.lit = l
	for _, e := range k.devices {
		e.SetLEDs(l)
	}
}
