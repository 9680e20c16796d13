package term

// blank is what erased cells become: a space on the present background.
func (s *Screen) blank() Cell { return Cell{bg: s.pen.bg} }

func (s *Screen) markAll() { s.allDirty = true }

// moveTo moves the cursor, as far as the screen goes, or the scroll region under
// DECOM.
func (s *Screen) moveTo(x, y int) {
	top, bottom := 0, s.rows
	if s.origin {
		top, bottom = s.top, s.bottom
	}
	s.x = min(max(x, 0), s.cols-1)
	s.y = min(max(y, top), bottom-1)
	s.wrap = false
}

// moveOrigin is moveTo with y counted from the top of the region under DECOM.
func (s *Screen) moveOrigin(x, y int) {
	if s.origin {
		y += s.top
	}
	s.moveTo(x, y)
}

// clearRows blanks rows from to to-1.
func (s *Screen) clearRows(from, to int) {
	for y := from; y < to; y++ {
		fill(s.g.row(y), s.blank())
		s.dirty[y] = true
	}
}

// eraseCells blanks columns from to to-1 of row y.
func (s *Screen) eraseCells(from, to, y int) {
	to = min(to, s.cols)
	line := s.g.row(y)
	s.cut(line, from)
	s.cut(line, to)
	fill(line[from:to], s.blank())
	s.dirty[y] = true
}

// eraseDisplay is ED.
func (s *Screen) eraseDisplay(how int) {
	switch how {
	case 0:
		s.eraseCells(s.x, s.cols, s.y)
		s.clearRows(s.y+1, s.rows)
	case 1:
		s.clearRows(0, s.y)
		s.eraseCells(0, s.x+1, s.y)
	case 2, 3:
		s.clearRows(0, s.rows)
		if how == 3 {
			s.g.forget()
			if s.back > 0 {
				s.back, s.allDirty = 0, true
			}
		}
	default:
		return
	}
	s.wrap = false
}

// eraseLine is EL.
func (s *Screen) eraseLine(how int) {
	switch how {
	case 0:
		s.eraseCells(s.x, s.cols, s.y)
	case 1:
		s.eraseCells(0, s.x+1, s.y)
	case 2:
		s.eraseCells(0, s.cols, s.y)
	default:
		return
	}
	s.wrap = false
}

// insertCells is ICH: n blanks come in at the cursor.
func (s *Screen) insertCells(n int) {
	line := s.g.row(s.y)
	n = min(n, s.cols-s.x)
	s.cut(line, s.x)
	s.cut(line, s.cols-n)
	copy(line[s.x+n:], line[s.x:])
	fill(line[s.x:s.x+n], s.blank())
	s.dirty[s.y] = true
	s.wrap = false
}

// deleteCells is DCH: the n cells from the cursor on go.
func (s *Screen) deleteCells(n int) {
	line := s.g.row(s.y)
	n = min(n, s.cols-s.x)
	s.cut(line, s.x)
	s.cut(line, s.x+n)
	copy(line[s.x:], line[s.x+n:])
	fill(line[s.cols-n:], s.blank())
	s.dirty[s.y] = true
	s.wrap = false
}

// insertLines is IL, deleteLines DL: from the cursor's line to the end of the
// region.
func (s *Screen) insertLines(n int) {
	s.scrollDown(s.y, s.bottom, n)
	s.wrap = false
}

func (s *Screen) deleteLines(n int) {
	s.wrap = false
	if n = min(n, s.bottom-s.y); n > 0 {
		s.g.up(s.y, s.bottom, n, s.blank())
		s.markRows(s.y, s.bottom)
	}
}

// scrollUp scrolls rows top to bottom-1 up by n. What leaves the whole main
// screen goes to the history.
func (s *Screen) scrollUp(top, bottom, n int) {
	n = min(n, bottom-top)
	if n <= 0 {
		return
	}
	if top == 0 && bottom == s.rows && s.g.history > 0 {
		for range n {
			s.g.advance(s.blank())
		}
		if s.back > 0 {
			s.back = min(s.back+n, s.g.kept) // what is looked at stays
		}
	} else {
		s.g.up(top, bottom, n, s.blank())
	}
	s.markRows(top, bottom)
}

func (s *Screen) scrollDown(top, bottom, n int) {
	if n = min(n, bottom-top); n > 0 {
		s.g.down(top, bottom, n, s.blank())
		s.markRows(top, bottom)
	}
}

func (s *Screen) markRows(from, to int) {
	if from == 0 && to == s.rows {
		s.allDirty = true
		return
	}
	for y := from; y < to; y++ {
		s.dirty[y] = true
	}
}
