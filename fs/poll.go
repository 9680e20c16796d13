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
	var few [8]polled
	files := few[:0]
	if len(fds) > len(few) {
		files = make([]polled, 0, len(fds))
	}
	defer func() {
		ctx.pollTab.Release()
		for i := range files {
			if files[i].f != nil {
				files[i].f.Unref()
			}
		}
	}()
	for i := range fds {
		p := polled{events: uint32(uint16(fds[i].Events)) | pollAlways}
		if fds[i].FD >= 0 {
			p.f = ctx.Files.get(fds[i].FD)
			if p.f != nil && p.f.mode&ModePath != 0 {
				p.f.Unref()
				p.f = nil
			}
		}
		files = append(files, p)
	}
	return ctx.pollLoop(deadline, func(pt *wait.PollTable) int {
		n := 0
		for i := range files {
			p, out := &files[i], &fds[i]
			switch {
			case p.f != nil:
				if pt != nil {
					pt.Key = p.events
				}
				out.Revents = int16(p.f.ops.Poll(p.f, pt) & p.events)
			case out.FD >= 0:
				out.Revents = unix.POLLNVAL
			default:
				out.Revents = 0
			}
			if out.Revents != 0 {
				n++
				pt = nil // there will be no sleep
			}
		}
		return n
	})
}

// pollLoop calls scan until it finds something, the deadline comes or the task
// is interrupted. scan gets the table to register with the first time only.
func (ctx *Context) pollLoop(deadline int64, scan func(pt *wait.PollTable) int) (int, error) {
	pt := &ctx.pollTab
	pt.Thread = ctx.Thread
	timedOut := deadline >= 0 && deadline <= wait.Now()
	if timedOut {
		pt = nil
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
		ctx.pollTab.Release()
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
