package qemu

import (
	"bytes"
	"image"
	"image/color"
	"slices"
	"strings"
)

// A Font is the shapes of the characters that a reader knows. A shape has one
// byte for each pixel, row by row: 0 for the background and more for the character,
// if there are several steps between them. Steps that are not used are left out,
// so that a shape does not depend on colours.
type Font struct {
	Width, Height int
	shapes        map[string]rune
	list          []shape
}

// A shape is a character and its picture.
type shape struct {
	char   rune
	levels []byte
}

// NewFont is a font without characters, of cells of that size.
func NewFont(width, height int) *Font {
	return &Font{Width: width, Height: height, shapes: map[string]rune{}}
}

// Add adds a character; level tells how much of each pixel is its, in any steps
// from 0 on. Of two characters that look the same the first one counts.
func (f *Font) Add(char rune, level func(x, y int) int) {
	levels := make([]byte, f.Width*f.Height)
	for i := range levels {
		levels[i] = byte(level(i%f.Width, i/f.Width))
	}
	key := string(ranked(levels, nil))
	if _, ok := f.shapes[key]; ok {
		return
	}
	f.shapes[key] = char
	f.list = append(f.list, shape{char, levels})
}

// ranked numbers the steps that there are from 0 on, without gaps; rows that are
// to be left out become 0.
func ranked(levels []byte, out []bool) []byte {
	var rank [256]byte
	for i, l := range levels {
		if out == nil || !out[i] {
			rank[l] = 1
		}
	}
	n := byte(0)
	for l := range rank {
		if rank[l] != 0 {
			rank[l] = n
			n++
		}
	}
	r := make([]byte, len(levels))
	for i, l := range levels {
		if out == nil || !out[i] {
			r[i] = rank[l]
		}
	}
	return r
}

// reverse makes the background of a ranked shape the character, in place.
func reverse(levels []byte, out []bool) {
	top := slices.Max(levels)
	for i := range levels {
		if out == nil || !out[i] {
			levels[i] = top - levels[i]
		}
	}
}

// Unread stands for a cell that shows no character of the font.
const Unread = '\ufffd'

// colours is the number of colours up to which a cell is taken for text: the
// steps of a smooth character, and a cursor.
const colours = 6

// levels turns the pixels of a cell, numbers of colours, into steps from the
// background, the colour of most, to the one that differs most from it. It is nil
// if there are too many colours.
func levels(pixels []byte, palette color.Palette, out []bool) []byte {
	var list [colours]byte
	var count [colours]int
	n := 0
	which := make([]byte, len(pixels))
	for i, c := range pixels {
		if out != nil && out[i] {
			continue
		}
		k := 0
		for k < n && list[k] != c {
			k++
		}
		if k == n {
			if n == colours {
				return nil
			}
			list[n] = c
			n++
		}
		which[i] = byte(k)
		count[k]++
	}
	if n == 0 {
		return which
	}
	// The ends are the two that differ most.
	a, b, far := 0, 0, -1
	for i := range n {
		for j := range i {
			if d := distance(palette[list[i]], palette[list[j]]); d > far {
				a, b, far = i, j, d
			}
		}
	}
	if count[b] > count[a] {
		a = b
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int {
		return distance(palette[list[a]], palette[list[x]]) - distance(palette[list[a]], palette[list[y]])
	})
	var rank [colours]byte
	for r, k := range order {
		rank[k] = byte(r)
	}
	for i := range which {
		if out == nil || !out[i] {
			which[i] = rank[which[i]]
		}
	}
	return which
}

// distance is how much two colours differ.
func distance(a, b color.Color) int {
	c, d := a.(color.RGBA), b.(color.RGBA)
	sq := func(x, y uint8) int { return (int(x) - int(y)) * (int(x) - int(y)) }
	return sq(c.R, d.R) + sq(c.G, d.G) + sq(c.B, d.B)
}

// lookup finds the character that a cell shows, which may be drawn the other way
// round (a cursor, reverse video). Unless quick is set, it may also have lines
// through its foot: underlined, or a cursor.
func (f *Font) lookup(pixels []byte, palette color.Palette, quick bool) rune {
	l := levels(pixels, palette, nil)
	if l != nil {
		if r, ok := f.shapes[string(l)]; ok {
			return r
		}
		reverse(l, nil)
		if r, ok := f.shapes[string(l)]; ok {
			return r
		}
	}
	if quick {
		return Unread
	}
	return f.lined(pixels, palette)
}

// lined finds the character of a cell that has lines through its foot.
func (f *Font) lined(pixels []byte, palette color.Palette) rune {
	out := make([]bool, len(pixels))
	lines := 0
	for y := f.Height * 3 / 4; y < f.Height; y++ {
		row := pixels[y*f.Width:][:f.Width]
		if slices.Max(row) == slices.Min(row) && row[0] != pixels[0] {
			lines++
			for x := range f.Width {
				out[y*f.Width+x] = true
			}
		}
	}
	l := levels(pixels, palette, out)
	if lines == 0 || l == nil {
		return Unread
	}
	for range 2 {
		for _, s := range f.list {
			if bytes.Equal(l, ranked(s.levels, out)) {
				return s.char
			}
		}
		reverse(l, out)
	}
	return Unread
}

// A Screen is the text on a picture.
type Screen struct {
	Picture *image.Paletted
	Lines   []string // without the spaces at their ends
	Cell    image.Point
	Scale   int // screen pixels in a font's pixel, each way
	Unread  int // cells that show no known character
}

// Text is all of it, with a newline after each line.
func (s *Screen) Text() string {
	return strings.Join(s.Lines, "\n") + "\n"
}

// cell reads the pixels of the cell at that place. It is false if pixels that the
// scale makes one differ.
func (f *Font) cell(p *image.Paletted, x, y, scale int, pixels []byte) bool {
	for i := range pixels {
		px, py := x+i%f.Width*scale, y+i/f.Width*scale
		c := p.Pix[py*p.Stride+px]
		if scale > 1 {
			for dy := range scale {
				for _, d := range p.Pix[(py+dy)*p.Stride+px:][:scale] {
					if d != c {
						return false
					}
				}
			}
		}
		pixels[i] = c
	}
	return true
}

// read reads a picture whose first cell is at the upper left.
func (f *Font) read(p *image.Paletted, scale int, quick bool) *Screen {
	w, h := f.Width*scale, f.Height*scale
	s := &Screen{Picture: p, Cell: image.Pt(w, h), Scale: scale}
	pixels := make([]byte, f.Width*f.Height)
	known := map[string]rune{} // cells of this picture, most of which come again
	var line []rune
	for y := 0; y+h <= p.Rect.Dy(); y += h {
		line = line[:0]
		for x := 0; x+w <= p.Rect.Dx(); x += w {
			r := rune(Unread)
			if f.cell(p, x, y, scale, pixels) {
				var ok bool
				if r, ok = known[string(pixels)]; !ok {
					r = f.lookup(pixels, p.Palette, quick)
					known[string(pixels)] = r
				}
			}
			if r == Unread {
				s.Unread++
			}
			line = append(line, r)
		}
		s.Lines = append(s.Lines, strings.TrimRight(string(line), " "))
	}
	return s
}

// Read finds the text on a picture: in the font and scale that leave the least
// unread. The text begins in the upper left corner.
func Read(p *image.Paletted, fonts ...*Font) *Screen {
	best := func() *Screen { return &Screen{Picture: p, Lines: []string{}} }
	least := p.Rect.Dx()*p.Rect.Dy() + 1 // pixels that are not read
	try := func(f *Font, scale int) {
		s := f.read(p, scale, true)
		if n := s.Unread * s.Cell.X * s.Cell.Y; n < least {
			least = n
			best = func() *Screen { return f.read(p, scale, false) }
		}
	}
	for _, f := range fonts {
		for scale := 4; scale >= 1; scale-- {
			w, h := f.Width*scale, f.Height*scale
			if p.Rect.Dx() < 20*w || p.Rect.Dy() < 10*h {
				continue
			}
			try(f, scale)
		}
	}
	return best()
}
