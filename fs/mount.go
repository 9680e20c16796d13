package fs

import (
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Mount is one place where a super block (or a directory of it) is attached.
type Mount struct {
	ID    int         // immutable; in /proc/PID/mountinfo
	Super *SuperBlock // immutable
	Root  *Dentry     // what shows at the mount point; immutable

	flags atomic.Uint64 // MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME ...

	// users counts open files, roots and current directories on this mount, plus
	// one while it is attached. At zero the mount is over.
	users atomic.Int64

	// Guarded by mountMu.
	source   string
	parent   *Mount // nil for the root of the tree and for detached mounts
	point    *Dentry
	attached bool
	children []*Mount // in order of mounting
}

type mountKey struct {
	m *Mount
	d *Dentry
}

// mounted is one mount as the dentry it is mounted on knows it: m shows where
// a walk through mount on comes to that dentry.
type mounted struct{ on, m *Mount }

// mountMu guards the mount table and the tree links of every Mount.
var mountMu sync.RWMutex

var mountTable = make(map[mountKey]*Mount)

var lastMountID atomic.Int64

// mntFlags are the flags of mount(2) that belong to a Mount rather than to its super block.
const mntFlags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC |
	unix.MS_NOATIME | unix.MS_NODIRATIME | unix.MS_RELATIME | unix.MS_STRICTATIME | unix.MS_NOSYMFOLLOW

// newMount returns a detached mount with one user.
func newMount(sb *SuperBlock, root *Dentry, source string, flags uint64) *Mount {
	m := &Mount{ID: int(lastMountID.Add(1)), Super: sb, Root: root, source: source}
	flags &= mntFlags
	if flags&(unix.MS_NOATIME|unix.MS_STRICTATIME) == 0 {
		flags |= unix.MS_RELATIME
	}
	m.flags.Store(flags &^ unix.MS_STRICTATIME)
	m.users.Store(1)
	sb.active.Add(1)
	return m
}

// NewRootMount makes sb the root of the mount tree: the first mount.
func NewRootMount(sb *SuperBlock, source string) Path {
	m := newMount(sb, sb.root, source, 0)
	mountMu.Lock()
	m.attached = true
	mountMu.Unlock()
	return Path{m, sb.root}
}

// NewInternalMount returns a mount that is in no tree, for objects that have no
// name in the tree: pipes, anonymous inodes, memfds.
func NewInternalMount(sb *SuperBlock) *Mount {
	sb.keep = true
	return newMount(sb, sb.root, "none", 0)
}

// Flags returns the mount's MS_* flags together with its super block's MS_RDONLY.
func (m *Mount) Flags() uint64 {
	return m.flags.Load() | m.Super.flags.Load()&unix.MS_RDONLY
}

// ReadOnly reports whether writing through this mount is refused with EROFS.
func (m *Mount) ReadOnly() bool { return m.Flags()&unix.MS_RDONLY != 0 }

// put drops a user; the last one ends the mount and, with the last mount, the
// super block.
func (m *Mount) put() {
	if m.users.Add(-1) != 0 {
		return
	}
	sb := m.Super
	if sb.active.Add(-1) == 0 && !sb.keep {
		sb.Ops.Kill()
	}
}

// top follows the mounts stacked on p to the one that is seen.
func (p Path) top() Path {
	for {
		m := p.over()
		if m == nil {
			return p
		}
		p = Path{m, m.Root}
	}
}

// over returns the mount on p, or nil.
func (p Path) over() *Mount {
	list := p.Dentry.mounts.Load()
	if list == nil {
		return nil
	}
	for _, e := range *list {
		if e.on == p.Mount {
			return e.m
		}
	}
	return nil
}

// above returns the place p's mount is mounted on, when p is its root.
func (p Path) above() (Path, bool) {
	if p.Mount == nil || p.Dentry != p.Mount.Root {
		return p, false
	}
	mountMu.RLock()
	up := Path{p.Mount.parent, p.Mount.point}
	mountMu.RUnlock()
	return up, up.Mount != nil
}

// attachLocked links m at p. mountMu held for writing.
func attachLocked(m *Mount, p Path) {
	m.parent, m.point, m.attached = p.Mount, p.Dentry, true
	mountTable[mountKey{p.Mount, p.Dentry}] = m
	var list []mounted
	if old := p.Dentry.mounts.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = append(list, mounted{p.Mount, m})
	p.Dentry.mounts.Store(&list)
	p.Mount.children = append(p.Mount.children, m)
}

// detachLocked unlinks m from its place. mountMu held for writing.
func detachLocked(m *Mount) {
	if m.parent == nil {
		return
	}
	delete(mountTable, mountKey{m.parent, m.point})
	list := slices.DeleteFunc(slices.Clone(*m.point.mounts.Load()), func(e mounted) bool { return e.m == m })
	if len(list) == 0 {
		m.point.mounts.Store(nil)
	} else {
		m.point.mounts.Store(&list)
	}
	s := m.parent.children
	for i := range s {
		if s[i] == m {
			m.parent.children = append(s[:i:i], s[i+1:]...)
			break
		}
	}
	m.parent, m.point = nil, nil
}
