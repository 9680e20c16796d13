package kbd

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Requests of UAPI linux/kd.h, which x/sys/unix lacks.
const (
	kiocsound   = 0x4b2f
	kdmktone    = 0x4b30
	kdgetled    = 0x4b31
	kdsetled    = 0x4b32
	kdgkbtype   = 0x4b33
	kdgkbmode   = 0x4b44
	kdskbmode   = 0x4b45
	kdgkbent    = 0x4b46
	kdskbent    = 0x4b47
	kdgkbsent   = 0x4b48
	kdskbsent   = 0x4b49
	kdsigaccept = 0x4b4e
	kdkbdrep    = 0x4b52
	kdgkbmeta   = 0x4b62
	kdskbmeta   = 0x4b63
	kdgkbled    = 0x4b64
	kdskbled    = 0x4b65

	kb101       = 2 // of KDGKBTYPE: the only answer there is
	metaBit     = 3 // K_METABIT
	metaEscape  = 4 // K_ESCPREFIX
	allLEDs     = ScrollLock | NumLock | CapsLock
	maxSignal   = 64
	stringsSize = 1 + maxString // struct kbsentry
)

// Ioctl does the requests of ioctl_console(2) that are about keyboards and the
// speaker. permitted says that the caller's controlling terminal is this one or
// that it has CAP_SYS_TTY_CONFIG. Other requests are ENOTTY; so are those about
// compose tables, which there are none of, and about the numbers of scan codes.
func (t *Terminal) Ioctl(ctx *fs.Context, permitted bool, cmd uint32, arg uint64) (uintptr, error) {
	switch cmd {
	case kdgkbtype, kdgkbmode, kdgkbmeta, kdgetled, kdgkbled:
		return 0, t.query(ctx, cmd, arg)
	case kdgkbent, kdskbent:
		return 0, t.entry(ctx, cmd == kdskbent, arg)
	case kdgkbsent, kdskbsent:
		return 0, t.functionString(ctx, cmd == kdskbsent, arg)
	case kiocsound, kdmktone, kdskbmode, kdskbmeta, kdsetled, kdskbled, kdkbdrep, kdsigaccept:
		if !permitted {
			return 0, unix.EPERM
		}
		if cmd == kdkbdrep {
			return 0, t.repeatRate(ctx, arg)
		}
		return 0, t.set(ctx, cmd, arg)
	}
	return 0, unix.ENOTTY
}

// query does the requests that only tell. KDGKBMODE and KDGKBMETA store an int,
// the others a char.
func (t *Terminal) query(ctx *fs.Context, cmd uint32, arg uint64) error {
	t.k.mu.Lock()
	v := uint32(0)
	switch cmd {
	case kdgkbtype:
		v = kb101
	case kdgkbmode:
		v = uint32(t.mode)
	case kdgkbmeta:
		v = metaBit
		if t.modes&MetaEscape != 0 {
			v = metaEscape
		}
	case kdgetled:
		v = uint32(t.lights())
	case kdgkbled:
		v = uint32(t.flags | t.reset<<4)
	}
	t.k.mu.Unlock()
	if cmd == kdgkbmode || cmd == kdgkbmeta {
		return ctx.AS.Write32(arg, v)
	}
	return ctx.AS.CopyOut(arg, []byte{byte(v)})
}

// set does the requests whose argument is a number.
func (t *Terminal) set(ctx *fs.Context, cmd uint32, arg uint64) error {
	k := t.k
	k.mu.Lock()
	defer k.mu.Unlock()
	switch cmd {
	case kiocsound:
		k.tone(hertz(uint32(arg)), 0)
	case kdmktone: // clocks of the tone in the lower half, milliseconds in the upper
		k.tone(hertz(uint32(arg)&0xffff), time.Duration(arg>>16&0xffff)*time.Millisecond)
	case kdskbmode:
		if arg > uint64(modeOff) {
			return unix.EINVAL
		}
		t.mode = keyMode(arg)
	case kdskbmeta:
		switch arg {
		case metaBit:
			t.modes &^= MetaEscape
		case metaEscape:
			t.modes |= MetaEscape
		default:
			return unix.EINVAL
		}
	case kdsetled: // out of range: the locks show again
		t.own = arg&^uint64(allLEDs) == 0
		if t.own {
			t.shown = LEDs(arg)
		}
		t.changed()
	case kdskbled:
		if arg&^uint64(allLEDs|allLEDs<<4) != 0 {
			return unix.EINVAL
		}
		t.flags, t.reset = LEDs(arg)&allLEDs, LEDs(arg>>4)
		t.changed()
	case kdsigaccept:
		if !ctx.Cred.Capable(unix.CAP_KILL) {
			return unix.EPERM
		}
		if arg < 1 || arg > maxSignal || arg == uint64(unix.SIGKILL) {
			return unix.EINVAL
		}
		k.watcher, k.watcherSig = ctx.PID, unix.Signal(arg)
	}
	return nil
}

// entry is KDGKBENT and KDSKBENT: struct kbentry, a column, a key and a symbol.
// The map is everybody's, so that changing it takes CAP_SYS_TTY_CONFIG.
func (t *Terminal) entry(ctx *fs.Context, set bool, arg uint64) error {
	var b [4]byte
	if err := ctx.AS.CopyIn(b[:], arg); err != nil {
		return err
	}
	if set && !ctx.Cred.Capable(unix.CAP_SYS_TTY_CONFIG) {
		return unix.EPERM
	}
	k := t.k
	k.mu.Lock()
	wide := t.mode == modeUnicode
	if set {
		defer k.mu.Unlock()
		s := Symbol(binary.LittleEndian.Uint16(b[2:]))
		return k.keyMap.set(b[0], b[1], s, wide, ctx.Cred.Capable(unix.CAP_SYS_ADMIN))
	}
	s := k.keyMap.get(b[0], b[1], wide)
	k.mu.Unlock()
	binary.LittleEndian.PutUint16(b[2:], uint16(s))
	return ctx.AS.CopyOut(arg+2, b[2:])
}

// functionString is KDGKBSENT and KDSKBSENT: struct kbsentry, a number and a
// string that ends with a zero.
func (t *Terminal) functionString(ctx *fs.Context, set bool, arg uint64) error {
	var b [stringsSize]byte
	if err := ctx.AS.CopyIn(b[:1], arg); err != nil {
		return err
	}
	k := t.k
	if !set {
		k.mu.Lock()
		n := 1 + copy(b[1:len(b)-1], k.keyMap.strings[b[0]])
		k.mu.Unlock()
		return ctx.AS.CopyOut(arg+1, b[1:n+1])
	}
	if !ctx.Cred.Capable(unix.CAP_SYS_TTY_CONFIG) {
		return unix.EPERM
	}
	s, err := ctx.AS.CopyInString(arg+1, maxString)
	if err == unix.ENAMETOOLONG {
		err = unix.EINVAL
	}
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.keyMap.strings[b[0]] = s
	k.mu.Unlock()
	return nil
}

// repeatRate is KDKBDREP: two ints, milliseconds; zero or less leaves as it is.
// What is in force comes back.
func (t *Terminal) repeatRate(ctx *fs.Context, arg uint64) error {
	var b [8]byte
	if err := ctx.AS.CopyIn(b[:], arg); err != nil {
		return err
	}
	le := binary.LittleEndian
	t.k.mu.Lock()
	delay, period := t.k.setRepeat(
		time.Duration(int32(le.Uint32(b[0:])))*time.Millisecond,
		time.Duration(int32(le.Uint32(b[4:])))*time.Millisecond)
	t.k.mu.Unlock()
	le.PutUint32(b[0:], uint32(delay/time.Millisecond))
	le.PutUint32(b[4:], uint32(period/time.Millisecond))
	return ctx.AS.CopyOut(arg, b[:])
}
