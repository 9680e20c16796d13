package kbd

// keyMode is what a program on a terminal gets of the keys (K_* of UAPI linux/kd.h).
type keyMode uint8

const (
	modeRaw       keyMode = iota // scan codes of set 1
	modeXlate                    // 8-bit characters
	modeMediumRaw                // key codes
	modeUnicode                  // characters in UTF-8
	modeOff                      // nothing
)

// sendRaw types what the raw modes want of a key, and reports whether the
// terminal is in one of them. Precondition: mu held.
func (k *Keyboards) sendRaw(t *Terminal, code Code, c change) bool {
	switch t.mode {
	case modeRaw:
		k.text = appendSet1(k.text, code, c == released)
		return true
	case modeMediumRaw:
		up := byte(0)
		if c == released {
			up = 0x80
		}
		if code < 0x80 {
			k.text = append(k.text, byte(code)|up)
		} else {
			// Zero, then the code in two times seven bits.
			k.text = append(k.text, up, byte(code>>7)|0x80, byte(code)|0x80)
		}
		return true
	}
	return false
}
