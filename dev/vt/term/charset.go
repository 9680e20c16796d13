package term

import "golang.org/x/text/encoding/charmap"

// charset is what G0 or G1 holds: how a byte that is no control character becomes
// a character.
type charset uint8

const (
	latin1   charset = iota // ESC ( B: ISO 8859-1
	graphics                // ESC ( 0: the VT100's line drawing
	cp437                   // ESC ( U: the PC's own
)

// special is the VT100's special graphics set, from 0x5f on (DEC STD 070; the
// table is in console_codes(4)'s "vt100 graphics mapping" as Unicode has it).
var special = [...]rune{
	' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼',
	'⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
}

// pcControls are what the PC's character ROM shows for 0 to 31 (IBM code page 437).
var pcControls = [32]rune{
	' ', '☺', '☻', '♥', '♦', '♣', '♠', '•', '◘', '○', '◙', '♂', '♀', '♪', '♫', '☼',
	'►', '◄', '↕', '‼', '¶', '§', '▬', '↨', '↑', '↓', '→', '←', '∟', '↔', '▲', '▼',
}

// translate returns what byte c stands for.
func (s charset) translate(c byte) rune {
	switch {
	case s == graphics && c >= 0x5f && c <= 0x7e:
		return special[c-0x5f]
	case s == cp437 && c < 0x20:
		return pcControls[c]
	case s == cp437 && c == 0x7f:
		return '⌂'
	case s == cp437:
		return charmap.CodePage437.DecodeByte(c)
	}
	return rune(c)
}
