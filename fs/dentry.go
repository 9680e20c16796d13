package fs

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Dentry is a name in a directory, as the cache knows it: positive (with an
// inode) or negative (known not to exist). The tree of dentries of one super
// block is shared by all mounts of it.
type Dentry struct {
	// name and parent change only under the super block's renameMu (for writing)
	// together with both parents' mu; parent is atomic for lock-free "..".
	name   string
	parent atomic.Pointer[Dentry]

	// node is nil while the dentry is negative and never changes once set.
	node atomic.Pointer[inodeBox]

	// mounts counts the mounts on this dentry, in all mounts of its super block.
	mounts atomic.Int32

	// gone is set when the name was removed: d_path says " (deleted)".
	gone atomic.Bool

	mu        sync.RWMutex       // guards children and negatives
	children  map[string]*Dentry // made on first use
	negatives int                // negative dentries among children
}

// inodeBox lets an interface value be stored atomically.
type inodeBox struct {
	Inode
	base  *InodeBase  // Base(), without the method call
	kind  uint32      // S_IFMT bits
	reval Revalidator // not nil when names of this inode need checking
}

// maxNegatives bounds the negative dentries one directory keeps.
const maxNegatives = 64

// Inode returns the inode, or nil for a negative dentry.
func (d *Dentry) Inode() Inode {
	if b := d.node.Load(); b != nil {
		return b.Inode
	}
	return nil
}

// Name returns the last component of the name. It is racy against rename.
func (d *Dentry) Name() string { return d.name }

// Parent returns the parent directory's dentry; the root is its own parent.
func (d *Dentry) Parent() *Dentry { return d.parent.Load() }

// attach makes a negative dentry positive.
func (d *Dentry) attach(ino Inode) {
	r, _ := ino.(Revalidator)
	b := ino.Base()
	d.node.Store(&inodeBox{Inode: ino, base: b, kind: b.Type(), reval: r})
}

// NewDentry returns a detached positive dentry, for objects without a directory
// (pipes, anonymous inodes). name is what d_path shows.
func NewDentry(name string, ino Inode) *Dentry {
	d := &Dentry{name: name}
	d.parent.Store(d)
	d.attach(ino)
	return d
}

// child finds a cached name.
func (d *Dentry) child(name string) *Dentry {
	d.mu.RLock()
	c := d.children[name]
	d.mu.RUnlock()
	return c
}

// add caches a name under d and returns its dentry; when another goroutine was
// faster, that one's. ino nil makes it negative. The name is cloned.
func (d *Dentry) add(name string, ino Inode) *Dentry {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.children[name]; c != nil {
		if ino != nil && c.node.Load() == nil {
			c.attach(ino)
			d.negatives--
		}
		return c
	}
	if ino == nil && d.negatives >= maxNegatives {
		for n, c := range d.children {
			if c.node.Load() == nil {
				delete(d.children, n)
			}
		}
		d.negatives = 0
	}
	c := &Dentry{name: strings.Clone(name)}
	c.parent.Store(d)
	if ino != nil {
		c.attach(ino)
	} else {
		d.negatives++
	}
	if d.children == nil {
		d.children = make(map[string]*Dentry)
	}
	d.children[c.name] = c
	return c
}

// drop forgets child c (its name was removed or is stale).
func (d *Dentry) drop(c *Dentry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.children[c.name] == c {
		delete(d.children, c.name)
		if c.node.Load() == nil {
			d.negatives--
		}
	}
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
