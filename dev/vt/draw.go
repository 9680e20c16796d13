package vt

import (
	"sync"
	"time"

	"tamarix/arch/screen"
	"tamarix/dev/vt/term"
)

// rest is the least time from the end of a drawing to the next one. After one that
// took long the drawer rests in proportion, up to longRest, so that programs get
// most of the processor.
const (
	rest     = time.Second / 60
	share    = 3 // times what the drawing took
	longRest = time.Second / 5
)

// drawer is who draws: it knows what the display shows, and makes it show the
// terminal in the foreground.
type drawer struct {
	c    *Consoles
	kick chan struct{} // something has changed

	mu    sync.Mutex  // guards the rest, and the display
	shown []term.Cell // what the display shows, by rows
	look  term.Look   // in which colours
	x, y  int
	cur   bool // the cursor is shown, at x, y

	// Only used within draw.
	rows []bool
	want []term.Cell // of one row after the other
	line []screen.Cell
}

func (d *drawer) init(c *Consoles) {
	d.c, d.kick = c, make(chan struct{}, 1)
	d.shown, d.want = make([]term.Cell, c.cols*c.rows), make([]term.Cell, c.cols*c.rows)
	d.rows, d.line = make([]bool, c.rows), make([]screen.Cell, c.cols)
}

// wake says that there is something to draw.
func (d *drawer) wake() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

func (d *drawer) run() {
	for range d.kick {
		start := time.Now()
		d.draw()
		time.Sleep(min(max(rest, share*time.Since(start)), longRest))
	}
}

// Flush draws what has not been drawn yet, before it returns.
func (c *Consoles) Flush() { c.drawer.draw() }

// draw makes the display show the terminal in the foreground.
func (d *drawer) draw() {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.c
	c.mu.Lock()
	v := c.vts[c.front-1]
	if v.graphics {
		c.mu.Unlock()
		return
	}
	s := v.emulator()
	look := s.Look()
	all := c.unknown || look != d.look
	c.unknown = false
	if all {
		s.Redraw()
	}
	s.TakeDirty(d.rows)
	for y, changed := range d.rows {
		if changed {
			s.Row(y, d.want[y*c.cols:(y+1)*c.cols])
		}
	}
	x, y, cur := s.Cursor()
	c.mu.Unlock()

	d.look = look
	for y, changed := range d.rows {
		if changed {
			d.drawRow(y, all)
		}
	}
	if all || x != d.x || y != d.y || cur != d.cur {
		d.x, d.y, d.cur = x, y, cur
		c.display.Cursor(x, y, cur)
	}
}

// gap is how many cells that have not changed may lie between two that have for
// both to be drawn at once.
const gap = 4

// drawRow draws what of row y differs from what is shown, or all of it.
// Precondition: mu held.
func (d *drawer) drawRow(y int, all bool) {
	cols := d.c.cols
	want, shown := d.want[y*cols:(y+1)*cols], d.shown[y*cols:(y+1)*cols]
	for x := 0; x < cols; {
		if !all && want[x] == shown[x] {
			x++
			continue
		}
		from, to := x, x+1
		for x = to; x < cols && x-to < gap; x++ {
			if all || want[x] != shown[x] {
				to = x + 1
			}
		}
		for i, c := range want[from:to] {
			d.line[i] = d.cell(c)
		}
		d.c.display.Draw(from, y, d.line[:to-from])
		copy(shown[from:to], want[from:to])
	}
}

// cell returns how c is drawn.
func (d *drawer) cell(c term.Cell) screen.Cell {
	out := screen.Cell{Char: c.Char()}
	out.Fg, out.Bg = d.look.Colors(c)
	if c.Has(term.Bold) {
		out.Attr |= screen.Bold
	}
	if c.Has(term.Underline) {
		out.Attr |= screen.Underline
	}
	return out
}
