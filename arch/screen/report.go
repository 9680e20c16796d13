package screen

// Colours of a Report.
const (
	headFg    = White
	headBg    = 0xaa0000
	messageFg = 0xffff55
	labelFg   = Grey
	valueFg   = White
)

// maxMessage is how many rows the message takes at most.
const maxMessage = 6

// Report is the last screen of a machine, laid out to be read off a photograph:
// a line in other colours that says what it is, what went wrong, facts about the
// machine, the head of the traceback, and the end of the log. Nothing scrolls:
// what does not fit is counted.
//
// The order of calls is Use; Begin; Message; Fact, Registers and Log as wanted;
// Trace any number of times; End.
type Report struct {
	out        Output
	cols, rows int

	row   int // the next free one
	limit int // where the end of the log begins
	used  int // rows of the message
	lost  int // lines of the traceback that found no room

	line  assembler
	fn    [maxName]byte // a function whose place in the source comes next
	fnLen int
}

const maxName = 160

// Use says where the report will be drawn. It alone must not be called where
// pointers may not be written, from an interrupt.
func (p *Report) Use(out Output) { p.out = out }

// Begin clears the screen and writes the heading.
func (p *Report) Begin(head string) {
	p.cols, p.rows = p.out.Size()
	p.row, p.used, p.lost, p.fnLen = 0, 0, 0, 0
	p.line.n = 0
	p.limit = p.rows - 1 // the last row is End's
	p.out.Clear(Black)
	p.out.Cursor(0, 0, false)
	if p.rows == 0 {
		return
	}
	p.out.Blank(0, 0, p.cols, headBg)
	p.out.Text(1, 0, p.cols, head, headFg, headBg, Bold)
	p.row = 1
}

// room reports whether a row is left.
func (p *Report) room() bool { return p.row < p.limit }

// Message writes a line of the message, in several rows if it is long.
func (p *Report) Message(s string) {
	for len(s) > 0 && p.room() && p.used < maxMessage {
		n := prefix(s, p.cols-2)
		p.out.Text(1, p.row, p.cols, s[:n], messageFg, Black, Bold)
		s = s[n:]
		p.row++
		p.used++
	}
}

// Gap leaves a row free, if there are rows to spare.
func (p *Report) Gap() {
	if p.rows >= 40 && p.room() {
		p.row++
	}
}

// Fact writes "name: value", in at most so many rows.
func (p *Report) Fact(name, value string, rows int) {
	const indent = 10
	for i := 0; i < rows && p.room() && (i == 0 || len(value) > 0); i++ {
		if i == 0 {
			p.out.Text(1, p.row, p.cols, name, labelFg, Black, 0)
		}
		n := prefix(value, p.cols-indent-1)
		p.out.Text(indent, p.row, p.cols, value[:n], valueFg, Black, 0)
		value = value[n:]
		p.row++
	}
}

// Registers writes values in hexadecimal, each after its name, in columns.
func (p *Report) Registers(names []string, values []uint64) {
	const width = 24 // name, value, space
	col := 1
	for i := range min(len(names), len(values)) {
		if col > 1 && col+width-2 > p.cols {
			p.row++
			col = 1
		}
		if !p.room() {
			return
		}
		p.out.Text(col, p.row, p.cols, names[i], labelFg, Black, 0)
		var digits [16]Cell
		for k := range digits {
			d := values[i] >> (60 - 4*k) & 15
			digits[k] = Cell{Char: rune("0123456789abcdef"[d]), Fg: valueFg, Bg: Black}
		}
		p.out.Draw(col+6, p.row, digits[:])
		col += width
	}
	if col > 1 {
		p.row++
	}
}

// Log writes the end of the log, s, at the bottom: on the rows that are set aside
// for it on all but small screens, or, once the traceback is complete, on all
// that are left.
func (p *Report) Log(s string, complete bool) {
	n := 0
	if p.rows >= 30 {
		n = p.rows / 6
	}
	if complete {
		p.frame("")
		n = max(n, p.rows-1-p.row-1)
	} else if p.row+n+1 >= p.limit {
		return
	}
	for len(s) > 0 && s[len(s)-1] == '\n' {
		s = s[:len(s)-1]
	}
	if n <= 0 || len(s) == 0 || p.rows == 0 {
		return
	}
	// Where the last n lines begin.
	at, lines := len(s), 1
	for at > 0 && (s[at-1] != '\n' || lines < n) {
		if at--; s[at] == '\n' {
			lines++
		}
	}
	y := p.rows - 1 - lines
	if y <= p.row {
		return
	}
	p.limit = min(p.limit, y-1) // and an empty row above
	for rest := s[at:]; len(rest) > 0; y++ {
		l := lineLength(rest)
		col := p.out.Text(1, y, p.cols, rest[:l], labelFg, Black, 0)
		p.out.Blank(col, y, p.cols, Black)
		rest = rest[min(l+1, len(rest)):]
	}
}

// Trace writes a piece of a Go traceback: one row for each function, with its
// place in the source. It need not begin or end with a line.
func (p *Report) Trace(s string) {
	for len(s) > 0 {
		var line string
		var ok bool
		if line, s, ok = p.line.next(s); ok {
			p.traceLine(line)
			p.line.n = 0
		}
	}
}

// traceLine writes one line of a traceback.
func (p *Report) traceLine(s string) {
	switch {
	case len(s) == 0 || registerLine(s):
	case s[0] == '\t':
		place := s[1:]
		for i := range len(place) {
			if place[i] == ' ' { // " +0x12", and in a crash " fp=..."
				place = place[:i]
				break
			}
		}
		p.frame(place)
	case hasPrefix(s, "goroutine "):
		p.frame("")
		p.goroutine(s)
	case s[len(s)-1] == ')' && !hasPrefix(s, "["):
		p.frame("")
		p.fnLen = copy(p.fn[:], s[:arguments(s)])
	case hasPrefix(s, "created by "):
		p.frame("")
		p.fnLen = copy(p.fn[:], s)
	default:
		p.frame("")
		if p.take() {
			p.out.Text(1, p.row-1, p.cols, s, labelFg, Black, 0)
		}
	}
}

// take takes a row for a line of the traceback, or counts the line as lost.
func (p *Report) take() bool {
	if !p.room() {
		p.lost++
		return false
	}
	p.row++
	return true
}

// frame writes the function that waits for its place in the source, if any.
func (p *Report) frame(place string) {
	if p.fnLen == 0 {
		return
	}
	name := text(p.fn[:p.fnLen])
	p.fnLen = 0
	if !p.take() {
		return
	}
	col := p.out.Text(3, p.row-1, p.cols, short(name), valueFg, Black, 0)
	p.out.Text(col+2, p.row-1, p.cols, short(place), labelFg, Black, 0)
}

// Frame writes a line of a traceback: a function, and its place in the source.
func (p *Report) Frame(name, file string, line int) {
	p.frame("")
	if !p.take() {
		return
	}
	var digits [20]byte
	y := p.row - 1
	col := p.out.Text(3, y, p.cols, short(name), valueFg, Black, 0)
	col = p.out.Text(col+2, y, p.cols, short(file), labelFg, Black, 0)
	col = p.out.Text(col, y, p.cols, ":", labelFg, Black, 0)
	p.out.Text(col, y, p.cols, decimal(&digits, uint64(max(line, 0))), labelFg, Black, 0)
}

// goroutine writes "goroutine 7 [running]:" without what the runtime says in
// between.
func (p *Report) goroutine(s string) {
	if !p.take() {
		return
	}
	n := len("goroutine ")
	for n < len(s) && s[n] != ' ' {
		n++
	}
	at := n
	for at < len(s) && s[at] != '[' {
		at++
	}
	col := p.out.Text(1, p.row-1, p.cols, s[:n], messageFg, Black, 0)
	p.out.Text(col+1, p.row-1, p.cols, s[at:], messageFg, Black, 0)
}

// Lost returns how many lines of the traceback found no room.
func (p *Report) Lost() int { return p.lost }

// End completes the traceback and writes the last row, anew each time it is
// called.
func (p *Report) End(s string) {
	if p.rows == 0 {
		return
	}
	p.frame("")
	y := p.rows - 1
	p.out.Blank(0, y, p.cols, headBg)
	col := 1
	if p.lost > 0 {
		var digits [20]byte
		col = p.out.Text(col, y, p.cols, "Lines of the traceback left out: ", headFg, headBg, 0)
		col = p.out.Text(col, y, p.cols, decimal(&digits, uint64(p.lost)), headFg, headBg, 0)
		col = p.out.Text(col, y, p.cols, ". ", headFg, headBg, 0)
	}
	p.out.Text(col, y, p.cols, s, headFg, headBg, 0)
}
