package proc

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Bits of securebits(7) and personality(2) that exec looks at (UAPI
// linux/securebits.h, linux/personality.h).
const (
	secureNoRoot         = 1 << 0
	secureNoRootLocked   = 1 << 1
	secureNoFixup        = 1 << 2
	secureKeepCaps       = 1 << 4
	secureKeepCapsLocked = 1 << 5
	secureNoAmbient      = 1 << 6

	PerAddrNoRandomize  = 0x0040000
	PerMmapPageZero     = 0x0100000
	PerAddrCompatLayout = 0x0200000
	PerReadImpliesExec  = 0x0400000

	// perClearOnSetID are the personality bits that a set-id program does not inherit.
	perClearOnSetID = PerReadImpliesExec | PerAddrNoRandomize | PerAddrCompatLayout | PerMmapPageZero
)

// execCred returns the credentials that a program from file f has when a task
// with credentials old executes it: set-id bits and the rules of
// capabilities(7), "Transformation of capabilities during execve()". secure is
// what AT_SECURE tells the program: it has rights that its caller has not.
func execCred(old *fs.Cred, f *fs.File) (c *fs.Cred, secure bool) {
	n := *old
	b := f.Inode().Base()
	mode := b.Mode()
	m := f.Path().Mount
	if !old.NoNewPrivs && (m == nil || m.Flags()&unix.MS_NOSUID == 0) {
		if mode&unix.S_ISUID != 0 {
			n.EUID = b.UID()
		}
		if mode&(unix.S_ISGID|unix.S_IXGRP) == unix.S_ISGID|unix.S_IXGRP {
			n.EGID = b.GID()
		}
	}
	setID := n.EUID != old.UID || n.EGID != old.GID
	if n.EUID != old.EUID || n.EGID != old.EGID {
		n.Ambient = 0
	}
	n.Permitted = n.Ambient
	effective := false
	if n.SecureBits&secureNoRoot == 0 && (n.EUID == 0 || n.UID == 0) {
		n.Permitted = old.Inheritable | old.Bounding
		effective = n.EUID == 0
	}
	n.Effective = n.Ambient
	if effective {
		n.Effective = n.Permitted
	}
	n.SUID, n.FSUID = n.EUID, n.EUID
	n.SGID, n.FSGID = n.EGID, n.EGID
	n.SecureBits &^= secureKeepCaps
	secure = setID || n.UID != 0 && (effective || n.Permitted&^n.Ambient != 0)
	if n.EUID == old.EUID && n.SUID == old.SUID && n.FSUID == old.FSUID &&
		n.EGID == old.EGID && n.SGID == old.SGID && n.FSGID == old.FSGID &&
		n.Permitted == old.Permitted && n.Effective == old.Effective && n.Ambient == old.Ambient &&
		n.SecureBits == old.SecureBits {
		return old, secure
	}
	return n.Clone(), secure
}
