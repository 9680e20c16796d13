package term

// Cell is one character cell: 8 bytes. The zero Cell is a blank in the default
// colours.
type Cell struct {
	ch     uint32 // bits 0 to 20 the character, 0 for a blank; above it flags
	fg, bg Color
}

const charMask = 1<<21 - 1

// Flags of a cell, in ch above the character.
const (
	Bold      uint32 = 1 << (21 + iota) // SGR 1
	Faint                               // SGR 2
	Italic                              // SGR 3
	Underline                           // SGR 4
	Blink                               // SGR 5
	Reverse                             // SGR 7
	Left                                // left half of a wide character
	Right                               // right half of one; its character is 0

	attrMask = Bold | Faint | Italic | Underline | Blink | Reverse
)

// Char returns the character; a blank is a space. The right half of a wide
// character has 0.
func (c Cell) Char() rune {
	if c.ch&(charMask|Right) == 0 {
		return ' '
	}
	return rune(c.ch & charMask)
}

// Has reports whether one of the flags is set.
func (c Cell) Has(flags uint32) bool { return c.ch&flags != 0 }

// Color is a cell's colour: 0 the default, 1 to 256 an index into the palette of
// 256 plus one, and with the top bit set red, green and blue in 5 bits each.
type Color uint16

const direct = 1 << 15

// Indexed returns colour n of the palette.
func Indexed(n uint8) Color { return Color(n) + 1 }

// RGB returns the colour nearest to the given one.
func RGB(r, g, b uint8) Color {
	return direct | Color(r>>3)<<10 | Color(g>>3)<<5 | Color(b>>3)
}

// Index returns the palette index of c, or def if c is the default; ok is false
// for a direct colour.
func (c Color) Index(def uint8) (n uint8, ok bool) {
	switch {
	case c == 0:
		return def, true
	case c&direct != 0:
		return 0, false
	}
	return uint8(c - 1), true
}

// direct24 returns a direct colour as 0xRRGGBB. The low bits repeat the high
// ones, so that white is white.
func (c Color) direct24() uint32 {
	widen := func(v Color) uint32 { return uint32(v&31)<<3 | uint32(v&31)>>2 }
	return widen(c>>10)<<16 | widen(c>>5)<<8 | widen(c)
}
