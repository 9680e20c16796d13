package term

// escapeByte takes a byte from 0x20 up after ESC (console_codes(4), "ESC- but not
// CSI-sequences").
func (s *Screen) escapeByte(c byte) {
	if c < 0x30 {
		s.inter, s.state = c, escapeMore
		return
	}
	more := s.state == escapeMore
	s.state = ground
	if more {
		s.escapeSet(c)
		return
	}
	switch c {
	case '[':
		s.startCSI()
	case ']':
		s.state = oscStart
	case 'P', 'X', '^', '_': // DCS, SOS, PM, APC
		s.state = str
	case 'c':
		s.reset()
		s.effects.Reset = true
	case 'D':
		s.lineFeed()
	case 'E':
		s.carriageReturn()
		s.lineFeed()
	case 'H':
		s.tabs[s.x] = true
	case 'M':
		s.reverseLineFeed()
	case 'Z':
		s.reply(deviceAttributes)
	case '7':
		s.save()
	case '8':
		s.restore()
	case '>':
		s.appKeypad = false
	case '=':
		s.appKeypad = true
	}
}

// escapeSet obeys ESC, an intermediate character and c.
func (s *Screen) escapeSet(c byte) {
	switch s.inter {
	case '%':
		switch c {
		case '@':
			s.utf8 = false
		case 'G', '8':
			s.utf8 = true
		}
	case '#':
		if c == '8' { // DECALN
			for y := range s.rows {
				fill(s.g.row(y), Cell{ch: 'E'})
			}
			s.markAll()
		}
	case '(', ')':
		g := &s.sets[s.inter-'(']
		switch c {
		case 'B', 'K':
			*g = latin1
		case '0':
			*g = graphics
		case 'U':
			*g = cp437
		}
	}
}

func (s *Screen) slot() *cursor {
	if s.g == s.main {
		return &s.saved[0]
	}
	return &s.saved[1]
}

// save is ESC 7: position, attributes and charsets.
func (s *Screen) save() { *s.slot() = s.cursor }

// restore is ESC 8. The next character goes where the cursor is, even if it was
// saved after one had been put into the last column.
func (s *Screen) restore() {
	s.cursor = *s.slot()
	s.wrap = false
	s.x, s.y = min(s.x, s.cols-1), min(s.y, s.rows-1)
}
