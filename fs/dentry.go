package fs

import "sync/atomic"

// Dentry is a name in a directory, as the cache knows it: positive (with an
// inode) or negative (known not to exist). The tree of dentries of one super
// block is shared by all mounts of it.
type Dentry struct {
	// label and parent change only under the super block's renameMu (for writing),
	// with both directories' inodes locked; they are atomic for those who look
	// without a lock.
	label  atomic.Pointer[label]
	parent atomic.Pointer[Dentry]

	// node is nil while the dentry is negative and never changes once set.
	node atomic.Pointer[inodeBox]

	// mounts is what is mounted on this dentry, in all mounts of its super block;
	// replaced under mountMu, nil for nothing.
	mounts atomic.Pointer[[]mounted]

	// names is the cached names of a directory, made on first use.
	names atomic.Pointer[nameTable]

	first label // where label points until the first rename

	// gone is set when the name was removed: d_path says " (deleted)".
	gone atomic.Bool
}

// inodeBox is an inode with what a walk wants to know of it at once. It is
// part of the inode's InodeBase and immutable.
type inodeBox struct {
	Inode
	base  *InodeBase  // Base(), without the method call
	kind  uint32      // S_IFMT bits
	reval Revalidator // not nil when names of this inode need checking
}

// newDentry returns a negative dentry, not in any table. q's name is kept.
func newDentry(parent *Dentry, q qname) *Dentry {
	d := new(Dentry)
	d.first.qname, d.first.d = q, d
	d.label.Store(&d.first)
	if parent == nil {
		parent = d
	}
	d.parent.Store(parent)
	return d
}

// Inode returns the inode, or nil for a negative dentry.
func (d *Dentry) Inode() Inode {
	if b := d.node.Load(); b != nil {
		return b.Inode
	}
	return nil
}

// Name returns the last component of the name. It is racy against rename.
func (d *Dentry) Name() string { return d.label.Load().s }

// Parent returns the parent directory's dentry; the root is its own parent.
func (d *Dentry) Parent() *Dentry { return d.parent.Load() }

// attach makes a negative dentry positive.
func (d *Dentry) attach(ino Inode) { d.node.Store(ino.Base().boxOf(ino)) }

// boxOf returns the box of ino, whose base b is.
func (b *InodeBase) boxOf(ino Inode) *inodeBox {
	if !b.boxed.Load() {
		b.small.Lock()
		if !b.boxed.Load() {
			b.box = inodeBox{Inode: ino, base: b, kind: b.Type()}
			b.box.reval, _ = ino.(Revalidator)
			b.boxed.Store(true)
		}
		b.small.Unlock()
	}
	return &b.box
}

// NewDentry returns a detached positive dentry, for objects without a directory
// (pipes, anonymous inodes). name is what d_path shows.
func NewDentry(name string, ino Inode) *Dentry {
	d := newDentry(nil, qname{s: name})
	d.attach(ino)
	return d
}

// isDescendant reports whether d is a or lies below it. renameMu held.
func (d *Dentry) isDescendant(a *Dentry) bool {
	for {
		if d == a {
			return true
		}
		p := d.parent.Load()
		if p == d {
			return false
		}
		d = p
	}
}

// Path is a dentry seen through a mount: one place in a task's name space.
type Path struct {
	Mount  *Mount
	Dentry *Dentry
}

// Valid reports whether p is set.
func (p Path) Valid() bool { return p.Dentry != nil }

// Inode returns the inode at p (never nil for paths that lookups return).
func (p Path) Inode() Inode { return p.Dentry.Inode() }

func (p Path) get() {
	if p.Mount != nil {
		p.Mount.users.Add(1)
	}
}

func (p Path) put() {
	if p.Mount != nil {
		p.Mount.put()
	}
}
