package fs

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

// PollFD is struct pollfd (poll(2), asm-generic/poll.h).
type PollFD struct {
	FD      int32
	Events  int16
	Revents int16
}

// pollAlways are reported whether asked for or not.
const pollAlways = unix.POLLERR | unix.POLLHUP

// polled is one file in a poll, held for its duration.
type polled struct {
	f      *File
	events uint32
}

// Poll is poll(2): it fills in Revents and returns how many are not zero. The
// deadline is on the clock of wait.Now, wait.Never for none. Interrupted:
// wait.ErrRestartSys.
func (ctx *Context) Poll(fds []PollFD, deadline int64) (int, error) {
	// If others can close descriptors, the files are held while we sleep.
	var held *heldFiles
	if ctx.Files.Shared() {
		held = new(heldFiles)
		defer held.release()
	}
	return ctx.pollLoop(deadline, func(pt *wait.PollTable) int {
		if held != nil {
			return ctx.Files.pollHeld(fds, pt, held)
		}
		return ctx.Files.poll(fds, pt)
	})
}

// poll fills in the Revents of fds and returns how many are not zero. As long
// as there are none, it registers with pt, if not nil. Nobody but the caller
// closes descriptors meanwhile.
func (t *FDTable) poll(fds []PollFD, pt *wait.PollTable) (n int) {
	for i := range fds {
		var f *File
		fd, s := int(fds[i].FD), t.slots.Load().f
		if uint(fd) < uint(len(s)) {
			f = s[fd].Load()
		}
		if f != nil && f.mode&ModePath == 0 {
			if pt != nil {
				pt.Key = uint32(uint16(fds[i].Events)) | pollAlways
			}
			ev := f.ops.Poll(f, pt) & (uint32(uint16(fds[i].Events)) | pollAlways)
			fds[i].Revents = int16(ev)
			if ev == 0 {
				continue
			}
		} else if fd < 0 {
			fds[i].Revents = 0
			continue
		} else {
			fds[i].Revents = unix.POLLNVAL
		}
		n++
		pt = nil // there will be no sleep
	}
	return n
}

// heldFiles are files with a reference each, for the duration of a call.
type heldFiles struct{ f []*File }

func (h *heldFiles) release() {
	for _, f := range h.f {
		f.Unref()
	}
}

// pollHeld is poll for a table whose descriptors others can close: what it
// registers with stays open until held is released.
func (t *FDTable) pollHeld(fds []PollFD, pt *wait.PollTable, held *heldFiles) (n int) {
	for i := range fds {
		p := &fds[i]
		p.Revents = 0
		if p.FD < 0 {
			continue
		}
		f := t.get(p.FD)
		if f == nil || f.mode&ModePath != 0 {
			p.Revents = unix.POLLNVAL
		} else {
			if pt != nil {
				pt.Key = uint32(uint16(p.Events)) | pollAlways
			}
			p.Revents = int16(f.ops.Poll(f, pt) & (uint32(uint16(p.Events)) | pollAlways))
		}
		if p.Revents != 0 {
			n++
		}
		if f != nil && pt != nil {
			held.f = append(held.f, f)
		} else if f != nil {
			f.Unref()
		}
		if n > 0 {
			pt = nil // there will be no sleep
		}
	}
	return n
}

// PollBuf returns room for n structures that poll(2) works on, to be used until
// its end. What most programs need is kept for the next time.
func (ctx *Context) PollBuf(n int) []PollFD {
	const keep = 512
	if n > keep {
		return make([]PollFD, n)
	}
	if n > len(ctx.pollFDs) {
		ctx.pollFDs = make([]PollFD, max(n, min(2*len(ctx.pollFDs), keep), 8))
	}
	return ctx.pollFDs[:n]
}

// pollLoop calls scan until it finds something, the deadline comes or the task
// is interrupted. scan gets the table to register with the first time only.
func (ctx *Context) pollLoop(deadline int64, scan func(pt *wait.PollTable) int) (int, error) {
	timedOut := deadline >= 0 && (deadline == 0 || deadline <= wait.Now())
	var pt *wait.PollTable
	if !timedOut {
		if ctx.pollTab == nil {
			ctx.pollTab = &wait.PollTable{Thread: ctx.Thread}
		}
		pt = ctx.pollTab
		defer pt.Release()
	}
	for {
		ctx.Thread.Prepare()
		n := scan(pt)
		pt = nil
		if n > 0 || timedOut {
			return n, nil
		}
		if ctx.Thread.Interrupted() || ctx.Thread.Killed() {
			return 0, wait.ErrRestartSys
		}
		timedOut = ctx.Thread.ParkUntil(deadline)
	}
}

// What select(2) counts as readable, writable, exceptional (fs/select.c).
const (
	selectIn  = unix.POLLIN | PollRDNorm | PollRDBand | unix.POLLHUP | unix.POLLERR
	selectOut = unix.POLLOUT | PollWRNorm | PollWRBand | unix.POLLERR
	selectEx  = unix.POLLPRI
)

// Select is select(2) on bit sets of n descriptors, 64 to a word; nil stands
// for an empty set. The sets are overwritten with what is ready.
func (ctx *Context) Select(n int, in, out, ex []uint64, deadline int64) (int, error) {
	bit := func(set []uint64, fd int) bool { return set != nil && set[fd>>6]&(1<<(uint(fd)&63)) != 0 }
	var fds []int32
	var few [8]polled
	files := few[:0]
	defer func() {
		for i := range files {
			files[i].f.Unref()
		}
	}()
	for fd := 0; fd < n; fd++ {
		ev := uint32(0)
		if bit(in, fd) {
			ev |= selectIn
		}
		if bit(out, fd) {
			ev |= selectOut
		}
		if bit(ex, fd) {
			ev |= selectEx
		}
		if ev == 0 {
			continue
		}
		f, err := ctx.Files.Get(int32(fd))
		if err != nil {
			return 0, err
		}
		files = append(files, polled{f, ev})
		fds = append(fds, int32(fd))
	}
	rin, rout, rex := make([]uint64, len(in)), make([]uint64, len(out)), make([]uint64, len(ex))
	total, err := ctx.pollLoop(deadline, func(pt *wait.PollTable) int {
		count := 0
		for i := range files {
			p, fd := &files[i], int(fds[i])
			if pt != nil {
				pt.Key = p.events | pollAlways
			}
			ev := p.f.ops.Poll(p.f, pt)
			mark := func(asked, result []uint64, want uint32) {
				if ev&want != 0 && bit(asked, fd) {
					result[fd>>6] |= 1 << (uint(fd) & 63)
					count++
				}
			}
			mark(in, rin, selectIn)
			mark(out, rout, selectOut)
			mark(ex, rex, selectEx)
			if count > 0 {
				pt = nil
			}
		}
		return count
	})
	if err != nil {
		return 0, err
	}
	copy(in, rin)
	copy(out, rout)
	copy(ex, rex)
	return total, nil
}
