package term

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// putRun puts the printable ASCII characters at the start of p and returns how
// many it took; 0 when the first byte is something else, or the state is not the
// plain one in which such a byte is just stored. It is the path of nearly all
// output.
func (s *Screen) putRun(p []byte) int {
	if s.insert || s.pcFont || s.displayCtrl || s.sets[s.shift] != latin1 {
		return 0
	}
	done := 0
	for done < len(p) && p[done] >= 0x20 && p[done] < 0x7f {
		if s.wrap {
			s.nextLine()
		}
		line := s.g.row(s.y)
		x := s.x
		if line[x].Has(Right) {
			line[x-1] = s.half(line[x-1])
		}
		c, attr := s.pen, s.pen.ch
		run := p[done:min(len(p), done+len(line)-x)]
		for i, b := range run {
			if b < 0x20 || b >= 0x7f {
				run = run[:i]
				break
			}
			c.ch = attr | uint32(b)
			line[x+i] = c
		}
		x += len(run)
		done += len(run)
		if x < s.cols {
			s.x = x
			if line[x].Has(Right) {
				line[x] = s.half(line[x])
			}
		} else {
			s.x = s.cols - 1
			s.wrap = s.autoWrap
		}
		s.dirty[s.y] = true
	}
	if done > 0 {
		s.last = rune(p[done-1])
	}
	return done
}

// put puts a character where the cursor is and moves the cursor on.
func (s *Screen) put(r rune) {
	n := columns(r)
	if n == 0 {
		s.combine(r)
		return
	}
	s.last = r
	if s.wrap {
		s.nextLine()
	}
	if n == 2 && s.x == s.cols-1 {
		// No room for its right half.
		if !s.autoWrap {
			s.x--
		} else {
			s.eraseCells(s.x, s.cols, s.y)
			s.nextLine()
		}
	}
	if s.insert {
		s.insertCells(n)
	}
	line := s.g.row(s.y)
	s.cut(line, s.x)
	s.cut(line, s.x+n)
	c := Cell{ch: s.pen.ch | uint32(r), fg: s.pen.fg, bg: s.pen.bg}
	if n == 2 {
		right := c
		right.ch = s.pen.ch | Right
		line[s.x+1] = right
		c.ch |= Left
	}
	line[s.x] = c
	s.dirty[s.y] = true
	s.x += n
	if s.x >= s.cols {
		s.x = s.cols - 1
		s.wrap = s.autoWrap
	}
}

// combine joins r, which combines with the character before it, to that where
// Unicode has a character for both: a cell has room for one. Else it is left out.
func (s *Screen) combine(r rune) {
	x := s.x - 1
	if s.wrap {
		x = s.x
	}
	if x < 0 {
		return
	}
	line := s.g.row(s.y)
	if line[x].Has(Right) {
		x--
	}
	if s.last == 0 || line[x].ch&charMask != uint32(s.last) {
		return // the cursor has moved since
	}
	var buf [2 * utf8.UTFMax]byte
	both := norm.NFC.AppendString(buf[:0], string([]rune{s.last, r}))
	one, n := utf8.DecodeRune(both)
	if n == len(both) && columns(one) == columns(s.last) {
		line[x].ch = line[x].ch&^charMask | uint32(one)
		s.last = one
		s.dirty[s.y] = true
	}
}

// cut sees to it that no wide character lies across the left edge of column x:
// both halves become blanks.
func (s *Screen) cut(line []Cell, x int) {
	if x > 0 && x < s.cols && line[x].Has(Right) {
		line[x-1], line[x] = s.half(line[x-1]), s.half(line[x])
	}
}

// half is what becomes of a half of a wide character without the other.
func (s *Screen) half(c Cell) Cell {
	c.ch &= attrMask
	return c
}

// repeat is REP: the last character n times more.
func (s *Screen) repeat(n int) {
	if s.last == 0 {
		return
	}
	for range min(n, s.cols*s.rows) {
		s.put(s.last)
	}
}

// nextLine goes to the start of the next line, where a character is to be put
// that has no room on this one.
func (s *Screen) nextLine() {
	s.carriageReturn()
	s.lineFeed()
}

func (s *Screen) carriageReturn() { s.x, s.wrap = 0, false }

// lineFeed moves the cursor down, scrolling at the bottom of the region.
func (s *Screen) lineFeed() {
	s.wrap = false
	switch {
	case s.y == s.bottom-1:
		s.scrollUp(s.top, s.bottom, 1)
	case s.y < s.rows-1:
		s.y++
	}
}

// reverseLineFeed moves the cursor up, scrolling at the top of the region.
func (s *Screen) reverseLineFeed() {
	s.wrap = false
	switch {
	case s.y == s.top:
		s.scrollDown(s.top, s.bottom, 1)
	case s.y > 0:
		s.y--
	}
}

// tab moves on by n tab stops, at most to the last column. One that does not move,
// because a character is there already, leaves it to the next character to go to
// the next line.
func (s *Screen) tab(n int) {
	for ; n > 0 && s.x < s.cols-1; n-- {
		for s.x++; s.x < s.cols-1 && !s.tabs[s.x]; s.x++ {
		}
	}
}

// backTab moves back by n tab stops.
func (s *Screen) backTab(n int) {
	s.wrap = false
	for ; n > 0 && s.x > 0; n-- {
		for s.x--; s.x > 0 && !s.tabs[s.x]; s.x-- {
		}
	}
}

// Log puts the text of a message where the cursor is, whatever state the parser
// is in and whatever attributes and modes are set: CR, LF and tabs act, other
// control characters are left out, and what is too long goes on in the next line.
func (s *Screen) Log(text []byte) {
	pen, insert, autoWrap := s.pen, s.insert, s.autoWrap
	s.pen, s.insert, s.autoWrap = Cell{}, false, true
	for _, r := range string(text) {
		switch {
		case r == '\r':
			s.carriageReturn()
		case r == '\n':
			s.lineFeed()
		case r == '\t':
			s.tab(1)
		case r >= ' ' && (r < 0x7f || r >= 0xa0):
			s.put(r)
		}
	}
	s.pen, s.insert, s.autoWrap = pen, insert, autoWrap
	s.wrap = s.wrap && autoWrap
}
