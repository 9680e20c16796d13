package tty

import (
	"golang.org/x/sys/unix"
)

// discipline is the line discipline proper (N_TTY): how characters that arrive
// become lines and echo, and how what is written becomes what is sent. It knows
// nothing of tasks, locks and devices. All of it is guarded by Terminal.mu.
type discipline struct {
	tio Termios

	in    inputQueue
	lnext bool // the next character is taken literally (VLNEXT)

	out         byteQueue
	column      uint // of the cursor
	canonColumn uint // where the line being edited began
	erasing     bool // an ECHOPRT erasure is open
	keepOutput  int  // how much of the output queue flushOutput leaves

	stopped                     bool               // output is held by VSTOP
	tcoStopped                  bool               // output is held by tcflow(TCOOFF)
	stoppedAt                   uint64             // head of the output queue when stopped was set
	stoppedColumn, stoppedCanon uint               // column and canonColumn then
	holdRoom                    bool               // no room for writers while stopped: a pseudo-terminal
	onFlow                      func(stopped bool) // told when stopped changes; nil: nobody is

	// What the characters received ask of the terminal; taken by Terminal.
	raise uint64 // signals for the foreground group, bit n for signal n
	flush bool   // an interrupt character discarded the output
}

// Flag says how a character arrived.
type Flag uint8

// What the driver may report of a character.
const (
	Normal  Flag = iota
	Break        // the line was held at zero
	Parity       // wrong parity
	Frame        // no stop bit
	Overrun      // characters before this one were lost
)

// receive takes p, all of whose characters arrived as flag says, as far as the
// input queue has room for them, and returns how many it took. Those that find
// no room wait where they are until a reader has made some; in canonical mode,
// with no whole line to read, what exceeds the queue is dropped instead, so that
// the line can be ended.
func (d *discipline) receive(p []byte, flag Flag) int {
	done := 0
	for done < len(p) {
		room := inputSize - d.in.count()
		if d.tio.Iflag&unix.PARMRK != 0 {
			room = (room + 2) / 3
		}
		room--
		if room <= 0 {
			if !d.canonical() || d.in.canonHead != d.in.tail {
				break
			}
			if room < 0 {
				d.in.head-- // overwrite the last character of the overlong line
			}
			room = 1
		}
		n := min(room, len(p)-done)
		for _, c := range p[done : done+n] {
			d.receiveOne(c, flag)
		}
		done += n
	}
	return done
}

// canonical reports whether input is handed out by lines. EXTPROC leaves line
// editing to the other side.
func (d *discipline) canonical() bool {
	return d.tio.Lflag&unix.ICANON != 0 && d.tio.Lflag&unix.EXTPROC == 0
}

func (d *discipline) receiveOne(c byte, flag Flag) {
	iflag, lflag := d.tio.Iflag, d.tio.Lflag
	literal := d.lnext
	d.lnext = false
	if flag != Normal && !d.raw() {
		d.receiveFlagged(c, flag)
		return
	}
	if d.raw() {
		d.in.put(c)
		return
	}
	if iflag&unix.ISTRIP != 0 {
		c &= 0x7f
	}
	if iflag&unix.IUCLC != 0 && lflag&unix.IEXTEN != 0 {
		c = lower(c)
	}
	switch {
	case lflag&unix.EXTPROC != 0 && !literal:
		d.in.put(c)
	case literal || !d.special(c):
		d.receiveChar(c)
	}
}

// raw reports whether characters are stored as they come, without any look at them.
func (d *discipline) raw() bool {
	const in = unix.IGNBRK | unix.BRKINT | unix.IGNPAR | unix.PARMRK | unix.INPCK |
		unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON | unix.IUCLC
	const local = unix.ISIG | unix.ICANON | unix.IEXTEN | unix.ECHO
	return d.tio.Iflag&in == 0 && d.tio.Lflag&local == 0
}

// lower is tolower of the kernel's ctype, which is that of ISO 8859-1.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' || 0xc0 <= c && c <= 0xde && c != 0xd7 {
		c += 0x20
	}
	return c
}

// isWordChar reports whether c belongs to a word for VWERASE.
func isWordChar(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		return true
	}
	return c >= 0xc0 && c != 0xd7 && c != 0xf7
}

// receiveChar stores an ordinary character and echoes it.
func (d *discipline) receiveChar(c byte) {
	d.restartByAny()
	if d.tio.Lflag&unix.ECHO != 0 {
		d.finishErasing()
		d.markColumn()
		d.echo(c)
	}
	d.store(c)
}

// markColumn notes where on the screen the line being edited begins, at its first character.
func (d *discipline) markColumn() {
	if d.in.canonHead == d.in.head {
		d.canonColumn = d.column
	}
}

// store puts c on the input queue; PARMRK doubles 0xff.
func (d *discipline) store(c byte) {
	if c == 0xff && d.tio.Iflag&unix.PARMRK != 0 {
		d.in.put(c)
	}
	d.in.put(c)
}

// restartByAny lets IXANY restart stopped output.
func (d *discipline) restartByAny() {
	const both = unix.IXON | unix.IXANY
	if d.stopped && d.tio.Iflag&both == both {
		d.start()
	}
}

// stop holds output.
func (d *discipline) stop() {
	if !d.stopped {
		d.stoppedAt = d.out.head
		d.stoppedColumn, d.stoppedCanon = d.column, d.canonColumn
		d.setStopped(true)
	}
}

// start lets output go on after VSTOP; tcflow(TCOOFF) holds it still.
func (d *discipline) start() {
	if !d.tcoStopped {
		d.setStopped(false)
	}
}

func (d *discipline) setStopped(on bool) {
	if d.stopped == on {
		return
	}
	d.stopped = on
	if d.onFlow != nil {
		d.onFlow(on)
	}
}

// is reports whether c is the control character of index i.
func (d *discipline) is(c byte, i int) bool { return c != disabled && c == d.tio.Cc[i] }

// special deals with c if it has a meaning of its own, and reports whether it has.
func (d *discipline) special(c byte) bool {
	iflag, lflag := d.tio.Iflag, d.tio.Lflag
	if iflag&unix.IXON != 0 {
		switch {
		case d.is(c, unix.VSTART):
			d.start()
			return true
		case d.is(c, unix.VSTOP):
			d.stop()
			return true
		}
	}
	if lflag&unix.ISIG != 0 {
		switch {
		case d.is(c, unix.VINTR):
			d.signal(unix.SIGINT, c)
			return true
		case d.is(c, unix.VQUIT):
			d.signal(unix.SIGQUIT, c)
			return true
		case d.is(c, unix.VSUSP):
			d.signal(unix.SIGTSTP, c)
			return true
		}
	}
	was := c
	switch {
	case c == '\r' && iflag&unix.IGNCR != 0:
		return true
	case c == '\r' && iflag&unix.ICRNL != 0:
		c = '\n'
	case c == '\n' && iflag&unix.INLCR != 0:
		c = '\r'
	}
	d.restartByAny()
	if lflag&unix.ICANON != 0 && d.edit(c) {
		return true
	}
	if c == was {
		return false
	}
	if lflag&unix.ECHO != 0 {
		d.finishErasing()
		if c == '\n' {
			d.echoRaw(c)
		} else {
			d.markColumn()
			d.echo(c)
		}
	}
	d.store(c)
	return true
}

// signal raises sig for the foreground group. Unless NOFLSH, what was typed and
// what was not yet sent is discarded.
func (d *discipline) signal(sig unix.Signal, c byte) {
	d.raise |= 1 << uint(sig)
	if d.tio.Lflag&unix.NOFLSH == 0 {
		d.flush = true
		d.flushOutput()
		d.flushInput()
	}
	if d.tio.Iflag&unix.IXON != 0 {
		d.start()
	}
	if c != disabled && d.tio.Lflag&unix.ECHO != 0 {
		d.echo(c)
	}
}

// edit is the part of special that canonical mode adds: line editing and the
// characters that end a line.
func (d *discipline) edit(c byte) bool {
	lflag := d.tio.Lflag
	extended := lflag&unix.IEXTEN != 0
	switch {
	case d.is(c, unix.VERASE), d.is(c, unix.VKILL), extended && d.is(c, unix.VWERASE):
		d.erase(c)
	case extended && d.is(c, unix.VLNEXT):
		d.lnext = true
		if lflag&unix.ECHO != 0 {
			d.finishErasing()
			if lflag&unix.ECHOCTL != 0 {
				d.echoRaw('^')
				d.echoRaw('\b')
			}
		}
	case extended && lflag&unix.ECHO != 0 && d.is(c, unix.VREPRINT):
		d.finishErasing()
		d.echo(c)
		d.echoRaw('\n')
		for pos := d.in.canonHead; pos != d.in.head; pos++ {
			d.echo(d.in.at(pos))
		}
	case c == '\n':
		if lflag&(unix.ECHO|unix.ECHONL) != 0 {
			d.echoRaw('\n')
		}
		d.endLine(c)
	case d.is(c, unix.VEOF):
		d.endLine(disabled)
	case d.is(c, unix.VEOL), extended && d.is(c, unix.VEOL2):
		if lflag&unix.ECHO != 0 {
			d.markColumn()
			d.echo(c)
		}
		if c == 0xff && d.tio.Iflag&unix.PARMRK != 0 {
			d.in.put(c)
		}
		d.endLine(c)
	default:
		return false
	}
	return true
}

// endLine stores c as the end of the line being edited. VEOF is stored as a NUL
// that ends a line and is not handed out.
func (d *discipline) endLine(c byte) {
	d.in.setEnd(d.in.head)
	d.in.put(c)
	d.in.canonHead = d.in.head
}

// receiveFlagged takes a character that did not arrive well (termios(3): BRKINT,
// IGNBRK, PARMRK, IGNPAR, INPCK).
func (d *discipline) receiveFlagged(c byte, flag Flag) {
	iflag := d.tio.Iflag
	switch flag {
	case Break:
		switch {
		case iflag&unix.IGNBRK != 0:
			return
		case iflag&unix.BRKINT != 0:
			d.signal(unix.SIGINT, disabled)
			return
		case iflag&unix.PARMRK != 0:
			d.in.put(0xff)
			d.in.put(0)
		}
		d.in.put(0)
	case Parity, Frame:
		if iflag&unix.INPCK == 0 {
			if iflag&unix.IGNPAR == 0 {
				d.in.put(c)
			}
			return
		}
		switch {
		case iflag&unix.IGNPAR != 0:
			return
		case iflag&unix.PARMRK != 0:
			d.in.put(0xff)
			d.in.put(0)
			d.in.put(c)
		default:
			d.in.put(0)
		}
	case Overrun:
		// Lost characters cannot be marked in the stream; the driver counts them.
	}
}
