package vt

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tty"
)

// Process is a process that can be sent a signal for as long as it lives.
type Process interface {
	// Signal returns an error if there is no such process any more.
	Signal(sig unix.Signal) error
}

// owner is the process that has taken the switching away from a terminal into
// its own hands (VT_SETMODE with VT_PROCESS, ioctl_console(2)).
type owner struct {
	process Process // nil: there is none, the terminal is switched away at once
	waitv   byte    // kept for VT_GETMODE
	release uint16  // the signal that asks it to give the terminal up
	acquire uint16  // the signal that tells it that it has it again
}

// encode writes o as a struct vt_mode (linux/vt.h).
func (o *owner) encode(b []byte) {
	if o.process != nil {
		b[0] = modeOwner
	}
	b[1] = o.waitv
	binary.LittleEndian.PutUint16(b[2:], o.release)
	binary.LittleEndian.PutUint16(b[4:], o.acquire)
	binary.LittleEndian.PutUint16(b[6:], 0) // frsig means nothing
}

// setOwner is VT_SETMODE: mode is a struct vt_mode.
func (v *console) setOwner(ctx *fs.Context, mode []byte) error {
	o := owner{
		waitv:   mode[1],
		release: binary.LittleEndian.Uint16(mode[2:]),
		acquire: binary.LittleEndian.Uint16(mode[4:]),
	}
	switch mode[0] {
	case modeAuto:
	case modeOwner:
		if o.release > maxSignal || o.acquire > maxSignal {
			return unix.EINVAL
		}
		o.process = v.all.caller(ctx)
	default:
		return unix.EINVAL
	}
	c := v.all
	c.mu.Lock()
	v.owner = o
	if c.front == v.n {
		c.wanted = 0
	}
	c.mu.Unlock()
	return nil
}

// maxSignal is the highest signal number (_NSIG).
const maxSignal = 64

// Switch implements [kbd.Sink]: it shows terminal n. If a process owns the one in
// front it is asked first, and the switch waits for its answer. A terminal that
// does not exist is no error.
func (c *Consoles) Switch(n int) {
	if n < 1 || n > Count {
		return
	}
	c.mu.Lock()
	v := c.vts[c.front-1]
	o := v.owner
	if n == c.front || c.locked || v.graphics && o.process == nil {
		c.mu.Unlock()
		return
	}
	if o.process != nil {
		c.wanted = n
		c.mu.Unlock()
		if o.process.Signal(unix.Signal(o.release)) == nil {
			return
		}
		c.mu.Lock()
		v.disown(o.process)
		if c.front != v.n {
			c.mu.Unlock()
			return
		}
	}
	c.bringToFront(n) // unlocks
}

// disown undoes what p, which does not exist any more, has set. Precondition: mu
// held.
func (v *console) disown(p Process) {
	if v.owner.process != p {
		return
	}
	v.reset()
}

// reset gives v back to those who read and write text on it, whatever a display
// server that is gone has set. Precondition: mu held.
func (v *console) reset() {
	v.owner = owner{}
	v.setGraphics(false)
	if v.keys != nil {
		v.keys.Unraw()
	}
}

// setGraphics is KDSETMODE. Precondition: mu held.
func (v *console) setGraphics(on bool) {
	if v.graphics && !on {
		v.all.unknown = true
	}
	v.graphics = on
}

// release is VT_RELDISP, the owner's answer.
func (v *console) release(answer uint64) error {
	c := v.all
	c.mu.Lock()
	n := c.wanted
	switch {
	case v.owner.process == nil:
		c.mu.Unlock()
		return unix.EINVAL
	case c.front != v.n || n == 0:
		c.mu.Unlock()
		if answer != ackAcquired {
			return unix.EINVAL
		}
		return nil
	case answer == 0: // no
		c.wanted = 0
		c.mu.Unlock()
		return nil
	}
	c.bringToFront(n) // unlocks
	return nil
}

// bringToFront shows terminal n and tells whom it concerns. Precondition: mu
// held; it unlocks it.
func (c *Consoles) bringToFront(n int) {
	if c.vts[c.front-1].graphics {
		c.unknown = true
	}
	c.last, c.front, c.wanted = c.front, n, 0
	v := c.vts[n-1]
	v.emulator().Redraw()
	if c.keys != nil {
		c.keys.SetForeground(v.keys)
	}
	o := v.owner
	c.mu.Unlock()
	c.drawer.wake()
	c.switched.WakeAll(^uint32(0))
	if o.process != nil && o.process.Signal(unix.Signal(o.acquire)) != nil {
		c.mu.Lock()
		v.disown(o.process)
		c.mu.Unlock()
		c.drawer.wake()
	}
}

// waitActive is VT_WAITACTIVE: it sleeps until terminal n is in front.
func (c *Consoles) waitActive(ctx *fs.Context, n int) error {
	err := c.switched.Wait(ctx.Thread, wait.Never, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.front == n
	})
	if err == wait.ErrRestartSys {
		return unix.EINTR // as on Linux, it is not restarted
	}
	return err
}

// lock is VT_LOCKSWITCH and VT_UNLOCKSWITCH.
func (c *Consoles) lock(on bool) {
	c.mu.Lock()
	c.locked = on
	c.mu.Unlock()
}

// Cycle implements [kbd.Sink]. Terminals that have not been used are passed over.
func (c *Consoles) Cycle(by int) {
	c.mu.Lock()
	n := c.front
	for range Count {
		n = (n-1+by+Count)%Count + 1
		if c.vts[n-1].screen != nil {
			break
		}
	}
	c.mu.Unlock()
	c.Switch(n)
}

// Last implements [kbd.Sink].
func (c *Consoles) Last() {
	c.mu.Lock()
	n := c.last
	c.mu.Unlock()
	c.Switch(n)
}

// Scroll implements [kbd.Sink].
func (c *Consoles) Scroll(halfScreens int) { c.scrollLines(halfScreens * c.rows / 2) }

// scrollLines moves the view of the terminal in front by n lines, back if
// negative.
func (c *Consoles) scrollLines(n int) {
	c.mu.Lock()
	if s := c.vts[c.front-1].screen; s != nil {
		s.Scroll(n)
	}
	c.mu.Unlock()
	c.drawer.wake()
}

// Hold implements [kbd.Sink]: Scroll Lock stops the output.
func (c *Consoles) Hold() {
	if t := c.Foreground(); t != nil {
		t.Hold()
	}
}

// Break implements [kbd.Sink].
func (c *Consoles) Break() {
	if t := c.Foreground(); t != nil {
		t.ReceiveError(0, tty.Break)
	}
}
