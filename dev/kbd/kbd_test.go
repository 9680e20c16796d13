package kbd

import (
	"testing"
	"time"
)

func TestTyping(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []Code
		want string
	}{
		{"letter", []Code{KeyA}, "a"},
		{"shifted letter", []Code{KeyLeftShift, KeyA}, "A"},
		{"right shift", []Code{KeyRightShift, KeyQ}, "Q"},
		{"digit", []Code{Key1}, "1"},
		{"shifted digit", []Code{KeyLeftShift, Key1}, "!"},
		{"control", []Code{KeyLeftCtrl, KeyC}, "\x03"},
		{"right control", []Code{KeyRightCtrl, KeyC}, "\x03"},
		{"control and shift", []Code{KeyLeftCtrl, KeyLeftShift, KeyC}, "\x03"},
		{"alt", []Code{KeyLeftAlt, KeyB}, "\x1bb"},
		{"right alt", []Code{KeyRightAlt, KeyB}, "\x1bb"},
		{"alt and shift", []Code{KeyLeftAlt, KeyLeftShift, KeyB}, "\x1bB"},
		{"alt and control", []Code{KeyLeftAlt, KeyLeftCtrl, KeyB}, "\x1b\x02"},
		{"enter", []Code{KeyEnter}, "\r"},
		{"backspace", []Code{KeyBackspace}, "\x7f"},
		{"escape", []Code{KeyEsc}, "\x1b"},
		{"tab", []Code{KeyTab}, "\t"},
		{"back tab", []Code{KeyLeftShift, KeyTab}, "\x1b\t"},
		{"control space", []Code{KeyLeftCtrl, KeySpace}, "\x00"},
		{"control backslash", []Code{KeyLeftCtrl, KeyBackslash}, "\x1c"},
		{"up", []Code{KeyUp}, "\x1b[A"},
		{"left", []Code{KeyLeft}, "\x1b[D"},
		{"home", []Code{KeyHome}, "\x1b[1~"},
		{"insert", []Code{KeyInsert}, "\x1b[2~"},
		{"delete", []Code{KeyDelete}, "\x1b[3~"},
		{"end", []Code{KeyEnd}, "\x1b[4~"},
		{"page up", []Code{KeyPageUp}, "\x1b[5~"},
		{"F1", []Code{KeyF1}, "\x1b[[A"},
		{"F6", []Code{KeyF1 + 5}, "\x1b[17~"},
		{"F11", []Code{KeyF11}, "\x1b[23~"},
		{"F12", []Code{KeyF12}, "\x1b[24~"},
		{"shift F1 is F13", []Code{KeyLeftShift, KeyF1}, "\x1b[25~"},
		{"keypad without num lock", []Code{KeyKP7}, "\x1b[1~"},
		{"keypad 5", []Code{KeyKP5}, "\x1b[G"},
		{"keypad arrow", []Code{KeyKP4}, "\x1b[D"},
		{"keypad enter", []Code{KeyKPEnter}, "\r"},
		{"keypad slash", []Code{KeyKPSlash}, "/"},
		{"keypad plus", []Code{KeyKPPlus}, "+"},
		{"pause", []Code{KeyPause}, "\x1b[P"},
		{"a key without meaning", []Code{KeyLeftMeta}, ""},
		{"a code beyond the map", []Code{0x200}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.press(c.keys...)
			d.want(c.want)
			d.wantDone()
			// Nothing stays behind.
			d.press(KeyA)
			d.want("a")
		})
	}
}

func TestLocks(t *testing.T) {
	d := newDesk(t)
	d.press(KeyCapsLock)
	if d.kb.leds != CapsLock {
		t.Errorf("lights %b, want Caps Lock", d.kb.leds)
	}
	d.press(KeyA)
	d.press(KeyLeftShift, KeyA)
	d.press(Key1)
	d.press(KeyLeftCtrl, KeyA)
	d.want("Aa1\x01")
	d.press(KeyNumLock)
	if d.kb.leds != CapsLock|NumLock {
		t.Errorf("lights %b, want Caps and Num Lock", d.kb.leds)
	}
	d.press(KeyKP7)
	d.press(KeyKPDot)
	d.want("7.")
	d.press(KeyCapsLock)
	d.press(KeyNumLock)
	d.press(KeyA)
	d.press(KeyKP7)
	d.want("a\x1b[1~")
	if d.kb.leds != 0 {
		t.Errorf("lights %b, want none", d.kb.leds)
	}
	d.press(KeyScrollLock)
	d.wantDone("hold")
}

// A held lock key is one stroke, however often its keyboard repeats it.
func TestLockRepeats(t *testing.T) {
	d := newDesk(t)
	for range 4 {
		d.k.Key(d.kb, KeyCapsLock, true)
	}
	d.k.Key(d.kb, KeyCapsLock, false)
	d.press(KeyA)
	d.want("A")
}

func TestLocksBelongToTerminals(t *testing.T) {
	d := newDesk(t)
	d.press(KeyCapsLock)
	other := ""
	second := d.k.NewTerminal(func(p []byte) { other += string(p) })
	d.k.SetForeground(second)
	if d.kb.leds != 0 {
		t.Errorf("lights %b on the second terminal, want none", d.kb.leds)
	}
	d.press(KeyA)
	if other != "a" {
		t.Errorf("the second terminal got %q, want a", other)
	}
	d.k.SetForeground(d.tty)
	if d.kb.leds != CapsLock {
		t.Errorf("lights %b back on the first terminal, want Caps Lock", d.kb.leds)
	}
	d.press(KeyA)
	d.want("A")
	d.k.SetForeground(nil)
	d.press(KeyA)
	d.want("")
}

func TestModes(t *testing.T) {
	d := newDesk(t)
	d.tty.SetMode(ApplicationCursor, true)
	d.press(KeyUp)
	d.press(KeyKP4)
	d.press(KeyHome)
	d.want("\x1bOA\x1bOD\x1b[1~")
	d.tty.SetMode(ApplicationKeypad, true)
	d.press(KeyKP7)
	d.press(KeyKPEnter)
	d.press(KeyNumLock)
	d.press(KeyKPMinus)
	d.press(KeyLeftShift, KeyKPPlus)
	d.want("\x1bOw\x1bOM\x1bOP\x1bOS+")
	d.tty.SetMode(NewLine, true)
	d.press(KeyEnter)
	d.want("\r\n")
	d.tty.SetMode(MetaEscape, false)
	d.press(KeyLeftAlt, KeyA)
	d.want("\xe1")
	d.tty.Reset()
	d.press(KeyUp)
	d.press(KeyEnter)
	d.press(KeyLeftAlt, KeyA)
	d.want("\x1b[A\r\x1ba")
}

func TestUnicodeAndLatin1(t *testing.T) {
	d := newDesk(t)
	d.k.keyMap.columns[0][KeyA] = 0x0be4                      // adiaeresis, a letter
	d.k.keyMap.columns[1][KeyA] = 0x0bc4                      // Adiaeresis
	d.k.keyMap.columns[0][KeyB] = Symbol(0x20ac ^ 0xf000)     // euro
	d.k.keyMap.columns[0][KeyC] = symbol(kindDead, 1)         // dead_acute
	d.k.keyMap.columns[0][KeyQ] = symbol(kindDead2, int('^')) // any dead key
	d.press(KeyA)
	d.press(KeyCapsLock)
	d.press(KeyA)
	d.press(KeyCapsLock)
	d.press(KeyB)
	d.press(KeyC)
	d.press(KeyQ)
	d.want("äÄ€'^")
	d.tty.mode = modeXlate
	d.press(KeyA)
	d.press(KeyB)
	d.want("\xe4")
}

func TestNumberedCharacter(t *testing.T) {
	d := newDesk(t)
	d.k.Key(d.kb, KeyLeftAlt, true)
	for _, c := range []Code{KeyKP1 + 1, KeyKP1 + 2, KeyKP1} { // 2, 3, 1
		d.press(c)
	}
	d.want("")
	d.k.Key(d.kb, KeyLeftAlt, false)
	d.want("ç")
}

func TestKeysForTheMachine(t *testing.T) {
	for _, c := range []struct {
		keys []Code
		want string
	}{
		{[]Code{KeyLeftAlt, KeyF2}, "switch 2"},
		{[]Code{KeyLeftAlt, KeyF12}, "switch 12"},
		{[]Code{KeyLeftCtrl, KeyLeftAlt, KeyF1}, "switch 1"},
		{[]Code{KeyLeftAlt, KeyLeft}, "cycle -1"},
		{[]Code{KeyLeftAlt, KeyRight}, "cycle 1"},
		{[]Code{KeyLeftShift, KeyPageUp}, "scroll -1"},
		{[]Code{KeyLeftShift, KeyPageDown}, "scroll 1"},
		{[]Code{KeyLeftCtrl, KeyLeftAlt, KeyDelete}, "ctrl-alt-del"},
		{[]Code{KeyRightCtrl, KeyRightAlt, KeyKPDot}, "ctrl-alt-del"},
		{[]Code{KeyLeftShift, KeyScrollLock}, "show m"},
		{[]Code{KeyLinefeed}, "break"},
	} {
		d := newDesk(t)
		d.press(c.keys...)
		d.want("")
		d.wantDone(c.want)
	}
}

func TestRawModes(t *testing.T) {
	d := newDesk(t)
	d.tty.mode = modeRaw
	d.press(KeyA)
	d.press(KeyUp)
	d.press(KeyLeftAlt, KeyF2)
	d.want("\x1e\x9e\xe0\x48\xe0\xc8\x38\x3c\xbc\xb8")
	d.wantDone()
	d.tty.mode = modeMediumRaw
	d.press(KeyA)
	d.press(Code(0x123))
	d.want("\x1e\x9e\x00\x82\xa3\x80\x82\xa3")
	d.tty.mode = modeOff
	d.press(KeyA)
	d.want("")
	// Modifiers that were held across a change of mode count.
	d.k.Key(d.kb, KeyLeftShift, true)
	d.tty.Unraw()
	d.press(KeyA)
	d.k.Key(d.kb, KeyLeftShift, false)
	d.press(KeyA)
	d.want("Aa")
}

// Every code of the default map has scan codes of its own that lead back to it.
func TestSet1RoundTrip(t *testing.T) {
	for c := Code(1); c < 128; c++ {
		p := appendSet1(nil, c, false)
		var back Code
		switch {
		case len(p) == 1:
			back = Set1(p[0])
		case len(p) == 2:
			back = Set1E0(p[1])
		default:
			continue // Pause, Print Screen, and keys that set 1 has not
		}
		if back != c {
			t.Errorf("code %d is sent as % x, which is %d", c, p, back)
		}
	}
}

func TestTwoKeyboards(t *testing.T) {
	d := newDesk(t)
	two := &board{name: "two"}
	d.press(KeyCapsLock)
	d.k.Attach(two)
	if two.leds != CapsLock {
		t.Errorf("lights of the new keyboard %b, want Caps Lock", two.leds)
	}
	d.press(KeyCapsLock)
	if two.leds != 0 {
		t.Errorf("lights of the other keyboard %b, want none", two.leds)
	}
	// Shift on one, a letter on the other.
	d.k.Key(two, KeyLeftShift, true)
	d.k.Key(d.kb, KeyLeftShift, true)
	d.k.Key(d.kb, KeyLeftShift, false)
	d.press(KeyA)
	d.want("A")
	// What was held on a keyboard that is unplugged is released.
	d.k.Key(two, KeyB, true)
	d.want("B")
	d.k.Detach(two)
	d.press(KeyA)
	d.clock.pass(time.Hour)
	d.want("a")
	d.k.Key(two, KeyA, true) // no longer one of ours
	d.want("")
	d.k.Detach(two)
}

func TestUnbalanced(t *testing.T) {
	d := newDesk(t)
	d.k.Key(d.kb, KeyLeftShift, false)
	d.k.Key(d.kb, KeyA, false)
	d.k.Key(d.kb, 0, true)
	d.k.Key(d.kb, 0xffff, true)
	d.press(KeyA)
	d.want("a")
}

func TestRepeat(t *testing.T) {
	d := newDesk(t)
	d.k.Key(d.kb, KeyA, true)
	d.clock.pass(defaultDelay - 1)
	d.want("a")
	d.clock.pass(1 + 2*defaultPeriod)
	d.want("aaa")
	d.k.Key(d.kb, KeyB, true) // the last key repeats
	d.clock.pass(defaultDelay)
	d.want("bb")
	d.k.Key(d.kb, KeyA, false)
	d.clock.pass(defaultPeriod)
	d.want("b")
	d.k.Key(d.kb, KeyB, false)
	d.clock.pass(time.Hour)
	d.want("")
	if n := d.clock.pending(); n != 0 {
		t.Errorf("%d timers run while no key is held", n)
	}
	d.k.Key(d.kb, KeyLeftShift, true)
	if n := d.clock.pending(); n != 0 {
		t.Errorf("%d timers run while only a modifier is held", n)
	}
	d.tty.SetMode(AutoRepeat, false)
	d.k.Key(d.kb, KeyA, true)
	d.clock.pass(time.Second)
	d.want("A")
}

// A machine that stood still for a while does not repeat a key whose release is
// still on its way.
func TestStalledRepeat(t *testing.T) {
	d := newDesk(t)
	d.k.Key(d.kb, KeyA, true)
	d.clock.stall(time.Second)
	d.clock.pass(respite - 1)
	d.want("a")
	d.k.Key(d.kb, KeyA, false)
	d.clock.pass(time.Second)
	d.want("")
	d.k.Key(d.kb, KeyA, true)
	d.clock.stall(time.Second)
	d.clock.pass(respite + defaultPeriod)
	d.want("aaa")
}

func TestOwnRepeat(t *testing.T) {
	d := newDesk(t)
	kb := &typematic{}
	d.k.Attach(kb)
	if kb.delay != defaultDelay || kb.period != defaultPeriod {
		t.Errorf("told to repeat after %v every %v", kb.delay, kb.period)
	}
	d.k.Key(kb, KeyA, true)
	d.clock.pass(time.Second)
	d.want("a")
	d.k.Key(kb, KeyA, true)
	d.want("a")
	d.k.mu.Lock()
	d.k.setRepeat(time.Second, 0)
	d.k.mu.Unlock()
	if kb.delay != time.Second || kb.period != defaultPeriod {
		t.Errorf("then to repeat after %v every %v", kb.delay, kb.period)
	}
}

func TestSysRq(t *testing.T) {
	d := newDesk(t)
	d.press(KeyLeftAlt, KeySysRq, KeyB)
	d.wantDone("sysrq b")
	// SysRq let go before the command; two commands; Alt on another keyboard.
	two := &board{}
	d.k.Attach(two)
	d.k.Key(two, KeyRightAlt, true)
	d.press(KeySysRq)
	d.press(KeyA)
	d.press(Key1)
	d.wantDone("sysrq a", "sysrq 1")
	d.k.Key(two, KeyRightAlt, false)
	d.want("")
	d.press(KeyA)
	d.want("a")
	d.press(KeyLeftAlt, KeySysRq) // without a command
	d.press(KeyB)
	d.want("b")
	d.wantDone()
	// A command key that is held longer than Alt is not typed.
	d.k.Key(d.kb, KeyLeftAlt, true)
	d.press(KeySysRq)
	d.k.Key(d.kb, KeyC, true)
	d.k.Key(d.kb, KeyLeftAlt, false)
	d.k.Key(d.kb, KeyC, true)
	d.clock.pass(time.Second)
	d.k.Key(d.kb, KeyC, false)
	d.want("")
	d.wantDone("sysrq c")
	d.press(KeyC)
	d.want("c")
	d.noSysRq = true
	d.press(KeyLeftAlt, KeySysRq, KeyB)
	d.wantDone()
	d.want("\x1bb")
}

// The column's lock and the sticky modifier of keymaps(5).
func TestLockAndSticky(t *testing.T) {
	d := newDesk(t)
	for _, c := range d.k.keyMap.columns {
		if c != nil {
			c[KeyF10] = symbol(kindLock, modShift)
			c[KeyF11] = symbol(kindSlock, modShift)
			c[KeyF12] = symbol(kindShift, modCapsShift)
		}
	}
	d.press(KeyF10)
	d.press(Key1)
	d.press(KeyF10)
	d.press(Key1)
	d.want("!1")
	d.press(KeyF11)
	d.press(KeyA)
	d.press(KeyA)
	d.want("Aa")
	d.press(KeyCapsLock)
	d.press(KeyF12, KeyA)
	d.press(KeyA)
	d.want("Aa")
}

func TestBell(t *testing.T) {
	d := newDesk(t)
	d.k.Bell(750, 125) // no speaker
	s := &speaker{}
	d.k.SetSpeaker(s)
	d.k.Bell(750, 125)
	if s.hertz != 750 {
		t.Errorf("sounds at %d Hz, want 750", s.hertz)
	}
	d.clock.pass(100 * time.Millisecond)
	d.k.Bell(440, 125)
	d.clock.pass(100 * time.Millisecond)
	if s.hertz != 440 {
		t.Errorf("sounds at %d Hz, want 440: the first bell's end ended the second", s.hertz)
	}
	d.clock.pass(25 * time.Millisecond)
	if s.hertz != 0 {
		t.Errorf("sounds at %d Hz, want silence", s.hertz)
	}
}

type speaker struct{ hertz int }

func (s *speaker) Tone(hz int) { s.hertz = hz }
