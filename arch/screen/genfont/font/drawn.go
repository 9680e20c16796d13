package font

import (
	"math"
	"strings"

	"golang.org/x/text/unicode/runenames"
)

// Missing is the character that stands for those without a glyph.
const Missing = '\ufffd'

const full = Levels - 1

// Where the lines of line drawing cross.
const midX, midY = 4, 8

// rect fills the pixels from (x0, y0) to (x1, y1), both included.
func (g *Glyph) rect(x0, y0, x1, y1 int, level uint8) {
	for y := max(y0, 0); y <= min(y1, Height-1); y++ {
		for x := max(x0, 0); x <= min(x1, Width-1); x++ {
			g[y][x] = level
		}
	}
}

// drawnGlyphs returns the glyphs that are not taken from a font.
func drawnGlyphs() map[rune]Glyph {
	all := map[rune]Glyph{Missing: missing(), '◆': diamond()}
	for r := '\u2500'; r <= '\u257f'; r++ {
		all[r] = line(r)
	}
	for r := '\u2580'; r <= '\u259f'; r++ {
		all[r] = block(r)
	}
	for r := '\u2800'; r <= '\u28ff'; r++ {
		all[r] = braille(r)
	}
	for i, r := range "⎺⎻⎼⎽" { // the scan lines 1, 3, 7 and 9 of a DEC terminal
		_ = i
		var g Glyph
		y := map[rune]int{'⎺': 0, '⎻': 4, '⎼': 12, '⎽': 15}[r]
		g.rect(0, y, Width-1, y, full)
		all[r] = g
	}
	return all
}

func missing() (g Glyph) {
	g.rect(1, 2, 6, 12, full)
	g.rect(2, 3, 5, 11, 0)
	return g
}

func diamond() (g Glyph) {
	for y := range Height {
		if n := 4 - abs(y-8); n >= 0 {
			g.rect(midX-n, y, midX+n, y, full)
		}
	}
	return g
}

// weight is how heavy a line is.
type weight int

const (
	none weight = iota
	light
	heavy
	double
)

// half is how many pixels a line has on each side of its middle one.
func (w weight) half() int {
	if w == heavy || w == double {
		return 1
	}
	return 0
}

// arms are the four lines from the middle of a cell to its edges.
type arms struct{ up, down, left, right weight }

// line draws a character of the block Box Drawing by what its name says.
func line(r rune) (g Glyph) {
	name := strings.TrimPrefix(runenames.Name(r), "BOX DRAWINGS ")
	switch {
	case strings.Contains(name, "DIAGONAL"):
		rising := strings.Contains(name, "UPPER RIGHT") || strings.Contains(name, "CROSS")
		falling := strings.Contains(name, "UPPER LEFT") || strings.Contains(name, "CROSS")
		return diagonals(rising, falling)
	case strings.Contains(name, "DASH"):
		return dashes(name)
	case strings.Contains(name, "ARC"):
		return arc(parseArms(strings.ReplaceAll(name, "ARC ", "")))
	}
	return crossing(parseArms(name))
}

// parseArms reads names like "LIGHT DOWN AND RIGHT", "DOWN HEAVY AND RIGHT LIGHT",
// "LIGHT LEFT AND HEAVY RIGHT": a weight belongs to the directions on its other
// side from where the name begins.
func parseArms(name string) (a arms) {
	weights := map[string]weight{"LIGHT": light, "SINGLE": light, "HEAVY": heavy, "DOUBLE": double}
	words := strings.Fields(name)
	_, first := weights[words[0]]
	var open []*weight
	var now weight
	put := func(p ...*weight) {
		if first {
			for _, q := range p {
				*q = now
			}
		} else {
			open = append(open, p...)
		}
	}
	for _, w := range words {
		if v, ok := weights[w]; ok {
			now = v
			for _, q := range open {
				*q = v
			}
			open = nil
			continue
		}
		switch w {
		case "UP":
			put(&a.up)
		case "DOWN":
			put(&a.down)
		case "LEFT":
			put(&a.left)
		case "RIGHT":
			put(&a.right)
		case "VERTICAL":
			put(&a.up, &a.down)
		case "HORIZONTAL":
			put(&a.left, &a.right)
		}
	}
	return a
}

// crossing draws arms. Double lines are heavy ones with their middle taken out.
func crossing(a arms) (g Glyph) {
	across := max(a.up.half(), a.down.half())
	along := max(a.left.half(), a.right.half())
	if a.up != none {
		g.rect(midX-a.up.half(), 0, midX+a.up.half(), midY+along, full)
	}
	if a.down != none {
		g.rect(midX-a.down.half(), midY-along, midX+a.down.half(), Height-1, full)
	}
	if a.left != none {
		g.rect(0, midY-a.left.half(), midX+across, midY+a.left.half(), full)
	}
	if a.right != none {
		g.rect(midX-across, midY-a.right.half(), Width-1, midY+a.right.half(), full)
	}
	// How far from the middle the hollow begins: a single line that ends a
	// double one, or that a double one ends, stays whole.
	startY, startX := 0, 0
	if (a.left == light || a.right == light) && (a.up == none || a.down == none) {
		startY = 1
	}
	if (a.up == light || a.down == light) && (a.left == none || a.right == none) {
		startX = 1
	}
	if a.up == double {
		g.rect(midX, 0, midX, midY-startY, 0)
	}
	if a.down == double {
		g.rect(midX, midY+startY, midX, Height-1, 0)
	}
	if a.left == double {
		g.rect(0, midY, midX-startX, midY, 0)
	}
	if a.right == double {
		g.rect(midX+startX, midY, Width-1, midY, 0)
	}
	return g
}

// dashes draws a line with gaps.
func dashes(name string) (g Glyph) {
	half := 0
	if strings.HasPrefix(name, "HEAVY") {
		half = 1
	}
	n := 2
	switch {
	case strings.Contains(name, "TRIPLE"):
		n = 3
	case strings.Contains(name, "QUADRUPLE"):
		n = 4
	}
	vertical := strings.HasSuffix(name, "VERTICAL")
	size := Width
	if vertical {
		size = Height
	}
	for i := range n {
		from, to := i*size/n, (i+1)*size/n-2
		if vertical {
			g.rect(midX-half, from, midX+half, to, full)
		} else {
			g.rect(from, midY-half, to, midY+half, full)
		}
	}
	return g
}

// arc draws two arms that meet in a round corner.
func arc(a arms) (g Glyph) {
	g = crossing(a)
	dx, dy := 1, 1
	if a.left != none {
		dx = -1
	}
	if a.up != none {
		dy = -1
	}
	g[midY][midX] = 0
	g[midY+dy][midX] = 1
	g[midY][midX+dx] = 1
	g[midY+dy][midX+dx] = full
	return g
}

// diagonals draws lines from corner to corner.
func diagonals(rising, falling bool) (g Glyph) {
	length := math.Hypot(Width, Height)
	for y := range g {
		for x := range g[y] {
			px, py := float64(x)+.5, float64(y)+.5
			v := 0.
			if falling {
				v = max(v, 1.2-math.Abs(Height*px-Width*py)/length)
			}
			if rising {
				v = max(v, 1.2-math.Abs(Height*px-Width*(Height-py))/length)
			}
			g[y][x] = uint8(math.Round(min(v, 1) * full))
		}
	}
	return g
}

// block draws a character of the block Block Elements.
func block(r rune) (g Glyph) {
	const w, h = Width - 1, Height - 1
	switch {
	case r == '▀':
		g.rect(0, 0, w, Height/2-1, full)
	case r <= '█':
		n := int(r-'▁') + 1
		g.rect(0, Height-n*Height/8, w, h, full)
	case r <= '▏':
		n := int('▏'-r) + 1
		g.rect(0, 0, n*Width/8-1, h, full)
	case r == '▐':
		g.rect(Width/2, 0, w, h, full)
	case r <= '▓':
		for y := range g {
			for x := range g[y] {
				on := [...]bool{(x+y%2*2)%4 == 0, (x+y)%2 == 0, (x+y%2*2)%4 != 0}[r-'░']
				if on {
					g[y][x] = full
				}
			}
		}
	case r == '▔':
		g.rect(0, 0, w, Height/8-1, full)
	case r == '▕':
		g.rect(Width-1, 0, w, h, full)
	default:
		// Quadrants: upper left 1, upper right 2, lower left 4, lower right 8.
		q := [...]int{4, 8, 1, 1 | 4 | 8, 1 | 8, 1 | 2 | 4, 1 | 2 | 8, 2, 2 | 4, 2 | 4 | 8}[r-'▖']
		for i := range 4 {
			if q>>i&1 != 0 {
				x, y := i%2*Width/2, i/2*Height/2
				g.rect(x, y, x+Width/2-1, y+Height/2-1, full)
			}
		}
	}
	return g
}

// braille draws a Braille pattern: dots 1 to 3 and 7 on the left, 4 to 6 and 8
// on the right.
func braille(r rune) (g Glyph) {
	places := [8][2]int{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {0, 3}, {1, 3}}
	for i, p := range places {
		if r>>i&1 != 0 {
			x, y := 1+4*p[0], 1+4*p[1]
			g.rect(x, y, x+1, y+1, full)
		}
	}
	return g
}

func abs(n int) int { return max(n, -n) }
