package mm

import (
	"math"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// readBatch is how many pages ReadAt takes out of the index at a time.
const readBatch = 16

// ReadAt copies from the Object at offset off, up to its end at size, into it,
// straight from the page's frame to user memory. Holes read as zeros and stay
// holes. It returns the number of bytes, 0 at the end; an error (EFAULT, or
// the Pager's) only if there were none.
func (o *Object) ReadAt(it *Iter, off, size int64) (int, error) {
	if off < 0 {
		return 0, unix.EINVAL
	}
	total := 0
	for it.Len() > 0 && off < size {
		idx := uint64(off) >> arch.PageShift
		want := pagesOf(min(size, addCap(off, int64(it.Len())))) - idx
		var frames [readBatch]arch.Frame
		batch := frames[:min(want, readBatch)]
		o.cached(idx, batch)
		n, err := o.copyOut(it, &off, size, idx, batch)
		total += n
		if err != nil {
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
	}
	return total, nil
}

// addCap returns a+b, or the largest int64 if that overflows. a, b ≥ 0.
func addCap(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// copyOut copies from the pages in batch, the first of which is page idx, and
// advances off. It consumes the references in batch.
func (o *Object) copyOut(it *Iter, off *int64, size int64, idx uint64, batch []arch.Frame) (int, error) {
	total := 0
	var err error
	for i, f := range batch {
		if err == nil {
			in := int(*off & (arch.PageSize - 1))
			want := int(min(int64(arch.PageSize-in), size-*off, int64(it.Len())))
			var n int
			switch {
			case f != 0:
				n, err = it.CopyTo(f.Page()[in : in+want])
			case o.pager != nil:
				f, err = o.readIn(idx + uint64(i))
				if err == nil && f != 0 {
					n, err = it.CopyTo(f.Page()[in : in+want])
				} else if err == nil {
					n, err = it.Zero(want)
				}
			default:
				n, err = it.Zero(want)
			}
			total += n
			*off += int64(n)
		}
		if f != 0 {
			f.Unref()
		}
	}
	return total, err
}

// readIn returns page idx with a reference for the caller, reading it first
// if need be; 0 if it lies beyond the end.
func (o *Object) readIn(idx uint64) (arch.Frame, error) {
	for try := 0; ; {
		if f, ok := o.Lookup(idx); ok {
			return f, nil
		}
		if idx >= pagesOf(o.size.Load()) {
			return 0, nil
		}
		if err := o.read(idx); err == unix.ENOMEM && reclaim(&try) {
			continue
		} else if err != nil {
			return 0, err
		}
	}
}

// WriteAt copies all of it into the Object at offset off and moves the end of
// file up where needed. It returns the number of bytes; an error (EFAULT,
// ENOSPC, ENOMEM, EFBIG, or the Pager's) only if there were none. Writers are kept
// apart by the caller (the inode's lock).
func (o *Object) WriteAt(it *Iter, off int64) (int, error) {
	if off < 0 {
		return 0, unix.EINVAL
	}
	if int64(it.Len()) > math.MaxInt64-off {
		return 0, unix.EFBIG
	}
	total := 0
	for it.Len() > 0 {
		in := int(off & (arch.PageSize - 1))
		want := min(arch.PageSize-in, it.Len())
		n, err := o.writePage(it, uint64(off)>>arch.PageShift, in, want)
		if n > 0 {
			total += n
			off += int64(n)
			o.grow(off)
		}
		if err != nil {
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
	}
	return total, nil
}

// grow moves the end of file up to size.
func (o *Object) grow(size int64) {
	if o.size.Load() < size {
		o.mu.Lock()
		if o.size.Load() < size {
			o.size.Store(size)
		}
		o.mu.Unlock()
	}
}

// writePage copies want bytes into page idx at offset in. A new page enters
// the index only when it is filled, so that nobody sees it half made.
func (o *Object) writePage(it *Iter, idx uint64, in, want int) (int, error) {
	o.mu.RLock()
	f := o.get(idx)
	if f != 0 {
		f.Ref()
	}
	o.mu.RUnlock()
	if f == 0 && o.pager != nil && want < arch.PageSize {
		var err error
		if f, err = o.readIn(idx); err != nil {
			return 0, err
		}
	}
	if f != 0 {
		n, err := it.CopyFrom(f.Page()[in : in+want])
		if o.pager != nil {
			f.SetFlag(frameDirty)
		}
		f.Unref()
		return n, err
	}

	f, err := allocCacheFrame()
	if err != nil {
		return 0, err
	}
	page := f.Page()
	clear(page[:in])
	n, err := it.CopyFrom(page[in : in+want])
	if n == 0 {
		f.Unref()
		return 0, err
	}
	clear(page[in+n:])
	if o.pager != nil {
		f.SetFlag(frameDirty)
	}
	f.Ref() // to read from if another page got there first
	end := int64(idx)<<arch.PageShift + int64(in+n)
	g, ierr := o.insert(idx, f, false, end)
	if ierr != nil {
		f.Unref()
		it.Revert(n)
		return 0, ierr
	}
	if g != f {
		copy(g.Page()[in:in+n], page[in:in+n])
		if o.pager != nil {
			g.SetFlag(frameDirty)
		}
	}
	g.Unref()
	f.Unref()
	return n, err
}

// allocCacheFrame returns a frame for the page cache, content undefined, after
// reclaiming if need be. A file that grows does not get processes killed.
func allocCacheFrame() (arch.Frame, error) {
	for try := 0; ; {
		if f, ok := arch.AllocFrame(arch.UseCache); ok {
			return f, nil
		}
		if !reclaim(&try) && (try > maxReclaims || !squeeze()) {
			return 0, unix.ENOMEM
		}
	}
}

// Truncate sets the size. Pages beyond it are freed and unmapped everywhere,
// private copies of them included; touching them afterwards is a SIGBUS.
func (o *Object) Truncate(size int64) error {
	if size < 0 {
		return unix.EINVAL
	}
	o.mu.Lock()
	old := o.size.Load()
	o.size.Store(size)
	if size >= old {
		o.mu.Unlock()
		return nil
	}
	gone := o.removeLocked(pagesOf(size), ^uint64(0))
	if in := size & (arch.PageSize - 1); in != 0 {
		// What a later extension uncovers must be zero.
		if f := o.get(uint64(size) >> arch.PageShift); f != 0 {
			clear(f.Page()[in:])
			if o.pager != nil {
				f.SetFlag(frameDirty)
			}
		}
	}
	o.mu.Unlock()
	o.unmap(pagesOf(size), ^uint64(0))
	gone.free()
	return nil
}

// PunchHole makes n bytes at off read as zeros and frees the pages that lie
// wholly inside (fallocate(2), FALLOC_FL_PUNCH_HOLE). The size stays.
func (o *Object) PunchHole(off, n int64) error {
	if off < 0 || n <= 0 || off > math.MaxInt64-n {
		return unix.EINVAL
	}
	end := min(off+n, int64(pagesOf(o.size.Load()))<<arch.PageShift)
	if off >= end {
		return nil
	}
	lo, hi := pagesOf(off), uint64(end)>>arch.PageShift
	if err := o.zeroPart(off, min(end, int64(lo)<<arch.PageShift)); err != nil {
		return err
	}
	if hi >= lo {
		if err := o.zeroPart(int64(hi)<<arch.PageShift, end); err != nil {
			return err
		}
	}
	if lo < hi {
		o.mu.Lock()
		gone := o.removeLocked(lo, hi)
		o.mu.Unlock()
		o.unmap(lo, hi)
		gone.free()
	}
	return nil
}

// zeroPart clears the bytes [lo, hi) of one page, if it exists.
func (o *Object) zeroPart(lo, hi int64) error {
	if lo >= hi {
		return nil
	}
	idx := uint64(lo) >> arch.PageShift
	f, ok := o.Lookup(idx)
	if !ok && o.pager != nil {
		var err error
		if f, err = o.readIn(idx); err != nil {
			return err
		}
	}
	if f != 0 {
		in := lo & (arch.PageSize - 1)
		clear(f.Page()[in : in+hi-lo])
		if o.pager != nil {
			f.SetFlag(frameDirty)
		}
		f.Unref()
	}
	return nil
}

// Allocate gives memory to all pages of the n bytes at off (fallocate(2)); the
// size stays as it is. On failure (ENOSPC, ENOMEM) pages added stay.
func (o *Object) Allocate(off, n int64) error {
	if off < 0 || n <= 0 {
		return unix.EINVAL
	}
	if off > math.MaxInt64-n {
		return unix.EFBIG
	}
	if o.pager != nil {
		return nil // the file system behind the Pager allocates
	}
	for idx, end := uint64(off)>>arch.PageShift, pagesOf(off+n); idx < end; idx++ {
		o.mu.RLock()
		have := o.get(idx) != 0
		o.mu.RUnlock()
		if have {
			continue
		}
		f, err := allocCacheFrame()
		if err != nil {
			return err
		}
		arch.ZeroPage(f)
		f, err = o.insert(idx, f, false, 0)
		if err != nil {
			return err
		}
		f.Unref()
	}
	return nil
}

// NextData returns the first offset from off on at which there is data
// (lseek(2), SEEK_DATA), or -1 if there is none before the end.
func (o *Object) NextData(off int64) int64 { return o.seek(off, true) }

// NextHole returns the first offset from off on at which there is a hole
// (SEEK_HOLE), the end of file counting as one; -1 if off is not before the end.
func (o *Object) NextHole(off int64) int64 { return o.seek(off, false) }

func (o *Object) seek(off int64, data bool) int64 {
	o.mu.RLock()
	defer o.mu.RUnlock()
	size := o.size.Load()
	if off < 0 || off >= size {
		return -1
	}
	if o.pager != nil { // what is cached says nothing about holes
		if data {
			return off
		}
		return size
	}
	for idx := uint64(off) >> arch.PageShift; idx < pagesOf(size); idx++ {
		if idx >= smallPages && idx%chunkPages == 0 && o.chunks.get(idx/chunkPages) == nil {
			if !data {
				return max(off, int64(idx)<<arch.PageShift)
			}
			next, ok := o.nextChunk(idx / chunkPages)
			if !ok {
				return -1
			}
			idx = next*chunkPages - 1
			continue
		}
		if (o.get(idx) != 0) == data {
			return max(off, int64(idx)<<arch.PageShift)
		}
	}
	if data {
		return -1
	}
	return size
}

// nextChunk returns the number of the first chunk from k on.
func (o *Object) nextChunk(k uint64) (first uint64, ok bool) {
	for c := range o.chunks.all() {
		if c >= k && (!ok || c < first) {
			first, ok = c, true
		}
	}
	return first, ok
}
