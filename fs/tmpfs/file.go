package tmpfs

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// file is a regular file. Its inode lock keeps writers, truncation and
// fallocate apart; readers take no lock.
type file struct {
	node
	obj   mm.Object
	seals atomic.Uint32 // F_SEAL_*; set under the inode lock
	memfd bool          // never gets a name; immutable
	ops   fileOps
}

// init gives a new file its memory.
func (f *file) init() {
	f.obj.Init(nil)
	f.obj.SetPageLimit(f.s.reserve)
	f.ops.f = f
	f.seals.Store(unix.F_SEAL_SEAL)
}

// Evict implements fs.Inode: mappings may keep the pages for a while.
func (f *file) Evict() {
	f.obj.Unref()
	f.node.Evict()
}

// Linkable implements fs.Linkable.
func (f *file) Linkable() bool { return !f.memfd }

// Stat implements fs.Inode.
func (f *file) Stat(ctx *fs.Context, st *fs.Attr) error {
	f.FillAttr(st)
	st.Size = f.obj.Size()
	st.Blocks = int64(f.obj.Pages()) * (4096 / 512)
	return nil
}

// SetAttr implements fs.Inode.
func (f *file) SetAttr(ctx *fs.Context, set *fs.SetAttr) error {
	if set.Valid&fs.SetSize != 0 {
		old := f.obj.Size()
		if seals := f.seals.Load(); set.Size < old && seals&unix.F_SEAL_SHRINK != 0 ||
			set.Size > old && seals&unix.F_SEAL_GROW != 0 {
			return unix.EPERM
		}
		if err := f.obj.Truncate(set.Size); err != nil {
			return err
		}
		f.StoreSize(set.Size)
	}
	f.ApplyAttr(set)
	return nil
}

// Open implements fs.Inode.
func (f *file) Open(ctx *fs.Context, of *fs.File) (fs.FileOps, error) { return &f.ops, nil }

// Seals implements fs.Sealer.
func (f *file) Seals() (uint32, error) { return f.seals.Load(), nil }

// AddSeals implements fs.Sealer.
func (f *file) AddSeals(seals uint32) error {
	f.Lock()
	defer f.Unlock()
	if f.seals.Load()&unix.F_SEAL_SEAL != 0 {
		return unix.EPERM
	}
	if seals&unix.F_SEAL_WRITE != 0 && f.obj.Mapped() {
		return unix.EBUSY
	}
	f.seals.Or(seals)
	return nil
}

// fileOps is the one FileOps of all openings of a file.
type fileOps struct {
	fs.BaseOps
	f *file
}

// Read implements fs.FileOps.
func (o *fileOps) Read(ctx *fs.Context, of *fs.File, it *mm.Iter, pos *int64) (int, error) {
	obj := &o.f.obj
	n, err := obj.ReadAt(it, *pos, obj.Size())
	*pos += int64(n)
	of.Accessed()
	return n, err
}

// Write implements fs.FileOps.
func (o *fileOps) Write(ctx *fs.Context, of *fs.File, it *mm.Iter, pos *int64) (int, error) {
	f := o.f
	if it.Len() == 0 {
		return 0, nil
	}
	f.Lock()
	defer f.Unlock()
	at := *pos
	if of.Flags()&unix.O_APPEND != 0 || ctx.AppendOnce() {
		at = f.obj.Size()
	}
	allowed, err := ctx.WriteLimit(at, it.Len())
	if err != nil {
		return 0, err
	}
	if seals := f.seals.Load(); seals&(unix.F_SEAL_WRITE|unix.F_SEAL_FUTURE_WRITE|unix.F_SEAL_GROW) != 0 {
		if seals&(unix.F_SEAL_WRITE|unix.F_SEAL_FUTURE_WRITE) != 0 {
			return 0, unix.EPERM
		}
		if room := f.obj.Size() - at; int64(allowed) > room {
			if room <= 0 {
				return 0, unix.EPERM
			}
			allowed = int(room)
		}
	}
	ctx.DropPriv(f.Base())
	hidden := it.Limit(allowed)
	n, err := f.obj.WriteAt(it, at)
	it.Grow(hidden)
	if n > 0 {
		*pos = at + int64(n)
		f.StoreSize(f.obj.Size())
		f.Touch()
	}
	return n, err
}

// Seek implements fs.FileOps.
func (o *fileOps) Seek(ctx *fs.Context, of *fs.File, off int64, whence int) (int64, error) {
	obj := &o.f.obj
	switch whence {
	case unix.SEEK_DATA, unix.SEEK_HOLE:
		if off < 0 {
			return 0, unix.ENXIO
		}
		if whence == unix.SEEK_DATA {
			off = obj.NextData(off)
		} else {
			off = obj.NextHole(off)
		}
		if off < 0 {
			return 0, unix.ENXIO
		}
		return off, nil
	}
	return fs.SeekTo(of, off, whence, obj.Size(), fs.MaxFileSize)
}

// Mmap implements fs.FileOps.
func (o *fileOps) Mmap(ctx *fs.Context, of *fs.File, m *fs.MmapRequest) (*mm.Object, error) {
	seals := o.f.seals.Load()
	if m.Shared && m.Prot&unix.PROT_WRITE != 0 && seals&(unix.F_SEAL_WRITE|unix.F_SEAL_FUTURE_WRITE) != 0 {
		return nil, unix.EPERM
	}
	of.Accessed()
	return &o.f.obj, nil
}

// Fsync implements fs.FileOps.
func (o *fileOps) Fsync(*fs.Context, *fs.File, bool) error { return nil }

// Ioctl implements fs.FileOps: FIONREAD is the VFS's.
func (o *fileOps) Ioctl(ctx *fs.Context, of *fs.File, cmd uint32, arg uint64) (uintptr, error) {
	return 0, unix.ENOTTY
}

// Fallocate implements fs.Allocator (fallocate(2)): allocation, keep-size,
// punching holes, zeroing.
func (o *fileOps) Fallocate(ctx *fs.Context, of *fs.File, mode uint32, off, n int64) error {
	f := o.f
	f.Lock()
	defer f.Unlock()
	seals := f.seals.Load()
	switch mode {
	case unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE:
		if seals&(unix.F_SEAL_WRITE|unix.F_SEAL_FUTURE_WRITE) != 0 {
			return unix.EPERM
		}
		if err := f.obj.PunchHole(off, n); err != nil {
			return err
		}
		f.Touch()
		return nil
	case 0, unix.FALLOC_FL_KEEP_SIZE:
	default:
		return unix.EOPNOTSUPP
	}
	size := f.obj.Size()
	end := off + n
	if mode == 0 && end > size {
		if seals&unix.F_SEAL_GROW != 0 {
			return unix.EPERM
		}
		if allowed, err := ctx.WriteLimit(off, int(n)); err != nil || int64(allowed) < n {
			return unix.EFBIG
		}
	}
	if limit := f.s.maxPages.Load(); limit != 0 && n/4096 > limit {
		return unix.ENOSPC
	}
	if err := f.obj.Allocate(off, n); err != nil {
		return err
	}
	if mode == 0 && end > size {
		if err := f.obj.Truncate(end); err != nil {
			return err
		}
		f.StoreSize(end)
	}
	f.Touch()
	return nil
}
