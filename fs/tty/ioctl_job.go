package tty

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// setControlling is TIOCSCTTY: t becomes the controlling terminal of the
// caller's session. An argument of 1 lets root take it from another session.
func (t *Terminal) setControlling(ctx *fs.Context, f *fs.File, arg uint64) error {
	c := t.jobs.Caller(ctx)
	sid := t.Session()
	if c.Leader && c.Terminal == t && sid == c.SID {
		return nil
	}
	if !c.Leader || c.Terminal != nil {
		return unix.EPERM
	}
	root := ctx.Cred.Capable(unix.CAP_SYS_ADMIN)
	if sid != 0 {
		if arg != 1 || !root {
			return unix.EPERM
		}
		t.release()
	}
	if f.Mode()&fs.ModeRead == 0 && !root {
		return unix.EPERM
	}
	t.claim(c)
	return nil
}

// giveUp is TIOCNOTTY: the caller does without its controlling terminal; if it is
// the session's leader, so does the whole session.
func (t *Terminal) giveUp(ctx *fs.Context) error {
	c := t.jobs.Caller(ctx)
	if c.Terminal != t {
		return unix.ENOTTY
	}
	if c.Leader {
		t.Disassociate(false)
		return nil
	}
	t.jobs.LeaveTerminal(ctx)
	return nil
}

// setForeground is TIOCSPGRP, tcsetpgrp(3).
func (t *Terminal) setForeground(ctx *fs.Context, arg uint64) error {
	if err := t.checkChange(ctx, unix.SIGTTOU); err == unix.EIO {
		return unix.ENOTTY
	} else if err != nil {
		return err
	}
	v, err := ctx.AS.Read32(arg)
	if err != nil {
		return err
	}
	pgid := int32(v)
	if pgid < 0 {
		return unix.EINVAL
	}
	c := t.jobs.Caller(ctx)
	if c.Terminal != t || t.Session() != c.SID {
		return unix.ENOTTY
	}
	sid, ok := t.jobs.GroupSession(pgid)
	if !ok {
		return unix.ESRCH
	}
	if sid != c.SID {
		return unix.EPERM
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sid != c.SID { // lost meanwhile
		return unix.ENOTTY
	}
	t.pgid = pgid
	return nil
}
