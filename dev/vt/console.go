package vt

import (
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/screen"
	"tamarix/arch/wait"
	"tamarix/dev/kbd"
	"tamarix/dev/vt/term"
	"tamarix/fs"
	"tamarix/fs/tty"
)

// Count is the number of virtual terminals.
const Count = 4

// Consoles is the virtual terminals of a screen. Make it with New; it can show
// the kernel log at once, and is given its terminals by Attach.
type Consoles struct {
	display    screen.Display
	cols, rows int
	drawer     drawer

	// switched is woken whenever another terminal has come to the front or
	// something else has happened that VT_WAITACTIVE waits for.
	switched wait.Queue

	mu      sync.Mutex // guards everything below, and the consoles
	vts     [Count]*console
	front   int  // the one that is shown; 1 to Count
	last    int  // the one that was shown before
	wanted  int  // the one that is to be shown when the process in front agrees; 0: none
	locked  bool // VT_LOCKSWITCH
	unknown bool // what the display shows is not known: a program may have drawn
	atOnce  bool // the log is drawn before Log returns
	logTo   int  // TIOCL_SETKMSGREDIRECT; 0: the foreground
	palette [16]uint32

	// Set by Attach, and immutable from then on.
	keys   *kbd.Keyboards // nil: none
	caller func(ctx *fs.Context) Process
}

// console is one virtual terminal. It is the driver of its fs/tty terminal.
type console struct {
	all  *Consoles
	n    int           // immutable
	tty  *tty.Terminal // set by Attach, then immutable
	keys *kbd.Terminal // likewise; nil: there are no keyboards

	// Guarded by all.mu.
	screen   *term.Screen // nil until it is first used
	modes    keyModes     // what keys has been told
	graphics bool         // KD_GRAPHICS
	owner    owner        // VT_SETMODE
}

// keyModes are the modes of the keyboard that the emulator decides on.
type keyModes struct{ appCursor, appKeypad, newLine, repeat bool }

// New makes the virtual terminals of d and shows the first of them. Until Started
// is called each part of the log is drawn before Log returns: if the machine hangs
// while it starts, the screen shows how far it has come.
func New(d screen.Display) *Consoles {
	c := &Consoles{display: d, front: 1, last: 1, unknown: true, atOnce: true}
	c.cols, c.rows = d.Size()
	for i := range c.vts {
		c.vts[i] = &console{all: c, n: i + 1, modes: keyModes{repeat: true}}
	}
	first := c.vts[0].emulator()
	c.cols, c.rows = first.Size()
	c.palette = first.Look().Palette
	c.drawer.init(c)
	go c.drawer.run()
	c.drawer.wake()
	return c
}

// emulator returns the emulator of v, making it if this is its first use.
// Precondition: mu held.
func (v *console) emulator() *term.Screen {
	if v.screen == nil {
		v.screen = term.New(v.all.cols, v.all.rows)
		if v.all.palette != [16]uint32{} {
			v.screen.SetPalette(v.all.palette)
		}
	}
	return v.screen
}

// Config is what Attach connects the virtual terminals with.
type Config struct {
	Terminals *tty.Manager
	Keyboards *kbd.Keyboards                // nil: there are none
	Dev       func(n int) uint64            // the device number of terminal n
	Caller    func(ctx *fs.Context) Process // the process that ctx's task belongs to
}

// Attach makes the terminals on c, tty1 and on, and connects them with the
// keyboards. It is called once.
func (c *Consoles) Attach(config Config) []*tty.Terminal {
	c.mu.Lock()
	c.keys, c.caller = config.Keyboards, config.Caller
	c.mu.Unlock()
	var terminals []*tty.Terminal
	for _, v := range c.vts {
		if c.keys != nil {
			v.keys = c.keys.NewTerminal(v.input)
		}
		v.tty = config.Terminals.NewTerminal(tty.Config{
			Name: ttyName(v.n), Dev: config.Dev(v.n), Driver: v, Speed: 38400, UTF8: true,
			Rows: uint16(c.rows), Cols: uint16(c.cols),
		})
		terminals = append(terminals, v.tty)
	}
	if c.keys != nil {
		c.keys.SetForeground(c.vts[c.front-1].keys)
		c.keys.SetSink(c)
	}
	return terminals
}

func ttyName(n int) string { return "tty" + string(rune('0'+n)) }

// Foreground returns the terminal that is shown; nil before Attach.
func (c *Consoles) Foreground() *tty.Terminal {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.vts[c.front-1].tty
}

// Log shows a part of the kernel log on terminal n: text as a terminal in raw
// mode gets it, with CR LF between lines. It may be called from any goroutine.
func (c *Consoles) Log(n int, text []byte) {
	c.mu.Lock()
	if n == 0 {
		n = c.logTo
	}
	if n == 0 {
		n = c.front
	}
	shown := n == c.front
	c.vts[n-1].emulator().Log(text)
	atOnce := c.atOnce
	c.mu.Unlock()
	switch {
	case !shown:
	case atOnce:
		c.Flush()
	default:
		c.drawer.wake()
	}
}

// Started says that the machine has started: from now on the log is drawn when
// there is time, as everything else is.
func (c *Consoles) Started() {
	c.mu.Lock()
	c.atOnce = false
	c.mu.Unlock()
}

// slice is how many bytes the emulator is given at once, with everything locked:
// a few bytes may ask it to fill the screen, or to move all of it, and keys and the
// log wait meanwhile.
const slice = 128

// Write implements [tty.Driver]: p goes to the emulator.
func (v *console) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), slice)
		v.write(rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

// write gives p to the emulator and does what it asks for.
func (v *console) write(p []byte) {
	c := v.all
	c.mu.Lock()
	s := v.emulator()
	s.Write(p)
	e := s.TakeEffects()
	v.tellKeys(&e)
	keys, shown := c.keys, v.n == c.front
	c.mu.Unlock()
	if shown {
		c.drawer.wake()
	}
	if len(e.Reply) > 0 && v.tty != nil {
		v.tty.Receive(e.Reply)
	}
	if e.Bell && keys != nil {
		keys.Bell(bellPitch, bellLength)
	}
	switch {
	case e.Front > 0:
		c.Switch(e.Front)
	case e.Front < 0:
		c.Last()
	}
}

// The sound of BEL, hertz and milliseconds (console_codes(4)).
const (
	bellPitch  = 750
	bellLength = 125
)

// tellKeys tells the keyboard of modes that have changed. Precondition: mu held.
func (v *console) tellKeys(e *term.Effects) {
	if v.keys == nil {
		return
	}
	if e.Reset {
		v.keys.Reset()
		v.modes = keyModes{repeat: true}
	}
	s := v.screen
	now := keyModes{s.AppCursor(), s.AppKeypad(), s.NewLine(), s.Repeat()}
	if now != v.modes {
		v.keys.SetMode(kbd.ApplicationCursor, now.appCursor)
		v.keys.SetMode(kbd.ApplicationKeypad, now.appKeypad)
		v.keys.SetMode(kbd.NewLine, now.newLine)
		v.keys.SetMode(kbd.AutoRepeat, now.repeat)
		v.modes = now
	}
	if e.LightLEDs|e.DarkLEDs != 0 {
		v.keys.ShowLEDs(kbd.LEDs(e.LightLEDs), kbd.LEDs(e.DarkLEDs))
	}
}

// input takes what was typed while v is in the foreground.
func (v *console) input(p []byte) {
	c := v.all
	c.mu.Lock()
	back := v.screen != nil && v.screen.ScrolledBack()
	if back {
		v.screen.Scroll(c.rows * 1000)
	}
	c.mu.Unlock()
	if back {
		c.drawer.wake()
	}
	v.tty.Receive(p)
}

// SetTermios implements [tty.Driver]: there is no line to set up.
func (v *console) SetTermios(t *tty.Termios) {
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB|unix.CSTOPB) | unix.CS8 | unix.CREAD
}

// Flow implements [tty.Stoppable]: the light of Scroll Lock shows that output is
// stopped, by whichever key.
func (v *console) Flow(stopped bool) {
	if v.keys != nil {
		v.keys.SetLock(kbd.ScrollLock, stopped)
	}
}

// HungUp implements [tty.Hanger]: a display server that can use the terminal no
// more does not keep it from those who come next.
func (v *console) HungUp() {
	c := v.all
	c.mu.Lock()
	held := v.graphics || v.owner.process != nil
	if held {
		v.reset()
		if c.front == v.n {
			c.wanted = 0
		}
	}
	c.mu.Unlock()
	if held {
		c.drawer.wake()
	}
}

// Break implements [tty.Driver].
func (v *console) Break(int) {}

// Portion implements [tty.Fast].
func (v *console) Portion() int { return 2048 }

// Resize implements [tty.Resizer]: the screen's size is what it is.
func (v *console) Resize(rows, cols uint16) error {
	if int(rows) != v.all.rows || int(cols) != v.all.cols {
		return unix.EINVAL
	}
	return nil
}
