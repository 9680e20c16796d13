package qemu

import (
	"fmt"
	"strings"
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

// sendKey is the request that presses these keys and lets them go again.
func sendKey(hold int, keys ...string) request {
	var list []map[string]string
	for _, k := range keys {
		list = append(list, map[string]string{"type": "qcode", "data": k})
	}
	return request{"send-key", map[string]any{"keys": list, "hold-time": hold}}
}

// Type presses the keys of the machine's keyboard that make s, on a US layout:
// \r is Enter, \x1b Escape, \x7f the backspace key, other control characters
// letters with Ctrl. QEMU's keyboard is the one that was plugged in last.
func (vm *VM) Type(s string) error {
	var all []request
	for _, c := range s {
		keys, err := keysFor(c)
		if err != nil {
			return err
		}
		all = append(all, sendKey(keyHold, keys...))
	}
	_, err := vm.execute(all...)
	return err
}

// Press presses keys together: "up", "alt-f2", "ctrl-alt-delete".
func (vm *VM) Press(combinations ...string) error {
	var all []request
	for _, c := range combinations {
		all = append(all, sendKey(keyHold, strings.Split(c, "-")...))
	}
	_, err := vm.execute(all...)
	return err
}

// Hold presses keys together for that many milliseconds.
func (vm *VM) Hold(combination string, milliseconds int) error {
	_, err := vm.execute(sendKey(milliseconds, strings.Split(combination, "-")...))
	return err
}
