package procfs

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// mayTrace reports whether the caller may look into p, by the rules of ptrace(2)
// for PTRACE_MODE_READ_FSCREDS: itself, or the same user with nothing hidden
// from it, or CAP_SYS_PTRACE.
func mayTrace(ctx *fs.Context, src Source, p Process) error {
	if tgid, _ := src.Self(ctx); tgid == p.TGID() {
		return nil
	}
	c, t := ctx.Cred, p.Cred()
	if t == nil {
		return unix.ESRCH
	}
	if c.Capable(unix.CAP_SYS_PTRACE) {
		return nil
	}
	sameUser := c.FSUID == t.EUID && c.FSUID == t.SUID && c.FSUID == t.UID
	sameGroup := c.FSGID == t.EGID && c.FSGID == t.SGID && c.FSGID == t.GID
	if !sameUser || !sameGroup || p.Dumpable() != 1 || t.Permitted&^c.Effective != 0 {
		return unix.EACCES
	}
	return nil
}

// owner returns who owns the entries of p: its effective user, or root when it
// is not to be looked into.
func owner(p Process) (uid, gid uint32) {
	c := p.Cred()
	if c == nil || p.Dumpable() != 1 {
		return 0, 0
	}
	return c.EUID, c.EGID
}
