package tty

import (
	"math/bits"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
)

// Driver is the device under a real terminal. Its methods may block. Write is
// called by one goroutine at a time, the others possibly beside it.
type Driver interface {
	// Write sends p.
	Write(p []byte) (int, error)
	// SetTermios tells the device of changed line settings: speed, character
	// size, parity, stop bits (c_cflag, c_ospeed). It corrects in t what the device cannot do.
	SetTermios(t *Termios)
	// Break holds the line at zero for the given number of milliseconds.
	Break(ms int)
}

// What a Driver may have beyond that.
type (
	// Fast is a Driver that takes output much faster than a line does.
	Fast interface {
		// Portion is how many bytes Write is to get at once at most. What is on
		// its way to Write no stop character can hold.
		Portion() int
	}
	// Resizer is a Driver that has a say in the window's size.
	Resizer interface {
		// Resize returns an error if the window cannot have that size.
		Resize(rows, cols uint16) error
	}
	// Stoppable is a Driver that shows whether output is stopped.
	Stoppable interface {
		// Flow is called whenever output is stopped or goes on, with the
		// terminal locked: it must not block, nor call back.
		Flow(stopped bool)
	}
	// Hanger is a Driver that wants to know of hang-ups.
	Hanger interface {
		// HungUp is called after a hang-up: nobody who used the terminal until
		// now can do so any more.
		HungUp()
	}
	// Ioctler is a Driver with requests of its own.
	Ioctler interface {
		// Ioctl does what the terminal itself does not know: ENOTTY if the
		// driver does not either.
		Ioctl(ctx *fs.Context, cmd uint32, arg uint64) (uintptr, error)
	}
)

// Sizes of a terminal's queues in bytes. Powers of two.
const (
	outputSize     = 4096 + echoRoom  // of a real terminal: one page for writers
	ptyOutputSize  = 12288 + echoRoom // what a Linux pty takes before its writer waits
	backlogSize    = 65536            // received and not yet looked at
	ptyBacklogSize = 8192

	wakeupChars = 256 // POLLOUT holds while fewer bytes wait to be sent (WAKEUP_CHARS of linux/tty.h)
)

// Terminal is one terminal: a serial line, or the slave side of a
// pseudo-terminal.
type Terminal struct {
	// Immutable.
	name    string // as in "ttyS0", "pts/3"
	dev     uint64
	driver  Driver  // nil: a pseudo-terminal
	master  *Master // of a pseudo-terminal
	jobs    JobControl
	initial Termios
	kick    chan struct{} // wakes the transmitter; nil without a driver

	mu sync.Mutex // guards everything from here to the wait queues
	discipline
	backlog   byteQueue // received while the input queue had no room
	lost      uint64    // characters received while the backlog was full
	throttled bool      // the sender was asked to stop (IXOFF)
	xchar     byte      // to be sent before all else; 0: none
	sending   bool      // the driver is at work
	sid, pgid int32     // the session it controls, the foreground group; 0: none
	opens     int       // open files
	hangUps   uint64
	exclusive bool // TIOCEXCL
	reading   bool // a reader has its turn; it owns rbuf
	writing   bool // a writer has its turn; it owns wbuf
	rows      uint16
	cols      uint16
	xpixel    uint16
	ypixel    uint16

	rbuf []byte // between input queue and user memory; made at the first read
	wbuf []byte // between user memory and output queue; made at the first write

	readWait  wait.Queue // input came, the reader's turn is free
	writeWait wait.Queue // there is room for output, all is sent, the writer's turn is free
}

// Default size of a window whose size nobody has set.
const (
	defaultRows = 24
	defaultCols = 80
)

// Config describes a real terminal.
type Config struct {
	Name   string // as in "ttyS0"
	Dev    uint64 // device number (unix.Mkdev)
	Driver Driver
	Speed  uint32 // bits per second
	UTF8   bool   // what is typed is UTF-8 (IUTF8)
	Rows   uint16 // of the window; 0: not known
	Cols   uint16
}

// NewTerminal makes a terminal on a driver and starts its transmitter. What the
// driver receives is to be given to Receive.
func (m *Manager) NewTerminal(c Config) *Terminal {
	cflag := SpeedCode(c.Speed) | unix.CS8 | unix.CREAD | unix.HUPCL | unix.CLOCAL
	t := &Terminal{
		name: c.Name, dev: c.Dev, driver: c.Driver, jobs: m.jobs,
		initial: defaultTermios(cflag), kick: make(chan struct{}, 1),
		rows: defaultRows, cols: defaultCols,
	}
	if c.Rows != 0 && c.Cols != 0 {
		t.rows, t.cols = c.Rows, c.Cols
	}
	if c.UTF8 {
		t.initial.Iflag |= unix.IUTF8
	}
	if c.Speed != 0 {
		t.initial.Ispeed, t.initial.Ospeed = c.Speed, c.Speed
	}
	if s, ok := c.Driver.(Stoppable); ok {
		t.onFlow = s.Flow
	}
	t.tio = t.initial
	t.out = newByteQueue(outputSize)
	t.backlog = lazyQueue(backlogSize)
	go t.transmit()
	return t
}

// Name returns the name of its device node below /dev.
func (t *Terminal) Name() string { return t.name }

// Receive takes characters from the driver. It does not block; p may be used
// again afterwards.
func (t *Terminal) Receive(p []byte) { t.receiveFlagged(p, Normal) }

// ReceiveError takes a character that the driver received with an error, or a
// break. Flagged characters are not kept in the backlog: they are lost when the
// input queue is full.
func (t *Terminal) ReceiveError(c byte, flag Flag) { t.receiveFlagged([]byte{c}, flag) }

func (t *Terminal) receiveFlagged(p []byte, flag Flag) {
	t.mu.Lock()
	if t.opens == 0 || t.tio.Cflag&unix.CREAD == 0 {
		t.mu.Unlock()
		return
	}
	n := t.takeLocked(p, flag)
	t.lost += uint64(len(p) - n)
	t.afterInput() // unlocks
}

// takeLocked puts p through the discipline and what does not fit into the
// backlog, and returns how much of p was taken. Precondition: mu held.
func (t *Terminal) takeLocked(p []byte, flag Flag) int {
	t.pumpLocked()
	n := 0
	if t.backlog.len() == 0 {
		n = t.discipline.receive(p, flag)
	}
	if n < len(p) && flag == Normal {
		n += t.backlog.append(p[n:])
	}
	t.throttleLocked()
	return n
}

// pumpLocked moves what it can from the backlog through the discipline.
// Precondition: mu held.
func (t *Terminal) pumpLocked() {
	for t.backlog.len() > 0 {
		p := t.backlog.peek(backlogSize)
		n := t.discipline.receive(p, Normal)
		t.backlog.drop(n)
		if n < len(p) {
			return
		}
	}
}

// Room in the input queue at which the sender is asked to stop, and fill at
// which it may go on (TTY_THRESHOLD_* of Linux drivers/tty/n_tty.c).
const (
	throttleRoom   = 128
	unthrottleFill = 128
)

// throttleLocked asks the sender to stop or to go on, under IXOFF.
// Precondition: mu held.
func (t *Terminal) throttleLocked() {
	if t.driver == nil {
		return
	}
	c := byte(disabled)
	switch {
	case !t.throttled && t.tio.Iflag&unix.IXOFF != 0 && inputSize-t.in.count() < throttleRoom &&
		(!t.canonical() || t.in.canonHead != t.in.tail):
		t.throttled = true
		c = t.tio.Cc[unix.VSTOP]
	case t.throttled && t.in.count() <= unthrottleFill:
		t.throttled = false
		c = t.tio.Cc[unix.VSTART]
	}
	if c != disabled {
		t.xchar = c
	}
}

// afterInput acts on what the discipline left to be done: it releases mu, sends
// signals, wakes readers and starts the transmitter. Precondition: mu held.
func (t *Terminal) afterInput() {
	raise, sid, pgid := t.raise, t.sid, t.pgid
	t.raise = 0
	flushed := t.flush
	t.flush = false
	input := t.inputAvailable(false) // a reader may have had a part of its VMIN already
	output := t.outputReadyLocked()
	t.mu.Unlock()
	if flushed {
		t.wakeWriters()
		if t.master != nil {
			t.master.noteStatus(unix.TIOCPKT_FLUSHREAD | unix.TIOCPKT_FLUSHWRITE)
		}
	}
	for raise != 0 {
		sig := unix.Signal(bits.TrailingZeros64(raise))
		raise &= raise - 1
		if pgid != 0 {
			t.jobs.SignalGroup(sid, pgid, sig)
		}
	}
	if input {
		t.readWait.Wake(evIn)
	}
	if output {
		t.startOutput()
	}
}

// outputReadyLocked reports whether there is something that may be sent now.
// Precondition: mu held.
func (t *Terminal) outputReadyLocked() bool {
	return t.xchar != 0 || t.out.len() > 0 && !t.stopped && !t.tcoStopped
}

// startOutput tells whoever takes the output away that there is some.
func (t *Terminal) startOutput() {
	if t.driver == nil {
		t.master.readWait.Wake(evIn)
		t.wakeWriters() // that VSTOP may have held
		return
	}
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

func (t *Terminal) wakeWriters() { t.writeWait.Wake(evOut) }

// transmit is the transmitter: it hands the output queue to the driver, in
// portions small enough for VSTOP to act soon.
func (t *Terminal) transmit() {
	size := 64
	if f, ok := t.driver.(Fast); ok {
		size = f.Portion()
	}
	portion := make([]byte, size)
	for range t.kick {
		for {
			t.mu.Lock()
			n := 0
			switch {
			case t.xchar != 0:
				portion[0], t.xchar = t.xchar, 0
				n = 1
			case t.outputReadyLocked():
				n = copy(portion, t.out.peek(len(portion)))
				t.out.drop(n)
			}
			t.sending = n > 0
			wake := n == 0 || t.out.len() < wakeupChars
			t.mu.Unlock()
			if wake {
				t.wakeWriters()
			}
			if n == 0 {
				break
			}
			t.driver.Write(portion[:n])
		}
	}
}

// Hold stops output as VSTOP does, or lets it go on as VSTART does if it was
// stopped: the key Scroll Lock. On a terminal that nobody has open it means nothing.
func (t *Terminal) Hold() {
	t.mu.Lock()
	switch {
	case t.opens == 0:
	case t.stopped:
		t.start()
	default:
		t.stop()
	}
	ready := t.outputReadyLocked()
	t.mu.Unlock()
	if ready {
		t.startOutput()
	}
}

// unsentLocked returns how many bytes wait to be sent. The master of a
// pseudo-terminal counts as having received all. Precondition: mu held.
func (t *Terminal) unsentLocked() int {
	if t.driver == nil {
		return 0
	}
	n := t.out.len()
	if n == 0 && t.sending {
		n = 1
	}
	return n
}

// drain waits until all output is sent: tcdrain(3).
func (t *Terminal) drain(th *wait.Thread) error {
	return t.writeWait.Wait(th, wait.Never, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.unsentLocked() == 0
	})
}

// Drain waits until all output is sent or the deadline (on the clock of
// [wait.Now]) has come: for the end of the machine's run. It overrides VSTOP.
func (t *Terminal) Drain(deadline int64) {
	t.mu.Lock()
	t.tcoStopped = false
	t.setStopped(false)
	t.mu.Unlock()
	t.startOutput()
	var th wait.Thread
	th.Bind()
	t.writeWait.Wait(&th, deadline, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.unsentLocked() == 0
	})
}
