package fs

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/mm"
)

// MaxFDs is the highest number of descriptors any limit allows (fs.nr_open).
const MaxFDs = 1 << 20

// FDTable is a table of file descriptors. Get takes no lock: it reads a slot
// and takes a reference unless the file is on its way out. Who holds a reference
// to the table without being a task that uses it may look, but not close.
type FDTable struct {
	refs  atomic.Int32
	slots atomic.Pointer[fdSlots]

	mu      sync.Mutex // guards everything below and all changes of slots
	used    []uint64   // bitmap: slot taken or reserved
	cloexec []uint64   // bitmap: FD_CLOEXEC
	hint    int        // no free slot below
}

type fdSlots struct{ f []atomic.Pointer[File] }

// smallTable is a table with room for a few descriptors, in one piece: most
// programs need no more, and every fork makes one.
type smallTable struct {
	FDTable
	first   fdSlots
	used    [1]uint64
	cloexec [1]uint64
	files   [16]atomic.Pointer[File]
}

// NewFDTable returns an empty table with one reference.
func NewFDTable() *FDTable {
	s := new(smallTable)
	s.first.f = s.files[:]
	t := &s.FDTable
	t.refs.Store(1)
	t.used, t.cloexec = s.used[:], s.cloexec[:]
	t.slots.Store(&s.first)
	return t
}

// Ref adds a reference (clone with CLONE_FILES).
func (t *FDTable) Ref() *FDTable { t.refs.Add(1); return t }

// Unref drops a reference; the last one closes every descriptor. ctx is the
// closing task's context (flush, record locks).
func (t *FDTable) Unref(ctx *Context) {
	if t.refs.Add(-1) != 0 {
		return
	}
	t.CloseRange(ctx, 0, MaxFDs)
}

// Shared reports whether more than one task uses the table.
func (t *FDTable) Shared() bool { return t.refs.Load() > 1 }

// Get returns the file behind fd with a reference of its own: EBADF when
// there is none, or when it is an O_PATH descriptor.
func (t *FDTable) Get(fd int32) (*File, error) {
	f := t.get(fd)
	if f == nil {
		return nil, unix.EBADF
	}
	if f.mode&ModePath != 0 {
		f.Unref()
		return nil, unix.EBADF
	}
	return f, nil
}

// Borrow returns the file behind fd, nil if there is none, for the one system
// call that runs. counted says that the file comes with a reference, which the
// caller has to drop. A table that nobody shares needs none: the only task that
// could take the file out of it is busy with this call. O_PATH descriptors come
// too; they can neither be read nor written.
func (t *FDTable) Borrow(fd int32) (f *File, counted bool) {
	if t.refs.Load() != 1 {
		f = t.get(fd)
		return f, f != nil
	}
	return t.at(fd), false
}

// GetRaw is Get that returns O_PATH descriptors too.
func (t *FDTable) GetRaw(fd int32) (*File, error) {
	f := t.get(fd)
	if f == nil {
		return nil, unix.EBADF
	}
	return f, nil
}

// at returns the file in slot fd, nil if there is none.
func (t *FDTable) at(fd int32) *File {
	s := t.slots.Load().f
	if uint(fd) >= uint(len(s)) {
		return nil
	}
	return s[fd].Load()
}

func (t *FDTable) get(fd int32) *File {
	for {
		f := t.at(fd)
		if f == nil {
			return nil
		}
		// The second look is at the slots of that time: a table that has grown
		// leaves the old ones as they were.
		if f.tryRef() {
			if t.at(fd) == f {
				return f
			}
			f.Unref() // it was closed and used again for something else: see recycle
		} else if t.at(fd) == f {
			return nil
		}
	}
}

// growLocked makes room for slot n.
func (t *FDTable) growLocked(n int) {
	old := t.slots.Load().f
	if n >= len(old) {
		size := len(old)
		for size <= n {
			size *= 2
		}
		s := &fdSlots{f: make([]atomic.Pointer[File], size)}
		for i := range old {
			s.f[i].Store(old[i].Load())
		}
		t.slots.Store(s)
	}
	for n>>6 >= len(t.used) {
		t.used = append(t.used, 0)
		t.cloexec = append(t.cloexec, 0)
	}
}

// reserveLocked takes the lowest free slot from lowest on, below limit.
func (t *FDTable) reserveLocked(lowest int, limit uint64) (int, error) {
	if limit > MaxFDs {
		limit = MaxFDs
	}
	if lowest < t.hint {
		lowest = t.hint
	}
	fd := lowest
	for w := fd >> 6; w < len(t.used); w++ {
		free := ^t.used[w]
		if w == lowest>>6 {
			free &= ^uint64(0) << (uint(lowest) & 63)
		}
		if free != 0 {
			fd = w<<6 + bits.TrailingZeros64(free)
			goto found
		}
		fd = (w + 1) << 6
	}
	fd = max(fd, lowest)
found:
	if uint64(fd) >= limit {
		return -1, unix.EMFILE
	}
	if fd >= 4096 && fd >= len(t.slots.Load().f) && !mm.Admit() {
		return -1, unix.ENOMEM
	}
	if fd>>6 >= len(t.used) || fd >= len(t.slots.Load().f) {
		t.growLocked(fd)
	}
	t.used[fd>>6] |= 1 << (uint(fd) & 63)
	if lowest <= t.hint {
		t.hint = fd + 1
	}
	return fd, nil
}

// Install puts f, whose reference it takes over on success, into the lowest
// free slot not below lowest. limit is RLIMIT_NOFILE: EMFILE.
func (t *FDTable) Install(f *File, lowest int32, cloexec bool, limit uint64) (int32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fd, err := t.reserveLocked(int(lowest), limit)
	if err != nil {
		return -1, err
	}
	t.setLocked(fd, f, cloexec)
	return int32(fd), nil
}

// Reserve takes the lowest free descriptor without a file yet, so that a call
// can fail with EMFILE before it has done anything. Fill or Release it.
func (t *FDTable) Reserve(limit uint64) (int32, error) {
	t.mu.Lock()
	fd, err := t.reserveLocked(0, limit)
	t.mu.Unlock()
	return int32(fd), err
}

// Fill puts f into a reserved descriptor and takes over its reference.
func (t *FDTable) Fill(fd int32, f *File, cloexec bool) {
	t.mu.Lock()
	t.setLocked(int(fd), f, cloexec)
	t.mu.Unlock()
}

// Release gives a reserved descriptor back.
func (t *FDTable) Release(fd int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.freeLocked(int(fd))
}

func (t *FDTable) setLocked(fd int, f *File, cloexec bool) {
	word, bit := &t.cloexec[fd>>6], uint64(1)<<(uint(fd)&63)
	*word &^= bit
	if cloexec {
		*word |= bit
	}
	t.slots.Load().f[fd].Store(f)
}

func (t *FDTable) freeLocked(fd int) {
	t.used[fd>>6] &^= 1 << (uint(fd) & 63)
	t.cloexec[fd>>6] &^= 1 << (uint(fd) & 63)
	if fd < t.hint {
		t.hint = fd
	}
}

// removeLocked empties a slot and returns its file, whose reference is the caller's.
func (t *FDTable) removeLocked(fd int) *File {
	s := t.slots.Load().f
	if uint(fd) >= uint(len(s)) {
		return nil
	}
	f := s[fd].Swap(nil)
	if f != nil {
		t.freeLocked(fd)
	}
	return f
}

// Close is close(2): EBADF, or what the file says to being flushed. The
// descriptor is gone in every case.
func (t *FDTable) Close(ctx *Context, fd int32) error {
	t.mu.Lock()
	f := t.removeLocked(int(fd))
	t.mu.Unlock()
	if f == nil {
		return unix.EBADF
	}
	return f.closeFD(ctx, t)
}

// DupTo is dup2 and dup3: makes newfd another descriptor of f, whose reference
// it takes over on success, closing what was there. EBADF: newfd beyond limit.
// EBUSY: newfd is being opened by another thread at this moment.
func (t *FDTable) DupTo(ctx *Context, f *File, newfd int32, cloexec bool, limit uint64) error {
	if newfd < 0 || uint64(newfd) >= min(limit, MaxFDs) {
		return unix.EBADF
	}
	if newfd >= 4096 && int(newfd) >= t.Capacity() && !mm.Admit() {
		return unix.ENOMEM
	}
	t.mu.Lock()
	t.growLocked(int(newfd))
	bit := uint64(1) << (uint(newfd) & 63)
	old := t.slots.Load().f[newfd].Load()
	if old == nil && t.used[newfd>>6]&bit != 0 {
		t.mu.Unlock()
		return unix.EBUSY
	}
	t.used[newfd>>6] |= bit
	t.setLocked(int(newfd), f, cloexec)
	t.mu.Unlock()
	if old != nil {
		old.closeFD(ctx, t)
	}
	return nil
}

// CloseOnExec reports a descriptor's FD_CLOEXEC.
func (t *FDTable) CloseOnExec(fd int32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(fd)>>6 < len(t.cloexec) && t.cloexec[fd>>6]&(1<<(uint(fd)&63)) != 0
}

// SetCloseOnExec sets or clears FD_CLOEXEC: EBADF for a free descriptor.
func (t *FDTable) SetCloseOnExec(fd int32, on bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slots.Load().f
	if uint(fd) >= uint(len(s)) || s[fd].Load() == nil {
		return unix.EBADF
	}
	if on {
		t.cloexec[fd>>6] |= 1 << (uint(fd) & 63)
	} else {
		t.cloexec[fd>>6] &^= 1 << (uint(fd) & 63)
	}
	return nil
}

// Fork returns a copy with one reference (fork, clone without CLONE_FILES).
func (t *FDTable) Fork() *FDTable {
	t.mu.Lock()
	defer t.mu.Unlock()
	top := 0
	for w := len(t.used) - 1; w >= 0; w-- {
		if t.used[w] != 0 {
			top = w<<6 + bits.Len64(t.used[w])
			break
		}
	}
	n := NewFDTable()
	if top > 0 {
		n.growLocked(top - 1)
	}
	from, to := t.slots.Load().f, n.slots.Load().f
	for w := range (top + 63) >> 6 {
		used := t.used[w]
		n.used[w] = used
		for ; used != 0; used &= used - 1 {
			fd := w<<6 + bits.TrailingZeros64(used)
			if f := from[fd].Load(); f != nil {
				to[fd].Store(f.Ref()) // the slot holds a reference, and mu keeps it there
			} else { // reserved
				n.used[w] &^= used & -used
			}
		}
		n.cloexec[w] = t.cloexec[w] & n.used[w]
	}
	return n
}

// Each calls fn for every open descriptor in ascending order until it returns
// false (/proc/PID/fd). fn may keep f only with a reference of its own.
func (t *FDTable) Each(fn func(fd int32, f *File) bool) {
	for fd := int32(0); ; fd++ {
		s := t.slots.Load().f
		if int(fd) >= len(s) {
			return
		}
		f := t.get(fd)
		if f == nil {
			continue
		}
		ok := fn(fd, f)
		f.Unref()
		if !ok {
			return
		}
	}
}

// Capacity returns a number that no open descriptor reaches, at least 64
// (FDSize in /proc/PID/status).
func (t *FDTable) Capacity() int { return max(64, len(t.slots.Load().f)) }
