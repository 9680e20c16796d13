package tty

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Termios are a terminal's settings, in the kernel's layout: the first 36 bytes
// are struct termios of UAPI asm-generic/termbits.h (TCGETS), all 44 are struct
// termios2 (TCGETS2).
type Termios = unix.Termios

// Sizes of the structures of the termios ioctls, in bytes (UAPI
// asm-generic/termbits.h and asm-generic/termios.h).
const (
	sizeTermios  = 36 // struct termios
	sizeTermios2 = 44 // struct termios2
	sizeTermio   = 18 // struct termio
	termioCC     = 8  // NCC, control characters in a struct termio
)

// disabled is the value of a control character that is switched off
// (_POSIX_VDISABLE of fpathconf(3), __DISABLED_CHAR of linux/tty.h).
const disabled = 0

// defaultTermios returns what a terminal has when it is first opened: a line
// terminal with echo, as tty_std_termios of Linux drivers/tty/tty_io.c.
func defaultTermios(cflag uint32) Termios {
	t := Termios{
		Iflag: unix.ICRNL | unix.IXON,
		Oflag: unix.OPOST | unix.ONLCR,
		Cflag: cflag,
		Lflag: unix.ISIG | unix.ICANON | unix.ECHO | unix.ECHOE | unix.ECHOK |
			unix.ECHOCTL | unix.ECHOKE | unix.IEXTEN,
	}
	// The default control characters (INIT_C_CC of UAPI asm-generic/termios.h).
	t.Cc[unix.VINTR] = 'C' & 0x1f
	t.Cc[unix.VQUIT] = '\\' & 0x1f
	t.Cc[unix.VERASE] = 0x7f
	t.Cc[unix.VKILL] = 'U' & 0x1f
	t.Cc[unix.VEOF] = 'D' & 0x1f
	t.Cc[unix.VMIN] = 1
	t.Cc[unix.VSTART] = 'Q' & 0x1f
	t.Cc[unix.VSTOP] = 'S' & 0x1f
	t.Cc[unix.VSUSP] = 'Z' & 0x1f
	t.Cc[unix.VREPRINT] = 'R' & 0x1f
	t.Cc[unix.VDISCARD] = 'O' & 0x1f
	t.Cc[unix.VWERASE] = 'W' & 0x1f
	t.Cc[unix.VLNEXT] = 'V' & 0x1f
	t.Ospeed = baudRate(cflag & cbaud)
	t.Ispeed = t.Ospeed
	return t
}

// cbaud masks the speed bits of c_cflag (CBAUD), ibshift is where those of the
// input speed are (IBSHIFT), bother says that c_ospeed holds the speed itself.
const (
	cbaud   = unix.CBAUD
	ibshift = 16 // IBSHIFT, UAPI asm-generic/termbits-common.h
	bother  = unix.BOTHER
)

// speeds lists the Bnnn codes and their rates in bits per second.
var speeds = [...]struct{ code, rate uint32 }{
	{unix.B0, 0}, {unix.B50, 50}, {unix.B75, 75}, {unix.B110, 110}, {unix.B134, 134},
	{unix.B150, 150}, {unix.B200, 200}, {unix.B300, 300}, {unix.B600, 600},
	{unix.B1200, 1200}, {unix.B1800, 1800}, {unix.B2400, 2400}, {unix.B4800, 4800},
	{unix.B9600, 9600}, {unix.B19200, 19200}, {unix.B38400, 38400}, {unix.B57600, 57600},
	{unix.B115200, 115200}, {unix.B230400, 230400}, {unix.B460800, 460800},
	{unix.B500000, 500000}, {unix.B576000, 576000}, {unix.B921600, 921600},
	{unix.B1000000, 1000000}, {unix.B1152000, 1152000}, {unix.B1500000, 1500000},
	{unix.B2000000, 2000000}, {unix.B2500000, 2500000}, {unix.B3000000, 3000000},
	{unix.B3500000, 3500000}, {unix.B4000000, 4000000},
}

// baudRate returns the rate of a Bnnn code, 0 for an unknown one.
func baudRate(code uint32) uint32 {
	for _, s := range speeds {
		if s.code == code {
			return s.rate
		}
	}
	return 0
}

// SpeedCode returns the Bnnn code of a rate in bits per second, or BOTHER when
// it has none.
func SpeedCode(rate uint32) uint32 {
	for _, s := range speeds {
		if s.rate == rate {
			return s.code
		}
	}
	return bother
}

// fixSpeeds makes c_ispeed and c_ospeed true to the codes in c_cflag.
func fixSpeeds(t *Termios) {
	out := t.Cflag & cbaud
	if out != bother {
		t.Ospeed = baudRate(out)
	}
	switch in := t.Cflag >> ibshift & cbaud; in {
	case unix.B0:
		t.Ispeed = t.Ospeed
	case bother:
	default:
		t.Ispeed = baudRate(in)
	}
}

// encodeTermios2 stores t as a struct termios2; its head is the struct termios.
func encodeTermios2(b *[sizeTermios2]byte, t *Termios) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], t.Iflag)
	le.PutUint32(b[4:], t.Oflag)
	le.PutUint32(b[8:], t.Cflag)
	le.PutUint32(b[12:], t.Lflag)
	b[16] = t.Line
	copy(b[17:sizeTermios], t.Cc[:])
	le.PutUint32(b[36:], t.Ispeed)
	le.PutUint32(b[40:], t.Ospeed)
}

// decodeTermios reads a struct termios (36 bytes) or termios2 (44 bytes) into t.
// The speeds are left alone in the former case.
func decodeTermios(t *Termios, b []byte) {
	le := binary.LittleEndian
	t.Iflag = le.Uint32(b[0:])
	t.Oflag = le.Uint32(b[4:])
	t.Cflag = le.Uint32(b[8:])
	t.Lflag = le.Uint32(b[12:])
	t.Line = b[16]
	copy(t.Cc[:], b[17:sizeTermios])
	if len(b) >= sizeTermios2 {
		t.Ispeed = le.Uint32(b[36:])
		t.Ospeed = le.Uint32(b[40:])
	}
}

// encodeTermio stores t as a struct termio of System V.
func encodeTermio(b *[sizeTermio]byte, t *Termios) {
	le := binary.LittleEndian
	le.PutUint16(b[0:], uint16(t.Iflag))
	le.PutUint16(b[2:], uint16(t.Oflag))
	le.PutUint16(b[4:], uint16(t.Cflag))
	le.PutUint16(b[6:], uint16(t.Lflag))
	b[8] = t.Line
	copy(b[9:9+termioCC], t.Cc[:termioCC])
}

// decodeTermio reads a struct termio into t; what it does not hold stays.
func decodeTermio(t *Termios, b []byte) {
	le := binary.LittleEndian
	low := func(old uint32, at int) uint32 { return old&^0xffff | uint32(le.Uint16(b[at:])) }
	t.Iflag = low(t.Iflag, 0)
	t.Oflag = low(t.Oflag, 2)
	t.Cflag = low(t.Cflag, 4)
	t.Lflag = low(t.Lflag, 6)
	t.Line = b[8]
	copy(t.Cc[:termioCC], b[9:9+termioCC])
}
