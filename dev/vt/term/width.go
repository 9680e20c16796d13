package term

import (
	"unicode"

	"golang.org/x/text/width"
)

// columns returns how many cells r takes: 2 for what East Asian fonts draw in a
// square (UAX #11, classes W and F, emoji among them), 0 for what combines with
// the character before it or is not seen at all, else 1.
func columns(r rune) int {
	if r < 0x300 {
		return 1
	}
	switch k := width.LookupRune(r).Kind(); {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf), r >= 0x1160 && r <= 0x11ff:
		return 0 // the vowels and finals of Hangul join their initial
	case k == width.EastAsianWide, k == width.EastAsianFullwidth:
		return 2
	}
	return 1
}
