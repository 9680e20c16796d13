package screen

// Attr is a set of attributes of a character.
type Attr uint8

const (
	Bold      Attr = 1 << iota // in a heavier face; VGA's text mode has none
	Underline                  // with a line below it; VGA's text mode has none
)

// Cell is what one place of the grid shows.
type Cell struct {
	// Char is the character. 0 shows nothing but the background: vt puts it
	// after a character that is two cells wide. One that the font lacks is
	// shown as a box.
	Char   rune
	Fg, Bg uint32 // colours, 0xRRGGBB
	Attr   Attr
}

// Display is a grid of character cells that is seen on a screen. Columns and
// rows count from 0 at the upper left.
//
// One caller draws at a time; the methods take no lock. They neither allocate
// nor block.
type Display interface {
	// Size returns the size of the grid. It never changes.
	Size() (cols, rows int)
	// Draw shows cells from (col, row) on towards the right. What lies
	// outside of the grid is left out. The cells are not kept.
	Draw(col, row int, cells []Cell)
	// Cursor shows the cursor at (col, row), or hides it. It is in one place at
	// most, and stays there whatever is drawn.
	Cursor(col, row int, shown bool)
	// Name says what it is, for the log: "framebuffer 1280x800x32", "VGA text".
	Name() string
}

// fill is how many cells are drawn at once where there is no line at hand.
const fill = 32

// clip returns the part of cells, drawn from (col, row) on, that lies in a grid
// of the given size, and its first column.
func clip(cells []Cell, col, row, cols, rows int) ([]Cell, int) {
	if row < 0 || row >= rows || col >= cols {
		return nil, 0
	}
	if col < 0 {
		if -col >= len(cells) || -col < 0 {
			return nil, 0
		}
		cells, col = cells[-col:], 0
	}
	return cells[:min(len(cells), cols-col)], col
}
