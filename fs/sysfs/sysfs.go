package sysfs

import (
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Attribute is an entry below /sys. With none of Get, Set, Bin and Link it is a
// directory. The functions may be called by any task, several at a time.
type Attribute struct {
	Path string // "devices/system/cpu/online"
	Mode uint32 // permission bits; 0: 0444, with Set 0644
	// Get returns the value without the newline at its end.
	Get func() string
	// Set takes a value that was written, white space around it removed. Its error
	// is that of the write.
	Set func(value string) error
	// Bin returns the content of a file that is no text. It is not written to.
	Bin func() []byte
	// Size is what stat(2) shows of Bin's content; 0: its length as of now.
	Size int64
	// Link is the text of a symbolic link, relative to its directory.
	Link string
}

// topLevel are the directories that are there whatever is in them (sysfs(5)).
var topLevel = []string{"block", "bus", "class", "dev", "devices", "firmware", "fs", "kernel", "module", "power"}

// attrSize is the size that every text shows, and the most that is written to one:
// a page.
const attrSize = 4096

// tree is the one instance.
var tree struct {
	mu   sync.RWMutex // guards nodes and names of all directories; a leaf
	once sync.Once
	sb   *fs.SuperBlock
	root *dir
}

type super struct{ fs.BaseSuper }

// node is what all inodes have.
type node struct {
	fs.InodeBase
	gone atomic.Bool // removed
}

// inode is one of dir, attr and link.
type inode interface {
	fs.Inode
	common() *node
}

func (n *node) common() *node { return n }

// Revalidate implements fs.Revalidator.
func (n *node) Revalidate(*fs.Context, string) bool { return !n.gone.Load() }

// dir is a directory. Guarded by tree.mu.
type dir struct {
	node
	names []string // sorted
	nodes map[string]inode
}

// link is a symbolic link.
type link struct {
	node
	text string
}

// Register makes "sysfs" known to mount(2), with the given attributes and those
// added before.
func Register(attrs []Attribute) {
	Add(attrs...)
	fs.RegisterFileSystem(&fs.FileSystem{
		Name:  "sysfs",
		Mount: func(*fs.Context, string, uint64, string) (*fs.SuperBlock, error) { return tree.sb, nil },
	})
}

// Add makes attributes, and the directories that lead to them. One that exists
// already is replaced, unless one of the two is a directory: then the old one
// stays. Callable from any goroutine.
func Add(attrs ...Attribute) {
	plant()
	for i := range attrs {
		a := &attrs[i]
		if a.Bin != nil && a.Size == 0 {
			a.Size = int64(len(a.Bin()))
		}
	}
	tree.mu.Lock()
	defer tree.mu.Unlock()
	for i := range attrs {
		addLocked(&attrs[i])
	}
}

// Remove takes what is at path out of the tree, a directory with all that is in
// it. Callable from any goroutine.
func Remove(path string) {
	plant()
	tree.mu.Lock()
	defer tree.mu.Unlock()
	parts := strings.Split(path, "/")
	d := tree.root
	for _, name := range parts[:len(parts)-1] {
		sub, ok := d.nodes[name].(*dir)
		if !ok {
			return
		}
		d = sub
	}
	d.removeLocked(parts[len(parts)-1])
}

// plant makes the tree with its top-level directories.
func plant() {
	tree.once.Do(func() {
		tree.sb = fs.NewSuperBlock("sysfs", unix.SYSFS_MAGIC, super{})
		tree.sb.KeepAlive()
		tree.sb.SetVolatile()
		tree.root = newDir()
		for _, name := range topLevel {
			tree.root.subLocked(name)
		}
		tree.sb.SetRoot(tree.root)
	})
}

// addLocked makes one attribute.
//   - tree.mu is held.
func addLocked(a *Attribute) {
	parts := strings.Split(a.Path, "/")
	d, last := tree.root, parts[len(parts)-1]
	for _, name := range parts[:len(parts)-1] {
		if d = d.subLocked(name); d == nil {
			return
		}
	}
	if _, ok := d.nodes[last].(*dir); ok {
		return
	}
	switch {
	case a.Link != "":
		l := &link{text: a.Link}
		l.Init(tree.sb, tree.sb.NextIno(), unix.S_IFLNK|0o777, 0, 0)
		l.StoreSize(int64(len(a.Link)))
		d.addLocked(last, l)
	case a.Get != nil || a.Set != nil || a.Bin != nil:
		d.addLocked(last, newAttr(a))
	default:
		d.subLocked(last)
	}
}

func newDir() *dir {
	d := &dir{nodes: make(map[string]inode)}
	d.Init(tree.sb, tree.sb.NextIno(), unix.S_IFDIR|0o755, 0, 0)
	return d
}

// addLocked gives n a name, in the place of what had it.
//   - tree.mu is held.
func (d *dir) addLocked(name string, n inode) {
	if old := d.nodes[name]; old != nil {
		old.common().gone.Store(true)
	} else {
		i := sort.SearchStrings(d.names, name)
		d.names = append(d.names, "")
		copy(d.names[i+1:], d.names[i:])
		d.names[i] = name
	}
	d.nodes[name] = n
}

// subLocked returns the directory name of d, making it if need be; nil if that
// name is something else.
//   - tree.mu is held, or the tree is not known to anybody yet.
func (d *dir) subLocked(name string) *dir {
	switch n := d.nodes[name].(type) {
	case *dir:
		return n
	case nil:
		sub := newDir()
		d.addLocked(name, sub)
		d.AddNlink(1)
		return sub
	}
	return nil
}

// removeLocked takes name out of d.
//   - tree.mu is held.
func (d *dir) removeLocked(name string) {
	n := d.nodes[name]
	if n == nil {
		return
	}
	if sub, ok := n.(*dir); ok {
		for len(sub.names) > 0 {
			sub.removeLocked(sub.names[len(sub.names)-1])
		}
		d.AddNlink(-1)
	}
	n.common().gone.Store(true)
	delete(d.nodes, name)
	i := sort.SearchStrings(d.names, name)
	d.names = append(d.names[:i], d.names[i+1:]...)
}

// Lookup implements fs.Inode.
func (d *dir) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	tree.mu.RLock()
	defer tree.mu.RUnlock()
	if n := d.nodes[name]; n != nil {
		return n, nil
	}
	return nil, unix.ENOENT
}

// SetAttr implements fs.Inode.
func (d *dir) SetAttr(*fs.Context, *fs.SetAttr) error { return unix.EPERM }

// Open implements fs.Inode.
func (d *dir) Open(*fs.Context, *fs.File) (fs.FileOps, error) { return &dirFile{d: d}, nil }

// entry is a name as a listing shows it.
type entry struct {
	name string
	base *fs.InodeBase
}

// dirFile is an open directory.
type dirFile struct {
	fs.BaseOps
	d *dir

	mu   sync.Mutex // guards list; before tree.mu
	list []entry    // the names as they were when the listing began
}

// Seek implements fs.FileOps.
func (o *dirFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence)
}

// Readdir implements fs.FileOps. A listing that begins at the start shows the
// names of that moment, so that positions hold while devices come and go.
func (o *dirFile) Readdir(_ *fs.Context, f *fs.File, c *fs.DirContext) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.Pos == 0 || o.list == nil {
		o.list = o.d.entries()
	}
	if !c.EmitDots(f) {
		return nil
	}
	for i, e := range o.list {
		pos := int64(2 + i)
		if c.Pos > pos {
			continue
		}
		if !c.Emit(e.name, e.base.Ino, fs.DType(e.base.Mode()), pos+1) {
			return nil
		}
	}
	return nil
}

func (d *dir) entries() []entry {
	tree.mu.RLock()
	defer tree.mu.RUnlock()
	list := make([]entry, 0, len(d.names))
	for _, name := range d.names {
		list = append(list, entry{name, d.nodes[name].Base()})
	}
	return list
}

// Readlink implements fs.Inode.
func (l *link) Readlink(*fs.Context) (string, error) { return l.text, nil }

// SetAttr implements fs.Inode.
func (l *link) SetAttr(*fs.Context, *fs.SetAttr) error { return unix.EPERM }
