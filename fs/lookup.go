package fs

import (
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/mm"
)

// lookupChild returns the dentry of name in directory dir, from the cache or
// from the file system. It may be negative.
func (ctx *Context) lookupChild(dir *Dentry, node *inodeBox, name qname) (*Dentry, error) {
	if d := dir.child(name); d != nil && d.fresh(ctx, name) {
		return d, nil
	}
	return ctx.lookupSlow(dir, node, name)
}

// fresh reports whether the cached dentry of name still holds.
func (d *Dentry) fresh(ctx *Context, name qname) bool {
	box := d.node.Load()
	return box == nil || box.reval == nil || box.reval.Revalidate(ctx, name.s)
}

func (ctx *Context) lookupSlow(dir *Dentry, node *inodeBox, name qname) (*Dentry, error) {
	node.base.mu.RLock()
	defer node.base.mu.RUnlock()
	return ctx.lookupLocked(dir, node, name)
}

// lookupLocked is lookupChild with the directory's inode lock held.
func (ctx *Context) lookupLocked(dir *Dentry, node *inodeBox, name qname) (*Dentry, error) {
	if d := dir.child(name); d != nil {
		if d.fresh(ctx, name) {
			return d, nil
		}
		dir.drop(d)
	}
	if dir.gone.Load() {
		return nil, unix.ENOENT
	}
	ino, err := node.Inode.Lookup(ctx, name.s)
	if err != nil && err != unix.ENOENT {
		return nil, err
	}
	if _, ok := node.Inode.(Uncached); ok {
		d := newDentry(dir, qname{strings.Clone(name.s), name.hash})
		if err == nil {
			d.attach(ino)
		}
		return d, nil
	}
	if err != nil {
		if node.base.Super.volatile || !mm.Admit() {
			return negative, nil
		}
		return dir.add(name, nil), nil
	}
	if _, ok := ino.(Transient); ok {
		d := newDentry(dir, qname{strings.Clone(name.s), name.hash})
		d.attach(ino)
		return d, nil
	}
	return dir.add(name, ino), nil
}

// negative stands for every missing name that is not remembered.
var negative = newDentry(nil, qname{})
