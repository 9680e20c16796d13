package fs

import (
	"strings"

	"golang.org/x/sys/unix"
)

// Flags of mount(2) that ask for something other than a new mount's options.
const (
	mountMagic     = 0xc0ed0000 // MS_MGC_VAL, linux/mount.h
	mountMagicMask = 0xffff0000
	propagation    = unix.MS_SHARED | unix.MS_PRIVATE | unix.MS_SLAVE | unix.MS_UNBINDABLE
)

// maxMounts bounds the mount tree (fs.mount-max): ENOSPC.
const maxMounts = 10000

// Mount is mount(2).
func (ctx *Context) Mount(source, target, fstype string, flags uint64, data string) error {
	if flags&mountMagicMask == mountMagic {
		flags &^= mountMagicMask
	}
	p, err := ctx.Lookup(unix.AT_FDCWD, target, LookupFollow)
	if err != nil {
		return err
	}
	if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		return unix.EPERM
	}
	switch {
	case flags&(unix.MS_REMOUNT|unix.MS_BIND) == unix.MS_REMOUNT|unix.MS_BIND:
		return reconfigure(p, flags)
	case flags&unix.MS_REMOUNT != 0:
		if p.Dentry != p.Mount.Root {
			return unix.EINVAL
		}
		sb := p.Mount.Super
		if err := sb.Ops.Remount(ctx, flags, data); err != nil {
			return err
		}
		if !sb.keep {
			sb.flags.Store(flags & unix.MS_RDONLY)
		}
		return reconfigure(p, flags)
	case flags&unix.MS_BIND != 0:
		return ctx.bind(source, p, flags)
	case flags&propagation != 0:
		// One name space: nothing propagates anywhere. MS_REC and MS_SILENT may go along.
		if p.Dentry != p.Mount.Root {
			return unix.EINVAL
		}
		return nil
	case flags&unix.MS_MOVE != 0:
		return ctx.moveMount(source, p)
	}
	return ctx.newMountAt(source, p, fstype, flags, data)
}

// reconfigure changes the options of one mount.
func reconfigure(p Path, flags uint64) error {
	if p.Dentry != p.Mount.Root {
		return unix.EINVAL
	}
	flags &= mntFlags
	if flags&(unix.MS_NOATIME|unix.MS_STRICTATIME) == 0 {
		flags |= unix.MS_RELATIME
	}
	p.Mount.flags.Store(flags &^ unix.MS_STRICTATIME)
	return nil
}

func (ctx *Context) newMountAt(source string, p Path, fstype string, flags uint64, data string) error {
	if fstype == "" {
		return unix.EINVAL
	}
	t := FileSystemByName(fstype)
	if t == nil {
		return unix.ENODEV
	}
	sb, err := t.Mount(ctx, source, flags, data)
	if err != nil {
		return err
	}
	if source == "" {
		source = "none"
	}
	if flags&unix.MS_RDONLY != 0 && !sb.keep {
		sb.flags.Or(unix.MS_RDONLY)
	}
	m := newMount(sb, sb.root, strings.Clone(source), flags)
	if err := attach(m, p); err != nil {
		m.put()
		return err
	}
	return nil
}

// MountAt mounts a new instance of fstype at target for the kernel's own start-up.
func (ctx *Context) MountAt(source, target, fstype string, flags uint64, data string) error {
	return ctx.Mount(source, target, fstype, flags, data)
}

// attach mounts m on top of what is seen at p. m's users count becomes that of
// an attached mount.
func attach(m *Mount, p Path) error {
	p = p.top()
	if p.Dentry.gone.Load() {
		return unix.ENOENT
	}
	mountMu.Lock()
	defer mountMu.Unlock()
	for { // somebody may have mounted here meanwhile
		over := mountTable[mountKey{p.Mount, p.Dentry}]
		if over == nil {
			break
		}
		p = Path{over, over.Root}
	}
	if !p.Mount.attached {
		return unix.EINVAL
	}
	if len(mountTable) >= maxMounts {
		return unix.ENOSPC
	}
	if m.Root.Inode().Base().IsDir() != p.Dentry.Inode().Base().IsDir() {
		return unix.ENOTDIR
	}
	attachLocked(m, p)
	return nil
}

// bind is mount(2) with MS_BIND, and MS_REC for the mounts below.
func (ctx *Context) bind(source string, p Path, flags uint64) error {
	if source == "" {
		return unix.EINVAL
	}
	from, err := ctx.Lookup(unix.AT_FDCWD, source, LookupFollow)
	if err != nil {
		return err
	}
	mountMu.Lock()
	if !from.Mount.attached {
		mountMu.Unlock()
		return unix.EINVAL
	}
	m := cloneMount(from.Mount, from.Dentry)
	type pair struct{ from, to *Mount }
	todo := []pair{{from.Mount, m}}
	var below []*Mount
	for flags&unix.MS_REC != 0 && len(todo) > 0 {
		c := todo[0]
		todo = todo[1:]
		for _, child := range c.from.children {
			if c.from == from.Mount && !child.point.isDescendant(from.Dentry) || len(below) > maxMounts {
				continue
			}
			n := cloneMount(child, child.Root)
			n.parent, n.point = c.to, child.point
			below = append(below, n)
			todo = append(todo, pair{child, n})
		}
	}
	mountMu.Unlock()
	if err := attach(m, p); err != nil {
		m.put()
		for _, n := range below {
			n.put()
		}
		return err
	}
	mountMu.Lock()
	for _, n := range below {
		attachLocked(n, Path{n.parent, n.point})
	}
	mountMu.Unlock()
	return nil
}

func cloneMount(m *Mount, root *Dentry) *Mount {
	n := newMount(m.Super, root, m.source, 0)
	n.flags.Store(m.flags.Load())
	return n
}

// moveMount is mount(2) with MS_MOVE.
func (ctx *Context) moveMount(source string, to Path) error {
	if source == "" {
		return unix.EINVAL
	}
	from, err := ctx.Lookup(unix.AT_FDCWD, source, LookupFollow)
	if err != nil {
		return err
	}
	to = to.top()
	m := from.Mount
	if from.Dentry != m.Root {
		return unix.EINVAL
	}
	if m.Root.Inode().Base().IsDir() != to.Inode().Base().IsDir() {
		return unix.ENOTDIR
	}
	mountMu.Lock()
	defer mountMu.Unlock()
	if m.parent == nil || !to.Mount.attached {
		return unix.EINVAL
	}
	for up := to.Mount; up != nil; up = up.parent {
		if up == m {
			return unix.ELOOP
		}
	}
	for over := mountTable[mountKey{to.Mount, to.Dentry}]; over != nil; over = mountTable[mountKey{to.Mount, to.Dentry}] {
		if over == m {
			return unix.ELOOP
		}
		to = Path{over, over.Root}
	}
	detachLocked(m)
	attachLocked(m, to)
	return nil
}

// Umount is umount2(2): flags are MNT_FORCE, MNT_DETACH, MNT_EXPIRE and UMOUNT_NOFOLLOW.
func (ctx *Context) Umount(target string, flags int) error {
	const known = unix.MNT_FORCE | unix.MNT_DETACH | unix.MNT_EXPIRE | unix.UMOUNT_NOFOLLOW
	if flags&^known != 0 {
		return unix.EINVAL
	}
	lf := LookupFollow
	if flags&unix.UMOUNT_NOFOLLOW != 0 {
		lf = 0
	}
	p, err := ctx.Lookup(unix.AT_FDCWD, target, lf)
	if err != nil {
		return err
	}
	p = p.top()
	m := p.Mount
	if p.Dentry != m.Root {
		return unix.EINVAL
	}
	if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		return unix.EPERM
	}
	if flags&unix.MNT_EXPIRE != 0 {
		if flags&(unix.MNT_FORCE|unix.MNT_DETACH) != 0 {
			return unix.EINVAL
		}
		return unix.EAGAIN
	}
	mountMu.Lock()
	if !m.attached || m.parent == nil {
		mountMu.Unlock()
		return unix.EINVAL
	}
	var gone []*Mount
	if flags&unix.MNT_DETACH != 0 {
		gone = detachTree(m, nil)
	} else {
		if len(m.children) != 0 || m.users.Load() > 1 {
			mountMu.Unlock()
			return unix.EBUSY
		}
		detachLocked(m)
		m.attached = false
		gone = append(gone, m)
	}
	mountMu.Unlock()
	for _, m := range gone {
		m.put()
	}
	return nil
}

// detachTree takes m and all mounts below it out of the tree.
func detachTree(m *Mount, gone []*Mount) []*Mount {
	for len(m.children) > 0 {
		gone = detachTree(m.children[len(m.children)-1], gone)
	}
	detachLocked(m)
	m.attached = false
	return append(gone, m)
}

// EachFSInfo, set by package proc, calls fn for the FSInfo of every process:
// pivot_root(2) changes them all.
var EachFSInfo func(fn func(*FSInfo))

// PivotRoot is pivot_root(2).
func (ctx *Context) PivotRoot(newRoot, putOld string) error {
	if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		return unix.EPERM
	}
	n, err := ctx.Lookup(unix.AT_FDCWD, newRoot, LookupFollow|LookupDirectory)
	if err != nil {
		return err
	}
	o, err := ctx.Lookup(unix.AT_FDCWD, putOld, LookupFollow|LookupDirectory)
	if err != nil {
		return err
	}
	root := ctx.FS.Root()
	o = o.top()
	mountMu.Lock()
	switch {
	case n.Mount == root.Mount || o.Mount == root.Mount && o.Dentry == root.Dentry:
		err = unix.EBUSY
	case root.Dentry != root.Mount.Root || root.Mount.parent == nil:
		err = unix.EINVAL // the first root file system cannot be pivoted away from
	case n.Dentry != n.Mount.Root || n.Mount.parent == nil:
		err = unix.EINVAL
	case !o.Mount.attached || !n.Mount.attached || !root.Mount.attached:
		err = unix.EINVAL
	case !o.under(n):
		err = unix.EINVAL
	case !n.under(root):
		err = unix.EINVAL
	}
	if err != nil {
		mountMu.Unlock()
		return err
	}
	place := Path{root.Mount.parent, root.Mount.point}
	detachLocked(n.Mount)
	detachLocked(root.Mount)
	attachLocked(root.Mount, o)
	attachLocked(n.Mount, place)
	mountMu.Unlock()
	ctx.FS.replace(root, n)
	if EachFSInfo != nil {
		EachFSInfo(func(fi *FSInfo) { fi.replace(root, n) })
	}
	return nil
}

// under reports whether p is at or below a. mountMu held.
func (p Path) under(a Path) bool {
	for p.Mount != a.Mount {
		if p.Mount.parent == nil {
			return false
		}
		p = Path{p.Mount.parent, p.Mount.point}
	}
	return p.Dentry.isDescendant(a.Dentry)
}
