package term

import (
	"slices"
	"testing"
)

// check fails if the invariants of the package comment do not hold.
func (s *Screen) check(t *testing.T) {
	t.Helper()
	switch {
	case s.x < 0 || s.x >= s.cols || s.y < 0 || s.y >= s.rows:
		t.Fatalf("cursor at %d,%d of %dx%d", s.x, s.y, s.cols, s.rows)
	case s.wrap && s.x != s.cols-1:
		t.Fatalf("to wrap in column %d", s.x)
	case s.top < 0 || s.top >= s.bottom || s.bottom > s.rows:
		t.Fatalf("scroll region %d to %d", s.top, s.bottom)
	case s.back < 0 || s.back > s.g.kept || s.g.kept > s.g.history:
		t.Fatalf("%d lines back of %d, %d kept at most", s.back, s.g.kept, s.g.history)
	case s.need > 3 || s.n > maxParams+1 || s.nDigits > len(s.digits):
		t.Fatal("the parser's counters")
	case len(s.effects.Reply) > maxReply:
		t.Fatalf("%d bytes of answers", len(s.effects.Reply))
	}
	for _, g := range []*grid{s.main, s.alt} {
		if g == nil {
			continue
		}
		order := slices.Clone(g.order)
		slices.Sort(order)
		for i, n := range order {
			if int(n) != i {
				t.Fatal("a line of the ring is there twice or not at all")
			}
		}
		for y := -g.kept; y < g.rows; y++ {
			row := g.row(y)
			for x, c := range row {
				left, right := c.Has(Left), c.Has(Right)
				if left && (x+1 == len(row) || !row[x+1].Has(Right)) || right && (x == 0 || !row[x-1].Has(Left)) {
					t.Fatalf("half a wide character at %d,%d", x, y)
				}
				if r := c.Char(); r > 0x10ffff || r >= 0xd800 && r < 0xe000 || r < ' ' && !right {
					t.Fatalf("character %#x at %d,%d", r, x, y)
				}
			}
		}
	}
}

// same reports whether two screens show the same and will go on alike.
func same(t *testing.T, a, b *Screen) {
	t.Helper()
	if a.cursor != b.cursor || a.modes != b.modes || a.saved != b.saved || a.top != b.top || a.bottom != b.bottom ||
		a.state != b.state || a.need != b.need || a.palette != b.palette || a.last != b.last ||
		a.g.kept != b.g.kept || (a.g == a.main) != (b.g == b.main) || string(a.effects.Reply) != string(b.effects.Reply) ||
		!slices.Equal(a.tabs, b.tabs) {
		t.Fatalf("the states differ:\n%+v\n%+v", a.cursor, b.cursor)
	}
	for y := -a.g.kept; y < a.rows; y++ {
		if !slices.Equal(a.g.row(y), b.g.row(y)) {
			t.Fatalf("row %d differs", y)
		}
	}
}

func FuzzWrite(f *testing.F) {
	for _, in := range []string{
		"hello\r\nworld\x1b[2J\x1b[5;5Hx\x1b[1;31;42mred\x1b[0m",
		"\x1b[2;3r\x1b[?6h\x1b[L\x1b[3M\x1bM\x1bD\x1b[?6l\x1b[r",
		"日本語\x1b[2G\x1b[4hx\x1b[2P\x1b[3@\x1b[X\b\b日",
		"\x1b[?1049h\x1b[?1047l\x1b7\x1b8\x1bc",
		"\x1b(0lqqk\x1b)B\x0e\x0f\x1b%@\xe4\x1b%G\xc3\xa4\xe2\x82",
		"\x1b]P1ff0000\x1b]0;t\a\x1bP\x1b\\\x1b[38;2;1;2;3m\x1b[48:5:7m\x1b[9b",
		"\x1b[c\x1b[6n\x1b[5n\x1b[3q\x1b[12;2]\a\tx\x1bH\x1b[3g\t\x1b[Z",
		"\x1b[11m\x01\x9b\x1b[12m\xc9\x1b[10m\x1b[3h\x01\x1b[3l",
		"\x1b[?7l0123456789\u672c\x1b[?7h0123456789\u672c",
	} {
		f.Add([]byte(in), uint8(9), uint8(3), uint16(5))
	}
	f.Fuzz(func(t *testing.T, in []byte, cols, rows uint8, cut uint16) {
		if len(in) > 4096 {
			return
		}
		a, b := New(int(cols%40), int(rows%20)), New(int(cols%40), int(rows%20))
		a.Write(in)
		a.check(t)
		// Any division of the input gives the same screen.
		at := 0
		if len(in) > 0 {
			at = int(cut) % (len(in) + 1)
		}
		for i := range in[:at] {
			b.Write(in[i : i+1])
		}
		b.Write(in[at:])
		same(t, a, b)

		a.Scroll(-int(cut))
		a.check(t)
		a.Write(in)
		a.Log(in)
		a.check(t)
	})
}
