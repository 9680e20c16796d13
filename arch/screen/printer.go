package screen

import "unsafe"

// textSize is how many bytes of text a Printer keeps.
const textSize = 16 << 10

// Colours of plain text.
const (
	Grey  = 0xaaaaaa
	White = 0xffffff
	Black = 0x000000
)

// Printer prints lines on a screen, as a teletype does: what the kernel says
// before it has a terminal. It keeps the text, at least the newest half of
// textSize bytes, and draws it anew when the screen is full.
//
// Like all of this package it takes no lock; its zero value keeps text and
// draws nothing, until Use and Start.
type Printer struct {
	out        Output
	cols, rows int
	col, row   int // where the next character goes

	n    int // of text
	text [textSize]byte
}

// Use says where p prints. It alone must not be called where pointers may not be
// written, from an interrupt. The place may change as long as it shows the same.
func (p *Printer) Use(out Output) { p.out = out }

// Start makes p print, beginning with what it keeps. The screen is cleared.
func (p *Printer) Start() {
	p.cols, p.rows = p.out.Size()
	p.out.Clear(Black)
	if p.n > 0 {
		p.redraw()
	}
}

// Text returns what has been printed, the oldest lines missing if it was much.
// It is valid until the next Write.
func (p *Printer) Text() []byte { return p.text[:p.n] }

// Write prints s. A newline ends a line; other control characters are left out.
func (p *Printer) Write(s string) {
	for len(s) > 0 {
		part := s[:min(len(s), textSize/4)]
		s = s[len(part):]
		p.keep(part)
		p.print(part)
	}
}

// keep appends to the text, and makes room by dropping the older half.
func (p *Printer) keep(s string) {
	if p.n+len(s) > textSize {
		from := p.n - textSize/2
		for from < p.n && p.text[from] != '\n' {
			from++
		}
		from = min(from+1, p.n)
		p.n = copy(p.text[:], p.text[from:p.n])
	}
	p.n += copy(p.text[p.n:], s)
}

// print shows s, which has been kept.
func (p *Printer) print(s string) {
	if p.rows == 0 || p.cols == 0 {
		return
	}
	for len(s) > 0 {
		n := lineLength(s)
		line := s[:n]
		for {
			if p.row >= p.rows {
				p.redraw() // it ends with all of this
				return
			}
			fits := prefix(line, p.cols-p.col)
			p.col = p.out.Text(p.col, p.row, p.cols, line[:fits], Grey, Black, 0)
			if line = line[fits:]; len(line) == 0 {
				break
			}
			p.row, p.col = p.row+1, 0
		}
		if n < len(s) {
			p.row, p.col = p.row+1, 0
			n++
		}
		s = s[n:]
	}
}

// redraw shows the end of the text on the upper half of the screen, so that it
// is needed only once in half a screen's lines.
func (p *Printer) redraw() {
	keep := max(p.rows/2, 1)
	s := unsafe.String(&p.text[0], p.n)
	// The last line counts if anything is in it.
	total := 0
	for rest := s; len(rest) > 0; {
		n := lineLength(rest)
		total += p.height(rest[:n])
		rest = rest[min(n+1, len(rest)):]
	}
	for len(s) > 0 && total > keep {
		n := lineLength(s)
		total -= p.height(s[:n])
		s = s[min(n+1, len(s)):]
	}
	for y := range p.rows {
		p.out.Blank(0, y, p.cols, Black)
	}
	p.col, p.row = 0, 0
	if len(s) > 0 {
		p.print(s)
	}
}

// height returns how many rows a line takes.
func (p *Printer) height(line string) int {
	n := 0
	for _, r := range line {
		if r >= ' ' {
			n++
		}
	}
	return max(1, (n+p.cols-1)/p.cols)
}

// lineLength returns how many bytes of s lie before its first newline.
func lineLength(s string) int {
	for i := range len(s) {
		if s[i] == '\n' {
			return i
		}
	}
	return len(s)
}

// prefix returns how many bytes of s fit into so many columns.
func prefix(s string, cols int) int {
	n := 0
	for i, r := range s {
		if r < ' ' {
			continue
		}
		if n == cols {
			return i
		}
		n++
	}
	return len(s)
}
