package kbd

import (
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// event works on one change of a key. Its outcome is for deliver. Preconditions:
// order and mu held.
func (k *Keyboards) event(d *device, code Code, c change) {
	if k.filterSysRq(d, code, c) {
		return
	}
	k.change(d, code, c)
}

// change is event after SysRq's keys were taken out.
func (k *Keyboards) change(d *device, code Code, c change) {
	t := k.front
	raw := k.sendRaw(t, code, c)
	s := k.symbolOf(t, d, code, c)
	switch c {
	case pressed:
		d.down[code] = s
	case released:
		delete(d.down, code)
	}
	k.follow(d, code, c, s)
	k.countModifiers(c)
	if c == repeated && t.modes&AutoRepeat == 0 {
		return
	}
	k.act(t, s, c, raw || t.mode == modeOff)
	if s.kind() != kindSlock {
		t.sticky = 0
	}
}

// symbolOf finds what a key does. A key that is held goes on being what it was
// when it went down, so that a modifier cannot stay behind because the map, or
// the column, is another one when it goes up. Precondition: mu held.
func (k *Keyboards) symbolOf(t *Terminal, d *device, code Code, c change) Symbol {
	if c == released {
		return d.down[code]
	}
	column := (k.modifiers | t.sticky) ^ t.locked
	s, ok := k.keyMap.look(column, code)
	if !ok {
		t.sticky = 0 // no such column: as if there were no sticky modifiers
	}
	if s.kind() == kindLetter && t.flags&CapsLock != 0 {
		if shifted, ok := k.keyMap.look(column^shift, code); ok {
			s = shifted
		}
	}
	if c == repeated {
		// A modifier or lock stays what it is; a character follows the modifiers.
		if old := d.down[code]; old.kind() == kindShift {
			return old
		}
	}
	return s
}

// countModifiers finds the modifiers from the keys that are held, of whatever
// keyboard. When one goes up, a number that was typed on the keypad is complete.
// Precondition: mu held.
func (k *Keyboards) countModifiers(c change) {
	old := k.modifiers
	k.modifiers = 0
	for _, d := range k.devices {
		for _, s := range d.down {
			if kind := s.kind(); kind == kindShift || kind == kindSlock {
				k.modifiers |= 1 << modifier(s)
			}
		}
	}
	if c == released && k.modifiers != old && k.numbering {
		k.numbering = false
		k.character(k.front, rune(k.number))
	}
}

// modifier is the bit that a symbol of kindShift or its kin stands for.
func modifier(s Symbol) int {
	if s.value() == modCapsShift {
		return modShift
	}
	return s.value()
}

// act does what a symbol says. quiet leaves out all that would be typed: in the
// raw modes the program looks at the keys itself. Precondition: mu held.
func (k *Keyboards) act(t *Terminal, s Symbol, c change, quiet bool) {
	kind, v := s.kind(), s.value()
	if kind == kindShift && v == modCapsShift && c == pressed {
		t.flags &^= CapsLock
		k.light()
	}
	if c == released || quiet && kind != kindSpec {
		return
	}
	switch kind {
	case kindLatin, kindLetter:
		k.character(t, rune(v))
	case kindFn:
		k.text = append(k.text, k.keyMap.strings[v]...)
	case kindSpec:
		if !quiet || v == specSAK {
			k.special(t, v, c)
		}
	case kindPad:
		k.pad(t, v)
	case kindDead:
		k.character(t, accent(v))
	case kindDead2:
		k.character(t, rune(v))
	case kindCons:
		k.toSink(func(s Sink) { s.Switch(v + 1) })
	case kindCur:
		k.cursor(t, v)
	case kindMeta:
		if t.modes&MetaEscape != 0 {
			k.text = append(k.text, 0x1b, byte(v))
		} else {
			k.text = append(k.text, byte(v)|0x80)
		}
	case kindASCII:
		k.digit(v)
	case kindLock:
		if c == pressed {
			t.locked ^= 1 << modifier(s)
		}
	case kindSlock:
		if c == pressed {
			t.sticky ^= 1 << modifier(s)
			if _, ok := k.keyMap.look(t.locked^t.sticky, 0); !ok {
				t.sticky = 0
			}
		}
	case kindShift, kindBraille:
	default:
		k.character(t, rune(s^unicodeMask))
	}
}

// character types r: in UTF-8, or as one byte where the terminal is in its 8-bit
// mode, which has no more than Latin-1.
func (k *Keyboards) character(t *Terminal, r rune) {
	switch {
	case t.mode == modeUnicode:
		k.text = utf8.AppendRune(k.text, r)
	case r < 0x100:
		k.text = append(k.text, byte(r))
	}
}

// application types what keys send in their application modes, or a cursor key.
func (k *Keyboards) application(c byte, on bool) {
	second := byte('[')
	if on {
		second = 'O'
	}
	k.text = append(k.text, 0x1b, second, c)
}

func (k *Keyboards) cursor(t *Terminal, v int) {
	if v < curs {
		k.application("BDCA"[v], t.modes&ApplicationCursor != 0)
	}
}

// What the keypad types in its application mode (DEC VT220: SS3 and a letter),
// and as figures.
const (
	padApplication = "pqrstuvwxylSRQMnnmPQ"
	padFigures     = "0123456789+-*/\r,.?()"
)

// pad types a key of the keypad. Shift makes it figures or arrows even in
// application mode, as in Linux.
func (k *Keyboards) pad(t *Terminal, v int) {
	if v >= pads {
		return
	}
	if t.modes&ApplicationKeypad != 0 && k.modifiers&(1<<modShift) == 0 {
		k.application(padApplication[v], true)
		return
	}
	if t.flags&NumLock == 0 {
		switch v {
		case padComma, padDot:
			k.act(t, symbol(kindFn, fnRemove), pressed, false)
			return
		case 5:
			k.application('G', t.modes&ApplicationKeypad != 0)
			return
		}
		if v <= 9 {
			k.act(t, [...]Symbol{
				symbol(kindFn, fnInsert), symbol(kindFn, fnSelect), symbol(kindCur, curDown),
				symbol(kindFn, fnPageDown), symbol(kindCur, curLeft), 0, symbol(kindCur, curRight),
				symbol(kindFn, fnFind), symbol(kindCur, curUp), symbol(kindFn, fnPageUp),
			}[v], pressed, false)
			return
		}
	}
	k.text = append(k.text, padFigures[v])
	if v == padEnter && t.modes&NewLine != 0 {
		k.text = append(k.text, '\n')
	}
}

// digit takes a digit of a character's number: decimal ones first, then
// hexadecimal ones. The character comes when the modifier goes up.
func (k *Keyboards) digit(v int) {
	base := 10
	if v >= 10 {
		base, v = 16, v-10
	}
	if !k.numbering {
		k.numbering, k.number = true, 0
	}
	k.number = (k.number*base + v) & 0x1fffff
}

// special does the keys of kindSpec. Precondition: mu held.
func (k *Keyboards) special(t *Terminal, v int, c change) {
	sys := k.sys
	switch v {
	case specEnter:
		k.text = append(k.text, '\r')
		if t.modes&NewLine != 0 {
			k.text = append(k.text, '\n')
		}
	case specShowRegisters:
		k.todo = func() { sys.Show('p') }
	case specShowMemory:
		k.todo = func() { sys.Show('m') }
	case specShowTasks:
		k.todo = func() { sys.Show('t') }
	case specBreak:
		k.toSink(Sink.Break)
	case specLastConsole:
		k.toSink(Sink.Last)
	case specScrollForward:
		k.toSink(func(s Sink) { s.Scroll(1) })
	case specScrollBack:
		k.toSink(func(s Sink) { s.Scroll(-1) })
	case specPreviousConsole:
		k.toSink(func(s Sink) { s.Cycle(-1) })
	case specNextConsole:
		k.toSink(func(s Sink) { s.Cycle(1) })
	case specCapsOn:
		k.lock(t, t.flags|CapsLock, c)
	case specCapsLock:
		k.lock(t, t.flags^CapsLock, c)
	case specNumLock:
		if t.modes&ApplicationKeypad != 0 {
			k.application('P', true)
		} else {
			k.lock(t, t.flags^NumLock, c)
		}
	case specBareNumLock:
		k.lock(t, t.flags^NumLock, c)
	case specHold:
		if c == pressed {
			k.toSink(Sink.Hold)
		}
	case specBoot:
		if c == pressed {
			k.todo = sys.CtrlAltDel
		}
	case specSAK:
		if c == pressed {
			k.todo = sys.SecureAttention
		}
	case specSpawnConsole:
		if pid, sig := k.watcher, k.watcherSig; pid != 0 {
			k.todo = func() { k.tellWatcher(pid, sig) }
		}
	}
}

// lock changes a terminal's locks, unless the key merely repeats.
func (k *Keyboards) lock(t *Terminal, l LEDs, c change) {
	if c == pressed {
		t.flags = l
		k.light()
	}
}

// tellWatcher sends KDSIGACCEPT's signal; a process that has gone is forgotten.
func (k *Keyboards) tellWatcher(pid int32, sig unix.Signal) {
	if k.sys.Signal(pid, sig) == nil {
		return
	}
	k.mu.Lock()
	if k.watcher == pid {
		k.watcher = 0
	}
	k.mu.Unlock()
}
