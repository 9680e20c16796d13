package screen

// Memory is a Display that is kept in memory only, for tests. It takes no lock:
// who draws in one goroutine and looks in another sees to that.
type Memory struct {
	Cells      [][]Cell // by row, then column
	Col, Row   int      // where the cursor is
	Shown      bool     // the cursor is seen
	Drawn      int      // how many cells have been drawn so far, to count repaints
	cols, rows int
}

// NewMemory returns a display of blanks of the given size.
func NewMemory(cols, rows int) *Memory {
	m := &Memory{cols: cols, rows: rows, Cells: make([][]Cell, rows)}
	for y := range m.Cells {
		m.Cells[y] = make([]Cell, cols)
		for x := range m.Cells[y] {
			m.Cells[y][x].Char = ' '
		}
	}
	return m
}

// Size implements [Display].
func (m *Memory) Size() (cols, rows int) { return m.cols, m.rows }

// Draw implements [Display].
func (m *Memory) Draw(col, row int, cells []Cell) {
	if cells, col = clip(cells, col, row, m.cols, m.rows); len(cells) > 0 {
		m.Drawn += copy(m.Cells[row][col:], cells)
	}
}

// Cursor implements [Display].
func (m *Memory) Cursor(col, row int, shown bool) { m.Col, m.Row, m.Shown = col, row, shown }

// Clear makes all cells blanks on the given background.
func (m *Memory) Clear(rgb uint32) {
	for y := range m.Cells {
		for x := range m.Cells[y] {
			m.Cells[y][x] = Cell{Char: ' ', Fg: rgb, Bg: rgb}
		}
	}
}

// Name implements [Display].
func (m *Memory) Name() string { return "memory" }

// Line returns the characters of a row, without blanks at its end. A Char of 0
// is left out.
func (m *Memory) Line(row int) string {
	var s []rune
	n := 0
	for _, c := range m.Cells[row] {
		if c.Char == 0 {
			continue
		}
		s = append(s, c.Char)
		if c.Char != ' ' {
			n = len(s)
		}
	}
	return string(s[:n])
}
