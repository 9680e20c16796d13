package screen

// Output is a Display of whichever kind the machine has. It is what code draws on
// that must not allocate: through an interface, the compiler cannot see that
// cells are not kept, and puts them on the heap.
//
// Its zero value is a display without cells.
type Output struct {
	Framebuffer *Framebuffer // one of these at most is set
	VGA         *VGA
	Memory      *Memory
}

// Exists reports whether there is anything to draw on.
func (o *Output) Exists() bool { return o.Framebuffer != nil || o.VGA != nil || o.Memory != nil }

// Size implements [Display].
func (o *Output) Size() (cols, rows int) {
	switch {
	case o.Framebuffer != nil:
		return o.Framebuffer.Size()
	case o.VGA != nil:
		return o.VGA.Size()
	case o.Memory != nil:
		return o.Memory.Size()
	}
	return 0, 0
}

// Draw implements [Display].
func (o *Output) Draw(col, row int, cells []Cell) {
	switch {
	case o.Framebuffer != nil:
		o.Framebuffer.Draw(col, row, cells)
	case o.VGA != nil:
		o.VGA.Draw(col, row, cells)
	case o.Memory != nil:
		o.Memory.Draw(col, row, cells)
	}
}

// Cursor implements [Display].
func (o *Output) Cursor(col, row int, shown bool) {
	switch {
	case o.Framebuffer != nil:
		o.Framebuffer.Cursor(col, row, shown)
	case o.VGA != nil:
		o.VGA.Cursor(col, row, shown)
	case o.Memory != nil:
		o.Memory.Cursor(col, row, shown)
	}
}

// Clear fills the screen with a colour.
func (o *Output) Clear(rgb uint32) {
	switch {
	case o.Framebuffer != nil:
		o.Framebuffer.Clear(rgb)
	case o.VGA != nil:
		o.VGA.Clear(rgb)
	case o.Memory != nil:
		o.Memory.Clear(rgb)
	}
}

// Name implements [Display].
func (o *Output) Name() string {
	switch {
	case o.Framebuffer != nil:
		return o.Framebuffer.Name()
	case o.VGA != nil:
		return o.VGA.Name()
	case o.Memory != nil:
		return o.Memory.Name()
	}
	return "none"
}

// Text draws s in one row from (col, row) on, cut at column end, and returns the
// column behind it. Characters below a blank are left out.
func (o *Output) Text(col, row, end int, s string, fg, bg uint32, attr Attr) int {
	var cells [fill]Cell
	n := 0
	for _, r := range s {
		if r < ' ' {
			continue
		}
		if col+n >= end {
			break
		}
		if n == fill {
			o.Draw(col, row, cells[:n])
			col, n = col+n, 0
		}
		cells[n] = Cell{Char: r, Fg: fg, Bg: bg, Attr: attr}
		n++
	}
	o.Draw(col, row, cells[:n])
	return col + n
}

// Blank draws blanks in one row from column col up to, not including, end.
func (o *Output) Blank(col, row, end int, bg uint32) {
	var cells [fill]Cell
	for i := range cells {
		cells[i] = Cell{Char: ' ', Fg: bg, Bg: bg}
	}
	for col < end {
		n := min(fill, end-col)
		o.Draw(col, row, cells[:n])
		col += n
	}
}
