package tty

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// writeChunk is how much a write takes from its caller at a time.
const writeChunk = 2048

// write is write(2) to a terminal. The whole call has the terminal's write turn:
// other writers wait, echo of what is typed may come in between.
func (t *Terminal) write(ctx *fs.Context, o *file, nonblock bool, it *mm.Iter) (int, error) {
	if !o.console && t.localFlag(unix.TOSTOP) {
		if err := t.checkChange(ctx, unix.SIGTTOU); err != nil {
			return 0, err
		}
	}
	if err := t.takeTurn(ctx.Thread, &t.writeWait, &t.writing, nonblock); err != nil {
		return 0, err
	}
	defer t.endTurn(&t.writeWait, &t.writing)
	if t.wbuf == nil {
		t.wbuf = make([]byte, writeChunk)
	}
	total := 0
	for it.Len() > 0 {
		n, err := it.CopyFrom(t.wbuf)
		left := t.wbuf[:n]
		for len(left) > 0 && err == nil {
			var k int
			k, err = t.queueOutput(o, left)
			total += k
			left = left[k:]
			if len(left) > 0 && err == nil {
				err = t.waitRoom(ctx.Thread, o, nonblock)
			}
		}
		if err != nil {
			it.Revert(len(left))
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
	}
	return total, nil
}

func (t *Terminal) localFlag(f uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tio.Lflag&f != 0
}

// queueOutput puts what there is room for of p on the output queue.
func (t *Terminal) queueOutput(o *file, p []byte) (int, error) {
	t.mu.Lock()
	if o.hungUpLocked() {
		t.mu.Unlock()
		return 0, unix.EIO
	}
	n := t.discipline.write(p)
	ready := t.outputReadyLocked()
	t.mu.Unlock()
	if ready {
		t.startOutput()
	}
	return n, nil
}

// maxExpansion is the most bytes that one character becomes by output processing: a tab.
const maxExpansion = 8

// waitRoom waits until any character fits onto the output queue.
func (t *Terminal) waitRoom(th *wait.Thread, o *file, nonblock bool) error {
	if nonblock {
		return unix.EAGAIN
	}
	return t.writeWait.Wait(th, wait.Never, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.room() >= maxExpansion || o.hungUpLocked()
	})
}

// poll is poll(2): input that a read would take, room that a write would find.
func (t *Terminal) poll(o *file, pt *wait.PollTable) uint32 {
	pt.Add(&t.readWait, evIn|evHup|evErr)
	pt.Add(&t.writeWait, evOut|evHup|evErr)
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.hungUpLocked() {
		return evIn | evOut | evErr | evHup
	}
	ev := uint32(0)
	if t.inputAvailable(true) {
		ev |= evIn
	}
	if !t.writing && t.unsentLocked() < wakeupChars && t.room() >= maxExpansion {
		ev |= evOut
	}
	return ev
}

// flow is tcflow(3).
func (t *Terminal) flow(action uint64) error {
	t.mu.Lock()
	switch action {
	case unix.TCOOFF:
		t.tcoStopped = true
		t.stop()
	case unix.TCOON:
		if t.tcoStopped {
			t.tcoStopped = false
			t.setStopped(false)
		}
	case unix.TCIOFF, unix.TCION:
		c := t.tio.Cc[unix.VSTOP]
		if action == unix.TCION {
			c = t.tio.Cc[unix.VSTART]
		}
		if c != disabled {
			if t.driver != nil {
				t.xchar = c
			} else {
				t.out.append([]byte{c})
			}
		}
	default:
		t.mu.Unlock()
		return unix.EINVAL
	}
	ready := t.outputReadyLocked()
	t.mu.Unlock()
	if ready {
		t.startOutput()
	}
	return nil
}

// flushQueues is tcflush(3).
func (t *Terminal) flushQueues(which uint64) error {
	status := byte(0)
	t.mu.Lock()
	switch which {
	case unix.TCIFLUSH:
		status = unix.TIOCPKT_FLUSHREAD
	case unix.TCOFLUSH:
		status = unix.TIOCPKT_FLUSHWRITE
	case unix.TCIOFLUSH:
		status = unix.TIOCPKT_FLUSHREAD | unix.TIOCPKT_FLUSHWRITE
	default:
		t.mu.Unlock()
		return unix.EINVAL
	}
	if which != unix.TCOFLUSH {
		t.flushInput()
		t.backlog.cut(0)
		t.throttleLocked()
	}
	if which != unix.TCIFLUSH {
		t.flushOutput()
	}
	t.mu.Unlock()
	t.wakeWriters()
	if t.master != nil {
		t.master.noteStatus(status)
		t.master.writeWait.Wake(evOut)
	}
	return nil
}
