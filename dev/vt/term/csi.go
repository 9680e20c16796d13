package term

import "fmt"

// deviceAttributes is the answer of a VT102 to "what are you?".
const deviceAttributes = "\x1b[?6c"

// csi obeys a CSI sequence that ends in c (console_codes(4), "ECMA-48 CSI
// sequences"). Where the same final character has other meanings with a private
// mark or an intermediate character, those that are not known do nothing.
func (s *Screen) csi(c byte) {
	if s.inter != 0 || s.private != 0 && s.private != '?' {
		return
	}
	if s.private == '?' {
		switch c {
		case 'h', 'l':
			for i := range s.count() {
				s.privateMode(s.params[i], c == 'h')
			}
		case 'c':
			s.cursorSize = uint8(s.params[0])
		case 'n':
			s.report(true)
		case 'J':
			s.eraseDisplay(s.params[0])
		case 'K':
			s.eraseLine(s.params[0])
		}
		return
	}
	n := s.param(0, 1)
	switch c {
	case '@':
		s.insertCells(n)
	case 'A':
		s.moveTo(s.x, s.y-n)
	case 'B', 'e':
		s.moveTo(s.x, s.y+n)
	case 'C', 'a':
		s.moveTo(s.x+n, s.y)
	case 'D':
		s.moveTo(s.x-n, s.y)
	case 'E':
		s.moveTo(0, s.y+n)
	case 'F':
		s.moveTo(0, s.y-n)
	case 'G', '`':
		s.moveTo(n-1, s.y)
	case 'H', 'f':
		s.moveOrigin(s.param(1, 1)-1, n-1)
	case 'I':
		s.tab(n)
	case 'J':
		s.eraseDisplay(s.params[0])
	case 'K':
		s.eraseLine(s.params[0])
	case 'L':
		s.insertLines(n)
	case 'M':
		s.deleteLines(n)
	case 'P':
		s.deleteCells(n)
	case 'S':
		s.scrollUp(s.top, s.bottom, n)
	case 'T':
		s.scrollDown(s.top, s.bottom, n)
	case 'X':
		s.eraseCells(s.x, s.x+n, s.y)
		s.wrap = false
	case 'Z':
		s.backTab(n)
	case 'b':
		s.repeat(n)
	case 'c':
		if s.params[0] == 0 {
			s.reply(deviceAttributes)
		}
	case 'd':
		s.moveOrigin(s.x, n-1)
	case 'g':
		switch s.params[0] {
		case 0:
			s.tabs[s.x] = false
		case 2, 3, 5:
			clear(s.tabs)
		}
	case 'h', 'l':
		for i := range s.count() {
			s.mode(s.params[i], c == 'h')
		}
	case 'm':
		s.sgr()
	case 'n':
		s.report(false)
	case 'q':
		s.leds(s.params[0])
	case 'r':
		s.setRegion(n, s.param(1, s.rows))
	case 's':
		s.save()
	case 'u':
		s.restore()
	case ']':
		s.consoleSetting()
	}
}

// report is DSR: the terminal's state, or where the cursor is.
func (s *Screen) report(private bool) {
	switch s.params[0] {
	case 5:
		if !private {
			s.reply("\x1b[0n")
		}
	case 6:
		y, mark := s.y, ""
		if s.origin {
			y = max(y-s.top, 0)
		}
		if private {
			mark = "?"
		}
		s.reply(fmt.Sprintf("\x1b[%s%d;%dR", mark, y+1, s.x+1))
	}
}

// setRegion is DECSTBM: rows top to bottom, counted from 1, scroll.
func (s *Screen) setRegion(top, bottom int) {
	if top < bottom && bottom <= s.rows {
		s.top, s.bottom = top-1, bottom
		s.moveOrigin(0, 0)
	}
}

// leds is DECLL.
func (s *Screen) leds(n int) {
	if n > 3 {
		return
	}
	light := [...]uint8{0, 1, 2, 4}[n]
	s.effects.LightLEDs, s.effects.DarkLEDs = light, 7&^light
}

// consoleSetting is CSI n ], the Linux console's own (console_codes(4), "Linux
// Console Private CSI Sequences"), as far as there is something to set here: no
// blanking, no power saving, no sound.
func (s *Screen) consoleSetting() {
	switch s.params[0] {
	case 8: // the attributes of now become the default ones
		s.defaultPen = s.pen
	case 12:
		s.effects.Front = s.param(1, 0)
	case 15:
		s.effects.Front = -1
	}
}
