package qemu

import (
	"fmt"
	"strings"
	"time"
)

// keyHold is how long each key of Type stays down, and how long it takes to the
// next, in milliseconds: a fast typist's pace, with the keyboard's 16-byte queue
// in mind, which a slow guest must empty meanwhile.
const keyHold = 20

// keyNames has the key of a US keyboard, by QEMU's name for it (QKeyCode in its
// ui.json), that makes a character; shifted has those that need Shift too.
var keyNames, shifted = func() (plain, shift map[rune]string) {
	plain = map[rune]string{
		'\r': "ret", '\n': "ret", '\t': "tab", 0x1b: "esc", 0x7f: "backspace", ' ': "spc",
		'-': "minus", '=': "equal", '[': "bracket_left", ']': "bracket_right", '\\': "backslash",
		';': "semicolon", '\'': "apostrophe", '`': "grave_accent", ',': "comma", '.': "dot", '/': "slash",
	}
	for c := 'a'; c <= 'z'; c++ {
		plain[c] = string(c)
	}
	for c := '0'; c <= '9'; c++ {
		plain[c] = string(c)
	}
	shift = map[rune]string{}
	const low, high = "`1234567890-=[]\\;',./", `~!@#$%^&*()_+{}|:"<>?`
	for i, c := range low {
		shift[rune(high[i])] = plain[c]
	}
	for c := 'A'; c <= 'Z'; c++ {
		shift[c] = string(c + 'a' - 'A')
	}
	return plain, shift
}()

// keysFor are the keys that are down together to make a character.
func keysFor(c rune) ([]string, error) {
	if k, ok := keyNames[c]; ok {
		return []string{k}, nil
	}
	if k, ok := shifted[c]; ok {
		return []string{"shift", k}, nil
	}
	if c >= 1 && c <= 26 {
		return []string{"ctrl", string(c + 'a' - 1)}, nil
	}
	return nil, fmt.Errorf("no key of a US keyboard makes %q", c)
}

// A stroke presses keys together and lets them go again.
type stroke struct {
	keys []string
	hold int // milliseconds from each key's press, and from each one's release, to what comes next
}

// request is the monitor's command for it.
func (s stroke) request() request {
	var list []map[string]string
	for _, k := range s.keys {
		list = append(list, map[string]string{"type": "qcode", "data": k})
	}
	return request{"send-key", map[string]any{"keys": list, "hold-time": s.hold}}
}

// keysWaiting is how much typing QEMU is given in advance. It keeps 1,024 entries,
// three for each press or release of a key (its ui/input.c): that is 6.8 s of typing
// with keyHold. It drops without a word what comes when they are full.
const keysWaiting = 3 * time.Second

// strike has QEMU do strokes, as fast as it takes them.
func (vm *VM) strike(strokes []stroke) error {
	var batch []request
	flush := func() error {
		_, err := vm.execute(batch...)
		batch = nil
		return err
	}
	for _, s := range strokes {
		if ahead := time.Until(vm.keysEnd); ahead > keysWaiting {
			if err := flush(); err != nil {
				return err
			}
			time.Sleep(ahead - keysWaiting/2)
		}
		if now := time.Now(); vm.keysEnd.Before(now) {
			vm.keysEnd = now
		}
		vm.keysEnd = vm.keysEnd.Add(time.Duration(2*len(s.keys)*s.hold) * time.Millisecond)
		batch = append(batch, s.request())
	}
	return flush()
}

// Type presses the keys of the machine's keyboard that make s, on a US layout:
// \r is Enter, \x1b Escape, \x7f the backspace key, other control characters
// letters with Ctrl. QEMU's keyboard is the one that was plugged in last.
func (vm *VM) Type(s string) error {
	var all []stroke
	for _, c := range s {
		keys, err := keysFor(c)
		if err != nil {
			return err
		}
		all = append(all, stroke{keys, keyHold})
	}
	return vm.strike(all)
}

// Press presses keys together: "up", "alt-f2", "ctrl-alt-delete".
func (vm *VM) Press(combinations ...string) error {
	var all []stroke
	for _, c := range combinations {
		all = append(all, stroke{strings.Split(c, "-"), keyHold})
	}
	return vm.strike(all)
}

// Hold presses keys together for that many milliseconds.
func (vm *VM) Hold(combination string, milliseconds int) error {
	return vm.strike([]stroke{{strings.Split(combination, "-"), milliseconds}})
}
