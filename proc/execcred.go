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
	c = old.Clone()
	b := f.Inode().Base()
	mode := b.Mode()
	m := f.Path().Mount
	if !old.NoNewPrivs && (m == nil || m.Flags()&unix.MS_NOSUID == 0) {
		if mode&unix.S_ISUID != 0 {
			c.EUID = b.UID()
		}
		if mode&(unix.S_ISGID|unix.S_IXGRP) == unix.S_ISGID|unix.S_IXGRP {
			c.EGID = b.GID()
		}
	}
	setID := c.EUID != old.UID || c.EGID != old.GID
	if c.EUID != old.EUID || c.EGID != old.EGID {
		c.Ambient = 0
	}
	c.Permitted = c.Ambient
	effective := false
	if c.SecureBits&secureNoRoot == 0 && (c.EUID == 0 || c.UID == 0) {
		c.Permitted = old.Inheritable | old.Bounding
		effective = c.EUID == 0
	}
	c.Effective = c.Ambient
	if effective {
		c.Effective = c.Permitted
	}
	c.SUID, c.FSUID = c.EUID, c.EUID
	c.SGID, c.FSGID = c.EGID, c.EGID
	c.SecureBits &^= secureKeepCaps
	secure = setID || c.UID != 0 && (effective || c.Permitted&^c.Ambient != 0)
	return c, secure
}
