package term

import (
	"strings"
	"testing"
)

// BenchmarkCat is a file of ordinary lines on a screen of 1920 by 1080 points.
func BenchmarkCat(b *testing.B) {
	text := []byte(strings.Repeat("abcdefghijklmnopqrstuvwxyz0123456789\r\n", 50))
	s := New(240, 67)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.Write(text)
	}
}
