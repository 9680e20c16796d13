package vt

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Requests of UAPI linux/vt.h and linux/kd.h.
const (
	vtOpenQry     = 0x5600
	vtGetMode     = 0x5601
	vtSetMode     = 0x5602
	vtGetState    = 0x5603
	vtSendSig     = 0x5604
	vtRelDisp     = 0x5605
	vtActivate    = 0x5606
	vtWaitActive  = 0x5607
	vtDisallocate = 0x5608
	vtResize      = 0x5609
	vtResizeX     = 0x560A
	vtLockSwitch  = 0x560B
	vtUnlock      = 0x560C
	vtGetHiFont   = 0x560D
	vtSetActivate = 0x560F

	kdGKBType   = 0x4B33
	kdAddIO     = 0x4B34
	kdDelIO     = 0x4B35
	kdEnabIO    = 0x4B36
	kdDisabIO   = 0x4B37
	kdSetMode   = 0x4B3A
	kdGetMode   = 0x4B3B
	kdMapDisp   = 0x4B3C
	kdUnmapDisp = 0x4B3D
	gioCmap     = 0x4B70
	pioCmap     = 0x4B71
	kdFontOp    = 0x4B72
)

// Values of theirs.
const (
	kb101 = 2 // KDGKBTYPE: any PC keyboard

	kdText, kdGraphics, kdText0, kdText1 = 0, 1, 2, 3

	modeAuto, modeOwner = 0, 1 // VT_AUTO, VT_PROCESS
	ackAcquired         = 2    // VT_ACKACQ
)

// permitted reports whether ctx's task may change v: it is on it, or has
// CAP_SYS_TTY_CONFIG (ioctl_console(2)).
func (v *console) permitted(ctx *fs.Context) bool {
	return v.tty.Controls(ctx) || ctx.Cred.Capable(unix.CAP_SYS_TTY_CONFIG)
}

// Ioctl implements [tty.Ioctler]: ioctl_console(2).
func (v *console) Ioctl(ctx *fs.Context, cmd uint32, arg uint64) (uintptr, error) {
	permitted := v.permitted(ctx)
	switch cmd {
	case vtOpenQry, vtGetState, vtGetMode, vtGetHiFont, kdGKBType, kdGetMode, gioCmap:
		return 0, v.query(ctx, cmd, arg)
	case unix.TIOCLINUX:
		return v.tioclinux(ctx, arg)
	case vtLockSwitch, vtUnlock:
		if !ctx.Cred.Capable(unix.CAP_SYS_TTY_CONFIG) {
			return 0, unix.EPERM
		}
		v.all.lock(cmd == vtLockSwitch)
		return 0, nil
	case vtDisallocate:
		return 0, v.all.disallocate(arg)
	case kdAddIO, kdDelIO:
		if arg < 0x3b4 || arg > 0x3df { // GPFIRST, GPLAST: the ports of VGA
			return 0, unix.EINVAL
		}
		return 0, unix.ENXIO
	case kdEnabIO, kdDisabIO:
		return 0, unix.ENXIO
	case kdMapDisp, kdUnmapDisp:
		return 0, unix.EINVAL
	case kdFontOp:
		return 0, unix.ENOSYS // the font is what it is
	case vtSetMode, vtRelDisp, vtActivate, vtWaitActive, vtSetActivate, vtResize, vtResizeX, kdSetMode, pioCmap:
		if !permitted {
			return 0, unix.EPERM
		}
		return 0, v.change(ctx, cmd, arg)
	}
	if v.keys != nil {
		return v.keys.Ioctl(ctx, permitted, cmd, arg)
	}
	return 0, unix.ENOTTY
}

// query are the requests that only ask.
func (v *console) query(ctx *fs.Context, cmd uint32, arg uint64) error {
	c := v.all
	le := binary.LittleEndian
	var b [48]byte
	n := 0
	switch cmd {
	case vtOpenQry:
		free := ^uint32(0)
		for i, o := range c.vts {
			if !o.tty.InUse() {
				free = uint32(i) + 1
				break
			}
		}
		return ctx.AS.Write32(arg, free)
	case vtGetState:
		state := uint16(1) // tty0
		for i, o := range c.vts {
			if o.tty.InUse() {
				state |= 2 << i
			}
		}
		c.mu.Lock()
		le.PutUint16(b[0:], uint16(c.front))
		c.mu.Unlock()
		le.PutUint16(b[4:], state)
		n = 6
	case vtGetMode:
		c.mu.Lock()
		v.owner.encode(b[:8])
		c.mu.Unlock()
		n = 8
	case vtGetHiFont:
		n = 2
	case kdGKBType:
		b[0], n = kb101, 1
	case kdGetMode:
		c.mu.Lock()
		mode := uint32(kdText)
		if v.graphics {
			mode = kdGraphics
		}
		c.mu.Unlock()
		return ctx.AS.Write32(arg, mode)
	case gioCmap:
		c.mu.Lock()
		for i, rgb := range c.palette {
			b[3*i], b[3*i+1], b[3*i+2] = byte(rgb>>16), byte(rgb>>8), byte(rgb)
		}
		c.mu.Unlock()
		n = 48
	}
	return ctx.AS.CopyOut(arg, b[:n])
}

// change are the requests that need permission.
func (v *console) change(ctx *fs.Context, cmd uint32, arg uint64) error {
	c := v.all
	var b [48]byte
	switch cmd {
	case vtActivate, vtWaitActive:
		if arg == 0 || arg > Count {
			return unix.ENXIO
		}
		if cmd == vtActivate {
			c.Switch(int(arg))
			return nil
		}
		return c.waitActive(ctx, int(arg))
	case vtSetMode:
		if err := ctx.AS.CopyIn(b[:8], arg); err != nil {
			return err
		}
		return v.setOwner(ctx, b[:8])
	case vtSetActivate:
		if err := ctx.AS.CopyIn(b[:12], arg); err != nil {
			return err
		}
		n := binary.LittleEndian.Uint32(b[:])
		if n == 0 || n > Count {
			return unix.ENXIO
		}
		if err := c.vts[n-1].setOwner(ctx, b[4:12]); err != nil {
			return err
		}
		c.Switch(int(n))
		return nil
	case vtRelDisp:
		return v.release(arg)
	case vtResize, vtResizeX:
		// Both structures begin with rows and columns; 0 leaves as it is.
		n := 6
		if cmd == vtResizeX {
			n = 12
		}
		if err := ctx.AS.CopyIn(b[:n], arg); err != nil {
			return err
		}
		rows, cols := binary.LittleEndian.Uint16(b[0:]), binary.LittleEndian.Uint16(b[2:])
		if rows == 0 {
			rows = uint16(c.rows)
		}
		if cols == 0 {
			cols = uint16(c.cols)
		}
		return v.Resize(rows, cols)
	case kdSetMode:
		if arg > kdText1 {
			return unix.EINVAL
		}
		c.mu.Lock()
		v.setGraphics(arg == kdGraphics)
		c.mu.Unlock()
		c.drawer.wake()
		return nil
	case pioCmap:
		if err := ctx.AS.CopyIn(b[:], arg); err != nil {
			return err
		}
		c.mu.Lock()
		for i := range c.palette {
			c.palette[i] = uint32(b[3*i])<<16 | uint32(b[3*i+1])<<8 | uint32(b[3*i+2])
		}
		for _, o := range c.vts {
			if o.screen != nil {
				o.screen.SetPalette(c.palette)
			}
		}
		c.mu.Unlock()
		c.drawer.wake()
	}
	return nil
}

// disallocate is VT_DISALLOCATE: terminal n, or with 0 every one, gives its
// memory back if nobody uses it.
func (c *Consoles) disallocate(n uint64) error {
	if n > Count {
		return unix.ENXIO
	}
	for i, v := range c.vts {
		if n != 0 && i != int(n)-1 {
			continue
		}
		busy := v.tty.InUse()
		c.mu.Lock()
		busy = busy || c.front == v.n
		if !busy && v.n > 1 {
			v.screen, v.graphics, v.owner = nil, false, owner{}
		}
		c.mu.Unlock()
		if busy && n != 0 {
			return unix.EBUSY
		}
	}
	return nil
}

// The subcodes of TIOCLINUX (linux/tiocl.h) that mean something here: there is
// no selection with the mouse and no blanking.
const (
	tioclUnblank     = 4
	tioclShiftState  = 6
	tioclMouse       = 7
	tioclRedirect    = 11
	tioclFront       = 12
	tioclScroll      = 13
	tioclBlanked     = 15
	tioclGetRedirect = 17
)

// tioclinux is TIOCLINUX, ioctl_console(2).
func (v *console) tioclinux(ctx *fs.Context, arg uint64) (uintptr, error) {
	if !v.tty.Controls(ctx) && !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		return 0, unix.EPERM
	}
	c := v.all
	var sub [1]byte
	if err := ctx.AS.CopyIn(sub[:], arg); err != nil {
		return 0, err
	}
	switch sub[0] {
	case tioclUnblank, tioclBlanked:
		return 0, nil
	case tioclShiftState:
		b := [1]byte{}
		if c.keys != nil {
			b[0] = c.keys.ShiftState()
		}
		return 0, ctx.AS.CopyOut(arg, b[:])
	case tioclMouse:
		c.mu.Lock()
		b := [1]byte{v.emulator().Mouse()}
		c.mu.Unlock()
		return 0, ctx.AS.CopyOut(arg, b[:])
	case tioclRedirect:
		if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			return 0, unix.EPERM
		}
		if err := ctx.AS.CopyIn(sub[:], arg+1); err != nil {
			return 0, err
		}
		if sub[0] > Count {
			return 0, unix.EINVAL
		}
		c.mu.Lock()
		c.logTo = int(sub[0])
		c.mu.Unlock()
		return 0, nil
	case tioclGetRedirect:
		c.mu.Lock()
		defer c.mu.Unlock()
		return uintptr(c.logTo), nil
	case tioclFront:
		c.mu.Lock()
		defer c.mu.Unlock()
		return uintptr(c.front - 1), nil
	case tioclScroll:
		lines, err := ctx.AS.Read32(arg + 4)
		if err != nil {
			return 0, err
		}
		c.scrollLines(int(int32(lines)))
		return 0, nil
	}
	return 0, unix.EINVAL
}
