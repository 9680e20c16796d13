package keymap

import (
	"strconv"
	"strings"
)

// Symbol is what a key does in one column, as KDSKBENT takes it (UAPI
// linux/keyboard.h): a kind in the upper byte and a value in the lower; from
// kind 15 on, a Unicode character exclusive-or 0xf000.
type Symbol uint16

// Kinds of symbols that are computed with (KT_*).
const (
	kindLatin  = 0
	kindMeta   = 8
	kindLetter = 11
	kinds      = 15
)

// Void is the symbol of a key that does nothing, VoidSymbol.
const Void Symbol = 0x0200

func (s Symbol) kind() int   { return int(s >> 8) }
func (s Symbol) value() byte { return byte(s) }

func symbol(kind int, value byte) Symbol { return Symbol(kind)<<8 | Symbol(value) }

// symbols are the symbols by name.
var symbols = makeSymbols()

// The names of characters, in their order from the first one of each row on.
var characters = []struct {
	first byte
	names string
}{
	{0x20, "space exclam quotedbl numbersign dollar percent ampersand apostrophe parenleft parenright asterisk plus comma minus period slash"},
	{0x30, "zero one two three four five six seven eight nine colon semicolon less equal greater question at"},
	{0x5b, "bracketleft backslash bracketright asciicircum underscore grave"},
	{0x7b, "braceleft bar braceright asciitilde Delete"},
	{0xa0, "nobreakspace exclamdown cent sterling currency yen brokenbar section diaeresis copyright ordfeminine guillemotleft notsign hyphen registered macron"},
	{0xb0, "degree plusminus twosuperior threesuperior acute mu paragraph periodcentered cedilla onesuperior masculine guillemotright onequarter onehalf threequarters questiondown"},
	{0xc0, "Agrave Aacute Acircumflex Atilde Adiaeresis Aring AE Ccedilla Egrave Eacute Ecircumflex Ediaeresis Igrave Iacute Icircumflex Idiaeresis"},
	{0xd0, "ETH Ntilde Ograve Oacute Ocircumflex Otilde Odiaeresis multiply Ooblique Ugrave Uacute Ucircumflex Udiaeresis Yacute THORN ssharp"},
	{0xe0, "agrave aacute acircumflex atilde adiaeresis aring ae ccedilla egrave eacute ecircumflex ediaeresis igrave iacute icircumflex idiaeresis"},
	{0xf0, "eth ntilde ograve oacute ocircumflex otilde odiaeresis division oslash ugrave uacute ucircumflex udiaeresis yacute thorn ydiaeresis"},
}

// The names of everything else, by kind, in the order of their values.
var actions = []struct {
	first Symbol
	names string
}{
	{0x0114, "Find Insert Remove Select Prior Next Macro Help Do Pause"},
	{0x0200, "VoidSymbol Return Show_Registers Show_Memory Show_State Break Last_Console Caps_Lock Num_Lock Scroll_Lock Scroll_Forward Scroll_Backward Boot Caps_On Compose SAK Decr_Console Incr_Console KeyboardSignal Bare_Num_Lock"},
	{0x0300, "KP_0 KP_1 KP_2 KP_3 KP_4 KP_5 KP_6 KP_7 KP_8 KP_9 KP_Add KP_Subtract KP_Multiply KP_Divide KP_Enter KP_Comma KP_Period KP_MinPlus"},
	{0x0400, "dead_grave dead_acute dead_circumflex dead_tilde dead_diaeresis dead_cedilla dead_macron dead_kbreve dead_abovedot dead_abovering dead_kdoubleacute dead_kcaron dead_kogonek dead_iota dead_voiced_sound dead_semivoiced_sound dead_belowdot dead_hook dead_horn dead_stroke dead_abovecomma dead_abovereversedcomma dead_doublegrave dead_invertedbreve dead_belowcomma dead_currency dead_greek"},
	{0x0600, "Down Left Right Up"},
	{0x0700, "Shift AltGr Control Alt ShiftL ShiftR CtrlL CtrlR CapsShift"},
	{0x0900, "Ascii_0 Ascii_1 Ascii_2 Ascii_3 Ascii_4 Ascii_5 Ascii_6 Ascii_7 Ascii_8 Ascii_9"},
	{0x090a, "Hex_0 Hex_1 Hex_2 Hex_3 Hex_4 Hex_5 Hex_6 Hex_7 Hex_8 Hex_9 Hex_A Hex_B Hex_C Hex_D Hex_E Hex_F"},
	{0x0a00, "Shift_Lock AltGr_Lock Control_Lock Alt_Lock ShiftL_Lock ShiftR_Lock CtrlL_Lock CtrlR_Lock CapsShift_Lock"},
	{0x0c00, "SShift SAltGr SControl SAlt SShiftL SShiftR SCtrlL SCtrlR SCapsShift"},
}

// Second names.
const synonyms = "Control_h=BackSpace Control_i=Tab Control_j=Linefeed Home=Find End=Select PageUp=Prior " +
	"PageDown=Next multiplication=multiply pound=sterling pilcrow=paragraph Oslash=Ooblique Shift_L=ShiftL " +
	"Shift_R=ShiftR Control_L=CtrlL Control_R=CtrlR AltL=Alt AltR=AltGr Alt_L=Alt Alt_R=AltGr AltGr_L=Alt " +
	"AltGr_R=AltGr AltLLock=Alt_Lock AltRLock=AltGr_Lock SCtrl=SControl Spawn_Console=KeyboardSignal " +
	"Uncaps_Shift=CapsShift tilde=asciitilde circumflex=asciicircum no-break_space=nobreakspace " +
	"paragraph_sign=section soft_hyphen=hyphen rightanglequote=guillemotright dead_ogonek=dead_cedilla " +
	"dead_caron=dead_circumflex dead_breve=dead_tilde dead_doubleacute=dead_tilde"

func makeSymbols() map[string]Symbol {
	m := map[string]Symbol{}
	for _, row := range characters {
		for i, name := range strings.Fields(row.names) {
			m[name] = symbol(kindLatin, row.first+byte(i))
		}
	}
	for c := 'a'; c <= 'z'; c++ {
		m[string(c)] = symbol(kindLetter, byte(c))
		m[string(c-32)] = symbol(kindLetter, byte(c-32))
		m["Control_"+string(c)] = symbol(kindLatin, byte(c-96))
	}
	m["nul"], m["BackSpace"], m["Tab"], m["Linefeed"], m["Escape"] = 0x00, 0x08, 0x09, 0x0a, 0x1b
	m["Control_backslash"], m["Control_bracketright"] = 0x1c, 0x1d
	m["Control_asciicircum"], m["Control_underscore"] = 0x1e, 0x1f
	// Meta_ before a character of ASCII.
	for name, s := range m {
		if s.value() < 0x80 {
			m["Meta_"+name] = symbol(kindMeta, s.value())
		}
	}
	for i := range 256 {
		// The strings F1 to F20, then ten that have names, then on from F21.
		switch {
		case i < 20:
			m["F"+strconv.Itoa(i+1)] = Symbol(0x0100 + i)
		case i >= 30:
			m["F"+strconv.Itoa(i-9)] = Symbol(0x0100 + i)
		}
		if i < 63 {
			m["Console_"+strconv.Itoa(i+1)] = Symbol(0x0500 + i)
		}
	}
	for _, row := range actions {
		for i, name := range strings.Fields(row.names) {
			m[name] = row.first + Symbol(i)
		}
	}
	for _, pair := range strings.Fields(synonyms) {
		name, other, _ := strings.Cut(pair, "=")
		m[name] = m[other]
	}
	return m
}

// parseSymbol returns the symbol of that notation.
func parseSymbol(s string) (Symbol, bool) {
	caps := strings.HasPrefix(s, "+") && len(s) > 1
	if caps {
		s = s[1:]
	}
	v, ok := symbols[s]
	switch {
	case ok:
	case strings.HasPrefix(s, "U+") || strings.HasPrefix(s, "u+"):
		n, err := strconv.ParseUint(s[2:], 16, 32)
		if err != nil || n > 0xffff || n >= 0x100 && (n^0xf000)>>8 < kinds { // U+F000 and on: no symbol is free for them
			return 0, false
		}
		v = unicodeSymbol(rune(n))
	default:
		n, err := strconv.ParseUint(s, 0, 16)
		if err != nil || s[0] < '0' || s[0] > '9' {
			return 0, false
		}
		v = Symbol(n)
	}
	if caps && v.kind() == kindLatin {
		v = symbol(kindLetter, v.value())
	}
	return v, true
}

// unicodeSymbol is the symbol of a character.
func unicodeSymbol(r rune) Symbol {
	if r < 0x100 {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return symbol(kindLetter, byte(r))
		}
		return symbol(kindLatin, byte(r))
	}
	return Symbol(r) ^ 0xf000
}
