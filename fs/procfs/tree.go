package procfs

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// FS is an instance of procfs.
type FS struct {
	fs.BaseSuper
	sb  *fs.SuperBlock
	src Source
}

// rootIno is the root's inode number, as on Linux.
const rootIno = 1

// Register makes "proc" known to mount(2), with one instance, and returns it.
func Register(src Source) *fs.SuperBlock {
	p := &FS{src: src}
	p.sb = fs.NewSuperBlock("proc", unix.PROC_SUPER_MAGIC, p)
	p.sb.KeepAlive()
	p.sb.SetVolatile()
	p.sb.SetRoot(p.newRoot())
	fs.RegisterFileSystem(&fs.FileSystem{
		Name: "proc",
		Mount: func(*fs.Context, string, uint64, string) (*fs.SuperBlock, error) {
			return p.sb, nil
		},
	})
	return p.sb
}

// entry is a name in a directory of /proc. make returns its inode.
type entry struct {
	name string
	mode uint32 // with type bits
	make func(d *dir, e *entry) fs.Inode
}

// dir is a directory with a fixed table, and possibly names of its own on top.
type dir struct {
	fs.InodeBase
	p       *FS
	entries []entry
	proc    Process // whose directory it is, or nil
	whole   bool    // proc stands for its thread group
}

func (p *FS) newDir(mode uint32, entries []entry) *dir {
	d := &dir{p: p, entries: entries}
	d.Init(p.sb, p.sb.NextIno(), unix.S_IFDIR|mode, 0, 0)
	return d
}

// find returns the table's entry of that name, or nil.
func (d *dir) find(name string) *entry {
	for i := range d.entries {
		if d.entries[i].name == name {
			return &d.entries[i]
		}
	}
	return nil
}

// Lookup implements fs.Inode.
func (d *dir) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if d.proc != nil && !d.proc.Alive() {
		return nil, unix.ENOENT
	}
	if e := d.find(name); e != nil {
		return e.make(d, e), nil
	}
	return nil, unix.ENOENT
}

// Revalidate implements fs.Revalidator.
func (d *dir) Revalidate(*fs.Context, string) bool { return revalidate(&d.InodeBase, d.proc) }

// SetAttr implements fs.Inode: what is in /proc belongs to whom it belongs.
func (d *dir) SetAttr(*fs.Context, *fs.SetAttr) error { return unix.EPERM }

// revalidate reports whether an entry of p (nil: of the system) is still good and
// brings its owner up to date.
func revalidate(b *fs.InodeBase, p Process) bool {
	if p == nil {
		return true
	}
	if !p.Alive() {
		return false
	}
	own(b, p)
	return true
}

func own(b *fs.InodeBase, p Process) {
	uid, gid := owner(p)
	b.SetOwner(b.Mode(), uid, gid)
}

// Open implements fs.Inode.
func (d *dir) Open(*fs.Context, *fs.File) (fs.FileOps, error) { return &dirFile{dir: d}, nil }

// dirFile is an open directory with nothing but its table.
type dirFile struct {
	fs.BaseOps
	dir *dir
}

// Seek implements fs.FileOps.
func (o *dirFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence)
}

// Readdir implements fs.FileOps.
func (o *dirFile) Readdir(_ *fs.Context, f *fs.File, d *fs.DirContext) error {
	if o.dir.proc != nil && !o.dir.proc.Alive() {
		return unix.ENOENT
	}
	if d.EmitDots(f) {
		o.dir.emitTable(d)
	}
	return nil
}

// emitTable emits the table's names at positions 2 and on; it reports whether
// all are emitted.
func (d *dir) emitTable(c *fs.DirContext) bool {
	for i := range d.entries {
		pos := int64(2 + i)
		if c.Pos > pos {
			continue
		}
		e := &d.entries[i]
		if !c.Emit(e.name, d.Ino<<8+uint64(i)+1, fs.DType(e.mode), pos+1) {
			return false
		}
	}
	return true
}

// file is a regular file of /proc.
type file struct {
	fs.InodeBase
	proc Process
	open func(ctx *fs.Context, f *fs.File) (fs.FileOps, error)
}

// Open implements fs.Inode.
func (n *file) Open(ctx *fs.Context, f *fs.File) (fs.FileOps, error) { return n.open(ctx, f) }

// SetAttr implements fs.Inode: truncation, which a shell's > does, is accepted.
func (n *file) SetAttr(_ *fs.Context, set *fs.SetAttr) error {
	if set.Valid&(fs.SetMode|fs.SetUID|fs.SetGID) != 0 {
		return unix.EPERM
	}
	return nil
}

// Revalidate implements fs.Revalidator.
func (n *file) Revalidate(*fs.Context, string) bool { return revalidate(&n.InodeBase, n.proc) }

// newFile makes the inode of e in d.
func (d *dir) newFile(e *entry, open func(ctx *fs.Context, f *fs.File) (fs.FileOps, error)) fs.Inode {
	n := &file{proc: d.proc, open: open}
	n.Init(d.p.sb, d.p.sb.NextIno(), e.mode, 0, 0)
	if d.proc != nil {
		own(&n.InodeBase, d.proc)
	}
	return n
}

// textFile makes an entry whose text gen writes.
func textFile(name string, perm uint32, gen func(d *dir) generate) entry {
	return entry{name, unix.S_IFREG | perm, func(d *dir, e *entry) fs.Inode {
		return d.newFile(e, func(*fs.Context, *fs.File) (fs.FileOps, error) { return &text{gen: gen(d)}, nil })
	}}
}

// global makes an entry of the root whose text depends on the system alone.
func global(name string, gen func(p *FS, w *writer)) entry {
	return textFile(name, 0o444, func(d *dir) generate {
		return func(_ *fs.Context, w *writer) error {
			gen(d.p, w)
			return nil
		}
	})
}

// link is a symbolic link whose text is made when it is read.
type link struct {
	fs.InodeBase
	read func(ctx *fs.Context) (string, error)
}

// Readlink implements fs.Inode.
func (l *link) Readlink(ctx *fs.Context) (string, error) { return l.read(ctx) }

// SetAttr implements fs.Inode.
func (l *link) SetAttr(*fs.Context, *fs.SetAttr) error { return unix.EPERM }

func linkFile(name string, read func(p *FS, ctx *fs.Context) (string, error)) entry {
	return entry{name, unix.S_IFLNK | 0o777, func(d *dir, e *entry) fs.Inode {
		l := &link{read: func(ctx *fs.Context) (string, error) { return read(d.p, ctx) }}
		l.Init(d.p.sb, d.p.sb.NextIno(), e.mode, 0, 0)
		return l
	}}
}
