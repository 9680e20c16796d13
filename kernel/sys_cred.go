package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

// Credentials: credentials(7), capabilities(7).

func sysGetuid(t *proc.Task, a *Args) (uintptr, error)  { return uintptr(t.Cred().UID), nil }
func sysGeteuid(t *proc.Task, a *Args) (uintptr, error) { return uintptr(t.Cred().EUID), nil }
func sysGetgid(t *proc.Task, a *Args) (uintptr, error)  { return uintptr(t.Cred().GID), nil }
func sysGetegid(t *proc.Task, a *Args) (uintptr, error) { return uintptr(t.Cred().EGID), nil }

func sysSetuid(t *proc.Task, a *Args) (uintptr, error) { return 0, t.SetUID(uint32(a[0])) }
func sysSetgid(t *proc.Task, a *Args) (uintptr, error) { return 0, t.SetGID(uint32(a[0])) }

func sysSetreuid(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.SetREUID(uint32(a[0]), uint32(a[1]))
}

func sysSetregid(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.SetREGID(uint32(a[0]), uint32(a[1]))
}

func sysSetresuid(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.SetRESUID(uint32(a[0]), uint32(a[1]), uint32(a[2]))
}

func sysSetresgid(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.SetRESGID(uint32(a[0]), uint32(a[1]), uint32(a[2]))
}

func sysSetfsuid(t *proc.Task, a *Args) (uintptr, error) {
	return uintptr(t.SetFSUID(uint32(a[0]))), nil
}

func sysSetfsgid(t *proc.Task, a *Args) (uintptr, error) {
	return uintptr(t.SetFSGID(uint32(a[0]))), nil
}

func sysGetresuid(t *proc.Task, a *Args) (uintptr, error) {
	c := t.Cred()
	return 0, writeIDs(t, a, c.UID, c.EUID, c.SUID)
}

func sysGetresgid(t *proc.Task, a *Args) (uintptr, error) {
	c := t.Cred()
	return 0, writeIDs(t, a, c.GID, c.EGID, c.SGID)
}

func writeIDs(t *proc.Task, a *Args, ids ...uint32) error {
	for i, id := range ids {
		if err := t.AS.Write32(a[i], id); err != nil {
			return err
		}
	}
	return nil
}

// sysGetgroups is getgroups(2).
func sysGetgroups(t *proc.Task, a *Args) (uintptr, error) {
	groups := t.Cred().Groups
	n := int32(a[0])
	switch {
	case n < 0:
		return 0, unix.EINVAL
	case n == 0:
		return uintptr(len(groups)), nil
	case int(n) < len(groups):
		return 0, unix.EINVAL
	}
	for i, g := range groups {
		if err := t.AS.Write32(a[1]+4*uint64(i), g); err != nil {
			return 0, err
		}
	}
	return uintptr(len(groups)), nil
}

// sysSetgroups is setgroups(2).
func sysSetgroups(t *proc.Task, a *Args) (uintptr, error) {
	if !t.Cred().Capable(unix.CAP_SETGID) {
		return 0, unix.EPERM
	}
	n := uint32(a[0])
	if n > proc.MaxGroups {
		return 0, unix.EINVAL
	}
	list := make([]uint32, n)
	for i := range list {
		v, err := t.AS.Read32(a[1] + 4*uint64(i))
		if err != nil {
			return 0, err
		}
		list[i] = v
	}
	return 0, t.SetGroups(list)
}

// Versions of the capability calls (UAPI linux/capability.h).
const (
	capVersion1 = 0x19980330
	capVersion2 = 0x20071026
	capVersion3 = 0x20080522
)

// capHeader reads the header of capget and capset; words is 1 or 2. An unknown
// version is answered with ours and EINVAL.
func capHeader(t *proc.Task, addr uint64) (pid int32, words int, err error) {
	var b [8]byte
	if err := t.AS.CopyIn(b[:], addr); err != nil {
		return 0, 0, err
	}
	switch get32(b[:], 0) {
	case capVersion1:
		words = 1
	case capVersion2, capVersion3:
		words = 2
	default:
		if err := t.AS.Write32(addr, capVersion3); err != nil {
			return 0, 0, err
		}
		return 0, 0, unix.EINVAL
	}
	return int32(get32(b[:], 4)), words, nil
}

// sysCapget is capget(2).
func sysCapget(t *proc.Task, a *Args) (uintptr, error) {
	pid, words, err := capHeader(t, a[0])
	if err != nil {
		if a[1] == 0 && err == unix.EINVAL {
			return 0, nil // a probe for the version
		}
		return 0, err
	}
	if pid < 0 {
		return 0, unix.EINVAL
	}
	c, err := t.CapsOf(pid)
	if err != nil {
		return 0, err
	}
	var b [24]byte
	for i := range words {
		put32(b[:], 12*i, uint32(c.Effective>>(32*i)))
		put32(b[:], 12*i+4, uint32(c.Permitted>>(32*i)))
		put32(b[:], 12*i+8, uint32(c.Inheritable>>(32*i)))
	}
	return 0, t.AS.CopyOut(a[1], b[:12*words])
}

// sysCapset is capset(2).
func sysCapset(t *proc.Task, a *Args) (uintptr, error) {
	pid, words, err := capHeader(t, a[0])
	if err != nil {
		return 0, err
	}
	if pid != 0 && pid != t.TID {
		return 0, unix.EPERM
	}
	var b [24]byte
	if err := t.AS.CopyIn(b[:12*words], a[1]); err != nil {
		return 0, err
	}
	var e, p, i fs.CapSet
	for n := range words {
		e |= fs.CapSet(get32(b[:], 12*n)) << (32 * n)
		p |= fs.CapSet(get32(b[:], 12*n+4)) << (32 * n)
		i |= fs.CapSet(get32(b[:], 12*n+8)) << (32 * n)
	}
	return 0, t.SetCaps(e, p, i)
}
