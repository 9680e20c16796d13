package xhci

import (
	"errors"
	"time"

	"tamarix/arch/klog"
)

var (
	errHost    = errors.New("host controller error")
	errSystem  = errors.New("host system error")
	errStopped = errors.New("the controller has stopped by itself")
)

// loop empties the event ring whenever there may be something in it, until the
// controller fails.
func (c *controller) loop() error {
	var tick <-chan time.Time
	watch := time.NewTicker(watchTime)
	defer watch.Stop()
	for missed := 0; ; {
		if missed >= missedLimit && !c.polled {
			c.polled = true
			klog.Warnf("%s: xHCI: interrupts do not come; polling instead", c.cfg.Name)
		}
		if c.polled && tick == nil {
			t := time.NewTicker(pollTime)
			defer t.Stop()
			tick = t.C
		}
		asked := true // or did an interrupt come
		select {
		case <-c.cfg.Interrupt:
			asked, missed = false, 0
		case <-tick:
		case <-c.kick:
		case <-watch.C:
		case <-c.dead:
			return c.err
		case <-c.cfg.Done:
			return errDone
		}
		n, err := c.drain()
		if err != nil {
			return err
		}
		if asked && n > 0 && !c.polled {
			select {
			case <-c.cfg.Interrupt: // it came, only later
				missed = 0
			default:
				missed++
			}
		}
	}
}

// drain handles the events that there are and returns how many.
func (c *controller) drain() (n int, err error) {
	st := c.readOp(opStatus)
	switch {
	case st == 0xffff_ffff:
		return 0, errNoDevice
	case st&statusHostErr != 0:
		return 0, errSystem
	case st&statusHCErr != 0:
		return 0, errHost
	case st&statusHalted != 0:
		return 0, errStopped
	}
	// 5.4.2 and 5.5.2.1: first the event interrupt, then what is pending.
	if st&statusEvent != 0 {
		c.writeOp(opStatus, statusEvent)
	}
	if m := c.readRun(runManage); m&managePending != 0 {
		c.writeRun(runManage, managePending|manageEnable)
	}
	for more := true; more; {
		more = false
		for range ringEntries / 4 {
			t, ok := c.eventRing.take()
			if !ok {
				break
			}
			more = true
			n++
			c.event(t)
		}
		// The controller learns how far the driver is; an event that comes
		// after the last look raises an interrupt again.
		c.write64(c.run+runDequeue, c.eventRing.dequeue()|dequeueBusy)
	}
	return n, nil
}

// event handles one event.
func (c *controller) event(t trb) {
	switch t.kind() {
	case trbCommandEv:
		c.commandEvent(t)
	case trbTransferEv:
		c.mu.Lock()
		s := c.table[t.slot()]
		c.mu.Unlock()
		if s != nil {
			s.event(t)
		}
	case trbPortEv:
		c.portEvent(int(t.param >> 24 & 0xff))
	case trbHostEv:
		klog.Warnf("%s: xHCI: the controller reports: %v", c.cfg.Name, codeError(t.code()))
		if t.code() == codeEventFull {
			c.portChanged(0) // changes of ports may have been lost
		}
	}
}

// portEvent takes the news that a port has changed. What was connected to a port
// that is empty now gets no more answers.
func (c *controller) portEvent(n int) {
	if n < 1 || n > c.ports {
		return
	}
	if v := c.readPort(n); v&portConnected == 0 {
		c.mu.Lock()
		slots := c.table
		c.mu.Unlock()
		for _, s := range slots {
			if s != nil && s.at.Port == n {
				s.abort()
			}
		}
	}
	c.portChanged(n)
}

// portChanged tells the Bus, which looks at all ports when it starts.
func (c *controller) portChanged(n int) {
	if b := c.bus.Load(); b != nil {
		b.PortChanged(n)
	}
}
