package qemu

import (
	"bytes"
	"image"
	"strings"
)

// A Font is the shapes of the characters that a reader knows. A shape has one
// byte for each pixel, row by row, 1 where the character is.
type Font struct {
	Width, Height int
	shapes        map[string]rune
	list          []shape
}

// A shape is a character and its picture.
type shape struct {
	char rune
	bits []byte
}

// NewFont is a font without characters, of cells of that size.
func NewFont(width, height int) *Font {
	return &Font{Width: width, Height: height, shapes: map[string]rune{}}
}

// Add adds a character; on tells which pixels are its. Of two characters that
// look the same the first one counts.
func (f *Font) Add(char rune, on func(x, y int) bool) {
	bits := make([]byte, f.Width*f.Height)
	for i := range bits {
		if on(i%f.Width, i/f.Width) {
			bits[i] = 1
		}
	}
	if _, ok := f.shapes[string(bits)]; ok {
		return
	}
	f.shapes[string(bits)] = char
	f.list = append(f.list, shape{char, bits})
}

// Unread stands for a cell that shows no character of the font.
const Unread = '\ufffd'

// lookup finds the character of a shape, which may be drawn the other way round
// (a cursor, reverse video), underlined, or have the cursor's line in it. It
// overwrites bits.
func (f *Font) lookup(bits []byte) rune {
	if r, ok := f.shapes[string(bits)]; ok {
		return r
	}
	for range 2 {
		if r := f.lined(bits); r != Unread {
			return r
		}
		for i := range bits {
			bits[i] ^= 1
		}
		if r, ok := f.shapes[string(bits)]; ok {
			return r
		}
	}
	return Unread
}

// lined finds the character of a shape that has lines through its lower half.
func (f *Font) lined(bits []byte) rune {
	line := bytes.Repeat([]byte{1}, f.Width)
	var rows []int
	for y := f.Height / 2; y < f.Height; y++ {
		if bytes.Equal(bits[y*f.Width:][:f.Width], line) {
			rows = append(rows, y)
		}
	}
	if len(rows) == 0 {
		return Unread
	}
	plain := bytes.Clone(bits)
	for _, y := range rows {
		clear(plain[y*f.Width:][:f.Width])
	}
	for _, s := range f.list {
		want := bytes.Clone(s.bits)
		for _, y := range rows {
			clear(want[y*f.Width:][:f.Width])
		}
		if bytes.Equal(plain, want) {
			return s.char
		}
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

// cell reads the cell at that place into bits: 1 for what differs from the colour
// of most of it. It is false if there are more than two colours, or if pixels
// that the scale makes one differ.
func (f *Font) cell(p *image.Paletted, x, y, scale int, bits []byte) bool {
	var colours [2]uint8
	var count [2]int
	n := 0
	for i := range bits {
		px, py := x+i%f.Width*scale, y+i/f.Width*scale
		c := p.Pix[py*p.Stride+px]
		for dy := range scale {
			row := p.Pix[(py+dy)*p.Stride+px:][:scale]
			for _, d := range row {
				if d != c {
					return false
				}
			}
		}
		k := 0
		for k < n && colours[k] != c {
			k++
		}
		if k == n {
			if n == 2 {
				return false
			}
			colours[n] = c
			n++
		}
		bits[i] = byte(k)
		count[k]++
	}
	if count[1] > count[0] {
		for i := range bits {
			bits[i] ^= 1
		}
	}
	return true
}

// at reads a picture whose first cell is at x, y. If quick, only characters as the
// font has them are found.
func (f *Font) at(p *image.Paletted, x, y, scale int, quick bool) *Screen {
	w, h := f.Width*scale, f.Height*scale
	s := &Screen{Picture: p, Cell: image.Pt(w, h), Scale: scale}
	bits := make([]byte, f.Width*f.Height)
	var line []rune
	for ; y+h <= p.Rect.Dy(); y += h {
		line = line[:0]
		for cx := x; cx+w <= p.Rect.Dx(); cx += w {
			r := rune(Unread)
			if f.cell(p, cx, y, scale, bits) {
				if c, ok := f.shapes[string(bits)]; ok {
					r = c
				} else if !quick {
					r = f.lookup(bits)
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

// Read finds the text on a picture: the font, scale and margin that leave the
// least unread. The text is taken to begin in the upper left corner or to be
// centred.
func Read(p *image.Paletted, fonts ...*Font) *Screen {
	best := func() *Screen { return &Screen{Picture: p, Lines: []string{}} }
	least := p.Rect.Dx()*p.Rect.Dy() + 1 // pixels that are not read
	try := func(f *Font, x, y, scale int) {
		s := f.at(p, x, y, scale, true)
		if n := s.Unread * s.Cell.X * s.Cell.Y; n < least {
			least = n
			best = func() *Screen { return f.at(p, x, y, scale, false) }
		}
	}
	for _, f := range fonts {
		for scale := 4; scale >= 1; scale-- {
			w, h := f.Width*scale, f.Height*scale
			if p.Rect.Dx() < 20*w || p.Rect.Dy() < 10*h {
				continue
			}
			try(f, 0, 0, scale)
			if x, y := p.Rect.Dx()%w/2, p.Rect.Dy()%h/2; x != 0 || y != 0 {
				try(f, x, y, scale)
			}
		}
	}
	return best()
}
