package kbd

// The scan codes of set 1, the PC/XT's, which the keyboard controller also
// makes of set 2 (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
// Auxiliary Device Controller"). A program that put its terminal into K_RAW
// reads them.

// Set1 is the key of each scan code below 0x80; 0: none. Linux's key codes were
// made after these, so up to 0x53 both are the same.
func Set1(c byte) Code {
	if c >= 1 && c <= 0x53 {
		return Code(c)
	}
	return set1[c&0x7f]
}

// Set1E0 is the key of each scan code below 0x80 that follows an 0xe0.
func Set1E0(c byte) Code { return set1E0[c&0x7f] }

var set1 = [128]Code{
	0x54: KeySysRq, // Print Screen with Alt
	0x55: 84, 0x56: Key102nd, 0x57: KeyF11, 0x58: KeyF12,
	0x59: 117,                                  // keypad =
	0x5c: 95,                                   // keypad , (Japan)
	0x64: 183, 0x65: 184, 0x66: 185, 0x67: 186, // F13 to F16
	0x68: 187, 0x69: 188, 0x6a: 189, 0x6b: 190, // F17 to F20
	0x6c: 191, 0x6d: 192, 0x6e: 193, 0x76: 194, // F21 to F24
	0x70: 93, 0x73: 89, 0x77: 91, 0x78: 90, // katakana/hiragana, ro, hiragana, katakana
	0x79: 92, 0x7b: 94, 0x7d: 124, 0x7e: 121, // henkan, muhenkan, yen, keypad comma
}

var set1E0 = [128]Code{
	0x10: 165, 0x19: 163, 0x20: 113, 0x21: 140, // previous, next song, mute, calculator
	0x22: 164, 0x24: 166, 0x2e: 114, 0x30: 115, // play, stop, volume down, up
	0x32: 172, // home page
	0x1c: KeyKPEnter, 0x1d: KeyRightCtrl, 0x35: KeyKPSlash, 0x37: KeySysRq, 0x38: KeyRightAlt,
	0x46: KeyPause, // with Ctrl
	0x47: KeyHome, 0x48: KeyUp, 0x49: KeyPageUp, 0x4b: KeyLeft, 0x4d: KeyRight, 0x4f: KeyEnd,
	0x50: KeyDown, 0x51: KeyPageDown, 0x52: KeyInsert, 0x53: KeyDelete,
	0x5b: KeyLeftMeta, 0x5c: KeyRightMeta, 0x5d: KeyCompose,
	0x5e: 116, 0x5f: 142, 0x63: 143, // power, sleep, wake up
	0x65: 217, 0x66: 156, 0x67: 173, 0x68: 128, // search, bookmarks, refresh, stop
	0x69: 159, 0x6a: 158, 0x6b: 157, 0x6c: 155, // forward, back, computer, mail
	0x6d: 226, // media
}

// appendSet1 adds the scan codes of a key that goes down or up, nothing for a
// key that set 1 does not have.
func appendSet1(p []byte, code Code, up bool) []byte {
	top := byte(0)
	if up {
		top = 0x80
	}
	switch {
	case code == KeyPause:
		return append(p, 0xe1, 0x1d|top, 0x45|top)
	case code == KeySysRq:
		return append(p, 0xe0, 0x2a|top, 0xe0, 0x37|top)
	case code >= 1 && code <= 0x53:
		return append(p, byte(code)|top)
	}
	for c := range byte(0x80) {
		switch code {
		case set1[c]:
			return append(p, c|top)
		case set1E0[c]:
			return append(p, 0xe0, c|top)
		}
	}
	return p
}
