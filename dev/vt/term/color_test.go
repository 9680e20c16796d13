package term

import "testing"

func TestAttributes(t *testing.T) {
	const (
		black, red, green, brown, gray   = 0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0xaaaaaa
		dark, bright, white, brightGreen = 0x555555, 0xff5555, 0xffffff, 0x55ff55
	)
	for _, c := range []struct {
		in     string
		fg, bg uint32
	}{
		{"", gray, black},
		{"\x1b[31m", red, black},
		{"\x1b[31;42m", red, green},
		{"\x1b[1m", white, black},
		{"\x1b[1;31m", bright, black},
		{"\x1b[1;31;22m", red, black},
		{"\x1b[2m", dark, black},
		{"\x1b[3m", green, black},
		{"\x1b[1;3m", brightGreen, black},
		{"\x1b[7m", black, gray},
		{"\x1b[7;27m", gray, black},
		{"\x1b[7;31m", black, red},
		{"\x1b[5;41m", gray, bright},
		{"\x1b[91;102m", bright, brightGreen},
		{"\x1b[31;39m", gray, black},
		{"\x1b[41;49m", gray, black},
		{"\x1b[31;0m", gray, black},
		{"\x1b[31;m", gray, black},
		{"\x1b[?5h", black, gray},
		{"\x1b[?5h\x1b[7m", gray, black},
		{"\x1b[38;5;1m", red, black},
		{"\x1b[38;5;196m", 0xff0000, black},
		{"\x1b[48;5;67m", gray, 0x5f87af},
		{"\x1b[38;5;232m", 0x080808, black},
		{"\x1b[38;5;255m", 0xeeeeee, black},
		{"\x1b[38;5;256m", gray, black},
		{"\x1b[38;2;255;128;0m", 0xff8400, black},
		{"\x1b[38;2;255;255;255;48;2;0;0;0m", white, black},
		{"\x1b[38;2;1;2;300m", gray, black},
		{"\x1b[38;2;255m", gray, black},
		{"\x1b[38;5m", gray, black},
		{"\x1b[38m", gray, black},
		{"\x1b[38;9;31m", red, black},
		{"\x1b[38:5:1m", red, black},
		{"\x1b[38:2:255:128:0m", 0xff8400, black},
		{"\x1b[38:2::255:128:0;42m", 0xff8400, green},
		{"\x1b[38:2;42m", gray, green},
		{"\x1b[4:3;31m", red, black},
		{"\x1b]P1123456\x1b[31m", 0x123456, black},
		{"\x1b]P1123456\x1b]R\x1b[31m", red, black},
		{"\x1b[33m\x1b[8]\x1b[31m\x1b[0m", brown, black},
		{"\x1b[31m\x1b7\x1b[32m\x1b8", red, black},
	} {
		s := New(10, 2)
		s.Write([]byte(c.in + "x"))
		row := make([]Cell, 10)
		s.Row(0, row)
		look := s.Look()
		if fg, bg := look.Colors(row[0]); fg != c.fg || bg != c.bg {
			t.Errorf("%q: %06x on %06x, want %06x on %06x", c.in, fg, bg, c.fg, c.bg)
		}
	}
}

func TestUnderline(t *testing.T) {
	for in, want := range map[string]bool{
		"\x1b[4m": true, "\x1b[21m": true, "\x1b[4;24m": false, "\x1b[4:0m": false, "\x1b[4:3m": true, "\x1b[4;0m": false,
	} {
		s := New(10, 2)
		s.Write([]byte(in + "x"))
		if got := s.g.row(0)[0].Has(Underline); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

// TestErasedCellsTakeTheBackground: back_color_erase of terminfo(5).
func TestErasedCellsTakeTheBackground(t *testing.T) {
	for _, in := range []string{"\x1b[J", "\x1b[K", "\x1b[X", "\x1b[@", "\x1b[5P", "\x1b[L", "\x1b[2J", "\x1b[T"} {
		s := New(5, 2)
		s.Write([]byte("abcde\x1b[H\x1b[7;41m" + in))
		row := s.g.row(0)
		c := row[0]
		if in == "\x1b[5P" {
			c = row[4]
		}
		if c != (Cell{bg: Indexed(1)}) {
			t.Errorf("%q leaves %+v", in, c)
		}
	}
}
