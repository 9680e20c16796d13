package sysfs

import (
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// Attribute is a file below /sys. An empty Get makes Path a directory.
type Attribute struct {
	Path string // "devices/system/cpu/online"
	Get  func() string
}

// topLevel are the directories that are there whatever is in them (sysfs(5)).
var topLevel = []string{"block", "bus", "class", "dev", "devices", "firmware", "fs", "kernel", "module", "power"}

// attrSize is the size that every attribute shows, and the most it can hold: a page.
const attrSize = 4096

type super struct{ fs.BaseSuper }

// dir is a directory; immutable once the tree is built.
type dir struct {
	fs.InodeBase
	names []string // sorted
	nodes map[string]fs.Inode
}

// attr is an attribute.
type attr struct {
	fs.InodeBase
	get func() string
}

// Register makes "sysfs" known to mount(2), with one instance.
func Register(attrs []Attribute) {
	sb := fs.NewSuperBlock("sysfs", unix.SYSFS_MAGIC, super{})
	sb.KeepAlive()
	root := newDir(sb)
	for _, name := range topLevel {
		root.sub(sb, name)
	}
	for _, a := range attrs {
		parts := strings.Split(a.Path, "/")
		d := root
		last := len(parts) - 1
		for _, name := range parts[:last] {
			d = d.sub(sb, name)
		}
		if a.Get == nil {
			d.sub(sb, parts[last])
			continue
		}
		n := &attr{get: a.Get}
		n.Init(sb, sb.NextIno(), unix.S_IFREG|0o444, 0, 0)
		n.StoreSize(attrSize)
		d.add(parts[last], n)
	}
	sb.SetRoot(root)
	fs.RegisterFileSystem(&fs.FileSystem{
		Name:  "sysfs",
		Mount: func(*fs.Context, string, uint64, string) (*fs.SuperBlock, error) { return sb, nil },
	})
}

func newDir(sb *fs.SuperBlock) *dir {
	d := &dir{nodes: make(map[string]fs.Inode)}
	d.Init(sb, sb.NextIno(), unix.S_IFDIR|0o755, 0, 0)
	return d
}

func (d *dir) add(name string, n fs.Inode) {
	d.nodes[name] = n
	d.names = append(d.names, name)
	sort.Strings(d.names)
}

// sub returns the directory name of d, making it if need be.
func (d *dir) sub(sb *fs.SuperBlock, name string) *dir {
	if n, ok := d.nodes[name].(*dir); ok {
		return n
	}
	n := newDir(sb)
	d.add(name, n)
	d.AddNlink(1)
	return n
}

// Lookup implements fs.Inode.
func (d *dir) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if n := d.nodes[name]; n != nil {
		return n, nil
	}
	return nil, unix.ENOENT
}

// SetAttr implements fs.Inode.
func (d *dir) SetAttr(*fs.Context, *fs.SetAttr) error { return unix.EPERM }

// Open implements fs.Inode.
func (d *dir) Open(*fs.Context, *fs.File) (fs.FileOps, error) { return dirFile{d: d}, nil }

type dirFile struct {
	fs.BaseOps
	d *dir
}

// Seek implements fs.FileOps.
func (o dirFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence)
}

// Readdir implements fs.FileOps.
func (o dirFile) Readdir(_ *fs.Context, f *fs.File, c *fs.DirContext) error {
	if !c.EmitDots(f) {
		return nil
	}
	for i, name := range o.d.names {
		pos := int64(2 + i)
		if c.Pos > pos {
			continue
		}
		b := o.d.nodes[name].Base()
		if !c.Emit(name, b.Ino, fs.DType(b.Mode()), pos+1) {
			return nil
		}
	}
	return nil
}

// SetAttr implements fs.Inode: truncation, which a shell's > does, is accepted.
func (n *attr) SetAttr(_ *fs.Context, set *fs.SetAttr) error {
	if set.Valid&(fs.SetMode|fs.SetUID|fs.SetGID) != 0 {
		return unix.EPERM
	}
	return nil
}

// Open implements fs.Inode.
func (n *attr) Open(_ *fs.Context, f *fs.File) (fs.FileOps, error) {
	if f.Mode()&fs.ModeWrite != 0 {
		return nil, unix.EACCES
	}
	return attrFile{n: n}, nil
}

type attrFile struct {
	fs.BaseOps
	n *attr
}

// Read implements fs.FileOps.
func (o attrFile) Read(_ *fs.Context, _ *fs.File, it *mm.Iter, pos *int64) (int, error) {
	v := o.n.get() + "\n"
	if *pos < 0 || *pos >= int64(len(v)) {
		return 0, nil
	}
	n, err := it.CopyTo([]byte(v[*pos:]))
	*pos += int64(n)
	return n, err
}

// Seek implements fs.FileOps.
func (o attrFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence)
}

func seek(f *fs.File, off int64, whence int) (int64, error) {
	if whence == unix.SEEK_CUR {
		off += f.Pos()
	} else if whence != unix.SEEK_SET {
		return 0, unix.EINVAL
	}
	if off < 0 {
		return 0, unix.EINVAL
	}
	return off, nil
}
