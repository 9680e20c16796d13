package xhci

import (
	"time"

	"tamarix/dev/usb"
)

// A port's reset takes 50 ms on a USB 2 port and 120 ms for a warm reset on a USB
// 3 port; it is looked at every portStep.
const (
	portStep  = 5 * time.Millisecond
	portLimit = time.Second
)

// Name implements [usb.Host].
func (c *controller) Name() string { return c.cfg.Name }

// Ports implements [usb.Host].
func (c *controller) Ports() int { return c.ports }

// Port implements [usb.Host]. An event comes only when the first change of a port is
// noted, so all of them are cleared, until there is none.
func (c *controller) Port(n int) (usb.PortStatus, error) {
	v := c.readPort(n)
	changes := v & portChanges
	for range 16 {
		if v == 0xffff_ffff || v&portChanges == 0 {
			break
		}
		c.writePort(n, v&(portKeep|portChanges))
		v = c.readPort(n)
		changes |= v & portChanges
	}
	if v == 0xffff_ffff {
		return usb.PortStatus{}, errNoDevice
	}
	return usb.PortStatus{
		Connected:   v&portConnected != 0,
		Enabled:     v&portEnabled != 0,
		Changed:     changes&portCSC != 0,
		OverCurrent: v&portOver != 0,
		Off:         c.power && v&portPower == 0,
		Super:       c.super(n),
		Speed:       c.speed(n, v>>portSpeedShift),
	}, nil
}

// PowerPort implements [usb.Host].
func (c *controller) PowerPort(n int) error {
	if v := c.readPort(n); c.power && v&portPower == 0 {
		c.writePort(n, v&portKeep|portPower)
	}
	return nil
}

// ResetPort implements [usb.Host]. A USB 3 port gets a warm reset, which helps where
// the training of the link went wrong: in all other cases it needs none.
func (c *controller) ResetPort(n int) error {
	bit, done := uint32(portReset), uint32(portPRC)
	if c.super(n) {
		bit, done = portWarmReset, portPRC|portWRC
	}
	v := c.readPort(n)
	c.writePort(n, v&portKeep|v&(portPRC|portWRC)) // of an earlier one
	c.writePort(n, v&portKeep|bit)
	for waited := time.Duration(0); waited < portLimit; waited += portStep {
		time.Sleep(portStep)
		v := c.readPort(n)
		switch {
		case v == 0xffff_ffff:
			return errNoDevice
		case v&portConnected == 0 && !c.super(n):
			return usb.ErrGone
		case v&done != 0 && v&portReset == 0:
			return nil
		}
	}
	return usb.ErrTimeout
}
