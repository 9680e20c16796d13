package fs

import (
	"math"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/mm"
)

// recLock is one record lock (fcntl(2), "Advisory record locking").
type recLock struct {
	owner      any   // *FDTable (POSIX: the process) or *File (open file description)
	pid        int32 // for F_GETLK; -1 for open file description locks
	write      bool
	start, end int64 // both included; end math.MaxInt64 reaches to the end of the file
}

func (l *recLock) conflicts(o *recLock) bool {
	return l.owner != o.owner && (l.write || o.write) && l.start <= o.end && o.start <= l.end
}

// lockList holds the locks of one inode.
type lockList struct {
	mu     sync.Mutex // guards locks and flocks; above blockedMu
	locks  []recLock  // those of one owner do not overlap; in no order
	flocks []flockLock
	queue  wait.Queue // woken when a lock goes away or becomes weaker
}

type flockLock struct {
	f     *File
	write bool
}

// maxLocks bounds the record locks of one inode: ENOLCK.
const maxLocks = 8192

// blocked tells who waits for whose POSIX lock, to find deadlocks.
var blocked struct {
	mu    sync.Mutex // guards edges; leaf
	edges []blockedEdge
}

type blockedEdge struct{ waiter, holder any }

// deadlockDepth bounds the search for a cycle (MAX_DEADLK_ITERATIONS, fs/locks.c).
const deadlockDepth = 10

// lockList returns b's locks, making the list on first use.
func (b *InodeBase) lockList() *lockList {
	if l := b.locks.Load(); l != nil {
		return l
	}
	b.locks.CompareAndSwap(nil, new(lockList))
	return b.locks.Load()
}

// conflictLocked returns the first lock that stands against want.
func (l *lockList) conflictLocked(want *recLock) *recLock {
	for i := range l.locks {
		if l.locks[i].conflicts(want) {
			return &l.locks[i]
		}
	}
	return nil
}

// applyLocked replaces what want's owner holds in want's range; unlock only
// takes that away. Neighbours of the same kind are joined.
func (l *lockList) applyLocked(want recLock, unlock bool) error {
	if len(l.locks) >= maxLocks || !mm.Admit() {
		return unix.ENOLCK
	}
	out := make([]recLock, 0, len(l.locks)+2)
	for _, o := range l.locks {
		if o.owner != want.owner {
			out = append(out, o)
			continue
		}
		touches := o.start <= addOne(want.end) && want.start <= addOne(o.end)
		overlaps := o.start <= want.end && want.start <= o.end
		switch {
		case !unlock && o.write == want.write && touches:
			want.start, want.end = min(want.start, o.start), max(want.end, o.end)
		case overlaps:
			if o.start < want.start {
				left := o
				left.end = want.start - 1
				out = append(out, left)
			}
			if o.end > want.end {
				right := o
				right.start = want.end + 1
				out = append(out, right)
			}
		default:
			out = append(out, o)
		}
	}
	if !unlock {
		out = append(out, want)
	}
	l.locks = out
	return nil
}

func addOne(n int64) int64 {
	if n == math.MaxInt64 {
		return n
	}
	return n + 1
}

// set sets or removes a lock; block waits for conflicting ones to go.
func (l *lockList) set(ctx *Context, want recLock, unlock, block, posix bool) error {
	for {
		l.mu.Lock()
		var c *recLock
		if !unlock {
			c = l.conflictLocked(&want)
		}
		if c == nil {
			err := l.applyLocked(want, unlock)
			l.mu.Unlock()
			l.queue.WakeAll(^uint32(0))
			return err
		}
		holder := c.owner
		l.mu.Unlock()
		if !block {
			return unix.EAGAIN
		}
		if posix && !addEdge(want.owner, holder) {
			return unix.EDEADLK
		}
		err := l.queue.Wait(ctx.Thread, wait.Never, func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			c := l.conflictLocked(&want)
			return c == nil || c.owner != holder
		})
		if posix {
			dropEdge(want.owner, holder)
		}
		if err != nil {
			return err
		}
	}
}

// addEdge notes that waiter is about to wait for holder; false if holder waits,
// through others, for waiter.
func addEdge(waiter, holder any) bool {
	blocked.mu.Lock()
	defer blocked.mu.Unlock()
	at := holder
	for range deadlockDepth {
		next := any(nil)
		for _, e := range blocked.edges {
			if e.waiter == at {
				next = e.holder
				break
			}
		}
		if next == nil {
			break
		}
		if next == waiter {
			return false
		}
		at = next
	}
	blocked.edges = append(blocked.edges, blockedEdge{waiter, holder})
	return true
}

func dropEdge(waiter, holder any) {
	blocked.mu.Lock()
	defer blocked.mu.Unlock()
	for i, e := range blocked.edges {
		if e.waiter == waiter && e.holder == holder {
			last := len(blocked.edges) - 1
			blocked.edges[i] = blocked.edges[last]
			blocked.edges[last] = blockedEdge{}
			blocked.edges = blocked.edges[:last]
			return
		}
	}
}

// ownerGone drops the POSIX locks of a process that closed a descriptor of the
// file: any close does (fcntl(2)).
func (l *lockList) ownerGone(t *FDTable) { l.drop(t) }

// fileGone drops what belongs to an open file description that ends.
func (l *lockList) fileGone(f *File) {
	l.mu.Lock()
	for i := range l.flocks {
		if l.flocks[i].f == f {
			l.flocks = append(l.flocks[:i:i], l.flocks[i+1:]...)
			break
		}
	}
	l.mu.Unlock()
	l.drop(f)
}

func (l *lockList) drop(owner any) {
	l.mu.Lock()
	out := l.locks[:0]
	for _, o := range l.locks {
		if o.owner != owner {
			out = append(out, o)
		}
	}
	clear(l.locks[len(out):])
	l.locks = out
	l.mu.Unlock()
	l.queue.WakeAll(^uint32(0))
}

// lockRange turns l_whence, l_start and l_len into a range.
func (ctx *Context) lockRange(f *File, fl *unix.Flock_t) (start, end int64, err error) {
	switch fl.Whence {
	case unix.SEEK_SET:
	case unix.SEEK_CUR:
		f.posMu.Lock()
		start = f.pos
		f.posMu.Unlock()
	case unix.SEEK_END:
		var st Attr
		if err := f.inode.Stat(ctx, &st); err != nil {
			return 0, 0, err
		}
		start = st.Size
	default:
		return 0, 0, unix.EINVAL
	}
	if fl.Start > 0 && start > math.MaxInt64-fl.Start {
		return 0, 0, unix.EOVERFLOW
	}
	start += fl.Start
	if start < 0 {
		return 0, 0, unix.EINVAL
	}
	switch {
	case fl.Len == 0:
		end = math.MaxInt64
	case fl.Len > 0:
		if start > math.MaxInt64-(fl.Len-1) {
			return 0, 0, unix.EOVERFLOW
		}
		end = start + fl.Len - 1
	default:
		end = start - 1
		start += fl.Len
		if start < 0 {
			return 0, 0, unix.EINVAL
		}
	}
	return start, end, nil
}

// RecordLock is fcntl(2) with F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ kin;
// F_GETLK changes *fl.
func (ctx *Context) RecordLock(f *File, cmd int, fl *unix.Flock_t) error {
	start, end, err := ctx.lockRange(f, fl)
	if err != nil {
		return err
	}
	ofd := cmd == unix.F_OFD_GETLK || cmd == unix.F_OFD_SETLK || cmd == unix.F_OFD_SETLKW
	want := recLock{owner: ctx.Files, pid: ctx.PID, write: fl.Type == unix.F_WRLCK, start: start, end: end}
	if ofd {
		if fl.Pid != 0 {
			return unix.EINVAL
		}
		want.owner, want.pid = f, -1
	}
	if cmd == unix.F_GETLK || cmd == unix.F_OFD_GETLK {
		if fl.Type != unix.F_RDLCK && fl.Type != unix.F_WRLCK {
			return unix.EINVAL
		}
		l := f.inode.Base().lockList()
		l.mu.Lock()
		defer l.mu.Unlock()
		c := l.conflictLocked(&want)
		if c == nil {
			fl.Type = unix.F_UNLCK
			return nil
		}
		*fl = unix.Flock_t{Type: unix.F_RDLCK, Whence: unix.SEEK_SET, Start: c.start, Pid: c.pid}
		if c.write {
			fl.Type = unix.F_WRLCK
		}
		if c.end != math.MaxInt64 {
			fl.Len = c.end - c.start + 1
		}
		return nil
	}
	switch fl.Type {
	case unix.F_RDLCK:
		if f.mode&ModeRead == 0 {
			return unix.EBADF
		}
	case unix.F_WRLCK:
		if f.mode&ModeWrite == 0 {
			return unix.EBADF
		}
	case unix.F_UNLCK:
	default:
		return unix.EINVAL
	}
	block := cmd == unix.F_SETLKW || cmd == unix.F_OFD_SETLKW
	return f.inode.Base().lockList().set(ctx, want, fl.Type == unix.F_UNLCK, block, !ofd)
}

// Flock is flock(2).
func (ctx *Context) Flock(f *File, op int) error {
	block := op&unix.LOCK_NB == 0
	op &^= unix.LOCK_NB
	l := f.inode.Base().lockList()
	switch op {
	case unix.LOCK_SH, unix.LOCK_EX, unix.LOCK_UN:
	default:
		return unix.EINVAL
	}
	// An existing lock is given up first: conversion is not atomic (flock(2)).
	l.mu.Lock()
	for i := range l.flocks {
		if l.flocks[i].f == f {
			if op != unix.LOCK_UN && l.flocks[i].write == (op == unix.LOCK_EX) {
				l.mu.Unlock()
				return nil
			}
			l.flocks = append(l.flocks[:i:i], l.flocks[i+1:]...)
			break
		}
	}
	l.mu.Unlock()
	l.queue.WakeAll(^uint32(0))
	if op == unix.LOCK_UN {
		return nil
	}
	write := op == unix.LOCK_EX
	try := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i := range l.flocks {
			if l.flocks[i].f != f && (write || l.flocks[i].write) {
				return false
			}
		}
		l.flocks = append(l.flocks, flockLock{f, write})
		return true
	}
	if !block {
		if !try() {
			return unix.EAGAIN
		}
		return nil
	}
	done := false
	return l.queue.Wait(ctx.Thread, wait.Never, func() bool {
		done = done || try()
		return done
	})
}

// fileOwner is whom SIGIO would go to (F_SETOWN, F_SETSIG). It is kept for
// F_GETOWN; no file of this kernel sends SIGIO yet.
type fileOwner struct {
	id  atomic.Int32
	sig atomic.Int32
}
