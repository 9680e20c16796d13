package tmpfs

import (
	"math"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// entry is a name in a directory.
type entry struct {
	name   string
	ino    fs.Inode      // nil once removed, while it still stands in order
	base   *fs.InodeBase // ino.Base()
	cookie int64         // readdir position; grows with every entry made
	hash   uint64        // of name
	next   *entry        // in the bucket of the name table
}

// set makes e another inode's name.
func (e *entry) set(ino fs.Inode) { e.ino, e.base = ino, ino.Base() }

// dir is a directory. Its inode lock guards names, order, next and dead.
type dir struct {
	node
	names nameTable
	order []*entry // by cookie; removed entries stay until compacted
	dead  int      // removed entries in order
	next  int64    // last cookie given out, less firstCookie
}

const (
	firstCookie = 2  // after "." and ".."
	entrySize   = 20 // what a name adds to st_size (BOGO_DIRENT_SIZE, mm/shmem.c)
)

// add enters a name that is not there, and keeps it.
func (d *dir) add(name string, ino fs.Inode) {
	e := &entry{name: name, ino: ino, base: ino.Base(), cookie: firstCookie + d.next}
	d.next++
	d.names.insert(e)
	d.order = append(d.order, e)
	d.StoreSize(int64(d.names.n) * entrySize)
	d.Touch()
}

// remove takes a name out.
func (d *dir) remove(name string) {
	e := d.names.remove(name)
	if e == nil {
		return
	}
	e.ino, e.base = nil, nil
	if d.dead++; d.dead > 16 && d.dead > len(d.order)/2 {
		live := make([]*entry, 0, d.names.n+8)
		for _, e := range d.order {
			if e.ino != nil {
				live = append(live, e)
			}
		}
		d.order, d.dead = live, 0
	}
	d.StoreSize(int64(d.names.n) * entrySize)
	d.Touch()
}

// Stat implements fs.Inode.
func (d *dir) Stat(ctx *fs.Context, st *fs.Attr) error {
	d.FillAttr(st)
	st.Blocks = 0
	return nil
}

// Lookup implements fs.Inode.
func (d *dir) Lookup(ctx *fs.Context, name string) (fs.Inode, error) {
	if e := d.names.find(name); e != nil {
		return e.ino, nil
	}
	return nil, unix.ENOENT
}

// make sets up n, a new inode of the type in mode, to be entered into d.
func (d *dir) make(ctx *fs.Context, n *node, mode uint32) error {
	if err := d.s.newInode(); err != nil {
		return err
	}
	mode, uid, gid := ctx.NewOwner(d.Base(), mode)
	n.s = d.s
	n.Init(d.s.sb, d.s.sb.NextIno(), mode, uid, gid)
	return nil
}

// Create implements fs.Inode.
func (d *dir) Create(ctx *fs.Context, name string, mode uint32) (fs.Inode, error) {
	f := new(file)
	if err := d.make(ctx, &f.node, mode); err != nil {
		return nil, err
	}
	f.init()
	d.add(name, f)
	return f, nil
}

// Tmpfile implements fs.Inode.
func (d *dir) Tmpfile(ctx *fs.Context, mode uint32) (fs.Inode, error) {
	f := new(file)
	if err := d.make(ctx, &f.node, mode); err != nil {
		return nil, err
	}
	f.init()
	f.SetNlink(0)
	return f, nil
}

// Mkdir implements fs.Inode.
func (d *dir) Mkdir(ctx *fs.Context, name string, mode uint32) (fs.Inode, error) {
	n := new(dir)
	if err := d.make(ctx, &n.node, mode); err != nil {
		return nil, err
	}
	d.AddNlink(1)
	d.add(name, n)
	return n, nil
}

// Mknod implements fs.Inode.
func (d *dir) Mknod(ctx *fs.Context, name string, mode uint32, rdev uint64) (fs.Inode, error) {
	n := new(special)
	if err := d.make(ctx, &n.node, mode); err != nil {
		return nil, err
	}
	n.Rdev = rdev
	d.add(name, n)
	return n, nil
}

// Symlink implements fs.Inode.
func (d *dir) Symlink(ctx *fs.Context, name, target string) (fs.Inode, error) {
	l := &link{target: strings.Clone(target)}
	if err := d.make(ctx, &l.node, unix.S_IFLNK|0o777); err != nil {
		return nil, err
	}
	l.SetOwner(0o777, l.UID(), l.GID()) // no umask
	d.add(name, l)
	return l, nil
}

// Link implements fs.Inode.
func (d *dir) Link(ctx *fs.Context, name string, target fs.Inode) error {
	if !mm.Admit() {
		return unix.ENOMEM
	}
	target.Base().AddNlink(1)
	target.Base().TouchChange()
	d.add(name, target)
	return nil
}

// Unlink implements fs.Inode.
func (d *dir) Unlink(ctx *fs.Context, name string, victim fs.Inode) error {
	d.remove(name)
	victim.Base().AddNlink(-1)
	victim.Base().TouchChange()
	return nil
}

// Rmdir implements fs.Inode.
func (d *dir) Rmdir(ctx *fs.Context, name string, victim fs.Inode) error {
	if victim.(*dir).names.n != 0 {
		return unix.ENOTEMPTY
	}
	d.remove(name)
	victim.Base().SetNlink(0)
	victim.Base().TouchChange()
	d.AddNlink(-1)
	return nil
}

// Rename implements fs.Inode.
func (d *dir) Rename(ctx *fs.Context, oldName string, newDir fs.Inode, newName string, target fs.Inode, flags uint) error {
	to := newDir.(*dir)
	ino := d.names.find(oldName).ino
	_, isDir := ino.(*dir)
	if flags&unix.RENAME_EXCHANGE != 0 {
		_, targetDir := target.(*dir)
		d.names.find(oldName).set(target)
		to.names.find(newName).set(ino)
		if isDir != targetDir && d != to {
			step := int32(1)
			if targetDir {
				step = -1
			}
			d.AddNlink(-step)
			to.AddNlink(step)
		}
		d.Touch()
		to.Touch()
		ino.Base().TouchChange()
		target.Base().TouchChange()
		return nil
	}
	if target != nil {
		if t, ok := target.(*dir); ok {
			if t.names.n != 0 {
				return unix.ENOTEMPTY
			}
			t.SetNlink(0)
			to.AddNlink(-1)
		} else {
			target.Base().AddNlink(-1)
		}
		target.Base().TouchChange()
		to.remove(newName)
	}
	d.remove(oldName)
	to.add(newName, ino)
	if isDir {
		d.AddNlink(-1)
		to.AddNlink(1)
	}
	ino.Base().TouchChange()
	return nil
}

// Open implements fs.Inode.
func (d *dir) Open(ctx *fs.Context, f *fs.File) (fs.FileOps, error) { return dirFile{d: d}, nil }

// dirFile is an open directory.
type dirFile struct {
	fs.BaseOps
	d *dir
}

// Read implements fs.FileOps.
func (dirFile) Read(*fs.Context, *fs.File, *mm.Iter, *int64) (int, error) { return 0, unix.EISDIR }

// Seek implements fs.FileOps.
func (dirFile) Seek(ctx *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	if whence > unix.SEEK_CUR {
		return 0, unix.EINVAL
	}
	return fs.SeekTo(f, off, whence, 0, math.MaxInt64)
}

// Fsync implements fs.FileOps.
func (dirFile) Fsync(*fs.Context, *fs.File, bool) error { return nil }

// Readdir implements fs.FileOps.
func (o dirFile) Readdir(ctx *fs.Context, f *fs.File, dc *fs.DirContext) error {
	if !dc.EmitDots(f) {
		return nil
	}
	d := o.d
	d.RLock()
	defer d.RUnlock()
	i := sort.Search(len(d.order), func(i int) bool { return d.order[i].cookie >= dc.Pos })
	for _, e := range d.order[i:] {
		if e.ino == nil {
			continue
		}
		if !dc.Emit(e.name, e.base.Ino, fs.DType(e.base.Mode()), e.cookie+1) {
			return nil
		}
	}
	return nil
}
