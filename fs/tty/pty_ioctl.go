package tty

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Ioctl implements fs.FileOps: the requests of ptmx(4), and those about the
// slave's settings.
func (p *Master) Ioctl(ctx *fs.Context, f *fs.File, cmd uint32, arg uint64) (uintptr, error) {
	t := p.t
	switch cmd {
	case unix.TIOCGPTN:
		return 0, putInt(ctx, arg, int32(p.index))
	case unix.TIOCSPTLCK, unix.TIOCPKT:
		v, err := ctx.AS.Read32(arg)
		if err != nil {
			return 0, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if cmd == unix.TIOCSPTLCK {
			p.locked = v != 0
		} else if on := v != 0; on != p.packet {
			p.packet = on
			p.status.Store(0)
		}
		return 0, nil
	case unix.TIOCGPTLCK, unix.TIOCGPKT:
		t.mu.Lock()
		on := p.locked
		if cmd == unix.TIOCGPKT {
			on = p.packet
		}
		t.mu.Unlock()
		v := int32(0)
		if on {
			v = 1
		}
		return 0, putInt(ctx, arg, v)
	case unix.TIOCSIG:
		sig := unix.Signal(arg)
		if sig != unix.SIGINT && sig != unix.SIGQUIT && sig != unix.SIGTSTP {
			return 0, unix.EINVAL
		}
		t.mu.Lock()
		sid, pgid := t.sid, t.pgid
		t.mu.Unlock()
		if pgid != 0 {
			t.jobs.SignalGroup(sid, pgid, sig)
		}
		return 0, nil
	case unix.TIOCINQ:
		t.mu.Lock()
		n := t.readableLocked()
		t.mu.Unlock()
		return 0, putInt(ctx, arg, int32(n))
	case unix.TIOCOUTQ:
		return 0, putInt(ctx, arg, 0)
	case unix.TIOCGPGRP:
		return 0, putInt(ctx, arg, t.Foreground())
	case unix.TIOCGSID:
		sid := t.Session()
		if sid == 0 {
			return 0, unix.ENOTTY
		}
		return 0, putInt(ctx, arg, sid)
	case unix.TCFLSH:
		switch arg {
		case unix.TCIFLUSH, unix.TCOFLUSH, unix.TCIOFLUSH:
		default:
			return 0, unix.EINVAL
		}
		t.mu.Lock()
		if arg != unix.TCOFLUSH {
			t.out.cut(0)
		}
		if arg != unix.TCIFLUSH {
			t.backlog.cut(0)
		}
		t.mu.Unlock()
		t.wakeWriters()
		p.writeWait.Wake(evOut)
		return 0, nil
	case unix.TCXONC, unix.TCSBRK, unix.TCSBRKP, unix.TIOCSTI, unix.TIOCEXCL, unix.TIOCNXCL:
		return 0, nil
	case unix.TIOCSCTTY, unix.TIOCNOTTY:
		return 0, unix.ENOTTY
	}
	return t.settings(ctx, cmd, arg)
}
