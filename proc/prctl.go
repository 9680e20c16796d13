package proc

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// What prctl(2), personality(2), set_tid_address(2) and unshare(2) store.

// Secure bits that package kernel looks at (securebits of capabilities(7)).
const (
	SecureKeepCaps  = secureKeepCaps
	SecureNoAmbient = secureNoAmbient
	// PerUname26 makes uname(2) say 2.6 (UAPI linux/personality.h).
	PerUname26 = 0x0020000
)

// secureAll is every secure bit with its lock.
const secureAll = 0xff

// SetClearChildTID is set_tid_address(2). Owner only.
func (t *Task) SetClearChildTID(addr uint64) { t.clearChildTID = addr }

// ClearChildTID returns that address. Owner only.
func (t *Task) ClearChildTID() uint64 { return t.clearChildTID }

// Personality returns the execution domain and its flags.
func (t *Task) Personality() uint32 { return t.personality }

// SetPersonality changes it. Owner only.
func (t *Task) SetPersonality(p uint32) { t.personality = p }

// SetParentDeathSignal asks for sig when the thread that made this process ends; 0: none.
func (t *Task) SetParentDeathSignal(sig unix.Signal) {
	tree.Lock()
	t.parentDeath = sig
	tree.Unlock()
}

// ParentDeathSignal returns it.
func (t *Task) ParentDeathSignal() unix.Signal {
	tree.RLock()
	defer tree.RUnlock()
	return t.parentDeath
}

// Dumpable returns PR_GET_DUMPABLE: whether the process may be looked into by
// others of its user.
func (g *ThreadGroup) Dumpable() int { return int(g.dumpable.Load()) }

// SetDumpable changes it: 0 or 1.
func (g *ThreadGroup) SetDumpable(v int) { g.dumpable.Store(int32(v)) }

// Subreaper reports whether g adopts the orphans among its descendants.
func (g *ThreadGroup) Subreaper() bool {
	tree.RLock()
	defer tree.RUnlock()
	return g.subreaper
}

// SetSubreaper changes it, for orphans from now on.
func (g *ThreadGroup) SetSubreaper(on bool) {
	tree.Lock()
	defer tree.Unlock()
	g.subreaper = on
	if on {
		g.markDescendants()
	}
}

// markDescendants notes with all descendants that an ancestor is a subreaper.
//
//   - tree is held for writing
func (g *ThreadGroup) markDescendants() {
	todo := []*ThreadGroup{g}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for c := p.children.head; c != nil; c = c.sibling.next {
			if !c.hasSubreaper {
				c.hasSubreaper = true
				todo = append(todo, c)
			}
		}
	}
}

// SetNoNewPrivs is PR_SET_NO_NEW_PRIVS. Owner only.
func (t *Task) SetNoNewPrivs() {
	c := t.Cred().Clone()
	c.NoNewPrivs = true
	t.setCred(c)
}

// SetKeepCaps is PR_SET_KEEPCAPS: EPERM when it is locked. Owner only.
func (t *Task) SetKeepCaps(on bool) error {
	old := t.Cred()
	if old.SecureBits&secureKeepCapsLocked != 0 {
		return unix.EPERM
	}
	c := old.Clone()
	c.SecureBits &^= secureKeepCaps
	if on {
		c.SecureBits |= secureKeepCaps
	}
	t.setCred(c)
	return nil
}

// SetSecureBits is PR_SET_SECUREBITS: EPERM for locked or unknown bits, for
// unlocking, and without CAP_SETPCAP. Owner only.
func (t *Task) SetSecureBits(bits uint32) error {
	old := t.Cred()
	locks := uint32(secureNoRootLocked | 1<<3 | secureKeepCapsLocked | 1<<7)
	locked := old.SecureBits & locks >> 1 // the bits that a lock protects
	if (old.SecureBits^bits)&locked != 0 || old.SecureBits&locks&^bits != 0 ||
		bits&^secureAll != 0 || !old.Capable(unix.CAP_SETPCAP) {
		return unix.EPERM
	}
	c := old.Clone()
	c.SecureBits = bits
	t.setCred(c)
	return nil
}

// DropBounding is PR_CAPBSET_DROP. Owner only.
func (t *Task) DropBounding(c int) {
	n := t.Cred().Clone()
	n.Bounding &^= 1 << uint(c)
	t.setCred(n)
}

// SetAmbient sets the ambient capabilities. Owner only.
func (t *Task) SetAmbient(s fs.CapSet) {
	n := t.Cred().Clone()
	n.Ambient = s
	t.setCred(n)
}

// Unshare is unshare(2): what the flags name is no longer shared with others.
// Owner only.
func (t *Task) Unshare(flags uint64) error {
	const known = unix.CLONE_THREAD | unix.CLONE_FS | unix.CLONE_SIGHAND | unix.CLONE_VM | unix.CLONE_FILES |
		unix.CLONE_SYSVSEM | cloneNamespaces
	if flags&^known != 0 {
		return unix.EINVAL
	}
	if flags&(unix.CLONE_THREAD|unix.CLONE_SIGHAND|unix.CLONE_VM) != 0 && t.Group.liveCount.Load() > 1 {
		return unix.EINVAL // a thread cannot leave its process
	}
	if flags&cloneNamespaces != 0 {
		if !t.Cred().Capable(unix.CAP_SYS_ADMIN) {
			return unix.EPERM
		}
		return unix.EINVAL
	}
	if fi := t.fsctx.FS; flags&unix.CLONE_FS != 0 && fi.Shared() {
		own := fi.Fork()
		t.mu.Lock()
		t.fsctx.FS = own
		t.mu.Unlock()
		fi.Unref()
	}
	if flags&unix.CLONE_FILES != 0 {
		t.unshareFiles()
	}
	return nil
}

// unshareFiles gives t a descriptor table of its own.
func (t *Task) unshareFiles() {
	files := t.fsctx.Files
	if !files.Shared() {
		return
	}
	own := files.Fork()
	t.mu.Lock()
	t.fsctx.Files = own
	t.mu.Unlock()
	files.Unref(&t.fsctx)
}
