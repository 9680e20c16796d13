package term

import "slices"

// Limits of a screen's size in cells.
const (
	MaxCols = 1000
	MaxRows = 500
)

// cursor is what ESC 7 saves.
type cursor struct {
	x, y   int
	wrap   bool       // a character was put into the last column: the next one goes to the next line
	pen    Cell       // flags and colours of what is written; its character is 0
	sets   [2]charset // G0 and G1
	shift  uint8      // which of them is in use
	pcFont bool       // SGR 11, 12: the PC's own characters, control characters too
	meta   bool       // SGR 12: the top bit of each byte is toggled
}

// Screen is the state of one terminal. It is not safe for use by several
// goroutines at once.
type Screen struct {
	cols, rows int
	main       *grid
	alt        *grid // made when it is first switched to
	g          *grid // the one that is shown

	cursor
	saved      [2]cursor // ESC 7, of the main and of the alternate screen
	defaultPen Cell      // CSI 8 ]
	top        int
	bottom     int
	tabs       []bool
	last       rune // for REP; 0: none
	modes
	palette  palette
	standard palette // what palette is reset to

	back int // how many lines of the history are shown above the screen's top line

	parser
	effects Effects

	dirty    []bool // rows changed since TakeDirty
	allDirty bool
}

// modes are what SM and RM change (mode.go).
type modes struct {
	utf8          bool // ESC % G
	autoWrap      bool // DECAWM
	insert        bool // IRM
	origin        bool // DECOM
	newline       bool // LNM
	displayCtrl   bool // DECCRM
	reverseScreen bool // DECSCNM
	cursorHidden  bool // DECTCEM off
	appCursor     bool // DECCKM
	appKeypad     bool // DECPAM
	noRepeat      bool // DECARM off
	mouse         uint8
	cursorSize    uint8 // CSI ? n c; its low nibble 1: no cursor
}

// New returns an empty screen of the given size, which is brought into the limits.
func New(cols, rows int) *Screen {
	cols, rows = min(max(cols, 2), MaxCols), min(max(rows, 1), MaxRows)
	s := &Screen{cols: cols, rows: rows, tabs: make([]bool, cols), dirty: make([]bool, rows), standard: vga}
	s.main = newGrid(cols, rows, historyLines)
	s.g = s.main
	s.reset()
	return s
}

// reset is ESC c: everything as it was at first. The history stays.
func (s *Screen) reset() {
	s.modes = modes{utf8: true, autoWrap: true}
	s.g, s.alt = s.main, nil
	s.defaultPen = Cell{}
	s.cursor = cursor{sets: [2]charset{latin1, graphics}}
	s.saved = [2]cursor{s.cursor, s.cursor}
	s.top, s.bottom = 0, s.rows
	s.last, s.back = 0, 0
	for x := range s.tabs {
		s.tabs[x] = x > 0 && x%8 == 0
	}
	s.palette = s.standard
	s.clearRows(0, s.rows)
	s.allDirty = true
}

// Size returns the screen's size in cells.
func (s *Screen) Size() (cols, rows int) { return s.cols, s.rows }

// Cursor returns where the cursor stands and whether it is to be seen. While
// lines of the history are shown it may be outside the view.
func (s *Screen) Cursor() (x, y int, shown bool) {
	y = s.y + s.back
	return s.x, y, !s.cursorHidden && s.cursorSize&15 != 1 && y < s.rows
}

// Row copies row y of what is to be seen into dst.
func (s *Screen) Row(y int, dst []Cell) { copy(dst, s.g.row(y-s.back)) }

// Scroll moves the view by n lines: back into the history if n is negative,
// towards the present otherwise.
func (s *Screen) Scroll(n int) {
	to := min(max(s.back-n, 0), s.g.kept)
	if to != s.back {
		s.back, s.allDirty = to, true
	}
}

// ScrolledBack reports whether lines of the history are to be seen.
func (s *Screen) ScrolledBack() bool { return s.back > 0 }

// TakeDirty reports into rows, which has a place for each row, what has changed
// since the last call: the caller draws those rows anew. It returns false if
// nothing has. The cursor is not part of this.
func (s *Screen) TakeDirty(rows []bool) bool {
	if s.allDirty || s.back > 0 && slices.Contains(s.dirty, true) {
		for y := range rows {
			rows[y] = true
		}
		clear(s.dirty)
		s.allDirty = false
		return true
	}
	any := false
	for y, d := range s.dirty {
		rows[y] = d
		any = any || d
	}
	clear(s.dirty)
	return any
}

// Redraw makes TakeDirty report every row.
func (s *Screen) Redraw() { s.allDirty = true }

// Modes of the keyboard that programs set by sequences.
func (s *Screen) AppCursor() bool { return s.appCursor }

// AppKeypad reports whether the numeric keypad sends sequences (ESC =).
func (s *Screen) AppKeypad() bool { return s.appKeypad }

// NewLine reports whether Enter sends CR LF (CSI 20 h).
func (s *Screen) NewLine() bool { return s.newline }

// Repeat reports whether keys that are held down repeat (DECARM).
func (s *Screen) Repeat() bool { return !s.noRepeat }

// Mouse returns what mouse reporting is asked for: 0 none, 1 X10, 2 VT200.
func (s *Screen) Mouse() uint8 { return s.mouse }

// Effects is what sequences ask of the world outside.
type Effects struct {
	Reply []byte // to be received as if typed
	Bell  bool
	Front int // the terminal to bring to the front, -1 the one before; 0: none
	// Reset says that ESC c was among the sequences.
	Reset bool
	// CSI q: which LEDs to light and which to darken: 1 scroll, 2 num, 4 caps.
	LightLEDs, DarkLEDs uint8
}

// maxReply bounds the answers that are kept: a program that asks and never reads
// gets no more than this.
const maxReply = 1024

func (s *Screen) reply(text string) {
	if len(s.effects.Reply)+len(text) <= maxReply {
		s.effects.Reply = append(s.effects.Reply, text...)
	}
}

// TakeEffects returns what has been asked for since the last call.
func (s *Screen) TakeEffects() Effects {
	e := s.effects
	s.effects = Effects{}
	return e
}
