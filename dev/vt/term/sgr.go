package term

// sgr is CSI m: attributes and colours (console_codes(4), "ECMA-48 Select Graphic
// Rendition"; the forms with colons are ISO 8613-6's).
func (s *Screen) sgr() {
	p := &s.pen
	for i := 0; i < s.count(); i++ {
		switch n := s.params[i]; {
		case n == 0:
			s.pen = s.defaultPen
			s.pcFont, s.meta = false, false
		case n == 1:
			p.ch = p.ch&^Faint | Bold
		case n == 2:
			p.ch = p.ch&^Bold | Faint
		case n == 3:
			p.ch |= Italic
		case n == 4:
			p.ch |= Underline
			if i+1 < s.count() && s.colon[i+1] && s.params[i+1] == 0 {
				p.ch &^= Underline
			}
		case n == 5:
			p.ch |= Blink
		case n == 7:
			p.ch |= Reverse
		case n == 10:
			s.pcFont, s.meta = false, false
		case n == 11:
			s.pcFont, s.meta = true, false
		case n == 12:
			s.pcFont, s.meta = true, true
		case n == 21:
			p.ch |= Underline
		case n == 22:
			p.ch &^= Bold | Faint
		case n == 23:
			p.ch &^= Italic
		case n == 24:
			p.ch &^= Underline
		case n == 25:
			p.ch &^= Blink
		case n == 27:
			p.ch &^= Reverse
		case n >= 30 && n <= 37:
			p.fg = Indexed(uint8(n - 30))
		case n == 38:
			i = s.extendedColor(i, &p.fg)
		case n == 39:
			p.fg = s.defaultPen.fg
		case n >= 40 && n <= 47:
			p.bg = Indexed(uint8(n - 40))
		case n == 48:
			i = s.extendedColor(i, &p.bg)
		case n == 49:
			p.bg = s.defaultPen.bg
		case n >= 90 && n <= 97:
			p.fg = Indexed(uint8(n - 90 + 8))
		case n >= 100 && n <= 107:
			p.bg = Indexed(uint8(n - 100 + 8))
		}
		for i+1 < s.count() && s.colon[i+1] {
			i++ // what belongs to a parameter that has been dealt with
		}
	}
}

// extendedColor reads what follows a 38 or 48 at i: 5 and an index, or 2 and
// three components. It returns the last parameter it has used.
func (s *Screen) extendedColor(i int, c *Color) int {
	end := s.count()
	if i+1 < end && s.colon[i+1] {
		// One parameter in parts: 38:5:n, 38:2:r:g:b, 38:2:space:r:g:b.
		parts := i + 1
		for parts < end && s.colon[parts] {
			parts++
		}
		v := s.params[i+1 : parts]
		switch {
		case v[0] == 5 && len(v) >= 2:
			setIndexed(c, v[1])
		case v[0] == 2 && len(v) == 4:
			setRGB(c, v[1:])
		case v[0] == 2 && len(v) >= 5:
			setRGB(c, v[2:])
		}
		return parts - 1
	}
	switch {
	case i+2 < end && s.params[i+1] == 5:
		setIndexed(c, s.params[i+2])
		return i + 2
	case i+4 < end && s.params[i+1] == 2:
		setRGB(c, s.params[i+2:])
		return i + 4
	case i+1 < end && (s.params[i+1] == 5 || s.params[i+1] == 2):
		return end - 1 // cut short
	}
	return i
}

func setIndexed(c *Color, n int) {
	if n < 256 {
		*c = Indexed(uint8(n))
	}
}

func setRGB(c *Color, v []int) {
	if v[0] < 256 && v[1] < 256 && v[2] < 256 {
		*c = RGB(uint8(v[0]), uint8(v[1]), uint8(v[2]))
	}
}
