package term

// palette is the 16 colours that OSC P can change, as 0xRRGGBB, in the order of
// SGR 30 to 37 and 90 to 97.
type palette [16]uint32

// vga are the colours of the PC's text mode.
var vga = palette{
	0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
	0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
}

// color returns colour n of 256: the 16, a cube of 6 levels each of red, green and
// blue, and 24 greys (xterm's table, ctlseqs, "256 colors").
func (l *Look) color(n uint8) uint32 {
	switch {
	case n < 16:
		return l.Palette[n]
	case n < 232:
		n -= 16
		level := func(v uint8) uint32 {
			if v == 0 {
				return 0
			}
			return uint32(v)*40 + 55
		}
		return level(n/36)<<16 | level(n/6%6)<<8 | level(n%6)
	}
	return (uint32(n-232)*10 + 8) * 0x010101
}

// paletteDigit takes a digit of OSC P nrrggbb.
func (s *Screen) paletteDigit(c byte) {
	v := byte(0)
	switch {
	case c >= '0' && c <= '9':
		v = c - '0'
	case c >= 'a' && c <= 'f':
		v = c - 'a' + 10
	case c >= 'A' && c <= 'F':
		v = c - 'A' + 10
	default:
		s.state = ground
		return
	}
	s.digits[s.nDigits] = v
	s.nDigits++
	if s.nDigits < len(s.digits) {
		return
	}
	s.state = ground
	rgb := uint32(0)
	for _, d := range s.digits[1:] {
		rgb = rgb<<4 | uint32(d)
	}
	s.palette[s.digits[0]] = rgb
	s.allDirty = true
}

// What the Linux console shows in place of what a text mode cannot.
const (
	defaultFg   = 7
	defaultBg   = 0
	italicColor = 2 // green
	faintColor  = 8 // dark grey
)

// Look is what turns the cells of a screen into colours.
type Look struct {
	Palette [16]uint32 // 0xRRGGBB, in the order of SGR 30 to 37 and 90 to 97
	Reverse bool       // the whole screen in reverse (DECSCNM)
}

// Look returns the screen's look as it is now.
func (s *Screen) Look() Look { return Look{s.palette, s.reverseScreen} }

// SetPalette sets the 16 colours, and those that ESC c and OSC R bring back.
func (s *Screen) SetPalette(p [16]uint32) {
	s.palette, s.standard = p, p
	s.allDirty = true
}

// Colors returns the colours that c is drawn in, as 0xRRGGBB. Italic and faint
// characters have colours of their own, bold ones a bright colour, and behind
// blinking ones it is bright, as on the Linux console.
func (l *Look) Colors(c Cell) (fg, bg uint32) {
	f, findex := c.fg.Index(defaultFg)
	b, bindex := c.bg.Index(defaultBg)
	switch {
	case c.Has(Italic):
		f, findex = italicColor, true
	case c.Has(Faint):
		f, findex = faintColor, true
	}
	if c.Has(Bold) && f < 8 {
		f |= 8
	}
	if c.Has(Blink) && b < 8 {
		b |= 8
	}
	fg, bg = c.fg.direct24(), c.bg.direct24()
	if findex {
		fg = l.color(f)
	}
	if bindex {
		bg = l.color(b)
	}
	if c.Has(Reverse) != l.Reverse {
		fg, bg = bg, fg
	}
	return fg, bg
}
