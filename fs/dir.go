package fs

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// DirContext carries one getdents(2) through a file's Readdir. It lives in the
// Context of the task that reads.
type DirContext struct {
	// Pos is where the directory stands: 0 at the start, else a value that an Emit
	// passed as next (d_off).
	Pos int64

	emit func(name string, ino uint64, typ uint8, next int64) bool // or nil:

	buf  []byte // where records are put, as long as it may become so far
	n    int    // bytes of it that are filled
	room int    // what the caller has room for
	old  bool   // struct linux_dirent
	full bool   // a name did not fit
}

// NewDirContext returns a context that hands each name to emit, which returns
// false when it has no room for it.
func NewDirContext(pos int64, emit func(name string, ino uint64, typ uint8, next int64) bool) *DirContext {
	return &DirContext{Pos: pos, emit: emit}
}

// Sizes before the name in a record (linux/dirent.h), and of the buffer.
const (
	oldDirentHead = 18 // d_ino, d_off, d_reclen; d_type is in the last byte
	direntHead    = 19 // d_ino, d_off, d_reclen, d_type
	direntsMin    = 4 << 10
	direntsMax    = 32 << 10 // of one call, whatever the user offers
)

// Emit hands on one name; typ is a DT_* constant, next the position after it.
// When it returns false the name was not taken: Readdir returns nil at once.
func (d *DirContext) Emit(name string, ino uint64, typ uint8, next int64) bool {
	if d.emit != nil {
		if !d.emit(name, ino, typ, next) {
			return false
		}
		d.Pos = next
		return true
	}
	// Of both kinds: 19 bytes, the name and its NUL, filled up with zeros. The
	// older one's d_type comes after the NUL.
	n := (direntHead + len(name) + 1 + 7) &^ 7
	if len(d.buf)-d.n < n && !d.grow(n) {
		return false
	}
	rec := d.buf[d.n : d.n+n]
	binary.LittleEndian.PutUint64(rec[n-8:], 0) // before what may overlap it
	binary.LittleEndian.PutUint64(rec, ino)
	binary.LittleEndian.PutUint64(rec[8:], uint64(next))
	binary.LittleEndian.PutUint16(rec[16:], uint16(n))
	if d.old {
		rec[oldDirentHead+copy(rec[oldDirentHead:], name)] = 0 // the zeros may begin behind it
		rec[n-1] = typ
	} else {
		rec[direntHead-1] = typ
		copy(rec[direntHead:], name)
	}
	d.n += n
	d.Pos = next
	return true
}

// grow makes room for n more bytes, if the caller has it.
func (d *DirContext) grow(n int) bool {
	if d.n+n > d.room {
		d.full = true
		return false
	}
	size := max(direntsMin, len(d.buf))
	for size < d.n+n {
		size *= 2
	}
	if cap(d.buf) < size {
		buf := make([]byte, size)
		copy(buf, d.buf[:d.n])
		d.buf = buf
	}
	d.buf = d.buf[:min(size, d.room)]
	return true
}

// EmitDots emits "." and ".." at positions 0 and 1 of directory f.
func (d *DirContext) EmitDots(f *File) bool {
	if d.Pos == 0 && !d.Emit(".", f.inode.Base().Ino, unix.DT_DIR, 1) {
		return false
	}
	if d.Pos == 1 {
		up := f.path.Dentry.parent.Load().Inode()
		if !d.Emit("..", up.Base().Ino, unix.DT_DIR, 2) {
			return false
		}
	}
	return true
}

// DType returns the DT_* constant for mode's type bits.
func DType(mode uint32) uint8 { return uint8(mode & unix.S_IFMT >> 12) }

// ReadDir reads names of f from its position on, through emit, and leaves the
// position behind the last name taken: getdents64(2) without the copying.
func (ctx *Context) ReadDir(f *File, emit func(name string, ino uint64, typ uint8, next int64) bool) error {
	d := NewDirContext(0, emit)
	return ctx.readDir(f, d)
}

// Getdents is getdents64(2), or getdents(2) if old, for a caller with room for
// that many bytes. The records are good until the task's next call. EINVAL if
// not even one fits.
func (ctx *Context) Getdents(f *File, room int, old bool) ([]byte, error) {
	d := &ctx.dir
	d.n, d.full, d.old = 0, false, old
	d.room = min(room, direntsMax)
	d.buf = d.buf[:min(cap(d.buf), d.room)]
	if err := ctx.readDir(f, d); err != nil {
		return nil, err
	}
	if d.n == 0 && d.full {
		return nil, unix.EINVAL
	}
	return d.buf[:d.n], nil
}

func (ctx *Context) readDir(f *File, d *DirContext) error {
	if f.mode&ModeRead == 0 {
		return unix.EBADF
	}
	if !f.inode.Base().IsDir() {
		return unix.ENOTDIR
	}
	f.posMu.Lock()
	defer f.posMu.Unlock()
	if f.path.Dentry.gone.Load() {
		return unix.ENOENT
	}
	d.Pos = f.pos
	err := f.ops.Readdir(ctx, f, d)
	f.pos = d.Pos
	if err == nil {
		touchAtime(f.path)
	}
	return err
}
