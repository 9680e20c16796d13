package fs

import "golang.org/x/sys/unix"

// DirContext carries one getdents(2) through a file's Readdir.
type DirContext struct {
	// Pos is where the directory stands: 0 at the start, else a value that an Emit
	// passed as next (d_off).
	Pos int64

	emit func(name string, ino uint64, typ uint8, next int64) bool
}

// NewDirContext returns a context that hands each name to emit, which returns
// false when it has no room for it.
func NewDirContext(pos int64, emit func(name string, ino uint64, typ uint8, next int64) bool) *DirContext {
	return &DirContext{Pos: pos, emit: emit}
}

// Emit hands on one name; typ is a DT_* constant, next the position after it.
// When it returns false the name was not taken: Readdir returns nil at once.
func (d *DirContext) Emit(name string, ino uint64, typ uint8, next int64) bool {
	if !d.emit(name, ino, typ, next) {
		return false
	}
	d.Pos = next
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
	if f.mode&ModeRead == 0 {
		return unix.EBADF
	}
	b := f.inode.Base()
	if !b.IsDir() {
		return unix.ENOTDIR
	}
	f.posMu.Lock()
	defer f.posMu.Unlock()
	if f.path.Dentry.gone.Load() {
		return unix.ENOENT
	}
	d := DirContext{Pos: f.pos, emit: emit}
	err := f.ops.Readdir(ctx, f, &d)
	f.pos = d.Pos
	if err == nil {
		touchAtime(f.path)
	}
	return err
}
