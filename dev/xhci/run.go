package xhci

import (
	"errors"
	"fmt"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/mmio"
	"tamarix/dev/usb"
)

// Config is a controller and what it is connected with.
type Config struct {
	Name      string // for the log
	Number    int    // in the names of devices
	Registers mmio.Registers
	Memory    dma.Allocator
	Keys      usb.Keyboards

	// Interrupt gets a value for each interrupt, or for several; it should have
	// room for one. nil: there are none, the controller has to be polled.
	Interrupt <-chan struct{}

	// Taken, if set, is called when the firmware has been made to let go of the
	// controller, before it is reset.
	Taken func()
	// Present, if set, reports whether the controller is still in the machine.
	Present func() bool
	// Quiet, if set, keeps the controller from memory for good; it is called
	// when the controller is given up.
	Quiet func()
	// Changed, if set, is called for each device that was found or is gone.
	Changed func(d usb.Info, connected bool)
	// Done, if set, ends Run when it is closed.
	Done <-chan struct{}
}

// A controller that fails is started again, restarts times at most, unless it has
// run well for healthyTime since.
const (
	restarts    = 5
	restartWait = time.Second
	healthyTime = 5 * time.Minute

	// pollTime is how often events are looked for if there are no interrupts.
	pollTime = 8 * time.Millisecond

	// watchTime is how often a controller is looked at that says nothing. One
	// that has failed (4.10.2.6: an error of the host system raises no
	// interrupt), is gone, or whose interrupt was lost, says nothing either,
	// and a keyboard asks for nothing by which that would be noticed.
	watchTime = 2 * time.Second

	// missedLimit is how often in a row events must have been there without
	// their interrupt: the first may be on its way.
	missedLimit = 2
)

var errDone = errors.New("done")

// Run drives a controller for as long as there is one. It returns when the
// controller cannot be used or is gone; the log says why.
func Run(cfg Config) {
	h, err := readHardware(cfg.Registers)
	if err != nil {
		klog.Errorf("%s: xHCI: %v", cfg.Name, err)
		return
	}
	klog.Infof("%s: xHCI %x.%02x, %d ports, %d slots, %d scratchpad pages, contexts of %d bytes",
		cfg.Name, h.version>>8, h.version&0xff, h.ports, h.slots, h.scratch, h.context)
	h.takeOver(cfg.Name)
	if cfg.Taken != nil {
		cfg.Taken()
	}
	polled := false
	for tries := 0; ; {
		began := time.Now()
		err, polled = runOnce(cfg, h, polled)
		if errors.Is(err, errDone) {
			break
		}
		if cfg.Present != nil && !cfg.Present() {
			klog.Errorf("%s: xHCI: the controller is gone", cfg.Name)
			break
		}
		if time.Since(began) > healthyTime {
			tries = 0
		}
		if tries++; tries > restarts {
			klog.Errorf("%s: xHCI: %v; given up", cfg.Name, err)
			break
		}
		klog.Warnf("%s: xHCI: %v; starting again", cfg.Name, err)
		time.Sleep(restartWait)
	}
	if cfg.Quiet != nil {
		cfg.Quiet()
	}
}

// runOnce runs a controller from one reset to the next failure. polled says
// whether it turned out that interrupts do not come.
func runOnce(cfg Config, h *hardware, polled bool) (error, bool) {
	c := &controller{
		hardware: h, cfg: cfg, polled: polled || cfg.Interrupt == nil,
		kick: make(chan struct{}, 1), dead: make(chan struct{}),
	}
	if err := c.reset(); err != nil {
		return err, polled
	}
	if err := c.start(); err != nil {
		c.halt()
		return err, polled
	}
	bus := usb.NewBus(c, cfg.Number, cfg.Keys, cfg.Changed)
	c.bus.Store(bus)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := c.check(); err != nil {
			c.fail(err)
			return
		}
		bus.Run()
	}()
	err := c.loop()
	c.fail(err)
	bus.Stop()
	<-ended
	c.halt()
	return err, c.polled
}

// check does a command that does nothing: it shows whether commands, events and
// interrupts work.
func (c *controller) check() error {
	if _, err := c.command(trb{control: trbNoOp << trbTypeShift}); err != nil {
		return fmt.Errorf("the first command: %w", err)
	}
	klog.Infof("%s: xHCI: running", c.cfg.Name)
	return nil
}
