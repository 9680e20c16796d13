package i8042

import "tamarix/dev/kbd"

// Decoder turns the bytes of a keyboard into keys. The zero value decodes set 1.
// Whatever the bytes are, its state is bounded: bytes that make no sense are
// dropped, and the next key that is sent whole is understood.
type Decoder struct {
	Set2 bool // the bytes are of set 2

	e0      bool // 0xe0 came: the next code is of the other table
	release bool // set 2: 0xf0 came: the key goes up
	e1      uint8
}

// Steps through the one key that is sent as 0xe1 and two codes, Pause. It has no
// break of its own: going down, it sends a second such sequence for going up.
const (
	e1None uint8 = iota
	e1First
	e1Second
)

// Bytes that are no scan codes.
const (
	prefixE0     = 0xe0
	prefixE1     = 0xe1
	prefixF0     = 0xf0
	overrun1     = 0xff // too many keys at once, set 1
	overrun2     = 0x00 // set 2
	breakBit     = 0x80 // set 1: the key goes up
	fakeLShift   = 0x2a // after 0xe0: no key, but for programs of the PC/XT's time
	fakeRShift   = 0x36
	pauseCtrl    = 0x1d // what follows 0xe1
	pauseNumLock = 0x45
)

// Feed takes one byte and calls key for each key that it completes: none, one,
// or for Pause two.
func (d *Decoder) Feed(b byte, key func(code kbd.Code, down bool)) {
	switch {
	case b == prefixE0:
		d.clear()
		d.e0 = true
		return
	case b == prefixE1:
		d.clear()
		d.e1 = e1First
		return
	case b == overrun1, b == overrun2:
		d.clear()
		return
	case d.Set2 && b == prefixF0:
		d.release = true
		return
	}
	c, up := b&^breakBit, b&breakBit != 0
	if d.Set2 {
		c, up = translate(b), d.release
		d.release = false
		if c == 0 {
			d.clear()
			return
		}
	}
	switch d.e1 {
	case e1First:
		d.e1 = e1None
		if c == pauseCtrl {
			d.e1 = e1Second
			return
		}
	case e1Second:
		d.e1 = e1None
		if c == pauseNumLock {
			if !up {
				key(kbd.KeyPause, true)
				key(kbd.KeyPause, false)
			}
			return
		}
	}
	var code kbd.Code
	switch {
	case !d.e0:
		code = kbd.Set1(c)
	case c != fakeLShift && c != fakeRShift:
		code = kbd.Set1E0(c)
	}
	d.clear()
	if code != 0 {
		key(code, !up)
	}
}

// Idle reports whether the last byte completed what it was part of.
func (d *Decoder) Idle() bool { return !d.e0 && !d.release && d.e1 == e1None }

func (d *Decoder) clear() { d.e0, d.release, d.e1 = false, false, e1None }

// translate returns the set-1 code that a code of set 2 stands for, as the
// controller translates it; 0: there is none.
func translate(b byte) byte {
	switch {
	case b < 0x80:
		return set2[b]
	case b == 0x83: // F7
		return 0x41
	case b == 0x84: // Print Screen with Alt
		return 0x54
	}
	return 0
}

// set2 is the controller's translation of the codes below 0x80.
var set2 = [128]byte{
	0x00, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, // 00
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, // 10
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, // 20
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, // 30
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, // 40
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, // 50
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, // 60
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, // 70
}
