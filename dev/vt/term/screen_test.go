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
	return lines
}

func TestPlainText(t *testing.T) {
	s := New(10, 3)
	s.Write([]byte("hello\r\nworld, longer"))
	want := "hello|world, lon|ger"
	if got := strings.Join(text(s), "|"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
