package screen

import (
	_ "embed" // glyphs.bin
	"unsafe"
)

//go:generate go run ./genfont

// The size of a character's cell, in pixels before scaling.
const (
	CellWidth  = 8
	CellHeight = 16
)

const (
	levels       = 4  // of a pixel, from background to foreground
	underlineRow = 14 // of a cell
	glyphSize    = 2 * CellHeight
)

// glyphs holds the bitmaps: a row is 16 bits, two for a pixel, the leftmost in
// the lowest ones. The linker puts it among the constants, so it is there before
// any package is initialised.
//
//go:embed glyphs.bin
var glyphs string

// bitmap is a glyph as it lies in glyphs.
type bitmap [CellHeight]uint16

// glyphIndex returns the number of the glyph for a character, that of the
// replacement box if there is none.
func glyphIndex(r rune) int {
	if r-' ' <= '~'-' ' && r >= ' ' {
		return int(r - ' ')
	}
	if r == 0 {
		return 0 // a blank
	}
	low, high := 0, len(ranges)
	for low < high {
		m := int(uint(low+high) / 2)
		if e := &ranges[m]; r > rune(e.high) {
			low = m + 1
		} else if r < rune(e.low) {
			high = m
		} else {
			return int(e.first) + int(r) - int(e.low)
		}
	}
	return glyphMissing
}

// glyph returns the bitmap of a character.
func glyph(r rune, bold bool) *bitmap {
	i := glyphIndex(r)
	if bold && i < boldCount {
		i += glyphCount
	}
	return (*bitmap)(unsafe.Pointer(&unsafe.Slice(unsafe.StringData(glyphs), (glyphCount+boldCount)*glyphSize)[i*glyphSize]))
}

// Glyph returns how a character looks: for each pixel, by row and column, a level
// from 0, the background, to 3, the foreground. ok is false if the font has no
// such character; then the glyph is the box that stands for it. It is for
// programs that read text off a picture of the screen.
func Glyph(r rune, bold bool) (g [CellHeight][CellWidth]uint8, ok bool) {
	for y, row := range glyph(r, bold) {
		for x := range g[y] {
			g[y][x] = uint8(row >> (2 * x) & (levels - 1))
		}
	}
	return g, r == '\ufffd' || glyphIndex(r) != glyphMissing
}

// Runes returns the characters of the font, in order.
func Runes() []rune {
	var all []rune
	for _, e := range ranges {
		for r := rune(e.low); r <= rune(e.high); r++ {
			all = append(all, r)
		}
	}
	return all
}

// Blend returns the colour of a pixel of the given level, 0xRRGGBB.
func Blend(fg, bg uint32, level uint8) uint32 {
	l := uint32(level)
	c := uint32(0)
	for shift := 0; shift <= 16; shift += 8 {
		f, b := fg>>shift&0xff, bg>>shift&0xff
		c |= (f*l + b*(levels-1-l) + (levels-1)/2) / (levels - 1) << shift
	}
	return c
}
