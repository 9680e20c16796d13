package kbd

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/initramfs/keymap"
)

// The map that is built in is the one that a user finds as us.map.
func TestDefaultIsUS(t *testing.T) {
	const dir = "../../initramfs/etc/keymaps/"
	open := func(name string) (string, error) {
		b, err := os.ReadFile(dir + name)
		return string(b), err
	}
	text, err := open("us.map")
	if err != nil {
		t.Fatal(err)
	}
	us, err := keymap.Parse("us.map", text, open)
	if err != nil {
		t.Fatal(err)
	}
	m := newKeyMap()
	for column, c := range m.columns {
		o := us.Columns[column]
		if (c == nil) != (o == nil) {
			t.Errorf("column %d: built in %v, in us.map %v", column, c != nil, o != nil)
			continue
		}
		if c == nil {
			continue
		}
		for key, s := range c {
			if want := Symbol(o.Symbols[key]); s != want {
				t.Errorf("column %d, key %d: built in %#04x, in us.map %#04x", column, key, s, want)
			}
		}
	}
	for i, s := range m.strings {
		if want := us.Strings[byte(i)]; s != want {
			t.Errorf("string %d: built in %q, in us.map %q", i, s, want)
		}
	}
}

func TestKeyMapEntries(t *testing.T) {
	m := newKeyMap()
	for _, c := range []struct {
		name          string
		column, index uint8
		s             Symbol
		wide, admin   bool
		err           error
	}{
		{"a letter", 0, 30, 0x0b62, true, false, nil},
		{"Unicode", 0, 30, 0x20ac ^ 0xf000, true, false, nil},
		{"Unicode, 8-bit terminal", 0, 30, 0x20ac ^ 0xf000, false, false, unix.EINVAL},
		{"no such special key", 0, 30, 0x02ff, true, false, unix.EINVAL},
		{"no such modifier", 0, 30, 0x0709, true, false, unix.EINVAL},
		{"the last kind", 0, 30, 0x0e0a, true, false, nil},
		{"a new column", 77, 30, 0x0061, true, false, nil},
		{"key 0 is only checked", 0, 0, 0x0061, true, false, nil},
		{"key 0, a wrong symbol", 0, 0, 0x0320, true, false, unix.EINVAL},
		{"secure attention", 0, 30, sak, true, false, unix.EPERM},
		{"secure attention, administrator", 0, 31, sak, true, true, nil},
		{"away with secure attention", 0, 31, 0x0061, true, false, unix.EPERM},
	} {
		if err := m.set(c.column, c.index, c.s, c.wide, c.admin); err != c.err {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if c.err == nil && c.index != 0 {
			if got := m.get(c.column, c.index, true); got != c.s {
				t.Errorf("%s: reads back as %#04x", c.name, got)
			}
		}
	}
	if got := m.get(77, 31, true); got != hole {
		t.Errorf("another key of the new column is %#04x", got)
	}
	if got := m.get(78, 0, true); got != noSuchMap {
		t.Errorf("key 0 of a column there is not: %#04x", got)
	}
	if got := m.get(78, 1, true); got != hole {
		t.Errorf("key 1 of a column there is not: %#04x", got)
	}
	if err := m.set(77, 0, noSuchMap, true, false); err != nil || m.columns[77] != nil {
		t.Errorf("the column stays: %v", err)
	}
	if err := m.set(0, 0, noSuchMap, true, false); err != nil || m.columns[0] == nil {
		t.Errorf("the first column went: %v", err)
	}
	m.columns[0][30] = 0x20ac ^ 0xf000
	if got := m.get(0, 30, false); got != hole {
		t.Errorf("an 8-bit terminal sees %#04x for a Unicode character", got)
	}
}
