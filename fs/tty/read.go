package tty

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// readChunk is how much a read moves at a time: a whole line always.
const readChunk = inputSize

// tenth is the unit of VTIME in nanoseconds.
const tenth = 100_000_000

// inputAvailable reports whether a read has something to take. For poll, raw
// mode without a timer wants VMIN characters. Precondition: mu held.
func (t *Terminal) inputAvailable(poll bool) bool {
	if t.canonical() {
		return t.in.canonHead != t.in.tail
	}
	want := 1
	if vmin := int(t.tio.Cc[unix.VMIN]); poll && t.tio.Cc[unix.VTIME] == 0 && vmin > 0 {
		want = vmin
	}
	return t.in.count() >= want
}

// takeTurn waits until *busy is false and sets it. EAGAIN when it would have to
// wait and may not.
func (t *Terminal) takeTurn(th *wait.Thread, q *wait.Queue, busy *bool, nonblock bool) error {
	try := func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		if *busy {
			return false
		}
		*busy = true
		return true
	}
	if try() {
		return nil
	}
	if nonblock {
		return unix.EAGAIN
	}
	return q.Wait(th, wait.Never, try)
}

func (t *Terminal) endTurn(q *wait.Queue, busy *bool) {
	t.mu.Lock()
	*busy = false
	t.mu.Unlock()
	q.Wake(evAny)
}

// read is read(2) of a terminal: at most one line in canonical mode, otherwise
// as VMIN and VTIME say (termios(3), "Canonical and noncanonical mode").
func (t *Terminal) read(ctx *fs.Context, o *file, nonblock bool, it *mm.Iter) (int, error) {
	if it.Len() == 0 {
		return 0, nil
	}
	if err := t.takeTurn(ctx.Thread, &t.readWait, &t.reading, nonblock); err != nil {
		return 0, err
	}
	defer t.endTurn(&t.readWait, &t.reading)
	if t.rbuf == nil {
		t.rbuf = make([]byte, readChunk)
	}

	t.mu.Lock()
	deadline, between, minimum := wait.Never, int64(0), 0
	if t.tio.Lflag&unix.ICANON == 0 {
		minimum = int(t.tio.Cc[unix.VMIN])
		timer := int64(t.tio.Cc[unix.VTIME]) * tenth
		if minimum > 0 {
			between = timer
		} else {
			minimum = 1
			deadline = wait.Now() + timer
		}
	}
	total := 0
	for {
		if !t.inputAvailable(false) {
			hungUp := o.hungUpLocked()
			t.mu.Unlock()
			if hungUp || deadline != wait.Never && wait.Now() >= deadline {
				return total, nil
			}
			if err := t.waitInput(ctx.Thread, o, nonblock, deadline); err == unix.ETIMEDOUT {
				return total, nil
			} else if err != nil {
				if total > 0 {
					return total, nil
				}
				return 0, err
			}
			t.mu.Lock()
			continue
		}
		line := t.canonical()
		n := t.fetch(t.rbuf[:min(it.Len(), readChunk)])
		t.pumpLocked()
		t.throttleLocked()
		t.afterInput() // unlocks
		if t.master != nil {
			t.master.writeWait.Wake(evOut)
		}
		done, err := it.CopyTo(t.rbuf[:n])
		total += done
		if err != nil {
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
		if line || total >= minimum || it.Len() == 0 {
			return total, nil
		}
		if between != 0 {
			deadline = wait.Now() + between
		}
		t.mu.Lock()
	}
}

// waitInput sleeps until there is input or o is hung up.
func (t *Terminal) waitInput(th *wait.Thread, o *file, nonblock bool, deadline int64) error {
	if nonblock {
		return unix.EAGAIN
	}
	return t.readWait.Wait(th, deadline, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.inputAvailable(false) || o.hungUpLocked()
	})
}

// fetch takes characters from the input queue into p and returns how many: in
// canonical mode up to the end of a line. Precondition: mu held, input available.
func (d *discipline) fetch(p []byte) int {
	if !d.canonical() {
		n := min(len(p), d.in.count())
		for i := range n {
			p[i] = d.in.at(d.in.tail)
			d.in.tail++
		}
		if n == 1 && d.tio.Lflag&unix.ICANON != 0 && p[0] == d.tio.Cc[unix.VEOF] && d.in.count() == 0 {
			return 0 // under EXTPROC a lone VEOF is an end of file all the same
		}
		return n
	}
	n := 0
	for n < len(p) && d.in.tail != d.in.canonHead {
		c, end := d.in.at(d.in.tail), d.in.isEnd(d.in.tail)
		d.in.clearEnd(d.in.tail)
		d.in.tail++
		if end && c == disabled {
			return n // VEOF: ends the line and is not part of it
		}
		p[n] = c
		n++
		if end {
			return n
		}
	}
	// A reader who wanted just the characters before VEOF has had its whole line.
	if d.in.tail != d.in.canonHead && d.in.isEnd(d.in.tail) && d.in.at(d.in.tail) == disabled {
		d.in.clearEnd(d.in.tail)
		d.in.tail++
	}
	return n
}

// setMode makes the input queue fit a change of the local flags from old to
// d.tio: what was typed under the other mode stays readable.
func (d *discipline) setMode(old *Termios) {
	const mode = unix.ICANON | unix.EXTPROC
	if (old.Lflag^d.tio.Lflag)&mode != 0 {
		clear(d.in.ends[:])
		if d.tio.Lflag&unix.ICANON == 0 || d.in.count() == 0 {
			d.in.canonHead = d.in.tail
		} else {
			// What is there becomes a line of its own.
			d.in.setEnd(d.in.head - 1)
			d.in.canonHead = d.in.head
		}
		d.erasing, d.lnext = false, false
	}
	if d.tio.Iflag&unix.IXON == 0 && old.Iflag&unix.IXON != 0 {
		d.start()
	}
}
