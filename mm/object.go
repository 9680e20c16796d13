package mm

import (
	"sync"
	"sync/atomic"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Pager reads and writes the pages of an Object that lives somewhere else: a
// file on a disk. Its methods are called without any lock of mm held but the
// Object's readMu, and may sleep.
type Pager interface {
	// ReadPage fills f with page idx; what lies beyond the end of the file
	// must be zero.
	ReadPage(idx uint64, f arch.Frame) error
	// WritePage writes page idx back.
	WritePage(idx uint64, f arch.Frame) error
}

// smallPages is how many pages an Object keeps without any chunk: most files
// of a system are smaller than this.
const smallPages = 4

// Object is memory that can be mapped more than once: the page cache of a
// file, the whole content of a tmpfs file, or shared anonymous memory. Each
// page it holds is one reference to a frame.
//
// read and write go through ReadAt and WriteAt, mappings through the fault
// handler; both use the same frames, so they always agree.
type Object struct {
	refs  atomic.Int32
	pager Pager // immutable; nil: this is the only place the pages are
	shmem bool  // immutable; counts as shared memory, not as file pages

	size atomic.Int64 // bytes; written under mu

	// mu guards the index. It is a leaf but for the frame allocator; user
	// memory must not be touched under it.
	mu     sync.RWMutex
	small  [smallPages]arch.Frame
	chunks *chunkIndex   // for pages from smallPages on; made on first use
	n      atomic.Uint64 // pages in the index; read without mu by Pages

	// reserve, if set, is asked before n pages are added (false: no room)
	// and told with a negative n when pages are freed. Called under mu.
	reserve func(n int64) bool

	// readMu keeps two tasks from reading the same page in.
	readMu sync.Mutex

	// mapMu guards the list of VMAs that show this Object, linked by
	// objNext. Below AddressSpace.mu, above nothing.
	mapMu    sync.Mutex
	mappings *vma
	mapped   atomic.Int32 // length of that list

	prevPaged, nextPaged *Object // list of reclaimable Objects; guarded by paged.mu
}

// NewObject returns the empty page cache of a file with one reference. With a
// nil Pager the Object is the file (tmpfs): pages that were never written are
// zeros, and pages that were stay until Truncate or the last Unref.
func NewObject(p Pager) *Object {
	o := new(Object)
	o.Init(p)
	return o
}

// Init makes an Object that is part of something else what NewObject returns.
func (o *Object) Init(p Pager) {
	o.pager, o.shmem = p, p == nil
	o.refs.Store(1)
	if p != nil {
		registerPaged(o)
	}
}

// NewSharedMemory returns size bytes of zeros: shared anonymous memory.
func NewSharedMemory(size int64) *Object {
	o := NewObject(nil)
	o.size.Store(size)
	return o
}

// SetPageLimit installs a quota: reserve is asked before n pages are added and
// told, with n negative, when pages are freed. It must not call back into mm.
// To be called before the Object is used.
func (o *Object) SetPageLimit(reserve func(n int64) bool) { o.reserve = reserve }

// Ref adds a reference.
func (o *Object) Ref() { o.refs.Add(1) }

// Unref drops a reference; the last one frees the pages. Dirty pages of an
// Object with a Pager are the caller's to Sync before.
func (o *Object) Unref() {
	if n := o.refs.Add(-1); n > 0 {
		return
	} else if n < 0 {
		panic("mm: Object.Unref without a reference")
	}
	if o.pager != nil {
		unregisterPaged(o)
	}
	o.mu.Lock()
	gone := o.removeLocked(0, ^uint64(0))
	o.mu.Unlock()
	gone.free()
}

// Size returns the size in bytes: the end of file for mappings.
func (o *Object) Size() int64 { return o.size.Load() }

// Pages returns the number of pages held in memory.
func (o *Object) Pages() uint64 { return o.n.Load() }

// Mapped reports whether any address space maps the Object.
func (o *Object) Mapped() bool { return o.mapped.Load() != 0 }

// Lookup returns the frame of page idx with a reference for the caller, if it
// is in memory.
func (o *Object) Lookup(idx uint64) (arch.Frame, bool) {
	var f [1]arch.Frame
	o.cached(idx, f[:])
	return f[0], f[0] != 0
}

// cached fills fs with the frames of the pages from idx on, 0 for those that
// are not in memory or beyond the end, and takes a reference to each. It
// returns how many there are.
func (o *Object) cached(idx uint64, fs []arch.Frame) int {
	n := 0
	o.mu.RLock()
	end := pagesOf(o.size.Load())
	for len(fs) > 0 {
		// As many as lie side by side in the index.
		run := o.small[:]
		at := idx
		if idx >= smallPages {
			at = idx % chunkPages
			run = nil
			if c := o.chunks.get(idx / chunkPages); c != nil {
				run = c.frames[:]
			}
		}
		k := min(chunkPages-at, uint64(len(fs)))
		if run == nil || idx >= end {
			clear(fs[:k])
		} else {
			k = min(uint64(len(run))-at, uint64(len(fs)), end-idx)
			for i, f := range run[at : at+k] {
				if f != 0 {
					f.Ref()
					n++
				}
				fs[i] = f
			}
		}
		fs = fs[k:]
		idx += k
	}
	o.mu.RUnlock()
	return n
}

// pagesOf returns how many pages size bytes touch.
func pagesOf(size int64) uint64 {
	return (uint64(size) + arch.PageSize - 1) >> arch.PageShift
}

// get returns the frame at idx or 0. Precondition: mu held.
func (o *Object) get(idx uint64) arch.Frame {
	if idx < smallPages {
		return o.small[idx]
	}
	if c := o.chunks.get(idx / chunkPages); c != nil {
		return c.frames[idx%chunkPages]
	}
	return 0
}

// put enters f at idx, where nothing is. Precondition: mu held in write mode.
func (o *Object) put(idx uint64, f arch.Frame) {
	o.n.Add(1)
	if idx < smallPages {
		o.small[idx] = f
		return
	}
	c := o.chunks.get(idx / chunkPages)
	if c == nil {
		c = new(chunk)
		if o.chunks == nil {
			o.chunks = new(chunkIndex)
		}
		o.chunks.set(idx/chunkPages, c)
	}
	c.frames[idx%chunkPages] = f
	c.n++
}

// drop takes the frame at idx out and returns it, 0 if there is none.
// Precondition: mu held in write mode.
func (o *Object) drop(idx uint64) arch.Frame {
	var f arch.Frame
	if idx < smallPages {
		f, o.small[idx] = o.small[idx], 0
	} else if c := o.chunks.get(idx / chunkPages); c != nil {
		f, c.frames[idx%chunkPages] = c.frames[idx%chunkPages], 0
		if f != 0 {
			if c.n--; c.n == 0 {
				o.chunks.set(idx/chunkPages, nil)
			}
		}
	}
	if f != 0 {
		o.n.Add(^uint64(0))
	}
	return f
}

// removed is what removeLocked took out.
type removed struct {
	small  [smallPages]arch.Frame
	frames []arch.Frame
	chunks []*chunk
}

// removeLocked takes the pages [lo, hi) out of the index. Their references
// pass to the result, to be freed by its free method. Precondition: mu held
// in write mode.
func (o *Object) removeLocked(lo, hi uint64) (r removed) {
	before := o.n.Load()
	if before == 0 {
		return r
	}
	for i := lo; i < min(hi, smallPages); i++ {
		r.small[i] = o.drop(i)
	}
	if o.chunks != nil {
		o.removeChunksLocked(lo, hi, &r)
	}
	if gone := before - o.n.Load(); o.reserve != nil && gone != 0 {
		o.reserve(-int64(gone))
	}
	return r
}

func (o *Object) removeChunksLocked(lo, hi uint64, r *removed) {
	for k, c := range o.chunks.all() {
		first := k * chunkPages
		if first >= hi || first+chunkPages <= lo {
			continue
		}
		if first >= lo && first+chunkPages <= hi {
			o.chunks.set(k, nil)
			o.n.Add(-uint64(c.n))
			r.chunks = append(r.chunks, c)
			continue
		}
		for i := max(first, lo); i < min(first+chunkPages, hi); i++ {
			if f := o.drop(i); f != 0 {
				r.frames = append(r.frames, f)
			}
		}
	}
}

func (r *removed) free() {
	for _, f := range r.small {
		if f != 0 {
			f.Unref()
		}
	}
	for _, f := range r.frames {
		f.Unref()
	}
	for _, c := range r.chunks {
		for _, f := range c.frames {
			if f != 0 {
				f.Unref()
			}
		}
	}
}

// insert enters f, whose reference it consumes, at idx unless there is a page
// already, and returns the page that is there now with a reference for the
// caller. inside says that idx must lie before the end of file (else EFAULT
// stands for "beyond"); ENOSPC means that the quota is used up. A page that is
// entered moves the end of file up to size, if that lies behind it.
func (o *Object) insert(idx uint64, f arch.Frame, inside bool, size int64) (arch.Frame, error) {
	o.mu.Lock()
	var err error
	switch old := o.get(idx); {
	case inside && idx >= pagesOf(o.size.Load()):
		err = unix.EFAULT
	case old != 0:
		old.Ref()
		o.mu.Unlock()
		f.Unref()
		return old, nil
	case o.reserve != nil && !o.reserve(1):
		err = unix.ENOSPC
	}
	if err != nil {
		o.mu.Unlock()
		f.Unref()
		return 0, err
	}
	o.put(idx, f)
	if o.size.Load() < size {
		o.size.Store(size)
	}
	f.Ref()
	o.mu.Unlock()
	return f, nil
}

// pageForFault returns the frame of page idx with a reference for the caller:
// faultDone, or else why not.
func (o *Object) pageForFault(idx uint64) (arch.Frame, outcome) {
	o.mu.RLock()
	if idx >= pagesOf(o.size.Load()) {
		o.mu.RUnlock()
		return 0, faultBeyondEnd
	}
	f := o.get(idx)
	if f != 0 {
		f.Ref()
	}
	o.mu.RUnlock()
	if f != 0 {
		return f, faultDone
	}
	if o.pager != nil {
		return 0, faultRead
	}
	f, ok := arch.AllocZeroFrame(arch.UseCache)
	if !ok {
		return 0, faultNoMemory
	}
	f, err := o.insert(idx, f, true, 0)
	if err == unix.EFAULT {
		return 0, faultBeyondEnd
	} else if err != nil {
		return 0, faultIOError
	}
	return f, faultDone
}

// read makes the Pager read page idx in, unless it is there already or beyond
// the end. Precondition: no lock held.
func (o *Object) read(idx uint64) error {
	o.readMu.Lock()
	defer o.readMu.Unlock()
	if f, ok := o.Lookup(idx); ok {
		f.Unref()
		return nil
	}
	f, ok := arch.AllocFrame(arch.UseCache)
	if !ok {
		return unix.ENOMEM
	}
	if err := o.pager.ReadPage(idx, f); err != nil {
		f.Unref()
		return err
	}
	f, err := o.insert(idx, f, true, 0)
	if err == nil {
		f.Unref()
	} else if err == unix.EFAULT {
		err = nil // truncated meanwhile: whoever asked will see the new end
	}
	return err
}
