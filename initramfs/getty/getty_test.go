package getty

import (
	"io"
	"strings"
	"testing"
	"time"

	"tamarix/dev/vt/term"
)

func TestReadName(t *testing.T) {
	cases := []struct{ typed, name, echo string }{
		{"root\r", "root", "root\n"},
		{"root\n", "root", "root\n"},
		{"roox\x7ft\r", "root", "roox\b \bt\n"},
		{"roox\bt\r", "root", "roox\b \bt\n"},
		{"\x7f\x7fa\r", "a", "a\n"},
		{"nobody\x15root\r", "root", "nobody" + strings.Repeat("\b \b", 6) + "root\n"},
		{"nobody\x17root\r", "root", "nobody" + strings.Repeat("\b \b", 6) + "root\n"},
		{"ro\x04ot\r", "root", "root\n"},
		{"a:b/c d\x01\xff\r", "abcd", "abcd\n"},
		{"root\x03", "", "root\n"},
	}
	for _, c := range cases {
		var echo strings.Builder
		name, err := readName(strings.NewReader(c.typed), &echo)
		if err != nil || name != c.name || echo.String() != c.echo {
			t.Errorf("%q: got %q, echo %q, %v; want %q, echo %q", c.typed, name, echo.String(), err, c.name, c.echo)
		}
	}
	if _, err := readName(strings.NewReader("\x04"), io.Discard); err != io.EOF {
		t.Errorf("^D on an empty line: %v, want EOF", err)
	}
	long := strings.Repeat("x", 1000)
	if name, _ := readName(strings.NewReader(long+"\r"), io.Discard); len(name) != maxName {
		t.Errorf("a name of 1000 characters gives %d", len(name))
	}
}

func TestExpand(t *testing.T) {
	now := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	if got := expand(`on \l at \t, \d \\ \`, "ttyS0", now); got != `on ttyS0 at 04:05:06, Sat Feb  3 2024 \ \` {
		t.Errorf("got %q", got)
	}
}

func TestVirtualTerminalsAreKnownByTheirNames(t *testing.T) {
	for line, want := range map[string]bool{"tty1": true, "tty63": true, "ttyS0": false, "tty": false, "console": false, "-": false} {
		if got := isVirtual(line); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestFreshTerminal(t *testing.T) {
	for _, left := range []string{
		"", "\x1b[2;4r\x1b[3;3H", "\x1b[2;4r\x1b[?6h\x1b[2;3H", "\x1b[1;31;7m", "\x1b[11m", "\x1b[4h", "\x1b[?7l",
		"\x1b[?25l\x1b[?1h\x1b=", "\x1b(0", "\x0e", "\x1b[?1049h\x1b[5;5H",
		"\x1b[?5h", "\x1b[20h", "\x1b[3h", "\x1b[?8l", "\x1b%@", "\x1b)B", "\x1b[?1c", "\x1b[?1000h", "\x1b[?9h", "\x1b]0;title", "\x1bP", "\x1b]P7ff0000",
	} {
		s := term.New(20, 6)
		s.Write([]byte("kept\r\n" + left))
		s.Write([]byte(fresh))
		_, y, shown := s.Cursor()
		if !shown || s.AppCursor() || s.AppKeypad() || s.NewLine() || !s.Repeat() || s.Mouse() != 0 || s.Look() != term.New(1, 1).Look() {
			t.Errorf("%q: the cursor is shown: %v, application keys %v, %v, Enter is two %v, keys repeat %v, mouse %d, colours %v", left,
				shown, s.AppCursor(), s.AppKeypad(), s.NewLine(), s.Repeat(), s.Mouse(), s.Look())
		}
		s.Write([]byte("\rlqx\b\bzx\aä\x0eq\x0f\x1b[6;1H\n\n"))
		row := make([]term.Cell, 20)
		s.Scroll(-2)
		s.Row(0, row)
		if got := row[0].Char(); got != 'k' {
			t.Errorf("%q: the first line begins with %q", left, got)
		}
		s.Row(y, row)
		if row[0] != plain('l') || row[1] != plain('z') || row[2] != plain('x') || row[3].Char() != 'ä' || row[4].Char() != '─' {
			t.Errorf("%q: %+v", left, row[:5])
		}
	}
}

// plain is a character without any attribute.
func plain(c byte) term.Cell {
	s := term.New(5, 1)
	s.Write([]byte{c})
	row := make([]term.Cell, 5)
	s.Row(0, row)
	return row[0]
}
