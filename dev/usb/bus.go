package usb

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/kbd"
)

// Keyboards is where keys go: *kbd.Keyboards.
type Keyboards interface {
	Attach(d kbd.Device)
	Detach(d kbd.Device)
	Key(d kbd.Device, code kbd.Code, down bool)
}

// Times and counts of enumeration.
const (
	// stableTime is how long a connection must have stayed as it is (USB
	// 7.1.7.3, TATTDB), stableLimit how long that is waited for.
	stableTime  = 100 * time.Millisecond
	stableStep  = 25 * time.Millisecond
	stableLimit = 1500 * time.Millisecond

	// resetRecovery is given to a device after a reset: five times what USB
	// 7.1.7.5 asks for (TRSTRCY), since there are devices that take longer.
	resetRecovery = 50 * time.Millisecond

	// attempts is how often a device is tried before it is left alone.
	attempts = 3

	// A port that loses its device and finds one again without having been
	// empty, more than maxFlaps times with less than calmTime between, is left
	// alone until it is empty.
	maxFlaps = 5
	calmTime = 10 * time.Second

	// A port that lost its power to over-current gets it back after coolTime,
	// maxPowers times at most with less than calmTime between.
	coolTime  = 100 * time.Millisecond
	maxPowers = 3

	// maxDepth is how many hubs may be between controller and device (USB 4.1.1).
	maxDepth = 5
)

// Bus is all that hangs on one controller. Make it with NewBus.
type Bus struct {
	host   Host
	number int // in names: 1-2 is what hangs on port 2 of controller 1
	keys   Keyboards
	tell   func(d Info, connected bool) // may be nil
	root   *rootHub
	wake   chan struct{} // holds one: there is something in changed

	mu      sync.Mutex     // guards what follows; a leaf
	changed map[hub]uint32 // bit 0: the hub itself
	stopped bool
}

// NewBus makes the bus of a controller. number is for names. changed is called, by
// Run's goroutine, when a device was found and when it is gone; it may be nil.
func NewBus(h Host, number int, keys Keyboards, changed func(d Info, connected bool)) *Bus {
	b := &Bus{host: h, number: number, keys: keys, tell: changed, wake: make(chan struct{}, 1), changed: make(map[hub]uint32)}
	b.root = &rootHub{b: b, ports: make([]port, h.Ports()+1)}
	return b
}

// PortChanged says that something happened on a port of the controller, or that
// all of them are to be looked at (n = 0). It does not block.
func (b *Bus) PortChanged(n int) {
	if n == 0 {
		b.note(b.root, ^uint32(1))
		return
	}
	// The set has one bit for each of 31 ports; those beyond share the last.
	b.note(b.root, 1<<min(n, maxBit))
}

// maxBit is the last bit of a set of ports. It stands for all ports from there on.
const maxBit = 31

func (b *Bus) note(h hub, ports uint32) {
	b.mu.Lock()
	b.changed[h] |= ports
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Stop makes Run remove all devices and return. It does not wait for that.
func (b *Bus) Stop() {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	b.note(b.root, 0)
}

// Run looks at all ports and then at those that change, until Stop.
func (b *Bus) Run() {
	b.PortChanged(0)
	for range b.wake {
		for b.serviceAll() {
		}
		if b.stopping() {
			break
		}
	}
	for n := range b.root.ports {
		b.remove(b.root, n)
	}
}

func (b *Bus) stopping() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped
}

// serviceAll looks at the ports that have changed by now, and reports whether
// there were any.
func (b *Bus) serviceAll() bool {
	b.mu.Lock()
	changed := b.changed
	b.changed = make(map[hub]uint32)
	b.mu.Unlock()
	// The controller's own ports first: a hub that is gone has none.
	set := changed[b.root]
	delete(changed, b.root)
	any := b.serviceSet(b.root, set)
	for h, set := range changed {
		any = b.serviceSet(h, set) || any
	}
	return any
}

func (b *Bus) serviceSet(h hub, set uint32) (any bool) {
	if set&1 != 0 && !b.stopping() && !h.gone() {
		any = true
		if h.attend() {
			set = ^uint32(0)
		}
	}
	for n := 1; n <= h.count(); n++ {
		if set>>min(n, maxBit)&1 == 0 {
			continue
		}
		any = true
		if b.stopping() || h.gone() {
			break
		}
		b.service(h, n)
	}
	return any
}

// hub is what has ports: the controller or a hub.
type hub interface {
	count() int // ports, counted from 1
	port(n int) *port
	gone() bool
	// status reads a port and clears what has changed.
	status(n int) (PortStatus, error)
	reset(n int) error
	power(n int) error
	// attend looks at the hub itself when it says that something changed, and
	// reports whether its ports are to be looked at.
	attend() bool
	// locate says where a device on port n is.
	locate(n int, s Speed) Location
	// name names the device on port n for the log: "usb 1-4.2".
	name(n int) string
	depth() int // hubs up to and including this one
}

// port is what is known of a port; it belongs to the Bus's goroutine.
type port struct {
	child *device
	since time.Time // when child was found
	flaps int
	dead  bool // left alone until it is empty
	over  bool // over-current was reported

	powers  int // how often it got its power back
	powered time.Time
}

// service looks at a port and brings its device in line with what is there.
func (b *Bus) service(h hub, n int) {
	p := h.port(n)
	st, err := h.status(n)
	if err != nil {
		if !h.gone() && !errors.Is(err, ErrGone) {
			klog.Warnf("%s: port status: %v", h.name(n), err)
		}
		return
	}
	if st.OverCurrent && !p.over {
		klog.Warnf("%s: the port draws too much current", h.name(n))
	}
	p.over = st.OverCurrent
	if st.Off && !st.OverCurrent {
		b.powerAgain(h, n)
	}
	if p.child != nil && (!st.Connected || st.Changed || !st.Enabled) {
		if time.Since(p.since) > calmTime {
			p.flaps = 0
		}
		p.flaps++
		b.remove(h, n)
	}
	if !st.Connected {
		if p.dead {
			klog.Debugf("%s: the port is empty", h.name(n))
		}
		p.flaps, p.dead = 0, false
		return
	}
	if p.child != nil || p.dead && !st.Changed {
		return
	}
	if p.flaps > maxFlaps {
		p.dead = true
		klog.Errorf("%s: the connection is not stable; left alone until it is unplugged", h.name(n))
		return
	}
	p.dead = false
	b.attach(h, n)
}

// powerAgain gives a port its power back that over-current took. What is connected
// to it then shows as a change.
func (b *Bus) powerAgain(h hub, n int) {
	p := h.port(n)
	if time.Since(p.powered) > calmTime {
		p.powers = 0
	}
	if p.powers++; p.powers > maxPowers {
		klog.Errorf("%s: the port loses its power again and again; left without", h.name(n))
		return
	}
	time.Sleep(coolTime)
	p.powered = time.Now()
	if err := h.power(n); err != nil && !errors.Is(err, ErrGone) {
		klog.Warnf("%s: port power: %v", h.name(n), err)
	}
}

// attach finds out what has been connected to a port.
func (b *Bus) attach(h hub, n int) {
	p, name := h.port(n), h.name(n)
	var err error
	for try := range attempts {
		if b.stopping() || h.gone() {
			return
		}
		var d *device
		if d, err = b.try(h, n, try > 0); err == nil {
			p.child, p.since = d, time.Now()
			b.report(d, true)
			d.start()
			return
		}
		if errors.Is(err, errEmptyPort) {
			return
		}
		if errors.Is(err, ErrGone) {
			klog.Debugf("%s: %v", h.name(n), err)
			continue
		}
		if try+1 < attempts {
			klog.Debugf("%s: %v; once more", name, err)
		}
	}
	if errors.Is(err, ErrGone) {
		return // what it hangs on is gone, or what comes next is told of
	}
	p.dead = true
	klog.Errorf("%s: %v; left alone until it is unplugged", name, err)
}

var (
	errEmptyPort = errors.New("nothing is connected")
	errUnstable  = errors.New("the connection does not become stable")
	errDisabled  = errors.New("the port is not enabled after its reset")
)

// try does one attempt of attach. again says that it is not the first: the device
// may have an address already, which only a reset takes away.
func (b *Bus) try(h hub, n int, again bool) (*device, error) {
	st, err := b.settle(h, n)
	if err != nil {
		return nil, err
	}
	klog.Infof("%s: something is connected", h.name(n))
	if !st.Super || !st.Enabled || again {
		if err := h.reset(n); err != nil {
			return nil, fmt.Errorf("port reset: %w", err)
		}
		time.Sleep(resetRecovery)
		if st, err = h.status(n); err != nil {
			return nil, err
		}
	}
	if !st.Connected {
		return nil, errEmptyPort
	}
	if !st.Enabled {
		return nil, errDisabled
	}
	return b.enumerate(h, n, st)
}

// settle waits until the connection of a port has been stable for a while.
func (b *Bus) settle(h hub, n int) (PortStatus, error) {
	stable := time.Duration(0)
	for waited := time.Duration(0); ; waited += stableStep {
		st, err := h.status(n)
		if err != nil {
			return st, err
		}
		if !st.Connected || st.Changed {
			stable = 0
		}
		switch {
		case stable >= stableTime && st.Connected:
			return st, nil
		case waited >= stableLimit && st.Connected:
			return st, errUnstable
		case waited >= stableLimit:
			return st, errEmptyPort
		}
		time.Sleep(stableStep)
		stable += stableStep
	}
}

// remove forgets the device on a port, and all behind it.
func (b *Bus) remove(h hub, n int) {
	p := h.port(n)
	d := p.child
	if d == nil {
		return
	}
	p.child = nil
	klog.Infof("%s: disconnected", d.name)
	d.stop()
	b.report(d, false)
}

func (b *Bus) report(d *device, connected bool) {
	if b.tell != nil {
		b.tell(d.info, connected)
	}
}

// rootHub is the controller's own ports.
type rootHub struct {
	b     *Bus
	ports []port // [0] is not used
}

func (r *rootHub) count() int                       { return len(r.ports) - 1 }
func (r *rootHub) port(n int) *port                 { return &r.ports[n] }
func (r *rootHub) gone() bool                       { return r.b.stopping() }
func (r *rootHub) status(n int) (PortStatus, error) { return r.b.host.Port(n) }
func (r *rootHub) reset(n int) error                { return r.b.host.ResetPort(n) }
func (r *rootHub) power(n int) error                { return r.b.host.PowerPort(n) }
func (r *rootHub) attend() bool                     { return false }
func (r *rootHub) locate(n int, s Speed) Location   { return Location{Port: n, Speed: s} }
func (r *rootHub) name(n int) string                { return fmt.Sprintf("usb %d-%d", r.b.number, n) }
func (r *rootHub) depth() int                       { return 0 }
