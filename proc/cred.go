package proc

import (
	"slices"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Changing credentials: setuid(2) and its kin, groups, capabilities(7). All of
// it acts on the calling thread alone, as the kernel's interface does; the C
// library carries it to the other threads.

// noChange is the id -1 that set*id calls take for "leave it".
const noChange = ^uint32(0)

// changeCred publishes c, which replaces the present credentials, with what
// follows from changed user ids: capabilities, dumpable, the task count.
func (t *Task) changeCred(c *fs.Cred) {
	old := t.Cred()
	if c.UID != old.UID {
		t.changeAccount(c.UID)
	}
	if c.EUID != old.EUID || c.EGID != old.EGID || c.FSUID != old.FSUID || c.FSGID != old.FSGID ||
		c.Permitted&^old.Permitted != 0 {
		t.Group.dumpable.Store(0)
		t.parentDeath = 0
	}
	t.setCred(c)
}

// fixCaps adjusts capabilities to a change of user ids (capabilities(7), "Effect
// of user ID changes on capabilities").
func fixCaps(old, c *fs.Cred) {
	if c.SecureBits&secureNoFixup != 0 {
		return
	}
	hadRoot := old.UID == 0 || old.EUID == 0 || old.SUID == 0
	hasRoot := c.UID == 0 || c.EUID == 0 || c.SUID == 0
	if hadRoot && !hasRoot {
		if c.SecureBits&secureKeepCaps == 0 {
			c.Permitted, c.Effective = 0, 0
		}
		c.Ambient = 0
	}
	switch {
	case old.EUID == 0 && c.EUID != 0:
		c.Effective = 0
	case old.EUID != 0 && c.EUID == 0:
		c.Effective = c.Permitted
	}
}

// SetUID is setuid(2).
func (t *Task) SetUID(uid uint32) error {
	old := t.Cred()
	if uid == noChange {
		return unix.EINVAL
	}
	c := old.Clone()
	switch {
	case old.Capable(unix.CAP_SETUID):
		c.UID, c.SUID = uid, uid
	case uid != old.UID && uid != old.SUID:
		return unix.EPERM
	}
	c.EUID, c.FSUID = uid, uid
	fixCaps(old, c)
	t.changeCred(c)
	return nil
}

// SetREUID is setreuid(2).
func (t *Task) SetREUID(r, e uint32) error {
	old := t.Cred()
	c := old.Clone()
	capable := old.Capable(unix.CAP_SETUID)
	if r != noChange {
		c.UID = r
		if r != old.UID && r != old.EUID && !capable {
			return unix.EPERM
		}
	}
	if e != noChange {
		c.EUID = e
		if e != old.UID && e != old.EUID && e != old.SUID && !capable {
			return unix.EPERM
		}
	}
	if r != noChange || e != noChange && e != old.UID {
		c.SUID = c.EUID
	}
	c.FSUID = c.EUID
	fixCaps(old, c)
	t.changeCred(c)
	return nil
}

// SetRESUID is setresuid(2).
func (t *Task) SetRESUID(r, e, s uint32) error {
	old := t.Cred()
	if !old.Capable(unix.CAP_SETUID) {
		for _, id := range [...]uint32{r, e, s} {
			if id != noChange && id != old.UID && id != old.EUID && id != old.SUID {
				return unix.EPERM
			}
		}
	}
	c := old.Clone()
	setIDs(&c.UID, r)
	setIDs(&c.EUID, e)
	setIDs(&c.SUID, s)
	c.FSUID = c.EUID
	fixCaps(old, c)
	t.changeCred(c)
	return nil
}

func setIDs(at *uint32, id uint32) {
	if id != noChange {
		*at = id
	}
}

// fsCaps are the capabilities that follow the file-system user id (setfsuid(2);
// CAP_FS_SET of linux/capability.h).
const fsCaps fs.CapSet = 1<<unix.CAP_CHOWN | 1<<unix.CAP_MKNOD | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH |
	1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID | 1<<unix.CAP_LINUX_IMMUTABLE | 1<<unix.CAP_MAC_OVERRIDE

// SetFSUID is setfsuid(2): it returns the old id, whether or not it succeeds.
func (t *Task) SetFSUID(uid uint32) uint32 {
	old := t.Cred()
	if uid != noChange && (uid == old.UID || uid == old.EUID || uid == old.SUID || uid == old.FSUID || old.Capable(unix.CAP_SETUID)) {
		c := old.Clone()
		c.FSUID = uid
		if c.SecureBits&secureNoFixup == 0 {
			if old.FSUID == 0 && uid != 0 {
				c.Effective &^= fsCaps
			} else if old.FSUID != 0 && uid == 0 {
				c.Effective |= c.Permitted & fsCaps
			}
		}
		t.changeCred(c)
	}
	return old.FSUID
}

// SetGID is setgid(2).
func (t *Task) SetGID(gid uint32) error {
	old := t.Cred()
	if gid == noChange {
		return unix.EINVAL
	}
	c := old.Clone()
	switch {
	case old.Capable(unix.CAP_SETGID):
		c.GID, c.SGID = gid, gid
	case gid != old.GID && gid != old.SGID:
		return unix.EPERM
	}
	c.EGID, c.FSGID = gid, gid
	t.changeCred(c)
	return nil
}

// SetREGID is setregid(2).
func (t *Task) SetREGID(r, e uint32) error {
	old := t.Cred()
	c := old.Clone()
	capable := old.Capable(unix.CAP_SETGID)
	if r != noChange {
		c.GID = r
		if r != old.GID && r != old.EGID && !capable {
			return unix.EPERM
		}
	}
	if e != noChange {
		c.EGID = e
		if e != old.GID && e != old.EGID && e != old.SGID && !capable {
			return unix.EPERM
		}
	}
	if r != noChange || e != noChange && e != old.GID {
		c.SGID = c.EGID
	}
	c.FSGID = c.EGID
	t.changeCred(c)
	return nil
}

// SetRESGID is setresgid(2).
func (t *Task) SetRESGID(r, e, s uint32) error {
	old := t.Cred()
	if !old.Capable(unix.CAP_SETGID) {
		for _, id := range [...]uint32{r, e, s} {
			if id != noChange && id != old.GID && id != old.EGID && id != old.SGID {
				return unix.EPERM
			}
		}
	}
	c := old.Clone()
	setIDs(&c.GID, r)
	setIDs(&c.EGID, e)
	setIDs(&c.SGID, s)
	c.FSGID = c.EGID
	t.changeCred(c)
	return nil
}

// SetFSGID is setfsgid(2): it returns the old id, whether or not it succeeds.
func (t *Task) SetFSGID(gid uint32) uint32 {
	old := t.Cred()
	if gid != noChange && (gid == old.GID || gid == old.EGID || gid == old.SGID || gid == old.FSGID || old.Capable(unix.CAP_SETGID)) {
		c := old.Clone()
		c.FSGID = gid
		t.changeCred(c)
	}
	return old.FSGID
}

// MaxGroups is the greatest number of supplementary groups (NGROUPS_MAX, UAPI linux/limits.h).
const MaxGroups = 65536

// SetGroups is setgroups(2). It keeps list.
func (t *Task) SetGroups(list []uint32) error {
	old := t.Cred()
	if !old.Capable(unix.CAP_SETGID) {
		return unix.EPERM
	}
	slices.Sort(list)
	c := old.Clone()
	c.Groups = list
	t.changeCred(c)
	return nil
}

// SetCaps is capset(2) on the caller.
func (t *Task) SetCaps(effective, permitted, inheritable fs.CapSet) error {
	old := t.Cred()
	effective &= fs.FullCapSet
	permitted &= fs.FullCapSet
	inheritable &= fs.FullCapSet
	switch {
	case !old.Capable(unix.CAP_SETPCAP) && inheritable&^(old.Inheritable|old.Permitted) != 0,
		inheritable&^(old.Inheritable|old.Bounding) != 0,
		permitted&^old.Permitted != 0,
		effective&^permitted != 0:
		return unix.EPERM
	}
	c := old.Clone()
	c.Effective, c.Permitted, c.Inheritable = effective, permitted, inheritable
	c.Ambient &= permitted & inheritable
	t.changeCred(c)
	return nil
}

// CapsOf returns the credentials of thread tid (0: the caller) for capget(2).
func (t *Task) CapsOf(tid int32) (*fs.Cred, error) {
	if tid == 0 {
		return t.Cred(), nil
	}
	o := FindTask(tid)
	if o == nil {
		return nil, unix.ESRCH
	}
	return o.Cred(), nil
}
