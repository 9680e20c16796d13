package term

import "unicode/utf8"

// state is where in a sequence the parser is.
type state uint8

const (
	ground      state = iota
	escape            // after ESC
	escapeMore        // after ESC and an intermediate character
	csiStart          // after CSI, before parameters
	csiParams         // in the parameters
	csiMore           // after an intermediate character of a CSI sequence
	csiIgnore         // in a CSI sequence that means nothing
	csiFunction       // after CSI [, which the function keys of this very terminal send
	oscStart          // after OSC
	oscPalette        // after OSC P: seven hexadecimal digits
	str               // in the text of an OSC, DCS, SOS, PM or APC that means nothing
	strEscape         // after ESC in such a text
)

// maxParams is how many parameters of a CSI sequence count; further ones are lost.
const maxParams = 32

// maxParam is the greatest value of a parameter; greater ones count as this.
const maxParam = 1<<16 - 1

// parser is the state between two bytes.
type parser struct {
	state   state
	private byte // '?', '>', '=' or '<' at the start of the parameters; 0: none
	inter   byte // the last intermediate character
	params  [maxParams]int
	colon   [maxParams]bool // the parameter followed a colon: it belongs to the one before
	n       int             // parameters begun; at least 1 from csiParams on
	digits  [7]byte         // of OSC P
	nDigits int

	// A UTF-8 sequence that is not complete: what it will be, how many bytes are
	// to come, and between what bounds the next one must lie.
	r      rune
	need   uint8
	lo, hi byte
}

// Write runs p through the emulator.
func (s *Screen) Write(p []byte) {
	for i := 0; i < len(p); i++ {
		if s.state == ground && s.need == 0 {
			if n := s.putRun(p[i:]); n > 0 {
				i += n - 1
				continue
			}
		}
		s.byte(p[i])
	}
}

// byte takes the next byte.
func (s *Screen) byte(c byte) {
	if s.need > 0 && s.continuation(c) {
		return
	}
	if s.state == ground && (s.displayCtrl || s.pcFont) && s.shows(c) {
		s.put(s.glyph(c))
		return
	}
	if s.state >= oscStart {
		s.stringByte(c)
		return
	}
	if c < 0x20 {
		s.control(c)
		return
	}
	switch s.state {
	case ground:
		s.character(c)
	case escape, escapeMore:
		s.escapeByte(c)
	case csiFunction:
		s.state = ground
	default:
		s.csiByte(c)
	}
}

// shows reports whether control character c is shown rather than obeyed while
// control characters are displayed. Some always count (console_codes(4): those
// without which the console could not be used).
func (s *Screen) shows(c byte) bool {
	switch c {
	case 0, '\b', '\n', '\f', '\r', 0x0e, 0x0f, 0x1b:
		return false
	case 0x9b:
		return s.utf8 && !s.pcFont
	}
	return c < 0x20 || c == 0x7f || s.pcFont
}

// character takes a byte from 0x20 up on the ground state.
func (s *Screen) character(c byte) {
	switch {
	case c < 0x7f:
		s.put(s.glyph(c))
	case c == 0x7f:
	case !s.utf8 && c == 0x9b:
		s.startCSI()
	case !s.utf8:
		s.put(s.glyph(c))
	default:
		s.lead(c)
	}
}

// glyph returns what byte c stands for in the charset that is shifted in.
func (s *Screen) glyph(c byte) rune {
	if s.meta {
		c ^= 0x80
	}
	if s.pcFont {
		return cp437.translate(c)
	}
	if s.displayCtrl && (c < 0x20 || c == 0x7f) {
		return cp437.translate(c)
	}
	return s.sets[s.shift].translate(c)
}

// lead takes a byte from 0x80 up that begins a character in UTF-8 (Unicode,
// table 3-7, "Well-formed UTF-8 byte sequences").
func (s *Screen) lead(c byte) {
	s.lo, s.hi = 0x80, 0xbf
	switch {
	case c >= 0xc2 && c <= 0xdf:
		s.r, s.need = rune(c&0x1f), 1
	case c >= 0xe0 && c <= 0xef:
		s.r, s.need = rune(c&0x0f), 2
		switch c {
		case 0xe0:
			s.lo = 0xa0
		case 0xed:
			s.hi = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		s.r, s.need = rune(c&0x07), 3
		switch c {
		case 0xf0:
			s.lo = 0x90
		case 0xf4:
			s.hi = 0x8f
		}
	default:
		s.put(utf8.RuneError)
	}
}

// continuation takes the next byte of a UTF-8 sequence. One that does not belong
// there ends the sequence, which becomes one replacement character, and is for
// the caller to look at: false.
func (s *Screen) continuation(c byte) bool {
	if c < s.lo || c > s.hi {
		s.need = 0
		s.put(utf8.RuneError)
		return false
	}
	s.lo, s.hi = 0x80, 0xbf
	s.r = s.r<<6 | rune(c&0x3f)
	s.need--
	if s.need > 0 {
		return true
	}
	switch {
	case s.r == 0x9b:
		s.startCSI()
	case s.r >= 0x80 && s.r < 0xa0: // other C1 controls mean nothing here
	default:
		s.put(s.r)
	}
	return true
}

// control obeys a C0 control character. Inside a sequence it does so too, and
// the sequence goes on, but for CAN, SUB and ESC.
func (s *Screen) control(c byte) {
	switch c {
	case '\a':
		s.effects.Bell = true
	case '\b':
		s.x, s.wrap = max(s.x-1, 0), false
	case '\t':
		s.tab(1)
	case '\n', '\v', '\f':
		s.lineFeed()
		if s.newline {
			s.carriageReturn()
		}
	case '\r':
		s.carriageReturn()
	case 0x0e: // SO
		s.shift, s.displayCtrl = 1, false
	case 0x0f: // SI
		s.shift, s.displayCtrl = 0, false
	case 0x18, 0x1a: // CAN, SUB
		s.state = ground
	case 0x1b:
		s.state, s.inter = escape, 0
	}
}

func (s *Screen) startCSI() {
	s.state = csiStart
	s.private, s.inter = 0, 0
	s.n = 1
	s.params[0], s.colon[0] = 0, false
}

// csiByte takes a byte from 0x20 up in a CSI sequence (ECMA-48, 5.4).
func (s *Screen) csiByte(c byte) {
	switch {
	case s.state == csiStart && c == '[':
		s.state = csiFunction
	case s.state == csiStart && c >= '<' && c <= '?':
		s.private, s.state = c, csiParams
	case c >= '0' && c <= ';' && s.state <= csiParams:
		s.state = csiParams
		s.paramByte(c)
	case c >= 0x20 && c < 0x30 && s.state != csiIgnore:
		s.inter, s.state = c, csiMore
	case c >= 0x40 && c < 0x7f:
		run := s.state != csiIgnore
		s.state = ground
		if run {
			s.csi(c)
		}
	case c == 0x7f:
	default:
		s.state = csiIgnore
	}
}

// paramByte takes a digit, colon or semicolon.
func (s *Screen) paramByte(c byte) {
	if c >= '0' && c <= '9' {
		if s.n <= maxParams {
			p := &s.params[s.n-1]
			*p = min(*p*10+int(c-'0'), maxParam)
		}
		return
	}
	if s.n <= maxParams {
		s.n++
	}
	if s.n <= maxParams {
		s.params[s.n-1], s.colon[s.n-1] = 0, c == ':'
	}
}

// count returns how many parameters there are.
func (s *Screen) count() int { return min(s.n, maxParams) }

// param returns parameter i; def stands for one that is missing or 0.
func (s *Screen) param(i, def int) int {
	if i < s.count() && s.params[i] != 0 {
		return s.params[i]
	}
	return def
}

// stringByte takes a byte of an OSC, DCS, SOS, PM or APC.
func (s *Screen) stringByte(c byte) {
	switch {
	case c == 0x18 || c == 0x1a || c == '\a':
		s.state = ground
	case c == 0x1b:
		s.state = strEscape
	case s.state == strEscape && c == '\\': // ST
		s.state = ground
	case s.state == strEscape:
		// Not a string terminator, so a new sequence.
		s.state, s.inter = escape, 0
		s.byte(c)
	case s.state == oscStart && c == 'P':
		s.state, s.nDigits = oscPalette, 0
	case s.state == oscStart && c == 'R':
		s.palette = s.standard
		s.allDirty = true
		s.state = ground
	case s.state == oscStart:
		s.state = str
	case s.state == oscPalette:
		s.paletteDigit(c)
	}
}
