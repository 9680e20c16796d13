package term

import (
	"strings"
	"testing"
)

// text returns the lines that s shows, without blanks at their ends.
func text(s *Screen) []string {
	var lines []string
	row := make([]Cell, s.cols)
	for y := range s.rows {
		s.Row(y, row)
		var b strings.Builder
		for _, c := range row {
			if !c.Has(Right) {
				b.WriteRune(c.Char())
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// shown is the screen as one string, with | between lines and the cursor's place
// after it.
func shown(s *Screen) string { return strings.Join(text(s), "|") }

// TestSequences writes to a screen of 10 columns and 4 rows.
func TestSequences(t *testing.T) {
	const full = "1111111111\r\n2222222222\r\n3333333333\r\n4444444444"
	for _, c := range []struct {
		name, in, want string
		x, y           int
	}{
		{"text", "hello\r\nworld", "hello|world", 5, 1},
		{"line that is too long", "hello, wide world", "hello, wid|e world", 7, 1},
		{"last column waits", "0123456789", "0123456789", 9, 0},
		{"CR after the last column", "0123456789\rx", "x123456789", 1, 0},
		{"BS after the last column", "0123456789\bx", "01234567x9", 9, 0},
		{"BS in the last column", "\x1b[10G\bx", "        x", 9, 0},
		{"BS in the first column", "\bx", "x", 1, 0},
		{"tab after the last column", "0123456789\tx", "0123456789|x", 1, 1},
		{"no wrap", "\x1b[?7l0123456789abc", "012345678c", 9, 0},
		{"scrolls", full + "\r\n5", "2222222222|3333333333|4444444444|5", 1, 3},
		{"LF keeps the column", "ab\ncd", "ab|  cd", 4, 1},
		{"VT and FF are LF", "a\vb\fc", "a| b|  c", 3, 2},
		{"LNM", "\x1b[20hab\ncd", "ab|cd", 2, 1},
		{"tab", "a\tb\tc", "a       bc", 9, 0},
		{"HTS, TBC", "\x1b[4G\x1bH\r\tx\x1b[4G\x1b[g\r\ty", "   x    y", 9, 0},
		{"TBC 3", "\x1b[3g\tx", "         x", 9, 0},
		{"CHT, CBT", "\x1b[Ix\x1b[Zy", "        y", 9, 0},
		{"CUP", "\x1b[2;3Hx\x1b[Hy\x1b[4Hz", "y|  x||z", 1, 3},
		{"CUP beyond", "\x1b[99;99Hx", "|||         x", 9, 3},
		{"CUU CUD CUF CUB", "\x1b[3;3H\x1b[Aa\x1b[2Bb\x1b[2D\x1b[2Cc", "|  a||   bc", 5, 3},
		{"CNL CPL", "\x1b[3Ga\x1b[Eb\x1b[2Ec\x1b[Fd", "  a|b|d|c", 1, 2},
		{"CHA HPA HPR VPA VPR", "\x1b[3Ga\x1b[6`b\x1b[ac\x1b[3dd\x1b[ee", "  a  b c||        d|         e", 9, 3},
		{"numbers that overflow", "\x1b[99999999999999999999Cx\x1b[1;99999999999999999999Hy", "         y", 9, 0},
		{"ED 0", full + "\x1b[2;3H\x1b[J", "1111111111|22", 2, 1},
		{"ED 1", full + "\x1b[2;3H\x1b[1J", "|   2222222|3333333333|4444444444", 2, 1},
		{"ED 2", full + "\x1b[2;3H\x1b[2J", "", 2, 1},
		{"ED of nothing", full + "\x1b[2;3H\x1b[7J", "1111111111|2222222222|3333333333|4444444444", 2, 1},
		{"EL 0", full + "\x1b[2;3H\x1b[K", "1111111111|22|3333333333|4444444444", 2, 1},
		{"EL 1", full + "\x1b[2;3H\x1b[1K", "1111111111|   2222222|3333333333|4444444444", 2, 1},
		{"EL 2", full + "\x1b[2;3H\x1b[2K", "1111111111||3333333333|4444444444", 2, 1},
		{"ECH", "abcdef\x1b[2G\x1b[3X", "a   ef", 1, 0},
		{"ECH beyond", "abcdef\x1b[2G\x1b[99X", "a", 1, 0},
		{"ICH", "abcdefghij\x1b[3G\x1b[2@", "ab  cdefgh", 2, 0},
		{"ICH beyond", "abcdefghij\x1b[3G\x1b[99@", "ab", 2, 0},
		{"DCH", "abcdefghij\x1b[3G\x1b[2P", "abefghij", 2, 0},
		{"DCH beyond", "abcdefghij\x1b[3G\x1b[99P", "ab", 2, 0},
		{"IRM", "abcdef\x1b[3G\x1b[4hXY\x1b[4lZ", "abXYZdef", 5, 0},
		{"IRM pushes off", "abcdefghij\x1b[3G\x1b[4hXY", "abXYcdefgh", 4, 0},
		{"IL", full + "\x1b[2;3H\x1b[L", "1111111111||2222222222|3333333333", 2, 1},
		{"IL beyond", full + "\x1b[2;3H\x1b[99L", "1111111111", 2, 1},
		{"DL", full + "\x1b[2;3H\x1b[M", "1111111111|3333333333|4444444444", 2, 1},
		{"DL beyond", full + "\x1b[2;3H\x1b[99M", "1111111111", 2, 1},
		{"region", full + "\x1b[2;3r\x1b[3;1H\nx", "1111111111|3333333333|x|4444444444", 1, 2},
		{"region: below it nothing scrolls", full + "\x1b[2;3r\x1b[4;1H\nx", "1111111111|2222222222|3333333333|x444444444", 1, 3},
		{"region: RI at its top", full + "\x1b[2;3r\x1b[2;1H\x1bMx", "1111111111|x|2222222222|4444444444", 1, 1},
		{"region: IL", full + "\x1b[2;3r\x1b[2;1H\x1b[L", "1111111111||2222222222|4444444444", 0, 1},
		{"region: homes", "abc\x1b[2;3rx", "xbc", 1, 0},
		{"region that is none", "abc\x1b[3;3rx\x1b[9;12ry", "abcxy", 5, 0},
		{"region undone", full + "\x1b[2;3r\x1b[r\x1b[4;1H\nx", "2222222222|3333333333|4444444444|x", 1, 3},
		{"SU SD", full + "\x1b[S\x1b[2T", "||2222222222|3333333333", 9, 3},
		{"DECOM", "\x1b[2;3r\x1b[?6hx\x1b[9;1Hy\x1b[?6lz", "z|x|y", 1, 0},
		{"IND NEL RI", "ab\x1bDcd\x1bEe\x1bMf", "ab| fcd|e", 2, 1},
		{"RI at the top", full + "\x1b[H\x1bM", "|1111111111|2222222222|3333333333", 0, 0},
		{"save and restore", "ab\x1b7\x1b[3;3Hx\x1b8y", "aby||  x", 3, 0},
		{"restored in the last column", "0123456789\x1b7\x1b8x", "012345678x", 9, 0},
		{"CSI s and u", "ab\x1b[s\x1b[3;3Hx\x1b[uy", "aby||  x", 3, 0},
		{"DECALN", "\x1b#8", "EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE", 0, 0},
		{"RIS", full + "\x1b[2;3r\x1b[4h\x1bcx", "x", 1, 0},
		{"REP", "ab\x1b[3b", "abbbb", 5, 0},
		{"CAN ends a sequence", "a\x1b[2\x18Jb", "aJb", 3, 0},
		{"ESC starts anew", "a\x1b[2\x1b[Cb", "a b", 3, 0},
		{"LF inside a sequence", "a\x1b[2\nCb", "a|   b", 4, 1},
		{"sequences that mean nothing", "a\x1b[>1;2c\x1b[?2004h\x1b[!p\x1b[1$~\x1b[;;;mb\x1bFc", "abc", 3, 0},
		{"function key of this terminal", "a\x1b[[Ab", "ab", 2, 0},
		{"titles", "a\x1b]0;title\ab\x1b]2;title\x1b\\c", "abc", 3, 0},
		{"DCS, APC, PM, SOS", "a\x1bPq#1\x1b\\b\x1b_x\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e", "abcde", 5, 0},
		{"string cut off", "a\x1b]0;ti\x18b", "ab", 2, 0},
		{"palette", "a\x1b]P1ff00ffb\x1b]Rc", "abc", 3, 0},
		{"palette that is none", "a\x1b]P1zb", "ab", 2, 0},
		{"NUL and DEL", "a\x00b\x7fc", "abc", 3, 0},

		{"UTF-8", "äöü€𝄞", "äöü€𝄞", 5, 0},
		{"UTF-8 cut by a letter", "\xe2\x82x", "\uFFFDx", 2, 0},
		{"UTF-8 cut by a newline", "\xe2\x82\r\nx", "\uFFFD|x", 1, 1},
		{"UTF-8 overlong", "\xc0\xaf\xe0\x80\xafx", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDx", 6, 0},
		{"UTF-8 surrogate", "\xed\xa0\x80x", "\uFFFD\uFFFD\uFFFDx", 4, 0},
		{"UTF-8 too great", "\xf4\x90\x80\x80\xf5x", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDx", 6, 0},
		{"UTF-8 cut by another", "\xe2\xe2\x82\xac", "\uFFFD€", 2, 0},
		{"C1 CSI", "a\u009b3Cb", "a   b", 5, 0},
		{"Latin-1", "\x1b%@\xe4\xf6\x1b%Gä", "äöä", 3, 0},
		{"combining", "e\u0301x", "\u00e9x", 2, 0},
		{"combining, two", "o\u0302\u0301x", "\u1ed1x", 2, 0},
		{"combining, not possible", "x\u0301y", "xy", 2, 0},
		{"combining in the last column", "012345678e\u0301x", "012345678\u00e9|x", 1, 1},
		{"combining, wide", "\u304b\u3099x", "\u304cx", 3, 0},
		{"combining with nothing", "\u0301x", "x", 1, 0},
		{"combining after a move", "ea\u001b[2G\u0301x", "ex", 2, 0},
		{"combining, repeated", "e\u0301\x1b[2b", "\u00e9\u00e9\u00e9", 3, 0},
		{"wide", "日本x", "日本x", 5, 0},
		{"wide at the edge", "12345678\u65e5x\u672c", "12345678日|x本", 3, 1},
		{"wide that has no room", "123456789日", "123456789|日", 2, 1},
		{"wide that has no room, no wrap", "\x1b[?7l123456789日", "12345678日", 9, 0},
		{"left half overwritten", "日本\x1b[Hx", "x 本", 1, 0},
		{"right half overwritten", "日本\x1b[2Gx", " x本", 2, 0},
		{"over two halves", "日本\x1b[2G語", " 語", 3, 0},
		{"half deleted", "a日本\x1b[2G\x1b[P", "a 本", 1, 0},
		{"half erased", "a日本b\x1b[3G\x1b[2X", "a    b", 2, 0},
		{"inserted between halves", "a日本b\x1b[3G\x1b[@", "a   本b", 2, 0},
		{"half pushed off", "12345678日\x1b[H\x1b[@", " 12345678", 0, 0},

		{"G0 line drawing", "\x1b(0lqk\x1b(Bl", "┌─┐l", 4, 0},
		{"G1 by SO and SI", "lq\x0elq\x0fq", "lq┌─q", 5, 0},
		{"PC's own", "\x1b%@\x1b(U\xc9\xcd", "╔═", 2, 0},
		{"PC font", "\x1b[11m\x01\x02\x1b[10mx", "☺☻x", 3, 0},
		{"PC font, high half", "\x1b[12m\x49\x1b[10mx", "╔x", 2, 0},
		{"control characters shown", "\x1b[3h\x01\x1b[3lx\x01y", "☺xy", 3, 0},

		{"alternate screen", "ab\x1b[?1049hXY\x1b[?1049lc", "abc", 3, 0},
		{"alternate screen is seen", "ab\x1b[?1049h\x1b[HXY", "XY", 2, 0},
		{"alternate screen is new each time", "ab\x1b[?1049hXY\x1b[?1049l\x1b[?1049h", "", 2, 0},
		{"1047", "ab\x1b[?1047hXY\x1b[?1047lc", "ab  c", 5, 0},
		{"47", "ab\x1b[?47hXY\x1b[?47lc\x1b[?47h", "  XY", 5, 0},
		{"1048", "ab\x1b[?1048hXY\x1b[?1048lc", "abcY", 3, 0},
		{"left without entering", "ab\x1b[?1049l\x1b[?1047l\x1b[?47lc", "abc", 3, 0},
	} {
		s := New(10, 4)
		s.Write([]byte(c.in))
		if got := shown(s); got != c.want || s.x != c.x || s.y != c.y {
			t.Errorf("%s: %q gives %q, cursor %d,%d; want %q, %d,%d", c.name, c.in, got, s.x, s.y, c.want, c.x, c.y)
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"\x1b[c", "\x1b[?6c"},
		{"\x1bZ", "\x1b[?6c"},
		{"\x1b[5n", "\x1b[0n"},
		{"\x1b[3;4H\x1b[6n", "\x1b[3;4R"},
		{"\x1b[3;4H\x1b[?6n", "\x1b[?3;4R"},
		{"\x1b[2;4r\x1b[?6h\x1b[2;4H\x1b[6n", "\x1b[2;4R"},
		{"\x1b[>c\x1b[=c\x1b[1c\x1b[7n", ""},
	} {
		s := New(10, 4)
		s.Write([]byte(c.in))
		if got := string(s.TakeEffects().Reply); got != c.want {
			t.Errorf("%q answers %q, want %q", c.in, got, c.want)
		}
		if e := s.TakeEffects(); len(e.Reply) != 0 {
			t.Errorf("%q answers twice", c.in)
		}
	}
	s := New(10, 4)
	s.Write([]byte(strings.Repeat("\x1b[c", 10000)))
	if n := len(s.TakeEffects().Reply); n > maxReply {
		t.Errorf("%d bytes of answers are kept", n)
	}
}

func TestEffects(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Effects
	}{
		{"\a", Effects{Bell: true}},
		{"\x1b]0;x\a", Effects{}},
		{"\x1b[12;3]", Effects{Front: 3}},
		{"\x1b[15]", Effects{Front: -1}},
		{"\x1b[3q", Effects{LightLEDs: 4, DarkLEDs: 3}},
		{"\x1b[q", Effects{DarkLEDs: 7}},
		{"\x1b[9q", Effects{}},
		{"\x1bc", Effects{Reset: true}},
	} {
		s := New(10, 4)
		s.Write([]byte(c.in))
		got := s.TakeEffects()
		if got.Bell != c.want.Bell || got.Front != c.want.Front || got.Reset != c.want.Reset ||
			got.LightLEDs != c.want.LightLEDs || got.DarkLEDs != c.want.DarkLEDs {
			t.Errorf("%q: %+v, want %+v", c.in, got, c.want)
		}
	}
}

func TestKeyboardModes(t *testing.T) {
	s := New(10, 4)
	if s.AppCursor() || s.AppKeypad() || s.NewLine() || !s.Repeat() {
		t.Error("wrong at first")
	}
	s.Write([]byte("\x1b[?1h\x1b=\x1b[20h\x1b[?8l\x1b[?1000h"))
	if !s.AppCursor() || !s.AppKeypad() || !s.NewLine() || s.Repeat() || s.Mouse() != 2 {
		t.Error("not set")
	}
	s.Write([]byte("\x1b[?1l\x1b>\x1b[20l\x1b[?8h\x1b[?1000l"))
	if s.AppCursor() || s.AppKeypad() || s.NewLine() || !s.Repeat() || s.Mouse() != 0 {
		t.Error("not reset")
	}
}

func TestCursorIsHidden(t *testing.T) {
	s := New(10, 4)
	for _, c := range []struct {
		in   string
		want bool
	}{{"", true}, {"\x1b[?25l", false}, {"\x1b[?25h", true}, {"\x1b[?1c", false}, {"\x1b[?0c", true}, {"\x1b[?25l\x1bc", true}} {
		s.Write([]byte(c.in))
		if _, _, got := s.Cursor(); got != c.want {
			t.Errorf("after %q the cursor is shown: %v", c.in, got)
		}
	}
}

func TestHistory(t *testing.T) {
	s := New(10, 3)
	for i := range 10 {
		s.Write([]byte{'a' + byte(i), '\r', '\n'})
	}
	if got := shown(s); got != "i|j" {
		t.Fatalf("%q", got)
	}
	s.Scroll(-2)
	if got := shown(s); got != "g|h|i" {
		t.Errorf("two lines back: %q", got)
	}
	if _, _, seen := s.Cursor(); seen {
		t.Error("the cursor is seen though its line is not")
	}
	s.Write([]byte("k\r\nl\r\n"))
	if got := shown(s); got != "g|h|i" {
		t.Errorf("the view moves when something is written: %q", got)
	}
	s.Scroll(-1000)
	if got := shown(s); got != "a|b|c" {
		t.Errorf("all the way back: %q", got)
	}
	s.Scroll(1000)
	if got := shown(s); got != "k|l" || s.ScrolledBack() {
		t.Errorf("back in the present: %q", got)
	}
	s.Write([]byte("\x1b[3J"))
	s.Scroll(-1)
	if s.ScrolledBack() {
		t.Error("there is a history after CSI 3 J")
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := New(10, 3)
	for i := range 3 * historyLines {
		s.Write([]byte{'a' + byte(i%26), '\r', '\n'})
	}
	s.Scroll(-1 << 30)
	if s.back != historyLines {
		t.Errorf("%d lines of history", s.back)
	}
	// The oldest line that is kept is the one so many lines before the screen's top.
	want := string(rune('a' + (3*historyLines-2-historyLines)%26))
	if got := text(s)[0]; got != want {
		t.Errorf("the oldest line is %q, want %q", got, want)
	}
}

func TestRegionsAndAlternateScreenHaveNoHistory(t *testing.T) {
	s := New(10, 3)
	s.Write([]byte("\x1b[1;2r\x1b[2;1H\n\n\n\n\x1b[?1049h\n\n\n\n\n"))
	s.Scroll(-5)
	if s.ScrolledBack() {
		t.Error("there is one")
	}
}

func TestDirtyRows(t *testing.T) {
	s := New(10, 3)
	rows := make([]bool, 3)
	if !s.TakeDirty(rows) || !rows[0] || !rows[2] {
		t.Fatal("a new screen is to be drawn")
	}
	if s.TakeDirty(rows) || rows[0] || rows[1] || rows[2] {
		t.Fatal("nothing has changed")
	}
	s.Write([]byte("\x1b[2;5Hx"))
	if !s.TakeDirty(rows) || rows[0] || !rows[1] || rows[2] {
		t.Errorf("row 1 has changed: %v", rows)
	}
	s.Write([]byte("\x1b[3;5H"))
	if s.TakeDirty(rows) {
		t.Error("moving the cursor changes no row")
	}
}

// TestLogIsNotCut: a program that wants no wrapping does not cut the log.
func TestLogIsNotCut(t *testing.T) {
	s := New(10, 4)
	s.Write([]byte("\x1b[?7lab\r\n"))
	s.Log([]byte("0123456789abc\r\n0123456789"))
	s.Write([]byte("xyz"))
	if got := shown(s); got != "ab|0123456789|abc|012345678z" {
		t.Errorf("%q", got)
	}
}

func TestLog(t *testing.T) {
	s := New(30, 4)
	s.Write([]byte("\x1b[7;31m\x1b[4h\x1b(0# ls \x1b["))
	s.Log([]byte("[1.0] qqq\x1b[2J\r\ntwo\r\n"))
	s.Write([]byte("1Cx"))
	if got := shown(s); got != "# ┌⎽ [1.0] qqq[2J|two| │" {
		t.Errorf("%q", got)
	}
	row := make([]Cell, 30)
	s.Row(0, row)
	if row[5] != (Cell{ch: '['}) || !row[0].Has(Reverse) {
		t.Error("a log line has attributes of its own")
	}
	s.Row(2, row)
	if !row[1].Has(Reverse) {
		t.Error("the program's attributes are lost")
	}
}
