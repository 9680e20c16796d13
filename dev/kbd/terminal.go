package kbd

// Mode is what an escape sequence can ask of the keyboard, one bit each.
type Mode uint8

// The modes.
const (
	ApplicationCursor Mode = 1 << iota // DECCKM: the arrow keys send ESC O
	ApplicationKeypad                  // DECKPAM: the keypad sends ESC O with a letter
	AutoRepeat                         // DECARM: held keys repeat
	NewLine                            // LNM: Enter sends CR LF
	MetaEscape                         // Alt sends ESC before the character rather than its top bit (KDSKBMETA)
)

// defaultModes are those of a terminal that was reset.
const defaultModes = AutoRepeat | MetaEscape

// Terminal is the keyboard as one virtual terminal has it: raw or cooked, its
// modes, its locks. Its methods may be called from any goroutine.
type Terminal struct {
	k     *Keyboards
	input func(p []byte)

	// Guarded by k.mu.
	mode   keyMode
	modes  Mode
	flags  LEDs // which locks are on
	reset  LEDs // which are after a reset
	locked int  // modifiers that a key of kindLock keeps
	sticky int  // modifiers for the next key
	shown  LEDs // lights that a program asked for
	own    bool // they are shown rather than the locks
}

// NewTerminal makes a terminal's keyboard, in Unicode mode. input gets what is
// typed while the terminal is in the foreground: whole characters or strings. It
// must not keep p, nor block; see the package comment for what it may call.
func (k *Keyboards) NewTerminal(input func(p []byte)) *Terminal {
	return &Terminal{k: k, input: input, mode: modeUnicode, modes: defaultModes}
}

// SetMode turns modes on or off.
func (t *Terminal) SetMode(m Mode, on bool) {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if on {
		t.modes |= m
	} else {
		t.modes &^= m
	}
}

// Mode reports whether all of m are on.
func (t *Terminal) Mode(m Mode) bool {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	return t.modes&m == m
}

// SetLock turns locks on or off, and their lights with them.
func (t *Terminal) SetLock(l LEDs, on bool) {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if on {
		t.flags |= l
	} else {
		t.flags &^= l
	}
	t.changed()
}

// Reset puts modes, locks and lights to what they are at first: ESC c, VT_RESET.
// Raw or cooked it leaves as it is, as Linux does.
func (t *Terminal) Reset() {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.modes = defaultModes
	t.locked, t.sticky = 0, 0
	t.flags, t.own = t.reset, false
	t.changed()
}

// Unraw gives a terminal that a program left in a raw mode its characters back.
func (t *Terminal) Unraw() {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.mode = modeUnicode
}

// Foreground returns the terminal that gets what is typed, which is nobody's if
// SetForeground named none.
func (k *Keyboards) Foreground() *Terminal {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.front
}

// ShowLEDs is DECLL (ESC [ n q): it lights what set names and darkens what clear
// names, whatever the locks say, until the next Reset or KDSETLED.
func (t *Terminal) ShowLEDs(set, clear LEDs) {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.shown = t.lights()&^clear | set
	t.own = true
	t.changed()
}

// lights returns what the lights are while t is in the foreground. Precondition:
// k.mu held.
func (t *Terminal) lights() LEDs {
	if t.own {
		return t.shown
	}
	return t.flags
}

// changed brings the lights up to date. Precondition: k.mu held.
func (t *Terminal) changed() {
	if t.k.front == t {
		t.k.light()
	}
}
