package fs

import (
	"golang.org/x/sys/unix"
)

// Flags of renameat2(2) that are understood.
const renameFlags = unix.RENAME_NOREPLACE | unix.RENAME_EXCHANGE

// Rename is renameat2(2).
//
// Locks: renameMu of the super block when the directories differ (so that the
// tree cannot change while ancestry is checked), then the two directories'
// inode locks, the ancestor first, then a directory that is replaced.
func (ctx *Context) Rename(oldfd int32, oldpath string, newfd int32, newpath string, flags uint) error {
	if flags&^renameFlags != 0 || flags == renameFlags {
		return unix.EINVAL
	}
	odir, oname, okind, oslash, err := ctx.lookupParent(oldfd, oldpath, 0)
	if err != nil {
		return err
	}
	ndir, nname, nkind, nslash, err := ctx.lookupParent(newfd, newpath, 0)
	if err != nil {
		return err
	}
	if odir.Mount != ndir.Mount {
		return unix.EXDEV
	}
	if okind != lastNorm {
		return unix.EBUSY
	}
	if nkind != lastNorm {
		if flags&unix.RENAME_NOREPLACE != 0 {
			return unix.EEXIST
		}
		return unix.EBUSY
	}
	onode, nnode := odir.Dentry.node.Load(), ndir.Dentry.node.Load()
	if onode.kind != unix.S_IFDIR || nnode.kind != unix.S_IFDIR {
		return unix.ENOTDIR
	}
	sb := onode.base.Super
	// Held for writing also within one directory: names change under it (d_path).
	sb.renameMu.Lock()
	defer sb.renameMu.Unlock()
	same := onode.base == nnode.base
	switch {
	case same:
		onode.base.mu.Lock()
		defer onode.base.mu.Unlock()
	case ndir.Dentry.isDescendant(odir.Dentry):
		onode.base.mu.Lock()
		defer onode.base.mu.Unlock()
		nnode.base.mu.Lock()
		defer nnode.base.mu.Unlock()
	default:
		nnode.base.mu.Lock()
		defer nnode.base.mu.Unlock()
		onode.base.mu.Lock()
		defer onode.base.mu.Unlock()
	}
	od, err := ctx.lookupLocked(odir.Dentry, onode, oname)
	if err != nil {
		return err
	}
	obox := od.node.Load()
	if obox == nil {
		return unix.ENOENT
	}
	nd, err := ctx.lookupLocked(ndir.Dentry, nnode, nname)
	if err != nil {
		return err
	}
	nbox := nd.node.Load()
	if flags&unix.RENAME_NOREPLACE != 0 && nbox != nil {
		return unix.EEXIST
	}
	if flags&unix.RENAME_EXCHANGE != 0 {
		if nbox == nil {
			return unix.ENOENT
		}
		if nbox.kind != unix.S_IFDIR && nslash {
			return unix.ENOTDIR
		}
	}
	if obox.kind != unix.S_IFDIR {
		if oslash || flags&unix.RENAME_EXCHANGE == 0 && nslash {
			return unix.ENOTDIR
		}
	}
	if ndir.Dentry.isDescendant(od) { // into itself
		return unix.EINVAL
	}
	if odir.Dentry.isDescendant(nd) {
		if flags&unix.RENAME_EXCHANGE != 0 {
			return unix.EINVAL
		}
		return unix.ENOTEMPTY
	}
	if odir.Mount.ReadOnly() {
		return unix.EROFS
	}
	if nbox != nil && obox.base == nbox.base { // hard links to one file: nothing to do
		return nil
	}
	if err := ctx.mayDelete(odir, od, obox.kind == unix.S_IFDIR); err != nil {
		return err
	}
	switch {
	case nbox == nil:
		err = ctx.mayCreate(ndir)
	case flags&unix.RENAME_EXCHANGE != 0:
		err = ctx.mayDelete(ndir, nd, nbox.kind == unix.S_IFDIR)
	default:
		err = ctx.mayDelete(ndir, nd, obox.kind == unix.S_IFDIR)
	}
	if err != nil {
		return err
	}
	// A directory that moves gets another "..": its owner must agree.
	if !same {
		if obox.kind == unix.S_IFDIR {
			if err := ctx.Permission(obox.base, MayWrite); err != nil {
				return err
			}
		}
		if flags&unix.RENAME_EXCHANGE != 0 && nbox.kind == unix.S_IFDIR {
			if err := ctx.Permission(nbox.base, MayWrite); err != nil {
				return err
			}
		}
	}
	if od.mounts.Load() != nil || nd.mounts.Load() != nil {
		return unix.EBUSY
	}
	var target Inode
	if nbox != nil {
		target = nbox.Inode
		if nbox.kind == unix.S_IFDIR && flags&unix.RENAME_EXCHANGE == 0 {
			nbox.base.mu.Lock() // nobody creates anything in it from here on
			defer nbox.base.mu.Unlock()
		}
	}
	nname = nd.keep(nname)
	if err := onode.Inode.Rename(ctx, oname.s, nnode.Inode, nname.s, target, flags); err != nil {
		return err
	}
	if flags&unix.RENAME_EXCHANGE != 0 {
		exchange(od, nd)
		return nil
	}
	if nbox != nil {
		nd.gone.Store(true)
		defer evictIfDead(target)
	}
	ndir.Dentry.drop(nd)
	move(od, ndir.Dentry, nname)
	return nil
}

// move makes od a child of dir by the given name, which no other child has.
// renameMu and both directories are locked.
func move(od, dir *Dentry, name qname) {
	od.parent.Load().drop(od)
	od.rename(dir, name)
}

// exchange swaps two names.
func exchange(a, b *Dentry) {
	ap, bp := a.parent.Load(), b.parent.Load()
	an, bn := a.label.Load().qname, b.label.Load().qname
	ap.drop(a)
	bp.drop(b)
	a.rename(bp, bn)
	b.rename(ap, an)
}
