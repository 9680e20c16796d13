package fs

import "golang.org/x/sys/unix"

// CapSet is a set of capabilities, one bit per CAP_* constant (capabilities(7)).
type CapSet uint64

// FullCapSet holds every capability that exists (CAP_LAST_CAP of linux/capability.h).
const FullCapSet CapSet = 1<<(unix.CAP_LAST_CAP+1) - 1

// Has reports whether capability c (a CAP_* constant) is in the set.
func (s CapSet) Has(c int) bool { return s&(1<<uint(c)) != 0 }

// Cred is a task's credentials (credentials(7), capabilities(7)).
// It is immutable once a second goroutine can see it: changing credentials
// means making a copy with Clone, editing that, and publishing its pointer.
type Cred struct {
	UID, EUID, SUID, FSUID uint32
	GID, EGID, SGID, FSGID uint32
	Groups                 []uint32 // supplementary groups, sorted

	Permitted, Effective, Inheritable, Bounding, Ambient CapSet

	SecureBits uint32 // SECBIT_* of linux/securebits.h
	NoNewPrivs bool   // PR_SET_NO_NEW_PRIVS
}

// RootCred returns fresh credentials of uid 0 with all capabilities.
func RootCred() *Cred {
	return &Cred{Permitted: FullCapSet, Effective: FullCapSet, Bounding: FullCapSet}
}

// UserCred returns fresh credentials of an ordinary user without capabilities.
func UserCred(uid, gid uint32, groups ...uint32) *Cred {
	return &Cred{
		UID: uid, EUID: uid, SUID: uid, FSUID: uid,
		GID: gid, EGID: gid, SGID: gid, FSGID: gid,
		Groups: groups, Bounding: FullCapSet,
	}
}

// Clone returns a copy that may be edited. Groups is shared (it is never edited in place).
func (c *Cred) Clone() *Cred { n := *c; return &n }

// Capable reports whether the effective set holds capability cap (CAP_*).
func (c *Cred) Capable(cap int) bool { return c.Effective.Has(cap) }

// InGroup reports whether gid is the file-system group or a supplementary group.
func (c *Cred) InGroup(gid uint32) bool {
	if c.FSGID == gid {
		return true
	}
	lo, hi := 0, len(c.Groups)
	if hi <= 16 { // short lists are not always sorted by their makers
		for _, g := range c.Groups {
			if g == gid {
				return true
			}
		}
		return false
	}
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if c.Groups[m] < gid {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo < len(c.Groups) && c.Groups[lo] == gid
}
