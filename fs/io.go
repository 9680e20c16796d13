package fs

import (
	"math"

	"golang.org/x/sys/unix"

	"tamarix/mm"
)

// MaxRW is the most bytes that one read or write moves (MAX_RW_COUNT, linux/fs.h).
const MaxRW = math.MaxInt32 &^ 4095

// Read reads from f's position on: read(2), readv(2).
func (ctx *Context) Read(f *File, it *mm.Iter) (int, error) {
	if f.mode&ModeRead == 0 {
		return 0, unix.EBADF
	}
	if f.mode&(ModeStream|ModeNoPos) == 0 {
		return ctx.readAtPos(f, it)
	}
	ctx.pos = 0
	n, err := f.ops.Read(ctx, f, it, &ctx.pos)
	ctx.IO.countRead(n)
	return n, err
}

// readAtPos is Read for files with a position, which it holds on to.
func (ctx *Context) readAtPos(f *File, it *mm.Iter) (int, error) {
	f.posMu.Lock()
	defer f.posMu.Unlock()
	n, err := f.ops.Read(ctx, f, it, &f.pos)
	ctx.IO.countRead(n)
	return n, err
}

// Write writes at f's position: write(2), writev(2).
func (ctx *Context) Write(f *File, it *mm.Iter) (int, error) {
	if f.mode&ModeWrite == 0 {
		return 0, unix.EBADF
	}
	if f.mode&(ModeStream|ModeNoPos) == 0 {
		return ctx.writeAtPos(f, it)
	}
	ctx.pos = 0
	n, err := f.ops.Write(ctx, f, it, &ctx.pos)
	ctx.IO.countWrite(n)
	return n, err
}

// writeAtPos is Write for files with a position, which it holds on to.
func (ctx *Context) writeAtPos(f *File, it *mm.Iter) (int, error) {
	f.posMu.Lock()
	defer f.posMu.Unlock()
	n, err := f.ops.Write(ctx, f, it, &f.pos)
	ctx.IO.countWrite(n)
	return n, err
}

// Pread reads from position pos on: pread64(2), preadv(2). ESPIPE for streams.
func (ctx *Context) Pread(f *File, it *mm.Iter, pos int64) (int, error) {
	if err := ctx.setPos(f, pos, ModeRead); err != nil {
		return 0, err
	}
	n, err := f.ops.Read(ctx, f, it, &ctx.pos)
	ctx.IO.countRead(n)
	return n, err
}

// Pwrite writes at position pos: pwrite64(2), pwritev(2).
func (ctx *Context) Pwrite(f *File, it *mm.Iter, pos int64) (int, error) {
	if err := ctx.setPos(f, pos, ModeWrite); err != nil {
		return 0, err
	}
	n, err := f.ops.Write(ctx, f, it, &ctx.pos)
	ctx.IO.countWrite(n)
	return n, err
}

// setPos sets ctx.pos for a transfer at a position of its own, which f must
// have been opened for.
func (ctx *Context) setPos(f *File, pos int64, want FileMode) error {
	switch {
	case pos < 0:
		return unix.EINVAL
	case f.mode&ModeStream != 0:
		return unix.ESPIPE
	case f.mode&want == 0:
		return unix.EBADF
	}
	ctx.pos = pos
	return nil
}

// ReadAt fills p from off on for the kernel itself (exec reads headers and
// scripts so). It returns how many bytes there were; fewer than len(p) at the end of the file.
func (ctx *Context) ReadAt(f *File, p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		ctx.Iter2 = mm.BytesIter(p[n:])
		ctx.pos2 = off + int64(n)
		m, err := f.ops.Read(ctx, f, &ctx.Iter2, &ctx.pos2)
		n += m
		if err != nil {
			return n, err
		}
		if m == 0 {
			break
		}
	}
	return n, nil
}

// WriteAll writes p at f's position for the kernel itself.
func (ctx *Context) WriteAll(f *File, p []byte) error {
	for len(p) > 0 {
		ctx.Iter2 = mm.BytesIter(p)
		n, err := ctx.Write(f, &ctx.Iter2)
		if err != nil {
			return err
		}
		if n == 0 {
			return unix.EIO
		}
		p = p[n:]
	}
	return nil
}

// Seek is lseek(2).
func (ctx *Context) Seek(f *File, off int64, whence int) (int64, error) {
	if whence < 0 || whence > unix.SEEK_HOLE {
		return 0, unix.EINVAL
	}
	if f.mode&ModeStream != 0 {
		return 0, unix.ESPIPE
	}
	f.posMu.Lock()
	defer f.posMu.Unlock()
	n, err := f.ops.Seek(ctx, f, off, whence)
	if err == nil {
		f.pos = n
	}
	return n, err
}

// SeekTo computes lseek's result for a file of the given size that has data
// everywhere: what most FileOps need. max is the largest position allowed.
func SeekTo(f *File, off int64, whence int, size, max int64) (int64, error) {
	switch whence {
	case unix.SEEK_SET:
	case unix.SEEK_CUR:
		if off > 0 && f.pos > math.MaxInt64-off {
			return 0, unix.EOVERFLOW
		}
		off += f.pos
	case unix.SEEK_END:
		if off > 0 && size > math.MaxInt64-off {
			return 0, unix.EOVERFLOW
		}
		off += size
	case unix.SEEK_DATA:
		if off < 0 || off >= size {
			return 0, unix.ENXIO
		}
	case unix.SEEK_HOLE:
		if off < 0 || off >= size {
			return 0, unix.ENXIO
		}
		off = size
	default:
		return 0, unix.EINVAL
	}
	if off < 0 || off > max {
		return 0, unix.EINVAL
	}
	return off, nil
}

// WriteLimit applies RLIMIT_FSIZE and the largest file size to a write of n bytes at pos:
// it returns how many may be written, or EFBIG (with SIGXFSZ for the limit).
func (ctx *Context) WriteLimit(pos int64, n int) (int, error) {
	limit := ctx.Limits.FileSize.Load()
	if limit < math.MaxInt64 {
		if pos >= int64(limit) {
			if n == 0 {
				return 0, nil
			}
			ctx.Signal(unix.SIGXFSZ)
			return 0, unix.EFBIG
		}
		if int64(n) > int64(limit)-pos {
			n = int(int64(limit) - pos)
		}
	}
	if pos >= MaxFileSize {
		return 0, unix.EFBIG
	}
	return int(min(int64(n), MaxFileSize-pos)), nil
}

// MaxFileSize is the largest size of a regular file (MAX_LFS_FILESIZE, linux/fs.h).
const MaxFileSize = math.MaxInt64 &^ 4095

// SetTransferFlags sets the RWF_* flags of the transfer that follows (preadv2(2)).
func (ctx *Context) SetTransferFlags(rwf int) { ctx.rwf = rwf }

// AppendOnce reports whether the write that runs has RWF_APPEND (pwritev2(2)).
func (ctx *Context) AppendOnce() bool { return ctx.rwf&unix.RWF_APPEND != 0 }

// NoWaitOnce reports whether the transfer that runs must not sleep: RWF_NOWAIT,
// or O_NONBLOCK of f.
func (ctx *Context) NoWaitOnce(f *File) bool {
	return ctx.rwf&unix.RWF_NOWAIT != 0 || f.Nonblock()
}

// DropPriv removes set-id bits of a file that is being written (see perm.go).
func (ctx *Context) DropPriv(b *InodeBase) { ctx.dropPriv(b) }

// Accessed notes that f was read, for its access time.
func (f *File) Accessed() {
	if f.flags.Load()&unix.O_NOATIME == 0 {
		touchAtime(f.path)
	}
}

// Fsync is fsync(2) and fdatasync(2).
func (ctx *Context) Fsync(f *File, dataOnly bool) error { return f.ops.Fsync(ctx, f, dataOnly) }

// Mmap asks f for the object behind a mapping: EACCES when the file's mode or
// its mount forbid it, ENODEV when it cannot be mapped. maxProt is what
// mprotect(2) may give the mapping later.
func (ctx *Context) Mmap(f *File, m *MmapRequest) (obj *mm.Object, maxProt int, err error) {
	maxProt = unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC
	if f.mode&ModeRead == 0 {
		return nil, 0, unix.EACCES
	}
	if m.Shared && f.mode&ModeWrite == 0 {
		if m.Prot&unix.PROT_WRITE != 0 {
			return nil, 0, unix.EACCES
		}
		maxProt &^= unix.PROT_WRITE
	}
	if f.path.Mount != nil && f.path.Mount.Flags()&unix.MS_NOEXEC != 0 {
		if m.Prot&unix.PROT_EXEC != 0 {
			return nil, 0, unix.EPERM
		}
		maxProt &^= unix.PROT_EXEC
	}
	obj, err = f.ops.Mmap(ctx, f, m)
	return obj, maxProt, err
}
