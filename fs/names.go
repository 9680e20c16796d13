package fs

import (
	"golang.org/x/sys/unix"
)

// startCreate resolves path to a directory and a name in it that does not exist
// yet, and locks the directory. wantDir tells that a directory is to be made (it
// may have slashes behind its name). On success the caller unlocks
// dir's inode.
func (ctx *Context) startCreate(dirfd int32, path string, wantDir bool) (dir Path, node *inodeBox, name qname, err error) {
	dir, name, kind, slash, err := ctx.lookupParent(dirfd, path, 0)
	if err != nil {
		return
	}
	if kind != lastNorm {
		return dir, nil, qname{}, unix.EEXIST
	}
	node = dir.Dentry.node.Load()
	if node.kind != unix.S_IFDIR {
		return dir, nil, qname{}, unix.ENOTDIR
	}
	node.base.mu.Lock()
	d, err := ctx.lookupLocked(dir.Dentry, node, name)
	if err == nil {
		switch {
		case d.node.Load() != nil:
			err = unix.EEXIST
		case slash && !wantDir:
			err = unix.ENOENT
		case dir.Mount.ReadOnly():
			err = unix.EROFS
		}
	}
	if err != nil {
		node.base.mu.Unlock()
		return dir, nil, qname{}, err
	}
	return dir, node, d.keep(name), nil
}

// Mkdir is mkdirat(2).
func (ctx *Context) Mkdir(dirfd int32, path string, mode uint32) error {
	dir, node, name, err := ctx.startCreate(dirfd, path, true)
	if err != nil {
		return err
	}
	defer node.base.mu.Unlock()
	if err := ctx.mayCreate(dir); err != nil {
		return err
	}
	ino, err := node.Inode.Mkdir(ctx, name.s, unix.S_IFDIR|mode&0o1777)
	if err != nil {
		return err
	}
	dir.Dentry.add(name, ino)
	return nil
}

// Mknod is mknodat(2): regular files, devices, FIFOs and sockets.
func (ctx *Context) Mknod(dirfd int32, path string, mode uint32, dev uint64) error {
	switch mode & unix.S_IFMT {
	case 0, unix.S_IFREG, unix.S_IFCHR, unix.S_IFBLK, unix.S_IFIFO, unix.S_IFSOCK:
	case unix.S_IFDIR:
		return unix.EPERM
	default:
		return unix.EINVAL
	}
	dir, node, name, err := ctx.startCreate(dirfd, path, false)
	if err != nil {
		return err
	}
	defer node.base.mu.Unlock()
	if err := ctx.mayCreate(dir); err != nil {
		return err
	}
	perm := mode & 0o7777
	var ino Inode
	switch typ := mode & unix.S_IFMT; typ {
	case 0, unix.S_IFREG:
		ino, err = node.Inode.Create(ctx, name.s, unix.S_IFREG|perm)
	case unix.S_IFCHR, unix.S_IFBLK:
		if !ctx.Cred.Capable(unix.CAP_MKNOD) && !(typ == unix.S_IFCHR && dev == 0) {
			return unix.EPERM
		}
		ino, err = node.Inode.Mknod(ctx, name.s, typ|perm, dev)
	default:
		ino, err = node.Inode.Mknod(ctx, name.s, typ|perm, 0)
	}
	if err != nil {
		return err
	}
	dir.Dentry.add(name, ino)
	return nil
}

// Symlink is symlinkat(2).
func (ctx *Context) Symlink(target string, dirfd int32, path string) error {
	if target == "" {
		return unix.ENOENT
	}
	if len(target) >= PathMax {
		return unix.ENAMETOOLONG
	}
	dir, node, name, err := ctx.startCreate(dirfd, path, false)
	if err != nil {
		return err
	}
	defer node.base.mu.Unlock()
	if err := ctx.mayCreate(dir); err != nil {
		return err
	}
	ino, err := node.Inode.Symlink(ctx, name.s, target)
	if err != nil {
		return err
	}
	dir.Dentry.add(name, ino)
	return nil
}

// maxLinks is the most hard links of one inode.
const maxLinks = 1 << 30

// Link is linkat(2). flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH.
func (ctx *Context) Link(oldfd int32, oldpath string, newfd int32, newpath string, flags int) error {
	if flags&^(unix.AT_SYMLINK_FOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return unix.EINVAL
	}
	lf := 0
	if flags&unix.AT_SYMLINK_FOLLOW != 0 {
		lf |= LookupFollow
	}
	if flags&unix.AT_EMPTY_PATH != 0 {
		if !ctx.Cred.Capable(unix.CAP_DAC_READ_SEARCH) {
			return unix.ENOENT
		}
		lf |= LookupEmpty
	}
	old, err := ctx.Lookup(oldfd, oldpath, lf)
	if err != nil {
		return err
	}
	dir, node, name, err := ctx.startCreate(newfd, newpath, false)
	if err != nil {
		return err
	}
	defer node.base.mu.Unlock()
	if old.Mount != dir.Mount {
		return unix.EXDEV
	}
	if err := ctx.mayCreate(dir); err != nil {
		return err
	}
	src := old.Inode()
	b := src.Base()
	if b.Super != node.base.Super {
		return unix.EXDEV
	}
	if b.IsDir() {
		return unix.EPERM
	}
	// A file without a name can be given one only if it was opened so (O_TMPFILE without O_EXCL).
	// The reference keeps it from being evicted meanwhile.
	if !b.open() {
		return unix.ENOENT
	}
	defer release(src)
	if b.Nlink() == 0 && !linkable(src) {
		return unix.ENOENT
	}
	if b.Nlink() >= maxLinks {
		return unix.EMLINK
	}
	if err := node.Inode.Link(ctx, name.s, src); err != nil {
		return err
	}
	dir.Dentry.add(name, src)
	return nil
}

// Linkable is an inode that may get its first name by linkat(2) (O_TMPFILE).
type Linkable interface{ Linkable() bool }

func linkable(ino Inode) bool {
	l, ok := ino.(Linkable)
	return ok && l.Linkable()
}

// startRemove resolves path to a directory and an existing name in it and locks
// the directory; on success the caller unlocks its inode.
func (ctx *Context) startRemove(dirfd int32, path string, rmdir bool) (dir Path, node *inodeBox, d *Dentry, err error) {
	dir, name, kind, slash, err := ctx.lookupParent(dirfd, path, 0)
	if err != nil {
		return
	}
	if kind != lastNorm {
		switch {
		case !rmdir:
			err = unix.EISDIR
		case kind == lastDotDot:
			err = unix.ENOTEMPTY
		case kind == lastDot:
			err = unix.EINVAL
		default:
			err = unix.EBUSY
		}
		return
	}
	node = dir.Dentry.node.Load()
	if node.kind != unix.S_IFDIR {
		return dir, nil, nil, unix.ENOTDIR
	}
	node.base.mu.Lock()
	d, err = ctx.lookupLocked(dir.Dentry, node, name)
	if err == nil {
		box := d.node.Load()
		switch {
		case box == nil:
			err = unix.ENOENT
		case slash && !rmdir && box.kind == unix.S_IFDIR:
			err = unix.EISDIR
		case slash && box.kind != unix.S_IFDIR:
			err = unix.ENOTDIR
		case dir.Mount.ReadOnly():
			err = unix.EROFS
		default:
			err = ctx.mayDelete(dir, d, rmdir)
		}
	}
	if err == nil && d.mounts.Load() != nil {
		err = unix.EBUSY
	}
	if err != nil {
		node.base.mu.Unlock()
	}
	return
}

// Unlink is unlink(2).
func (ctx *Context) Unlink(dirfd int32, path string) error {
	dir, node, d, err := ctx.startRemove(dirfd, path, false)
	if err != nil {
		return err
	}
	victim := d.Inode()
	err = node.Inode.Unlink(ctx, d.Name(), victim)
	if err == nil {
		d.gone.Store(true)
		dir.Dentry.drop(d)
	}
	node.base.mu.Unlock()
	if err == nil {
		evictIfDead(victim)
	}
	return err
}

// Rmdir is rmdir(2).
func (ctx *Context) Rmdir(dirfd int32, path string) error {
	dir, node, d, err := ctx.startRemove(dirfd, path, true)
	if err != nil {
		return err
	}
	victim := d.Inode()
	vb := victim.Base()
	vb.mu.Lock() // nobody creates anything in it from here on
	err = node.Inode.Rmdir(ctx, d.Name(), victim)
	if err == nil {
		d.gone.Store(true)
		dir.Dentry.drop(d)
	}
	vb.mu.Unlock()
	node.base.mu.Unlock()
	if err == nil {
		evictIfDead(victim)
	}
	return err
}

// Readlink is readlinkat(2): the text, uncut. An empty path means the symbolic
// link that dirfd stands for (opened with O_PATH).
func (ctx *Context) Readlink(dirfd int32, path string) (string, error) {
	p, err := ctx.Lookup(dirfd, path, LookupEmpty)
	if err == nil && path == "" && dirfd == unix.AT_FDCWD {
		err = unix.ENOENT
	}
	if err != nil {
		return "", err
	}
	ino := p.Inode()
	if ino.Base().Type() != unix.S_IFLNK {
		if path == "" {
			return "", unix.ENOENT
		}
		return "", unix.EINVAL
	}
	text, err := ino.Readlink(ctx)
	if err == nil {
		touchAtime(p)
	}
	return text, err
}
