package vt

import (
	"golang.org/x/sys/unix"

	"tamarix/dev/kbd"
	"tamarix/fs/tty"
)

// modeProcess is a process that has taken the switching of terminals into its
// own hands for one of them (VT_SETMODE with VT_PROCESS, ioctl_console(2)).
type modeProcess struct {
	on       bool
	owner    Process
	release  unix.Signal // asks it to give the terminal up; 0: none
	acquire  unix.Signal // tells it that it has it again; 0: none
	waitKeys bool        // waitv, which is kept for VT_GETMODE
}

// Process is a process that can be sent a signal, however long it lives.
type Process interface {
	// Signal returns an error if there is no such process any more.
	Signal(sig unix.Signal) error
}

// Switch implements [kbd.Sink]: it shows terminal n, as soon as the process that
// has the one in front lets it go. A terminal that does not exist is no error.
func (c *Consoles) Switch(n int) { c.switchTo(n) }

// Cycle implements [kbd.Sink]. Terminals that nobody uses are passed over.
func (c *Consoles) Cycle(by int) {
	c.mu.Lock()
	n := c.front
	for range Count - 1 {
		n = (n-1+by+Count)%Count + 1
		if c.vts[n-1].screen != nil {
			break
		}
	}
	used := c.vts[n-1].screen != nil
	c.mu.Unlock()
	if used {
		c.switchTo(n)
	}
}

// Last implements [kbd.Sink].
func (c *Consoles) Last() {
	c.mu.Lock()
	n := c.last
	c.mu.Unlock()
	c.switchTo(n)
}

// Scroll implements [kbd.Sink].
func (c *Consoles) Scroll(halfScreens int) {
	c.mu.Lock()
	if s := c.vts[c.front-1].screen; s != nil {
		s.Scroll(halfScreens * c.rows / 2)
	}
	c.mu.Unlock()
	c.drawer.wake()
}

// Hold implements [kbd.Sink]: Scroll Lock stops the output, and its light shows
// that.
func (c *Consoles) Hold() {
	c.mu.Lock()
	v := c.vts[c.front-1]
	c.mu.Unlock()
	if v.tty != nil && v.keys != nil {
		v.keys.SetLock(kbd.ScrollLock, v.tty.Hold())
	}
}

// Break implements [kbd.Sink].
func (c *Consoles) Break() {
	if t := c.Foreground(); t != nil {
		t.ReceiveError(0, tty.Break)
	}
}

// switchTo is Switch.
func (c *Consoles) switchTo(n int) {
	if n < 1 || n > Count {
		return
	}
	c.mu.Lock()
	if n == c.front || c.locked {
		c.mu.Unlock()
		return
	}
	c.change(n)
	c.mu.Unlock()
	c.drawer.wake()
	c.switched.WakeAll(^uint32(0))
}

// change brings terminal n to the front. Precondition: mu held.
func (c *Consoles) change(n int) {
	c.last, c.front, c.wanted = c.front, n, 0
	v := c.vts[n-1]
	v.emulator().Redraw()
	if c.keys != nil {
		c.keys.SetForeground(v.keys)
	}
}
