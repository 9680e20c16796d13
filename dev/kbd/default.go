package kbd

// Columns that the default map has.
const (
	plain     = 0
	shift     = 1 << modShift
	control   = 1 << modCtrl
	shiftCtrl = shift | control
	alt       = 1 << modAlt
	shiftAlt  = shift | alt
	ctrlAlt   = control | alt
)

// newKeyMap returns the default key map: a US keyboard, both Alt keys alike. It
// is what initramfs/etc/keymaps/us.map says, which a test compares it with.
func newKeyMap() *keyMap {
	m := new(keyMap)
	for _, column := range [...]int{plain, shift, control, shiftCtrl, alt, shiftAlt, ctrlAlt} {
		c := new([keys]Symbol)
		for i := range c {
			c[i] = hole
		}
		m.columns[column] = c
	}
	m.typewriter()
	m.controls()
	m.functionKeys()
	m.keypad()
	m.others()
	m.meta()
	return m
}

// meta makes Alt with a character Meta with it, where Alt does nothing else.
func (m *keyMap) meta() {
	for _, column := range [...]int{plain, shift, control} {
		beside := m.columns[column|alt]
		for code, s := range m.columns[column] {
			if k := s.kind(); (k == kindLatin || k == kindLetter) && s.value() < 0x80 && beside[code] == hole {
				beside[code] = symbol(kindMeta, s.value())
			}
		}
	}
}

// bind gives a key its symbols in the columns named.
func (m *keyMap) bind(code Code, s Symbol, columns ...int) {
	for _, c := range columns {
		m.columns[c][code] = s
	}
}

// all gives a key the same symbol in every column; a character in those without
// Alt, see meta.
func (m *keyMap) all(code Code, kind, value int) {
	for i, c := range m.columns {
		if c != nil && (kind != kindLatin || i&alt == 0) {
			c[code] = symbol(kind, value)
		}
	}
}

// typewriter binds the keys that print.
func (m *keyMap) typewriter() {
	for _, row := range [...]struct {
		first      Code
		low, shift string
	}{
		{Key1, "1234567890-=", "!@#$%^&*()_+"},
		{KeyQ, "qwertyuiop[]", "QWERTYUIOP{}"},
		{KeyA, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
		{KeyBackslash, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
		{KeySpace, " ", " "},
		{Key102nd, "<", ">"},
	} {
		for i := range len(row.low) {
			code, a, b := row.first+Code(i), row.low[i], row.shift[i]
			kind := kindLatin
			if a >= 'a' && a <= 'z' {
				kind = kindLetter
				m.bind(code, symbol(kindLatin, int(a&0x1f)), control, shiftCtrl)
			}
			m.bind(code, symbol(kind, int(a)), plain)
			m.bind(code, symbol(kind, int(b)), shift)
		}
	}
}

// controls binds the control characters that are not letters, as a VT220 has
// them: Ctrl with 2 to 8, with space, and with the signs they are named for.
func (m *keyMap) controls() {
	for i, c := range [...]byte{0, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x7f} {
		m.bind(Key1+1+Code(i), symbol(kindLatin, int(c)), control)
	}
	for _, k := range [...]struct {
		code Code
		char int
	}{{12, 0x1f}, {26, 0x1b}, {27, 0x1d}, {KeyBackslash, 0x1c}, {53, 0x1f}, {KeySpace, 0}} {
		m.bind(k.code, symbol(kindLatin, k.char), control)
	}
	m.bind(Key1+1, symbol(kindLatin, 0), shiftCtrl)    // Ctrl-@
	m.bind(Key1+5, symbol(kindLatin, 0x1e), shiftCtrl) // Ctrl-^
	m.bind(12, symbol(kindLatin, 0x1f), shiftCtrl)     // Ctrl-_
	m.bind(53, symbol(kindLatin, 0x7f), shiftCtrl)     // Ctrl-?
	m.bind(KeySpace, symbol(kindLatin, 0), shiftCtrl)

	m.all(KeyEsc, kindLatin, 0x1b)
	m.all(KeyBackspace, kindLatin, 0x7f)
	m.bind(KeyBackspace, symbol(kindLatin, 8), control, shiftCtrl)
	m.all(KeyTab, kindLatin, '\t')
	m.bind(KeyTab, symbol(kindMeta, '\t'), shift, shiftAlt) // terminfo's kcbt
	m.all(KeyEnter, kindSpec, specEnter)
	m.bind(KeyEnter, symbol(kindMeta, '\r'), alt, shiftAlt)
}

// functionKeys binds F1 to F12 and says what they send (terminfo(5), "linux").
func (m *keyMap) functionKeys() {
	for i := range 12 {
		code := KeyF1 + Code(i)
		if i >= 10 {
			code = KeyF11 + Code(i-10)
		}
		m.all(code, kindFn, i)
		m.bind(code, symbol(kindCons, i), alt, ctrlAlt)
		if i < 8 { // F13 to F20; "linux" has no more
			m.bind(code, symbol(kindFn, 12+i), shift)
		}
	}
	for i, s := range [...]string{
		"[A", "[B", "[C", "[D", "[E", "17~", "18~", "19~", "20~", "21~", "23~", "24~", // F1 to F12
		"25~", "26~", "28~", "29~", "31~", "32~", "33~", "34~", // F13 to F20
		fnFind: "1~", fnInsert: "2~", fnRemove: "3~", fnSelect: "4~", fnPageUp: "5~", fnPageDown: "6~",
		fnMacro: "M", fnPause: "P",
	} {
		if s != "" {
			m.strings[i] = "\x1b[" + s
		}
	}
}

// keypad binds the keypad. With Alt its digits make a character by its number.
func (m *keyMap) keypad() {
	for i, v := range [...]int{7, 8, 9, padMinus, 4, 5, 6, padPlus, 1, 2, 3, 0, padDot} {
		code := KeyKP7 + Code(i)
		m.all(code, kindPad, v)
		if v <= 9 {
			m.bind(code, symbol(kindASCII, v), alt)
		}
	}
	m.all(KeyKPAsterisk, kindPad, padStar)
	m.all(KeyKPSlash, kindPad, padSlash)
	m.all(KeyKPEnter, kindPad, padEnter)
	m.bind(KeyKPDot, symbol(kindSpec, specBoot), ctrlAlt)
}

// others binds modifiers, locks, the arrow keys and what is around them.
func (m *keyMap) others() {
	for _, k := range [...]struct {
		code        Code
		kind, value int
	}{
		{KeyLeftShift, kindShift, modShift}, {KeyRightShift, kindShift, modShift},
		{KeyLeftCtrl, kindShift, modCtrl}, {KeyRightCtrl, kindShift, modCtrl},
		{KeyLeftAlt, kindShift, modAlt}, {KeyRightAlt, kindShift, modAlt},
		{KeyCapsLock, kindSpec, specCapsLock}, {KeyNumLock, kindSpec, specNumLock},
		{KeyScrollLock, kindSpec, specHold},
		{KeyHome, kindFn, fnFind}, {KeyEnd, kindFn, fnSelect},
		{KeyPageUp, kindFn, fnPageUp}, {KeyPageDown, kindFn, fnPageDown},
		{KeyInsert, kindFn, fnInsert}, {KeyDelete, kindFn, fnRemove},
		{KeyUp, kindCur, curUp}, {KeyDown, kindCur, curDown},
		{KeyLeft, kindCur, curLeft}, {KeyRight, kindCur, curRight},
		{KeyPause, kindFn, fnPause}, {KeyLinefeed, kindSpec, specBreak},
	} {
		m.all(k.code, k.kind, k.value)
	}
	m.bind(KeyScrollLock, symbol(kindSpec, specShowMemory), shift)
	m.bind(KeyScrollLock, symbol(kindSpec, specShowTasks), control)
	m.bind(KeyScrollLock, symbol(kindSpec, specShowRegisters), ctrlAlt)
	m.bind(KeyPageUp, symbol(kindSpec, specScrollBack), shift)
	m.bind(KeyPageDown, symbol(kindSpec, specScrollForward), shift)
	m.bind(KeyLeft, symbol(kindSpec, specPreviousConsole), alt)
	m.bind(KeyRight, symbol(kindSpec, specNextConsole), alt)
	m.bind(KeyUp, symbol(kindSpec, specSpawnConsole), alt)
	m.bind(KeyDelete, symbol(kindSpec, specBoot), ctrlAlt)
	m.bind(KeySysRq, symbol(kindLatin, 0x1c), control, shiftCtrl)
	m.bind(KeySysRq, symbol(kindSpec, specLastConsole), ctrlAlt)
}
