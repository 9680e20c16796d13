package fs

import (
	"golang.org/x/sys/unix"
)

// statFlags translates AT_* flags of the stat and attribute calls to lookup flags.
func statFlags(flags int) int {
	lf := 0
	if flags&unix.AT_SYMLINK_NOFOLLOW == 0 {
		lf |= LookupFollow
	}
	if flags&unix.AT_EMPTY_PATH != 0 {
		lf |= LookupEmpty
	}
	return lf
}

// Stat is newfstatat(2) and statx(2): flags are AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH.
func (ctx *Context) Stat(dirfd int32, path string, flags int, st *Attr) error {
	p, err := ctx.Lookup(dirfd, path, statFlags(flags))
	if err != nil {
		return err
	}
	return ctx.StatPath(p, st)
}

// StatPath fills in st for the object at p.
func (ctx *Context) StatPath(p Path, st *Attr) error {
	if err := p.Dentry.node.Load().Stat(ctx, st); err != nil {
		return err
	}
	if p.Mount != nil {
		st.MountID = p.Mount.ID
		st.MountRoot = p.Mount.Root == p.Dentry
	}
	return nil
}

// Fstat is fstat(2).
func (ctx *Context) Fstat(fd int32, st *Attr) error {
	f, err := ctx.Files.GetRaw(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	return ctx.StatPath(f.path, st)
}

// writable reports EROFS for a change of attributes through a read-only mount.
func writable(p Path) error {
	if p.Mount != nil && p.Mount.ReadOnly() {
		return unix.EROFS
	}
	return nil
}

// Chmod is fchmodat2(2): flags are AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH.
func (ctx *Context) Chmod(dirfd int32, path string, mode uint32, flags int) error {
	p, err := ctx.Lookup(dirfd, path, statFlags(flags))
	if err != nil {
		return err
	}
	return ctx.chmod(p, mode)
}

// Fchmod is fchmod(2).
func (ctx *Context) Fchmod(fd int32, mode uint32) error {
	f, err := ctx.Files.Get(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	return ctx.chmod(f.path, mode)
}

func (ctx *Context) chmod(p Path, mode uint32) error {
	if err := writable(p); err != nil {
		return err
	}
	ino := p.Inode()
	b := ino.Base()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !ctx.isOwner(b) {
		return unix.EPERM
	}
	if b.Type() == unix.S_IFLNK {
		return unix.EOPNOTSUPP
	}
	mode &= 0o7777
	if mode&unix.S_ISGID != 0 && !ctx.Cred.InGroup(b.GID()) && !ctx.Cred.Capable(unix.CAP_FSETID) {
		mode &^= unix.S_ISGID
	}
	ctx.set = SetAttr{Valid: SetMode | SetCtime, Mode: mode, Ctime: Now()}
	return ino.SetAttr(ctx, &ctx.set)
}

// Chown is fchownat(2); an id of ^0 stays. flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
func (ctx *Context) Chown(dirfd int32, path string, uid, gid uint32, flags int) error {
	p, err := ctx.Lookup(dirfd, path, statFlags(flags))
	if err != nil {
		return err
	}
	return ctx.chown(p, uid, gid)
}

// Fchown is fchown(2).
func (ctx *Context) Fchown(fd int32, uid, gid uint32) error {
	f, err := ctx.Files.Get(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	return ctx.chown(f.path, uid, gid)
}

func (ctx *Context) chown(p Path, uid, gid uint32) error {
	if err := writable(p); err != nil {
		return err
	}
	ino := p.Inode()
	b := ino.Base()
	b.mu.Lock()
	defer b.mu.Unlock()
	set := &ctx.set
	*set = SetAttr{Valid: SetCtime, Ctime: Now()}
	capChown := ctx.Cred.Capable(unix.CAP_CHOWN)
	owner := ctx.Cred.FSUID == b.UID()
	if uid != ^uint32(0) {
		if !capChown && !(owner && uid == b.UID()) {
			return unix.EPERM
		}
		set.Valid |= SetUID
		set.UID = uid
	}
	if gid != ^uint32(0) {
		if !capChown && !(owner && (gid == b.GID() || ctx.Cred.InGroup(gid))) {
			return unix.EPERM
		}
		set.Valid |= SetGID
		set.GID = gid
	}
	if mode := b.Mode(); !b.IsDir() {
		if left := killPriv(mode); left != mode {
			set.Valid |= SetMode
			set.Mode = left & 0o7777
		}
	}
	return ino.SetAttr(ctx, set)
}

// TimeSpec is one time of utimensat(2).
type TimeSpec struct {
	NS   int64 // nanoseconds since 1970
	Now  bool  // UTIME_NOW
	Omit bool  // UTIME_OMIT
}

// Utimens is utimensat(2). nil times mean now. A path "" with fd means the
// file itself (futimens). flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
func (ctx *Context) Utimens(dirfd int32, path string, times *[2]TimeSpec, flags int) error {
	p, err := ctx.Lookup(dirfd, path, statFlags(flags))
	if err != nil {
		return err
	}
	return ctx.utimens(p, times)
}

// Futimens is utimensat(2) with a null path.
func (ctx *Context) Futimens(fd int32, times *[2]TimeSpec) error {
	f, err := ctx.Files.Get(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	return ctx.utimens(f.path, times)
}

func (ctx *Context) utimens(p Path, times *[2]TimeSpec) error {
	if times != nil && times[0].Omit && times[1].Omit {
		return nil
	}
	if err := writable(p); err != nil {
		return err
	}
	ino := p.Inode()
	b := ino.Base()
	b.mu.Lock()
	defer b.mu.Unlock()
	now := Now()
	set := &ctx.set
	*set = SetAttr{Valid: SetCtime | SetAtime | SetMtime, Atime: now, Mtime: now, Ctime: now}
	if times == nil || times[0].Now && times[1].Now {
		if !ctx.isOwner(b) {
			if err := ctx.Permission(b, MayWrite); err != nil {
				return err
			}
		}
	} else {
		if !ctx.isOwner(b) {
			return unix.EPERM
		}
		pick := func(t TimeSpec, where *int64, bit SetMask) {
			switch {
			case t.Omit:
				set.Valid &^= bit
			case !t.Now:
				*where = t.NS
			}
		}
		pick(times[0], &set.Atime, SetAtime)
		pick(times[1], &set.Mtime, SetMtime)
	}
	return ino.SetAttr(ctx, set)
}

// Truncate is truncate(2).
func (ctx *Context) Truncate(path string, size int64) error {
	if size < 0 {
		return unix.EINVAL
	}
	p, err := ctx.Lookup(unix.AT_FDCWD, path, LookupFollow)
	if err != nil {
		return err
	}
	ino := p.Inode()
	b := ino.Base()
	switch {
	case b.IsDir():
		return unix.EISDIR
	case !b.IsRegular():
		return unix.EINVAL
	case p.Mount.ReadOnly():
		return unix.EROFS
	}
	if err := ctx.Permission(b, MayWrite); err != nil {
		return err
	}
	if b.writers.Load() < 0 {
		return unix.ETXTBSY
	}
	return ctx.truncate(ino, size, nil)
}

// Ftruncate is ftruncate(2).
func (ctx *Context) Ftruncate(fd int32, size int64) error {
	if size < 0 {
		return unix.EINVAL
	}
	f, err := ctx.Files.Get(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	if !f.inode.Base().IsRegular() || f.mode&ModeWrite == 0 {
		return unix.EINVAL
	}
	return ctx.truncate(f.inode, size, f)
}

func (ctx *Context) truncate(ino Inode, size int64, f *File) error {
	b := ino.Base()
	b.mu.Lock()
	defer b.mu.Unlock()
	if size > b.Size() {
		if n, err := ctx.WriteLimit(size-1, 1); err != nil || n == 0 {
			return unix.EFBIG
		}
	}
	now := Now()
	set := &ctx.set
	*set = SetAttr{Valid: SetSize | SetMtime | SetCtime, Size: size, Mtime: now, Ctime: now, File: f}
	if mode := b.Mode(); !ctx.Cred.Capable(unix.CAP_FSETID) {
		if left := killPriv(mode); left != mode {
			set.Valid |= SetMode
			set.Mode = left & 0o7777
		}
	}
	return ino.SetAttr(ctx, set)
}

// Access is faccessat2(2): want is R_OK, W_OK, X_OK bits or F_OK. Without
// AT_EACCESS the check is made with the real ids.
func (ctx *Context) Access(dirfd int32, path string, want uint32, flags int) error {
	if want&^7 != 0 || flags&^(unix.AT_EACCESS|unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return unix.EINVAL
	}
	cred := ctx.Cred
	if flags&unix.AT_EACCESS == 0 && (cred.FSUID != cred.UID || cred.FSGID != cred.GID || cred.UID != 0 && cred.Effective != cred.Permitted || cred.UID == 0 && cred.Effective != cred.Permitted) {
		real := cred.Clone()
		real.FSUID, real.FSGID = cred.UID, cred.GID
		if cred.UID != 0 {
			real.Effective = 0
		} else {
			real.Effective = cred.Permitted
		}
		ctx.Cred = real
		defer func() { ctx.Cred = cred }()
	}
	p, err := ctx.Lookup(dirfd, path, statFlags(flags))
	if err != nil {
		return err
	}
	b := p.Inode().Base()
	if want&MayExec != 0 && b.IsRegular() && p.Mount != nil && p.Mount.Flags()&unix.MS_NOEXEC != 0 {
		return unix.EACCES
	}
	if want != 0 {
		if err := ctx.Permission(b, want); err != nil {
			return err
		}
	}
	if want&MayWrite != 0 && p.Mount != nil && p.Mount.ReadOnly() {
		switch b.Type() {
		case unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK:
			return unix.EROFS
		}
	}
	return nil
}

// StatfsResult is statfs(2)'s answer.
type StatfsResult struct {
	Statfs
	Type  int64
	Fsid  uint64
	Flags int64 // ST_*
}

// Statfs is statfs(2).
func (ctx *Context) Statfs(path string) (StatfsResult, error) {
	p, err := ctx.Lookup(unix.AT_FDCWD, path, LookupFollow)
	if err != nil {
		return StatfsResult{}, err
	}
	return statfs(p)
}

// Fstatfs is fstatfs(2).
func (ctx *Context) Fstatfs(fd int32) (StatfsResult, error) {
	f, err := ctx.Files.GetRaw(fd)
	if err != nil {
		return StatfsResult{}, err
	}
	defer f.Unref()
	return statfs(f.path)
}

// stValid is ST_VALID (linux/statfs.h, kernel side): f_flags is supported.
const stValid = 0x20

func statfs(p Path) (r StatfsResult, err error) {
	sb := p.Inode().Base().Super
	if sb == nil {
		return r, unix.ENOSYS
	}
	r.Type, r.Fsid, r.Flags = sb.Magic, sb.Dev, stValid
	if p.Mount != nil {
		flags := p.Mount.Flags()
		for _, t := range [...]struct {
			ms uint64
			st int64
		}{
			{unix.MS_RDONLY, 1}, {unix.MS_NOSUID, 2}, {unix.MS_NODEV, 4}, {unix.MS_NOEXEC, 8},
			{unix.MS_NOATIME, 0x400}, {unix.MS_NODIRATIME, 0x800}, {unix.MS_RELATIME, 0x1000},
		} {
			if flags&t.ms != 0 {
				r.Flags |= t.st
			}
		}
	}
	return r, sb.Ops.Statfs(&r.Statfs)
}
