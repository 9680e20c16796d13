package kbd

import (
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzKeys: two keyboards do anything at all, with the map changed under them.
// When all keys are up again, no modifier is left, no timer runs, and a plain
// letter is that letter or its capital.
func FuzzKeys(f *testing.F) {
	f.Add([]byte{42, 1, 30, 1, 30, 0, 42, 0})
	f.Add([]byte{56, 1, 99, 1, 48, 1, 48, 0, 99, 0, 56, 0})
	f.Add([]byte{29, 3, 56, 1, 111, 1, 255, 4, 58, 1, 58, 1})
	f.Fuzz(func(t *testing.T, p []byte) {
		d := newDesk(t)
		two := &board{}
		d.k.Attach(two)
		for ; len(p) >= 2; p = p[2:] {
			code, what := Code(p[0]), p[1]
			kb := d.kb
			if what&2 != 0 {
				kb = two
			}
			switch {
			case what&0xf0 == 0x10: // another symbol, in any column that there is
				d.k.mu.Lock()
				if c := d.k.keyMap.columns[what&0xf]; c != nil && code > 0 {
					s := Symbol(p[0])<<8 | Symbol(what)
					if len(p) >= 3 {
						s = s&0xff00 | Symbol(p[2])
					}
					d.k.keyMap.set(what&0xf, p[0], s, true, true)
				}
				d.k.mu.Unlock()
			case what&0xf0 == 0x20:
				d.tty.SetMode(Mode(p[0]), what&1 != 0)
			case what&0xf0 == 0x30 && p[0] <= uint8(modeOff):
				d.k.mu.Lock()
				d.tty.mode = keyMode(p[0])
				d.k.mu.Unlock()
			case what&0xf0 == 0x40:
				d.k.Detach(two)
				d.k.Attach(two)
			case what&0xf0 == 0x50:
				d.clock.pass(time.Duration(p[0]) * time.Millisecond)
			default:
				d.k.Key(kb, code, what&1 != 0)
			}
		}
		for code := Code(1); code <= maxCode; code++ {
			d.k.Key(d.kb, code, false)
			d.k.Key(two, code, false)
		}
		if m := d.k.ShiftState(); m != 0 {
			t.Errorf("modifiers %#x with all keys up", m)
		}
		if n := d.clock.pending(); n != 0 {
			t.Errorf("%d timers run with all keys up", n)
		}
		d.tty.Reset()
		d.tty.Unraw()
		d.k.mu.Lock()
		d.k.keyMap = newKeyMap()
		d.k.mu.Unlock()
		d.typed.Reset()
		d.press(KeyA)
		d.want("a")
	})
}

// FuzzUnicode: what is typed in Unicode mode is UTF-8, whatever the symbol,
// unless it is a character of 8 bits that Alt marks, or a string.
func FuzzUnicode(f *testing.F) {
	f.Add(uint16(0x20ac ^ 0xf000))
	f.Add(uint16(0xd800 ^ 0xf000))
	f.Add(uint16(0x0be4))
	f.Fuzz(func(t *testing.T, s uint16) {
		d := newDesk(t)
		if d.k.keyMap.set(0, uint8(KeyA), Symbol(s), true, true) != nil || Symbol(s).kind() == kindMeta {
			return
		}
		d.press(KeyA)
		if got := d.typed.String(); !utf8.ValidString(got) {
			t.Errorf("symbol %#04x types %q", s, got)
		}
	})
}
