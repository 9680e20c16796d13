package kbd

import (
	"golang.org/x/sys/unix"
)

const (
	columns      = 256 // columns of the key map (MAX_NR_KEYMAPS)
	maxFunctions = 256 // strings (MAX_NR_FUNC)
	maxString    = 512 // bytes of a string with the zero at its end (struct kbsentry)
)

// keyMap is what each key does: one column for each set of modifiers, nil where
// there is none. A column's entry 0, which no key has, says who made it.
type keyMap struct {
	columns [columns]*[keys]Symbol
	strings [maxFunctions]string
}

// look returns the symbol of a key in a column, false if there is no such column.
func (m *keyMap) look(column int, code Code) (Symbol, bool) {
	if column < 0 || column >= columns || m.columns[column] == nil {
		return hole, false
	}
	if code >= keys {
		return hole, true
	}
	return m.columns[column][code], true
}

// get is KDGKBENT. Terminals that are not in Unicode mode do not see characters
// beyond the first 256.
func (m *keyMap) get(column, index uint8, wide bool) Symbol {
	c := m.columns[column]
	switch {
	case c == nil && index == 0:
		return noSuchMap
	case c == nil, !wide && c[index].kind() >= kinds:
		return hole
	}
	return c[index]
}

// set is KDSKBENT: it checks a symbol and stores it, making the column if need
// be. No-such-map as entry 0 removes the column, unless it is the first. admin
// says that the caller may bind the secure attention key.
func (m *keyMap) set(column, index uint8, s Symbol, wide, admin bool) error {
	if index == 0 && s == noSuchMap {
		if column != 0 {
			m.columns[column] = nil
		}
		return nil
	}
	if k := s.kind(); k < kinds {
		if s.value() > maxValue[k] {
			return unix.EINVAL
		}
	} else if !wide {
		return unix.EINVAL
	}
	if index == 0 {
		return nil // no key: only the check is made
	}
	c := m.columns[column]
	if c == nil {
		c = new([keys]Symbol)
		for i := range c {
			c[i] = hole
		}
		c[0] = allocated
		m.columns[column] = c
	}
	if (s == sak) != (c[index] == sak) && !admin {
		return unix.EPERM
	}
	c[index] = s
	return nil
}
