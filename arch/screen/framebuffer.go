package screen

import (
	"strconv"
	"unsafe"
)

// Framebuffer is a Display of pixels. Its cells fill the screen from the upper
// left on; what is left at the right and at the bottom is background.
//
// Its zero value is a display without cells, until Init makes one of it.
type Framebuffer struct {
	layout     Layout
	mem        []byte // the pixels; only ever written
	scale      int
	cols, rows int

	// shown is a copy of what has been drawn, to draw a cell once more when the
	// cursor comes and goes. Without one there is no cursor.
	shown               []Cell
	cursorCol, cursorAt int // column, and index in shown
	cursorRow           int
	cursor              bool

	// What a pixel of each level looks like, for the colours drawn last.
	fg, bg  uint32
	colours bool
	pixels  [levels]uint64
	pairs   [levels * levels]uint64 // two pixels, the left one's level in the lower bits

	line [maxScale * 4]uint64 // a line of a cell, while it is made
}

// Init makes f draw on mem, which the layout describes. It allocates nothing.
func (f *Framebuffer) Init(l Layout, mem []byte) error {
	if err := l.check(len(mem)); err != nil {
		return err
	}
	f.layout, f.mem = l, mem
	f.scale = Scale(l.Width, l.Height)
	f.cols, f.rows = l.Width/(CellWidth*f.scale), l.Height/(CellHeight*f.scale)
	f.shown, f.cursor, f.colours = nil, false, false
	return nil
}

// Keep makes f keep a copy of what it shows, so that it can show a cursor. cells
// holds one for each cell of the grid, all of them blank.
func (f *Framebuffer) Keep(cells []Cell) {
	if len(cells) >= f.cols*f.rows {
		f.shown = cells[:f.cols*f.rows]
	}
}

// Size implements [Display].
func (f *Framebuffer) Size() (cols, rows int) { return f.cols, f.rows }

// Name implements [Display].
func (f *Framebuffer) Name() string {
	return "framebuffer " + strconv.Itoa(f.layout.Width) + "x" + strconv.Itoa(f.layout.Height) + "x" + strconv.Itoa(f.layout.BitsPerPixel)
}

// Draw implements [Display].
func (f *Framebuffer) Draw(col, row int, cells []Cell) {
	cells, col = clip(cells, col, row, f.cols, f.rows)
	if len(cells) == 0 {
		return
	}
	at := row*f.cols + col
	if f.shown != nil {
		copy(f.shown[at:], cells)
	}
	for i := range cells {
		f.drawCell(col+i, row, &cells[i], f.cursor && at+i == f.cursorAt)
	}
}

// Cursor implements [Display]: the cursor is a cell with its colours exchanged.
func (f *Framebuffer) Cursor(col, row int, shown bool) {
	if f.shown == nil {
		return
	}
	shown = shown && col >= 0 && col < f.cols && row >= 0 && row < f.rows
	at := row*f.cols + col
	if shown == f.cursor && (!shown || at == f.cursorAt) {
		return
	}
	if f.cursor {
		f.drawCell(f.cursorCol, f.cursorRow, &f.shown[f.cursorAt], false)
	}
	f.cursor = shown
	if shown {
		f.cursorCol, f.cursorRow, f.cursorAt = col, row, at
		f.drawCell(col, row, &f.shown[at], true)
	}
}

// colour makes pixels and pairs those of the given colours.
func (f *Framebuffer) colour(fg, bg uint32) {
	if f.colours && fg == f.fg && bg == f.bg {
		return
	}
	f.fg, f.bg, f.colours = fg, bg, true
	for i := range f.pixels {
		f.pixels[i] = f.layout.pixel(Blend(fg, bg, uint8(i)))
	}
	shift := 8 * f.layout.bytes()
	for i := range f.pairs {
		f.pairs[i] = f.pixels[i%levels] | f.pixels[i/levels]<<shift
	}
}

// drawCell draws one cell, which lies in the grid.
func (f *Framebuffer) drawCell(col, row int, c *Cell, cursor bool) {
	fg, bg := c.Fg, c.Bg
	if cursor {
		fg, bg = bg, fg
		if fg == bg {
			bg = ^bg & 0xffffff
		}
	}
	f.colour(fg, bg)
	g := glyph(c.Char, c.Attr&Bold != 0)
	underline := CellHeight // no row
	if c.Attr&Underline != 0 {
		underline = underlineRow
	}
	pitch, size := f.layout.Pitch, f.layout.bytes()
	p := unsafe.Pointer(&f.mem[row*CellHeight*f.scale*pitch+col*CellWidth*f.scale*size])
	if size == 4 && f.scale == 1 {
		f.draw32(p, g, underline)
		return
	}
	words := f.scale * size // of 8 bytes, of a line
	// Where a line begins, from p on. A pointer that moved along would end
	// beyond the memory.
	at := 0
	last := -1
	for y, bits := range g {
		if y == underline {
			bits = 0xffff
		}
		if int(bits) != last {
			last = int(bits)
			switch {
			case size == 4:
				f.compose32(bits)
			case f.scale == 1:
				f.composePairs(bits, size)
			default:
				f.compose(bits, size)
			}
		}
		if f.scale == 1 { // two or three words: not worth a call
			for i := range words {
				*(*uint64)(unsafe.Add(p, at+8*i)) = f.line[i&(len(f.line)-1)]
			}
			at += pitch
			continue
		}
		for range f.scale {
			copy(unsafe.Slice((*uint64)(unsafe.Add(p, at)), words), f.line[:])
			at += pitch
		}
	}
}

// draw32 draws a glyph of 32-bit pixels in its own size.
func (f *Framebuffer) draw32(p unsafe.Pointer, g *bitmap, underline int) {
	pairs, at := &f.pairs, 0
	for y, bits := range g {
		if y == underline {
			bits = 0xffff
		}
		*(*uint64)(unsafe.Add(p, at)) = pairs[bits&15]
		*(*uint64)(unsafe.Add(p, at+8)) = pairs[bits>>4&15]
		*(*uint64)(unsafe.Add(p, at+16)) = pairs[bits>>8&15]
		*(*uint64)(unsafe.Add(p, at+24)) = pairs[bits>>12]
		at += f.layout.Pitch
	}
}

// composePairs makes f.line a line of pixels of 2 or 3 bytes.
func (f *Framebuffer) composePairs(bits uint16, size int) {
	a, b, c, d := f.pairs[bits&15], f.pairs[bits>>4&15], f.pairs[bits>>8&15], f.pairs[bits>>12]
	if size == 2 {
		f.line[0], f.line[1] = a|b<<32, c|d<<32
		return
	}
	f.line[0], f.line[1], f.line[2] = a|b<<48, b>>16|c<<32, c>>32|d<<16
}

// compose32 makes f.line a line of pixels of 4 bytes, each as often as the scale
// says. Where that is odd, one word in the middle of two pixels is half and half.
func (f *Framebuffer) compose32(bits uint16) {
	line := f.line[:]
	for range CellWidth / 2 {
		pair := bits & (levels*levels - 1)
		a, b := f.pixels[pair%levels], f.pixels[pair/levels]
		n := f.scale / 2
		for i := range n {
			line[i] = a | a<<32
		}
		if f.scale&1 != 0 {
			line[n] = f.pairs[pair]
			n++
		}
		for i := n; i < f.scale; i++ {
			line[i] = b | b<<32
		}
		line = line[min(f.scale, len(line)):]
		bits >>= 4
	}
}

// compose makes f.line a line of pixels of 2 or 3 bytes, each as often as the
// scale says.
func (f *Framebuffer) compose(bits uint16, size int) {
	acc, n, word := uint64(0), 0, 0
	width := 8 * size
	for range CellWidth {
		v := f.pixels[bits&(levels-1)]
		bits >>= 2
		for range f.scale {
			acc |= v << n
			if n += width; n >= 64 {
				f.line[word&(len(f.line)-1)] = acc
				word++
				n -= 64
				acc = v >> (width - n) // nothing if the pixel ended there
			}
		}
	}
}

// Clear fills the screen, and what lies beside its cells, with a colour.
func (f *Framebuffer) Clear(rgb uint32) {
	size := f.layout.bytes()
	if size == 0 {
		return
	}
	// Eight pixels are as many words as a pixel has bytes.
	v := f.layout.pixel(rgb)
	var words [4]uint64
	for i := range 8 * size {
		words[i/8] |= v >> (i % size * 8) & 0xff << (i % 8 * 8)
	}
	n := f.layout.Width * size
	for y := range f.layout.Height {
		p := unsafe.Pointer(&f.mem[y*f.layout.Pitch])
		i := 0
		for ; i+8*size <= n; i += 8 * size {
			for k := range size {
				*(*uint64)(unsafe.Add(p, i+8*k)) = words[k&3]
			}
		}
		for ; i < n; i++ {
			*(*uint8)(unsafe.Add(p, i)) = uint8(v >> (i % size * 8))
		}
	}
	for i := range f.shown {
		f.shown[i] = Cell{Char: ' ', Fg: rgb, Bg: rgb}
	}
	f.cursor = false
}
