package getty

import (
	"io"
	"strings"
	"testing"
	"time"
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
