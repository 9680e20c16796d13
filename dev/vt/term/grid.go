package term

// historyLines is how many lines that have scrolled off the top are kept.
const historyLines = 400

// chunkLines is how many lines are allocated at a time.
const chunkLines = 16

// grid is the lines of a screen and those that have scrolled off its top, in one
// ring. Position 0 of the ring, seen from base, is the screen's top line; the
// lines before it are the history.
type grid struct {
	cols, rows int
	history    int      // lines that may be kept beyond the screen
	kept       int      // lines that are
	base       int      // where in order the screen's top line is
	order      []uint16 // ring of rows+history line numbers
	chunks     [][]Cell // the lines by number; nil: not used yet
}

func newGrid(cols, rows, history int) *grid {
	g := &grid{cols: cols, rows: rows, history: history, order: make([]uint16, rows+history)}
	for i := range g.order {
		g.order[i] = uint16(i)
	}
	g.chunks = make([][]Cell, (len(g.order)+chunkLines-1)/chunkLines)
	return g
}

// slot returns where in order row y stands, which may be one of the history: -1
// is the line above the screen.
func (g *grid) slot(y int) int {
	n := g.base + y
	if n >= len(g.order) {
		n -= len(g.order)
	} else if n < 0 {
		n += len(g.order)
	}
	return n
}

// row returns the cells of row y, negative numbers being the history.
func (g *grid) row(y int) []Cell {
	line := int(g.order[g.slot(y)])
	chunk := g.chunks[line/chunkLines]
	if chunk == nil {
		chunk = make([]Cell, chunkLines*g.cols)
		g.chunks[line/chunkLines] = chunk
	}
	at := line % chunkLines * g.cols
	return chunk[at : at+g.cols : at+g.cols]
}

// advance scrolls the whole screen up by a line, which joins the history. The
// new bottom line is filled with blank.
func (g *grid) advance(blank Cell) {
	g.base = g.slot(1)
	g.kept = min(g.kept+1, g.history)
	fill(g.row(g.rows-1), blank)
}

// up scrolls rows top to bottom-1 up by n lines, down scrolls them down; lines
// that come in are filled with blank. 0 < n <= bottom-top.
func (g *grid) up(top, bottom, n int, blank Cell) {
	for range n {
		first := g.order[g.slot(top)]
		for y := top; y < bottom-1; y++ {
			g.order[g.slot(y)] = g.order[g.slot(y+1)]
		}
		g.order[g.slot(bottom-1)] = first
		fill(g.row(bottom-1), blank)
	}
}

func (g *grid) down(top, bottom, n int, blank Cell) {
	for range n {
		last := g.order[g.slot(bottom-1)]
		for y := bottom - 1; y > top; y-- {
			g.order[g.slot(y)] = g.order[g.slot(y-1)]
		}
		g.order[g.slot(top)] = last
		fill(g.row(top), blank)
	}
}

// forget drops the history.
func (g *grid) forget() { g.kept = 0 }

func fill(line []Cell, c Cell) {
	if c == (Cell{}) {
		clear(line)
		return
	}
	for i := range line {
		line[i] = c
	}
}
