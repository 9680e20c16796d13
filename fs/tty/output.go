package tty

import (
	"golang.org/x/sys/unix"
)

// echoRoom is the part of the output queue that only echo may fill, so that a
// writer who fills the rest does not swallow the echo of what is typed. When
// echo itself finds no room it is dropped, never the input.
const echoRoom = 4096

// isControl reports whether c is a control character to the line discipline
// (iscntrl of the kernel's ctype: bytes from 0x80 up are not).
func isControl(c byte) bool { return c < 0x20 || c == 0x7f }

// isContinuation reports whether c continues a UTF-8 sequence on a terminal that speaks UTF-8.
func (d *discipline) isContinuation(c byte) bool {
	return d.tio.Iflag&unix.IUTF8 != 0 && c&0xc0 == 0x80
}

// room returns how many bytes a writer may add to the output queue.
func (d *discipline) room() int {
	if d.holdRoom && d.stopped {
		return 0
	}
	return len(d.out.buf) - echoRoom - d.out.len()
}

// write puts as much of p as there is room for on the output queue, processed
// as the output flags say, and returns how much of p that was.
func (d *discipline) write(p []byte) int {
	if d.tio.Oflag&unix.OPOST == 0 {
		return d.out.append(p[:min(len(p), max(d.room(), 0))])
	}
	for i := 0; i < len(p); i++ {
		// A run of ordinary characters goes in one piece.
		if n := d.plainRun(p[i:]); n > 0 {
			d.out.append(p[i : i+n])
			i += n
			if i == len(p) {
				break
			}
		}
		if !d.process(p[i], d.room()) {
			return i
		}
	}
	return len(p)
}

// plainRun counts the characters at the beginning of p that go out as they are
// and for which there is room, and moves the column over them.
func (d *discipline) plainRun(p []byte) int {
	p = p[:min(len(p), max(d.room(), 0))]
	if d.tio.Oflag&unix.OLCUC != 0 {
		return 0
	}
	for i, c := range p {
		if isControl(c) {
			return i
		}
		if !d.isContinuation(c) {
			d.column++
		}
	}
	return len(p)
}

// process puts c on the output queue as the output flags of termios(3) say. It
// reports false, and does nothing, when that needs more than room bytes.
func (d *discipline) process(c byte, room int) bool {
	if room < 1 {
		return false
	}
	oflag := d.tio.Oflag
	switch c {
	case '\n':
		if oflag&unix.ONLRET != 0 {
			d.column = 0
		}
		if oflag&unix.ONLCR != 0 {
			if room < 2 {
				return false
			}
			d.column = 0
			d.out.put('\r')
		}
		d.canonColumn = d.column
	case '\r':
		if oflag&unix.ONOCR != 0 && d.column == 0 {
			return true
		}
		if oflag&unix.OCRNL != 0 {
			c = '\n'
			if oflag&unix.ONLRET == 0 {
				break
			}
		}
		d.canonColumn, d.column = 0, 0
	case '\t':
		spaces := 8 - d.column&7
		if oflag&unix.TABDLY == unix.XTABS {
			if room < int(spaces) {
				return false
			}
			d.column += spaces
			for range spaces {
				d.out.put(' ')
			}
			return true
		}
		d.column += spaces
	case '\b':
		if d.column > 0 {
			d.column--
		}
	default:
		if isControl(c) {
			break
		}
		if oflag&unix.OLCUC != 0 {
			c = upper(c)
		}
		if !d.isContinuation(c) {
			d.column++
		}
	}
	d.out.put(c)
	return true
}

// upper is toupper of the kernel's ctype, which is that of ISO 8859-1.
func upper(c byte) byte {
	if 'a' <= c && c <= 'z' || c >= 0xdf && c != 0xf7 {
		c -= 0x20
	}
	return c
}

// freeOutput is the room that echo has.
func (d *discipline) freeOutput() int { return len(d.out.buf) - d.out.len() }

// echoRaw echoes c through output processing, control characters as themselves.
func (d *discipline) echoRaw(c byte) {
	if d.tio.Oflag&unix.OPOST != 0 && c != 0xff {
		d.process(c, d.freeOutput())
		return
	}
	if c == 0xff {
		d.column++
	}
	if d.freeOutput() > 0 {
		d.out.put(c)
	}
}

// echo echoes c; under ECHOCTL a control character appears as ^X.
func (d *discipline) echo(c byte) {
	if d.tio.Lflag&unix.ECHOCTL == 0 || !isControl(c) || c == '\t' {
		d.echoRaw(c)
		return
	}
	if d.freeOutput() >= 2 {
		d.out.put('^')
		d.out.put(c ^ 0x40)
		d.column += 2
	}
}

// echoErase moves the cursor back over one column and blanks it.
func (d *discipline) echoErase() {
	d.echoRaw('\b')
	d.echoRaw(' ')
	d.echoRaw('\b')
}

// echoEraseTab moves the cursor back to where it was before a tab. columns is
// the width of what was typed before the tab, since the start of the line or,
// if afterTab, since another tab.
func (d *discipline) echoEraseTab(columns uint, afterTab bool) {
	columns &= 7
	if !afterTab {
		columns += d.canonColumn
	}
	for range 8 - columns&7 {
		if d.freeOutput() > 0 {
			d.out.put('\b')
		}
		if d.column > 0 {
			d.column--
		}
	}
}

// finishErasing closes the /.../ of ECHOPRT.
func (d *discipline) finishErasing() {
	if d.erasing {
		d.echoRaw('/')
		d.erasing = false
	}
}
