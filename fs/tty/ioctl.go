package tty

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Requests of UAPI asm-generic/ioctls.h that x/sys/unix lacks for linux/amd64.
const (
	tcgeta   = 0x5405
	tcseta   = 0x5406
	tcsetaw  = 0x5407
	tcsetaf  = 0x5408
	tcsetsf2 = 0x402C542D // _IOW('T', 0x2D, struct termios2)
	tcsetsw2 = 0x402C542C
	tcsets2  = 0x402C542B
	tcgets2  = 0x802C542A
	tiocgdev = 0x80045432
)

// Ioctl implements fs.FileOps: tty_ioctl(4).
func (o *file) Ioctl(ctx *fs.Context, f *fs.File, cmd uint32, arg uint64) (uintptr, error) {
	t := o.t
	if o.hungUp() {
		if cmd == unix.TIOCSPGRP {
			return 0, unix.ENOTTY
		}
		return 0, unix.EIO
	}
	switch cmd {
	case unix.TIOCSCTTY:
		return 0, t.setControlling(ctx, f, arg)
	case unix.TIOCNOTTY:
		return 0, t.giveUp(ctx)
	case unix.TIOCGPGRP:
		if t.jobs.Caller(ctx).Terminal != t {
			return 0, unix.ENOTTY
		}
		return 0, putInt(ctx, arg, t.Foreground())
	case unix.TIOCGSID:
		sid := t.Session()
		if sid == 0 || t.jobs.Caller(ctx).Terminal != t {
			return 0, unix.ENOTTY
		}
		return 0, putInt(ctx, arg, sid)
	case unix.TIOCEXCL, unix.TIOCNXCL:
		t.mu.Lock()
		t.exclusive = cmd == unix.TIOCEXCL
		t.mu.Unlock()
		return 0, nil
	case unix.TIOCGEXCL:
		t.mu.Lock()
		v := int32(0)
		if t.exclusive {
			v = 1
		}
		t.mu.Unlock()
		return 0, putInt(ctx, arg, v)
	case unix.TIOCSTI:
		return 0, t.fakeInput(ctx, arg)
	case unix.TIOCOUTQ:
		t.mu.Lock()
		n := t.unsentLocked()
		t.mu.Unlock()
		return 0, putInt(ctx, arg, int32(n))
	case unix.TIOCINQ:
		t.mu.Lock()
		n := t.queued()
		t.mu.Unlock()
		return 0, putInt(ctx, arg, int32(n))
	case unix.TCSBRK, unix.TCSBRKP:
		return 0, t.sendBreak(ctx, cmd == unix.TCSBRKP, arg)
	case unix.TCXONC:
		if err := t.checkChange(ctx, unix.SIGTTOU); err != nil {
			return 0, err
		}
		return 0, t.flow(arg)
	case unix.TCFLSH:
		if err := t.checkChange(ctx, unix.SIGTTOU); err != nil {
			return 0, err
		}
		return 0, t.flushQueues(arg)
	case unix.TIOCVHANGUP:
		if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			return 0, unix.EPERM
		}
		t.HangUp()
		return 0, nil
	}
	v, err := t.settings(ctx, cmd, arg)
	if d, ok := t.driver.(Ioctler); ok && err == unix.ENOTTY {
		return d.Ioctl(ctx, cmd, arg)
	}
	return v, err
}

// Controls reports whether t is the controlling terminal of ctx's task.
func (t *Terminal) Controls(ctx *fs.Context) bool { return t.jobs.Caller(ctx).Terminal == t }

// InUse reports whether t is open.
func (t *Terminal) InUse() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opens > 0
}

// settings are the requests that both sides of a pseudo-terminal understand, all
// about the slave side: termios, window size, foreground group.
func (t *Terminal) settings(ctx *fs.Context, cmd uint32, arg uint64) (uintptr, error) {
	switch cmd {
	case unix.TCGETS, tcgets2:
		var b [sizeTermios2]byte
		t.mu.Lock()
		encodeTermios2(&b, &t.tio)
		t.mu.Unlock()
		n := sizeTermios2
		if cmd == unix.TCGETS {
			n = sizeTermios
		}
		return 0, ctx.AS.CopyOut(arg, b[:n])
	case tcgeta:
		var b [sizeTermio]byte
		t.mu.Lock()
		encodeTermio(&b, &t.tio)
		t.mu.Unlock()
		return 0, ctx.AS.CopyOut(arg, b[:])
	case unix.TCSETS, unix.TCSETSW, unix.TCSETSF, tcsets2, tcsetsw2, tcsetsf2, tcseta, tcsetaw, tcsetaf:
		return 0, t.changeTermios(ctx, cmd, arg)
	case unix.TIOCGWINSZ:
		var b [8]byte
		le := binary.LittleEndian
		t.mu.Lock()
		le.PutUint16(b[0:], t.rows)
		le.PutUint16(b[2:], t.cols)
		le.PutUint16(b[4:], t.xpixel)
		le.PutUint16(b[6:], t.ypixel)
		t.mu.Unlock()
		return 0, ctx.AS.CopyOut(arg, b[:])
	case unix.TIOCSWINSZ:
		var b [8]byte
		if err := ctx.AS.CopyIn(b[:], arg); err != nil {
			return 0, err
		}
		le := binary.LittleEndian
		rows, cols := le.Uint16(b[0:]), le.Uint16(b[2:])
		if r, ok := t.driver.(Resizer); ok {
			if err := r.Resize(rows, cols); err != nil {
				return 0, err
			}
		}
		t.SetWindowSize(rows, cols, le.Uint16(b[4:]), le.Uint16(b[6:]))
		return 0, nil
	case unix.TIOCSPGRP:
		return 0, t.setForeground(ctx, arg)
	case unix.TIOCGETD:
		return 0, putInt(ctx, arg, 0) // N_TTY, the only one there is
	case unix.TIOCSETD:
		v, err := ctx.AS.Read32(arg)
		if err == nil && v != 0 {
			err = unix.EINVAL
		}
		return 0, err
	case tiocgdev:
		return 0, putInt(ctx, arg, int32(encodeDev(t.dev)))
	case unix.TIOCGSOFTCAR:
		t.mu.Lock()
		v := int32(0)
		if t.tio.Cflag&unix.CLOCAL != 0 {
			v = 1
		}
		t.mu.Unlock()
		return 0, putInt(ctx, arg, v)
	}
	return 0, unix.ENOTTY
}

// encodeDev is the 32-bit form of a device number (new_encode_dev of linux/kdev_t.h).
func encodeDev(dev uint64) uint32 {
	major, minor := unix.Major(dev), unix.Minor(dev)
	return minor&0xff | major<<8 | minor&^0xff<<12
}

func putInt(ctx *fs.Context, addr uint64, v int32) error { return ctx.AS.Write32(addr, uint32(v)) }

// queued returns what FIONREAD shows: what can be read now, without the marks of
// VEOF. Precondition: mu held.
func (d *discipline) queued() int {
	if !d.canonical() {
		return d.in.count()
	}
	n := 0
	for pos := d.in.tail; pos != d.in.canonHead; pos++ {
		if !d.in.isEnd(pos) || d.in.at(pos) != disabled {
			n++
		}
	}
	return n
}

// SetWindowSize sets the window's size in characters and pixels and tells the
// foreground group with SIGWINCH if it changed. A size of no rows or columns,
// which would be no window, stands for the default.
func (t *Terminal) SetWindowSize(rows, cols, xpixel, ypixel uint16) {
	if rows == 0 {
		rows = defaultRows
	}
	if cols == 0 {
		cols = defaultCols
	}
	t.mu.Lock()
	same := t.rows == rows && t.cols == cols && t.xpixel == xpixel && t.ypixel == ypixel
	t.rows, t.cols, t.xpixel, t.ypixel = rows, cols, xpixel, ypixel
	sid, pgid := t.sid, t.pgid
	t.mu.Unlock()
	if !same && pgid != 0 {
		t.jobs.SignalGroup(sid, pgid, unix.SIGWINCH)
	}
}

// changeTermios is tcsetattr(3) in all its forms.
func (t *Terminal) changeTermios(ctx *fs.Context, cmd uint32, arg uint64) error {
	if err := t.checkChange(ctx, unix.SIGTTOU); err != nil {
		return err
	}
	t.mu.Lock()
	tio := t.tio
	t.mu.Unlock()
	var b [sizeTermios2]byte
	drain, flush := false, false
	var err error
	switch cmd {
	case tcseta, tcsetaw, tcsetaf:
		if err = ctx.AS.CopyIn(b[:sizeTermio], arg); err == nil {
			decodeTermio(&tio, b[:sizeTermio])
		}
		drain, flush = cmd != tcseta, cmd == tcsetaf
	case unix.TCSETS, unix.TCSETSW, unix.TCSETSF:
		if err = ctx.AS.CopyIn(b[:sizeTermios], arg); err == nil {
			decodeTermios(&tio, b[:sizeTermios])
		}
		drain, flush = cmd != unix.TCSETS, cmd == unix.TCSETSF
	default:
		if err = ctx.AS.CopyIn(b[:], arg); err == nil {
			decodeTermios(&tio, b[:])
		}
		drain, flush = cmd != tcsets2, cmd == tcsetsf2
	}
	if err != nil {
		return err
	}
	if drain {
		if err := t.drain(ctx.Thread); err != nil {
			return err
		}
	}
	if flush {
		if err := t.flushQueues(unix.TCIFLUSH); err != nil {
			return err
		}
	}
	t.apply(&tio)
	return nil
}

// apply puts new settings into force.
func (t *Terminal) apply(tio *Termios) {
	fixSpeeds(tio)
	if t.driver != nil {
		t.driver.SetTermios(tio)
	} else {
		// A pseudo-terminal has no line to set up.
		tio.Cflag = tio.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CREAD
	}
	t.mu.Lock()
	old := t.tio
	t.tio = *tio
	t.setMode(&old)
	ready := t.outputReadyLocked()
	t.mu.Unlock()
	if ready {
		t.startOutput()
	}
	// The new settings may make what is there readable.
	t.readWait.Wake(evAny)
	t.writeWait.Wake(evAny)
	if t.master != nil {
		t.master.noteTermios(&old, tio)
	}
}

// sendBreak is TCSBRK and TCSBRKP: wait until all is sent, then hold the line
// low, unless TCSBRK has an argument, which makes it tcdrain(3).
func (t *Terminal) sendBreak(ctx *fs.Context, posix bool, arg uint64) error {
	if err := t.checkChange(ctx, unix.SIGTTOU); err != nil {
		return err
	}
	if err := t.drain(ctx.Thread); err != nil {
		return err
	}
	if t.driver == nil || !posix && arg != 0 {
		return nil
	}
	ms := 250
	if posix && arg != 0 {
		ms = int(min(arg, 100)) * 100
	}
	t.driver.Break(ms)
	return nil
}

// fakeInput is TIOCSTI: a character as if it were typed.
func (t *Terminal) fakeInput(ctx *fs.Context, arg uint64) error {
	if t.jobs.Caller(ctx).Terminal != t && !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		return unix.EPERM
	}
	var c [1]byte
	if err := ctx.AS.CopyIn(c[:], arg); err != nil {
		return err
	}
	t.Receive(c[:])
	return nil
}
