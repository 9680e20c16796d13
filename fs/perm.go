package fs

import "golang.org/x/sys/unix"

// Access rights asked of an inode, in the bits of a permission triple (access(2)).
const (
	MayExec  = 1
	MayWrite = 2
	MayRead  = 4
)

// Permission checks the rights want (MayRead, MayWrite, MayExec) on an inode
// against the file-system ids and capabilities: EACCES. It does not look at
// mount flags (see mayWriteMount).
func (ctx *Context) Permission(b *InodeBase, want uint32) error {
	return permission(ctx.Cred, b, want)
}

func permission(c *Cred, b *InodeBase, want uint32) error {
	mode := b.mode.Load()
	perm := mode
	switch {
	case c.FSUID == b.uid.Load():
		perm >>= 6
	case c.InGroup(b.gid.Load()):
		perm >>= 3
	}
	if perm&want == want {
		return nil
	}
	// capabilities(7): CAP_DAC_OVERRIDE does not give execution of a file without any x bit;
	// CAP_DAC_READ_SEARCH reads everything and searches directories.
	if mode&unix.S_IFMT == unix.S_IFDIR {
		if c.Capable(unix.CAP_DAC_OVERRIDE) {
			return nil
		}
		if want&MayWrite == 0 && c.Capable(unix.CAP_DAC_READ_SEARCH) {
			return nil
		}
		return unix.EACCES
	}
	if want == MayRead && c.Capable(unix.CAP_DAC_READ_SEARCH) {
		return nil
	}
	if (want&MayExec == 0 || mode&0o111 != 0) && c.Capable(unix.CAP_DAC_OVERRIDE) {
		return nil
	}
	return unix.EACCES
}

// isOwner reports whether the caller owns the inode or may act as its owner (CAP_FOWNER).
func (ctx *Context) isOwner(b *InodeBase) bool {
	return ctx.Cred.FSUID == b.uid.Load() || ctx.Cred.Capable(unix.CAP_FOWNER)
}

// sticky reports whether a sticky directory keeps the caller from removing victim.
func (ctx *Context) sticky(dir, victim *InodeBase) bool {
	return dir.Mode()&unix.S_ISVTX != 0 && ctx.Cred.FSUID != victim.UID() &&
		ctx.Cred.FSUID != dir.UID() && !ctx.Cred.Capable(unix.CAP_FOWNER)
}

// mayCreate checks that a name may be added to directory dir.
func (ctx *Context) mayCreate(dir Path) error {
	if dir.Dentry.gone.Load() {
		return unix.ENOENT
	}
	return ctx.Permission(dir.Dentry.node.Load().base, MayWrite|MayExec)
}

// mayDelete checks that victim may be removed from dir: EACCES, EPERM, ENOTDIR,
// EISDIR, EBUSY in Linux's order.
func (ctx *Context) mayDelete(dir Path, victim *Dentry, wantDir bool) error {
	db := dir.Dentry.node.Load().base
	box := victim.node.Load()
	if err := ctx.Permission(db, MayWrite|MayExec); err != nil {
		return err
	}
	if ctx.sticky(db, box.base) {
		return unix.EPERM
	}
	if wantDir {
		if box.kind != unix.S_IFDIR {
			return unix.ENOTDIR
		}
		if victim.parent.Load() == victim {
			return unix.EBUSY
		}
	} else if box.kind == unix.S_IFDIR {
		return unix.EISDIR
	}
	if dir.Dentry.gone.Load() {
		return unix.ENOENT
	}
	return nil
}

// NewOwner returns mode, uid and gid for an object that is created in dir:
// umask applied, group and set-group-id bit inherited from a set-group-id directory.
func (ctx *Context) NewOwner(dir *InodeBase, mode uint32) (m, uid, gid uint32) {
	uid, gid = ctx.Cred.FSUID, ctx.Cred.FSGID
	m = mode &^ ctx.FS.Umask()
	if dir.Mode()&unix.S_ISGID != 0 {
		gid = dir.GID()
		if m&unix.S_IFMT == unix.S_IFDIR {
			m |= unix.S_ISGID
		} else if m&(unix.S_ISGID|unix.S_IXGRP) == unix.S_ISGID|unix.S_IXGRP &&
			!ctx.Cred.InGroup(gid) && !ctx.Cred.Capable(unix.CAP_FSETID) {
			m &^= unix.S_ISGID
		}
	}
	return m, uid, gid
}

// killPriv returns the mode that is left after a file was written or its owner
// changed: set-user-id goes, and set-group-id of a group-executable file.
func killPriv(mode uint32) uint32 {
	mode &^= unix.S_ISUID
	if mode&unix.S_IXGRP != 0 {
		mode &^= unix.S_ISGID
	}
	return mode
}

// dropPriv removes the set-id bits of a regular file that is being written by
// somebody without CAP_FSETID.
func (ctx *Context) dropPriv(b *InodeBase) {
	mode := b.mode.Load()
	if mode&(unix.S_ISUID|unix.S_ISGID) == 0 || mode&unix.S_IFMT != unix.S_IFREG {
		return
	}
	if left := killPriv(mode); left != mode && !ctx.Cred.Capable(unix.CAP_FSETID) {
		b.mode.CompareAndSwap(mode, left)
	}
}
