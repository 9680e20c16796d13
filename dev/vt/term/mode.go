package term

// mode is SM and RM.
func (s *Screen) mode(n int, on bool) {
	switch n {
	case 3:
		s.displayCtrl = on
	case 4:
		s.insert = on
	case 20:
		s.newline = on
	}
}

// privateMode is DECSET and DECRST (console_codes(4), "DEC Private Mode
// Sequences"; 47 and 1047 to 1049 are xterm's). Others are passed over: bracketed
// paste (2004), for one, since nothing is ever pasted here.
func (s *Screen) privateMode(n int, on bool) {
	switch n {
	case 1:
		s.appCursor = on
	case 5:
		if s.reverseScreen != on {
			s.reverseScreen, s.allDirty = on, true
		}
	case 6:
		s.origin = on
		s.moveOrigin(0, 0)
	case 7:
		s.autoWrap = on
		s.wrap = s.wrap && on
	case 8:
		s.noRepeat = !on
	case 9:
		s.mouse = 0
		if on {
			s.mouse = 1
		}
	case 25:
		s.cursorHidden = !on
	case 47:
		s.alternate(on, false)
	case 1000:
		s.mouse = 0
		if on {
			s.mouse = 2
		}
	case 1047:
		s.alternate(on, !on)
	case 1048:
		if on {
			s.save()
		} else {
			s.restore()
		}
	case 1049:
		if on {
			if s.g == s.main {
				s.save()
			}
			s.alternate(true, true)
		} else if s.g != s.main {
			s.alternate(false, false)
			s.restore()
		}
	}
}

// alternate shows the alternate screen, or the main one. The cursor stays where
// it is. With wipe the alternate screen is blank afterwards.
func (s *Screen) alternate(on, wipe bool) {
	if on && s.alt == nil {
		s.alt = newGrid(s.cols, s.rows, 0)
		s.saved[1] = cursor{sets: [2]charset{latin1, graphics}}
	}
	if wipe && s.alt != nil {
		for y := range s.rows {
			fill(s.alt.row(y), s.blank())
		}
	}
	g := s.main
	if on {
		g = s.alt
	}
	if g != s.g {
		s.g, s.back = g, 0
		s.markAll()
	}
	if s.g == s.alt {
		s.allDirty = true
	}
}
