package i8042

import (
	"sync/atomic"
	"time"

	arch "tamarix/arch/amd64"
	"tamarix/dev/kbd"
)

// The controller of a PC: at its two ports, with interrupts 1 and 12.

// ringSize is how many bytes wait for the goroutine at most: more than a
// keyboard sends in a second.
const ringSize = 256

// The handler takes at most so many bytes at once, and looks so often whether there
// are more: a controller has one or two, and an imitation 16.
const (
	burst  = 32
	bursts = 8
)

// pc is the machine's one controller, where its interrupt handler finds it.
var pc struct {
	// Set by Start.
	controller *Controller
	irq        *arch.IRQ // nil until a port is listened to

	busy atomic.Bool // a handler reads the ports

	// The ring: status in the upper byte, data in the lower. The handler alone
	// moves head, the goroutine alone tail; both only grow.
	head, tail atomic.Uint32
	ring       [ringSize]uint16

	// The handler's own view of the first port's keys; owned by who set busy.
	decoder   Decoder
	alt       bool
	sysrq     bool
	emergency func()
}

// Start drives the PC's keyboard controller, if there is one. keys gives the
// keyboards. emergency is called in interrupt context when Alt-SysRq-B is typed
// on the first port, before anybody else hears of it: it may reset the machine,
// even one whose goroutines no longer run. Start returns when the keyboards have
// been found; it is called once.
func Start(keys func() *kbd.Keyboards, o Options, emergency func()) error {
	pc.emergency = emergency
	c := New(machine{}, keys, o)
	pc.controller = c
	return c.Start()
}

// receive hands what the handler has read to the driver, for ever.
func receive(q *arch.IRQ, c *Controller) {
	for {
		q.Wait()
		for t := pc.tail.Load(); t != pc.head.Load(); t++ {
			e := pc.ring[t%ringSize]
			pc.tail.Store(t + 1)
			c.Receive(byte(e>>8), byte(e))
		}
	}
}

// interrupt empties the controller into the ring. It runs in interrupt context.
func interrupt(uintptr) bool {
	got := false
	// The lines are edge-triggered: a byte that comes as the handler leaves must
	// not stay, or there are no more edges. A controller whose output never runs
	// dry is left after bursts*burst bytes: each look takes a microsecond.
	for n := 0; n < bursts && arch.In8(commandPort)&statusOutput != 0; n++ {
		if !pc.busy.CompareAndSwap(false, true) {
			break // the other port's handler is at it, and looks again
		}
		for m := 0; m < burst; m++ {
			s := arch.In8(commandPort)
			if s == noController || s&statusOutput == 0 {
				break
			}
			b := arch.In8(dataPort)
			got = true
			if s&statusAuxiliary == 0 {
				pc.decoder.Feed(b, watch)
			}
			if h := pc.head.Load(); h-pc.tail.Load() != ringSize {
				pc.ring[h%ringSize] = uint16(s)<<8 | uint16(b)
				pc.head.Store(h + 1)
			}
		}
		pc.busy.Store(false)
	}
	return got
}

// watch looks for Alt-SysRq-B.
func watch(code kbd.Code, down bool) {
	switch code {
	case kbd.KeyLeftAlt, kbd.KeyRightAlt:
		pc.alt = down
		pc.sysrq = false
	case kbd.KeySysRq:
		pc.sysrq = pc.sysrq || pc.alt && down
	case kbd.KeyB:
		if pc.sysrq && down {
			pc.emergency()
		}
	}
}

// machine is the PC's ports as a [Machine].
type machine struct{}

func (machine) Status() byte                           { return arch.In8(commandPort) }
func (machine) Read() byte                             { return arch.In8(dataPort) }
func (machine) Command(b byte)                         { arch.Out8(commandPort, b) }
func (machine) Write(b byte)                           { arch.Out8(dataPort, b) }
func (machine) Now() time.Duration                     { return time.Duration(arch.Nanotime()) }
func (machine) Sleep(d time.Duration)                  { time.Sleep(d) }
func (machine) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Interrupts routes the interrupt of a port: one vector serves both.
func (machine) Interrupts(aux bool) error {
	if pc.irq == nil {
		q, err := arch.NewIRQ("i8042", interrupt, 0)
		if err != nil {
			return err
		}
		pc.irq = q
		// No handler runs yet, and the controller has said whether it translates.
		pc.decoder.Set2 = pc.controller.ports[0].decoder.Set2
		go receive(q, pc.controller)
	}
	if aux {
		return arch.RouteISA(12, pc.irq)
	}
	return arch.RouteISA(1, pc.irq)
}
