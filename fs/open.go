package fs

import (
	"golang.org/x/sys/unix"
)

// OpenHow is the request of openat2(2).
type OpenHow struct {
	Flags   int
	Mode    uint32
	Resolve int // Lookup* bits made from RESOLVE_*
	Exec    bool
}

// OpenFlags are the flags that open(2) knows; others are ignored there and EINVAL in openat2.
const OpenFlags = unix.O_ACCMODE | unix.O_CREAT | unix.O_EXCL | unix.O_NOCTTY | unix.O_TRUNC | unix.O_APPEND |
	unix.O_NONBLOCK | unix.O_SYNC | unix.O_DSYNC | fasync | unix.O_DIRECT | largeFile |
	unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NOATIME | unix.O_CLOEXEC | unix.O_PATH | tmpfileFlag

// fasync is FASYNC, also called O_ASYNC (asm-generic/fcntl.h).
const fasync = unix.O_ASYNC

// largeFile is O_LARGEFILE (asm-generic/fcntl.h); x/sys/unix has 0, since open(2)
// sets it by itself on 64-bit machines.
const largeFile = 0o100000

// tmpfileFlag is O_TMPFILE without the O_DIRECTORY it includes (__O_TMPFILE, asm-generic/fcntl.h).
const tmpfileFlag = unix.O_TMPFILE &^ unix.O_DIRECTORY

// Open opens path relative to dirfd: openat(2) without the descriptor. The
// caller owns the reference.
func (ctx *Context) Open(dirfd int32, path string, flags int, mode uint32) (*File, error) {
	return ctx.OpenHow(dirfd, path, &OpenHow{Flags: flags & OpenFlags, Mode: mode & 0o7777})
}

// OpenExec opens a program for execution: it must be a regular file with
// execute permission on a mount without noexec (EACCES), and it cannot be
// opened for writing as long as the file is open (ETXTBSY).
// flags may hold AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW.
func (ctx *Context) OpenExec(dirfd int32, path string, flags int) (*File, error) {
	lf := LookupFollow
	if flags&unix.AT_SYMLINK_NOFOLLOW != 0 {
		lf = 0
	}
	if flags&unix.AT_EMPTY_PATH != 0 {
		lf |= LookupEmpty
	}
	p, err := ctx.Lookup(dirfd, path, lf)
	if err != nil {
		return nil, err
	}
	b := p.Inode().Base()
	if b.Type() == unix.S_IFLNK {
		return nil, unix.ELOOP
	}
	if !b.IsRegular() || p.Mount.Flags()&unix.MS_NOEXEC != 0 {
		return nil, unix.EACCES
	}
	if err := ctx.Permission(b, MayExec); err != nil {
		return nil, err
	}
	f, err := ctx.newFile(p, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	for {
		w := b.writers.Load()
		if w > 0 {
			f.Unref()
			return nil, unix.ETXTBSY
		}
		if b.writers.CompareAndSwap(w, w-1) {
			break
		}
	}
	f.mode |= ModeExec
	if err := ctx.openInode(f); err != nil {
		f.Unref()
		return nil, err
	}
	return f, nil
}

// OpenHow is openat2(2) without the descriptor.
func (ctx *Context) OpenHow(dirfd int32, path string, how *OpenHow) (*File, error) {
	flags := how.Flags
	if flags&unix.O_PATH != 0 {
		flags &= unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_PATH | unix.O_CLOEXEC
	} else if flags&tmpfileFlag != 0 {
		if flags&unix.O_TMPFILE != unix.O_TMPFILE || flags&unix.O_CREAT != 0 || flags&unix.O_ACCMODE == unix.O_RDONLY {
			return nil, unix.EINVAL
		}
	} else if flags&(unix.O_CREAT|unix.O_DIRECTORY) == unix.O_CREAT|unix.O_DIRECTORY {
		return nil, unix.EINVAL
	}
	if flags&unix.O_PATH == 0 {
		flags |= largeFile
	}
	lf := how.Resolve
	if flags&unix.O_NOFOLLOW == 0 {
		lf |= LookupFollow
	}
	if flags&unix.O_DIRECTORY != 0 {
		lf |= LookupDirectory
	}
	switch {
	case flags&tmpfileFlag != 0:
		return ctx.openTmpfile(dirfd, path, flags, how.Mode, lf)
	case flags&unix.O_CREAT != 0:
		return ctx.openCreate(dirfd, path, flags, how.Mode, lf)
	}
	p, err := ctx.Lookup(dirfd, path, lf)
	if err != nil {
		return nil, err
	}
	return ctx.openPath(p, flags)
}

// OpenPath opens the object at p, permissions checked, as openat(2) does at the end of its walk.
func (ctx *Context) OpenPath(p Path, flags int) (*File, error) { return ctx.openPath(p, flags) }

func (ctx *Context) openPath(p Path, flags int) (*File, error) {
	if flags&unix.O_PATH == 0 {
		if err := ctx.mayOpen(p, flags); err != nil {
			return nil, err
		}
	}
	return ctx.openFile(p, flags)
}

// accMode translates an access mode to permission bits.
func accMode(flags int) uint32 {
	want := uint32(0)
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		want = MayRead
	case unix.O_WRONLY:
		want = MayWrite
	default: // 3 needs both and gives neither: for device ioctls
		want = MayRead | MayWrite
	}
	if flags&unix.O_TRUNC != 0 {
		want |= MayWrite
	}
	return want
}

// mayOpen checks that an existing object may be opened as flags ask.
func (ctx *Context) mayOpen(p Path, flags int) error {
	b := p.Dentry.node.Load().base
	want := accMode(flags)
	switch b.Type() {
	case unix.S_IFLNK:
		return unix.ELOOP
	case unix.S_IFDIR:
		if want&MayWrite != 0 || flags&unix.O_CREAT != 0 {
			return unix.EISDIR
		}
	case unix.S_IFBLK, unix.S_IFCHR:
		if p.Mount.Flags()&unix.MS_NODEV != 0 {
			return unix.EACCES
		}
	case unix.S_IFREG:
		if want&MayWrite != 0 && p.Mount.ReadOnly() {
			return unix.EROFS
		}
	}
	if err := ctx.Permission(b, want); err != nil {
		return err
	}
	if flags&unix.O_NOATIME != 0 && !ctx.isOwner(b) {
		return unix.EPERM
	}
	return nil
}

// openFile makes the File, counts a writer, calls the object's open and truncates.
func (ctx *Context) openFile(p Path, flags int) (*File, error) {
	f, err := ctx.newFile(p, flags)
	if err != nil {
		return nil, err
	}
	if flags&unix.O_PATH != 0 {
		return f, nil
	}
	if err := ctx.openInode(f); err != nil {
		f.Unref()
		return nil, err
	}
	if b := f.inode.Base(); flags&unix.O_TRUNC != 0 && b.IsRegular() {
		if err := ctx.truncate(f.inode, 0, f); err != nil {
			f.Unref()
			return nil, err
		}
	}
	return f, nil
}

// openInode gives f its operations.
func (ctx *Context) openInode(f *File) (err error) {
	b := f.inode.Base()
	var ops FileOps
	switch b.Type() {
	case unix.S_IFCHR:
		ops, err = openChar(ctx, f, b.Rdev)
	case unix.S_IFBLK, unix.S_IFSOCK:
		err = unix.ENXIO
	case unix.S_IFIFO:
		ops, err = openFIFO(ctx, f)
	default:
		if b.IsRegular() && f.mode&ModeWrite != 0 {
			for {
				w := b.writers.Load()
				if w < 0 {
					return unix.ETXTBSY
				}
				if b.writers.CompareAndSwap(w, w+1) {
					break
				}
			}
			f.mode |= modeWriter
		}
		ops, err = f.inode.Open(ctx, f)
	}
	if err != nil {
		return err
	}
	f.ops = ops
	f.flags.And(^uint32(unix.O_NOCTTY)) // it concerned the open alone: package tty has seen it
	return nil
}

// openCreate is open(2) with O_CREAT.
func (ctx *Context) openCreate(dirfd int32, path string, flags int, mode uint32, lf int) (*File, error) {
	nd := &ctx.nd
	if err := ctx.start(nd, dirfd, path, lf&^LookupEmpty|lookupParent); err != nil {
		return nil, err
	}
	for {
		if err := ctx.walk(nd, path); err != nil {
			return nil, err
		}
		if nd.kind == lastMagic {
			return ctx.openPath(nd.at, flags)
		}
		if nd.kind != lastNorm && flags&unix.O_EXCL != 0 {
			return nil, unix.EEXIST
		}
		if nd.kind != lastNorm || nd.slash {
			return nil, unix.EISDIR
		}
		node := nd.at.Dentry.node.Load()
		d, err := ctx.lookupChild(nd.at.Dentry, node, nd.last)
		if err != nil {
			return nil, err
		}
		if d.node.Load() == nil {
			f, err := ctx.create(nd.at, node, nd.last, flags, mode)
			if err == errRetry {
				path = nd.last.s
				continue
			}
			return f, err
		}
		if flags&unix.O_EXCL != 0 {
			return nil, unix.EEXIST
		}
		p := Path{nd.at.Mount, d}.top()
		if nd.flags&LookupNoXdev != 0 && p.Mount != nd.at.Mount {
			return nil, unix.EXDEV
		}
		box := p.Dentry.node.Load()
		if box.kind != unix.S_IFLNK {
			return ctx.openPath(p, flags)
		}
		if flags&unix.O_NOFOLLOW != 0 {
			return nil, unix.ELOOP
		}
		at := nd.at
		if path, err = ctx.follow(nd, p, box, ""); err != nil {
			return nil, err
		}
		nd.kind = lastRoot
		if path == "" && nd.at != at {
			nd.kind = lastMagic
			return ctx.openPath(nd.at, flags)
		}
	}
}

// errRetry says that another task created the name meanwhile.
const errRetry = unix.EAGAIN

// create makes regular file name in directory dir and opens it.
func (ctx *Context) create(dir Path, node *inodeBox, name qname, flags int, mode uint32) (*File, error) {
	node.base.mu.Lock()
	d, err := ctx.lookupLocked(dir.Dentry, node, name)
	if err == nil && d.node.Load() != nil {
		err = errRetry
	}
	if err == nil && dir.Mount.ReadOnly() {
		err = unix.EROFS
	}
	if err == nil {
		err = ctx.mayCreate(dir)
	}
	if err != nil {
		node.base.mu.Unlock()
		return nil, err
	}
	name = d.keep(name)
	ino, err := node.Inode.Create(ctx, name.s, unix.S_IFREG|mode)
	if err != nil {
		node.base.mu.Unlock()
		return nil, err
	}
	d = dir.Dentry.add(name, ino)
	// The file that creates it may use it whatever its permissions say.
	f, err := ctx.newFile(Path{dir.Mount, d}, flags)
	node.base.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := ctx.openInode(f); err != nil {
		f.Unref()
		return nil, err
	}
	return f, nil
}

// openTmpfile is open(2) with O_TMPFILE.
func (ctx *Context) openTmpfile(dirfd int32, path string, flags int, mode uint32, lf int) (*File, error) {
	p, err := ctx.Lookup(dirfd, path, lf|LookupDirectory)
	if err != nil {
		return nil, err
	}
	if p.Mount.ReadOnly() {
		return nil, unix.EROFS
	}
	b := p.Inode().Base()
	if err := ctx.Permission(b, MayWrite|MayExec); err != nil {
		return nil, err
	}
	ino, err := p.Inode().Tmpfile(ctx, unix.S_IFREG|mode)
	if err != nil {
		return nil, err
	}
	d := NewDentry("#"+itoa(ino.Base().Ino), ino)
	d.parent.Store(p.Dentry)
	d.gone.Store(true)
	f, err := ctx.newFile(Path{p.Mount, d}, flags)
	if err != nil {
		evictIfDead(ino)
		return nil, err
	}
	if flags&unix.O_EXCL != 0 {
		f.mode |= modeNoLink
	}
	if err := ctx.openInode(f); err != nil {
		f.Unref()
		return nil, err
	}
	return f, nil
}
