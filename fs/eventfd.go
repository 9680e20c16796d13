package fs

import (
	"encoding/binary"
	"math"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/mm"
)

// eventfd is the FileOps of eventfd2(2).
type eventfd struct {
	BaseOps
	semaphore bool
	q         wait.Queue

	mu    sync.Mutex // guards count; leaf but for q
	count uint64
}

// Eventfd is eventfd2(2) without the descriptor: flags are EFD_SEMAPHORE,
// EFD_NONBLOCK and EFD_CLOEXEC (the caller's business).
func (ctx *Context) Eventfd(initial uint32, flags int) (*File, error) {
	if flags&^(unix.EFD_SEMAPHORE|unix.EFD_NONBLOCK|unix.EFD_CLOEXEC) != 0 {
		return nil, unix.EINVAL
	}
	e := &eventfd{semaphore: flags&unix.EFD_SEMAPHORE != 0, count: uint64(initial)}
	return ctx.NewAnonFile("anon_inode:[eventfd]", e, unix.O_RDWR|flags&unix.EFD_NONBLOCK)
}

// take empties the counter, or takes one off it; false when it is zero.
func (e *eventfd) take() (uint64, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count == 0 {
		return 0, false
	}
	v := e.count
	if e.semaphore {
		v = 1
	}
	e.count -= v
	return v, true
}

// give adds v; false when the counter would overflow.
func (e *eventfd) give(v uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if math.MaxUint64-e.count <= v {
		return false
	}
	e.count += v
	return true
}

// Read implements FileOps.
func (e *eventfd) Read(ctx *Context, f *File, it *mm.Iter, _ *int64) (int, error) {
	if it.Len() < 8 {
		return 0, unix.EINVAL
	}
	v, ok := e.take()
	if !ok {
		if ctx.NoWaitOnce(f) {
			return 0, unix.EAGAIN
		}
		if err := e.q.Wait(ctx.Thread, wait.Never, func() bool {
			if !ok {
				v, ok = e.take()
			}
			return ok
		}); err != nil {
			return 0, err
		}
	}
	e.q.WakeAll(pollWrite)
	binary.LittleEndian.PutUint64(ctx.word[:], v)
	return it.CopyTo(ctx.word[:])
}

// Write implements FileOps.
func (e *eventfd) Write(ctx *Context, f *File, it *mm.Iter, _ *int64) (int, error) {
	if it.Len() < 8 {
		return 0, unix.EINVAL
	}
	if _, err := it.CopyFrom(ctx.word[:]); err != nil {
		return 0, err
	}
	v := binary.LittleEndian.Uint64(ctx.word[:])
	if v == math.MaxUint64 {
		return 0, unix.EINVAL
	}
	if ok := e.give(v); !ok {
		if ctx.NoWaitOnce(f) {
			return 0, unix.EAGAIN
		}
		if err := e.q.Wait(ctx.Thread, wait.Never, func() bool {
			ok = ok || e.give(v)
			return ok
		}); err != nil {
			return 0, err
		}
	}
	e.q.WakeAll(pollRead)
	return 8, nil
}

// Poll implements FileOps.
func (e *eventfd) Poll(f *File, pt *wait.PollTable) uint32 {
	pt.Add(&e.q, 0)
	e.mu.Lock()
	defer e.mu.Unlock()
	ev := uint32(0)
	if e.count > 0 {
		ev |= unix.POLLIN
	}
	if e.count < math.MaxUint64-1 {
		ev |= unix.POLLOUT
	}
	return ev
}
