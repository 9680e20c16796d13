package kbd

import (
	"sync"
	"time"
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
}

// System is what keys do to the machine rather than to a terminal.
type System interface {
	// CtrlAltDel is Ctrl-Alt-Del: reboot(2), LINUX_REBOOT_CMD_CAD_ON and OFF.
	CtrlAltDel()
	// SysRq is Alt-SysRq with the key that has that character on a US keyboard.
	SysRq(key byte)
	// SysRqEnabled reports whether Alt-SysRq means anything at all
	// (/proc/sys/kernel/sysrq); if not, SysRq is an ordinary key.
	SysRqEnabled() bool
	// KeyboardRequest is the key that asks for help, "spawn_console" in
	// keymaps(5), Alt-Up in the default map.
	KeyboardRequest()
	// ShowMemory, ShowTasks and ShowRegisters write to the log.
	ShowMemory()
	ShowTasks()
	ShowRegisters()
}

// Speaker makes a sound of so many hertz until told otherwise; 0 is silence. It
// may be called from any goroutine and must return at once.
type Speaker interface {
	Tone(hertz int)
}

// Keyboards is all keyboards of the machine together. Make it with New.
type Keyboards struct {
	sys System

	// order makes keys one after the other; see the package comment.
	order sync.Mutex

	mu      sync.Mutex // guards everything below, and the terminals' state
	sink    Sink
	front   *Terminal // gets what is typed; nil: nobody
	devices []*device
	delay   time.Duration // before a held key repeats
	period  time.Duration // between two repeats
}

// device is an attached Device.
type device struct {
	Device
	down map[Code]struct{}
}

// New makes the machine's keyboards, of which none is attached yet.
func New(sys System) *Keyboards {
	return &Keyboards{sys: sys, delay: 250 * time.Millisecond, period: time.Second / 30}
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
	k.devices = append(k.devices, &device{Device: d, down: map[Code]struct{}{}})
}

// Detach forgets d. Keys that were held on it are released. Unknown devices are
// no error.
func (k *Keyboards) Detach(d Device) {
	k.order.Lock()
	defer k.order.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
}

// Key says that a key of d went down or up. A key that was down already
// repeats; one that was not down does not go up. It may be called from any
// goroutine, not from an interrupt handler.
func (k *Keyboards) Key(d Device, code Code, down bool) {
	k.order.Lock()
	defer k.order.Unlock()
}

// SetForeground says which terminal gets what is typed from now on, and whose
// locks the lights show; nil: none.
func (k *Keyboards) SetForeground(t *Terminal) {
	k.mu.Lock()
	k.front = t
	k.mu.Unlock()
}
