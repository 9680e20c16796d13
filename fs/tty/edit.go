package tty

import (
	"golang.org/x/sys/unix"
)

// erase takes back a character (VERASE), a word (VWERASE) or the whole line
// (VKILL) of the line being edited, on the screen too.
func (d *discipline) erase(c byte) {
	if d.in.head == d.in.canonHead {
		return
	}
	lflag := d.tio.Lflag
	one, word := d.is(c, unix.VERASE), false
	if !one {
		word = d.is(c, unix.VWERASE)
	}
	if !one && !word {
		if lflag&unix.ECHO == 0 {
			d.in.head = d.in.canonHead
			return
		}
		const visually = unix.ECHOK | unix.ECHOKE | unix.ECHOE
		if lflag&visually != visually {
			d.in.head = d.in.canonHead
			d.finishErasing()
			d.echo(d.tio.Cc[unix.VKILL])
			if lflag&unix.ECHOK != 0 {
				d.echoRaw('\n')
			}
			return
		}
	}
	inWord := false
	for d.in.head != d.in.canonHead {
		// Go back over one character, which in UTF-8 may be several bytes.
		head := d.in.head - 1
		for d.isContinuation(d.in.at(head)) && head != d.in.canonHead {
			head--
		}
		c := d.in.at(head)
		if d.isContinuation(c) {
			break // the lead byte is missing: leave what is there
		}
		if word {
			if isWordChar(c) {
				inWord = true
			} else if inWord {
				break
			}
		}
		n := d.in.head - head
		d.in.head = head
		if lflag&unix.ECHO != 0 {
			d.echoErased(c, n, one)
		}
		if one {
			break
		}
	}
	if d.in.head == d.in.canonHead && lflag&unix.ECHO != 0 {
		d.finishErasing()
	}
}

// echoErased shows that the character of n bytes that begins with c, now just
// past the queue's head, is gone.
func (d *discipline) echoErased(c byte, n uint64, one bool) {
	lflag := d.tio.Lflag
	switch {
	case lflag&unix.ECHOPRT != 0:
		if !d.erasing {
			d.echoRaw('\\')
			d.erasing = true
		}
		d.echo(c)
		for i := uint64(1); i < n; i++ {
			d.echoRaw(d.in.at(d.in.head + i))
			if d.column > 0 {
				d.column--
			}
		}
	case one && lflag&unix.ECHOE == 0:
		d.echo(d.tio.Cc[unix.VERASE])
	case c == '\t':
		columns, afterTab := d.widthBeforeTab()
		d.echoEraseTab(columns, afterTab)
	default:
		if isControl(c) && lflag&unix.ECHOCTL != 0 {
			d.echoErase()
		}
		if !isControl(c) || lflag&unix.ECHOCTL != 0 {
			d.echoErase()
		}
	}
}

// widthBeforeTab returns how many columns the line being edited takes up since
// its beginning or, if afterTab, since its last tab.
func (d *discipline) widthBeforeTab() (columns uint, afterTab bool) {
	for pos := d.in.head; pos != d.in.canonHead; {
		pos--
		switch c := d.in.at(pos); {
		case c == '\t':
			return columns, true
		case isControl(c):
			if d.tio.Lflag&unix.ECHOCTL != 0 {
				columns += 2
			}
		case !d.isContinuation(c):
			columns++
		}
	}
	return columns, false
}

// flushInput discards what was typed and not read.
func (d *discipline) flushInput() {
	d.in.reset()
	d.lnext, d.erasing = false, false
}

// flushOutput discards what was written and not sent. On a pseudo-terminal the
// other side counts as having received what its own queue could hold, but for
// what VSTOP held back.
func (d *discipline) flushOutput() {
	keep := d.keepOutput
	if d.holdRoom && d.stopped {
		keep = min(keep, max(int(d.stoppedAt-d.out.tail), 0))
		d.column, d.canonColumn = d.stoppedColumn, d.stoppedCanon
	}
	d.out.cut(keep)
}
