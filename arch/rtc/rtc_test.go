package rtc

import (
	"testing"
	"time"
)

// chip is a clock chip's memory.
type chip [128]uint8

func (c *chip) read(r uint8) uint8 { return c[r&127] }

func none() {}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     map[uint8]uint8
		century uint8
		want    string // "": none
	}{
		{"BCD", map[uint8]uint8{0: 0x59, 2: 0x58, 4: 0x23, 7: 0x31, 8: 0x12, 9: 0x26, 11: hour24, 0x32: 0x20}, 0x32, "2026-12-31T23:58:59Z"},
		{"binary", map[uint8]uint8{0: 59, 2: 58, 4: 23, 7: 31, 8: 12, 9: 26, 11: hour24 | binary, 0x32: 20}, 0x32, "2026-12-31T23:58:59Z"},
		{"midnight of 12 hours", map[uint8]uint8{4: 0x12, 7: 1, 8: 2, 9: 0x26}, 0, "2026-02-01T00:00:00Z"},
		{"noon of 12 hours", map[uint8]uint8{4: 0x12 | pm, 7: 1, 8: 2, 9: 0x26}, 0, "2026-02-01T12:00:00Z"},
		{"evening of 12 hours", map[uint8]uint8{4: 0x11 | pm, 7: 1, 8: 2, 9: 0x26}, 0, "2026-02-01T23:00:00Z"},
		{"binary, 12 hours", map[uint8]uint8{4: 11 | pm, 7: 1, 8: 2, 9: 26, 11: binary}, 0, "2026-02-01T23:00:00Z"},
		{"no century, an old year", map[uint8]uint8{7: 1, 8: 1, 9: 0x99, 11: hour24}, 0, "1999-01-01T00:00:00Z"},
		{"no century, a new year", map[uint8]uint8{7: 1, 8: 1, 9: 0x69, 11: hour24}, 0, "2069-01-01T00:00:00Z"},
		{"the next century", map[uint8]uint8{7: 1, 8: 1, 9: 0x05, 11: hour24, 0x37: 0x21}, 0x37, "2105-01-01T00:00:00Z"},
		{"a century that is none", map[uint8]uint8{7: 1, 8: 1, 9: 0x26, 11: hour24, 0x32: 0xff}, 0x32, "2026-01-01T00:00:00Z"},
		{"a century in the time", map[uint8]uint8{7: 1, 8: 1, 9: 0x26, 11: hour24}, 4, "2026-01-01T00:00:00Z"},
		{"a leap day", map[uint8]uint8{7: 0x29, 8: 2, 9: 0x28, 11: hour24}, 0, "2028-02-29T00:00:00Z"},
		{"no leap day", map[uint8]uint8{7: 0x29, 8: 2, 9: 0x26, 11: hour24}, 0, ""},
		{"empty", nil, 0, ""},
		{"digits that are none", map[uint8]uint8{0: 0x0a, 7: 1, 8: 1, 9: 0x26, 11: hour24}, 0, ""},
		{"hour 0 of 12", map[uint8]uint8{7: 1, 8: 1, 9: 0x26}, 0, ""},
		{"updating for ever", map[uint8]uint8{7: 1, 8: 1, 9: 0x26, 10: updating, 11: hour24}, 0, ""},
	} {
		var k chip
		for r, v := range c.set {
			k[r] = v
		}
		now, ok := Now(k.read, c.century, none)
		if got := now.Format(time.RFC3339); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: %s %v, want %q", c.name, got, ok, c.want)
		}
	}
	if _, ok := Now(func(uint8) uint8 { return 0xff }, 0x32, none); ok {
		t.Error("a time without a chip")
	}
}

// TestReadWhileItCounts has the chip count on in the middle of a reading.
func TestReadWhileItCounts(t *testing.T) {
	for at := range 30 {
		k := chip{0: 0x59, 2: 0x59, 4: 0x23, 7: 0x31, 8: 0x12, 9: 0x26, 11: hour24}
		n := 0
		read := func(r uint8) uint8 {
			if n++; n == at {
				k = chip{7: 1, 8: 1, 9: 0x27, 11: hour24}
			}
			return k[r]
		}
		now, ok := Now(read, 0, none)
		s := now.Format(time.DateTime)
		if !ok || s != "2026-12-31 23:59:59" && s != "2027-01-01 00:00:00" {
			t.Errorf("after %d registers: %s %v", at, s, ok)
		}
	}
}

func FuzzNow(f *testing.F) {
	f.Add([]byte{0x59, 0, 0x58, 0, 0x23, 0, 0, 0x31, 0x12, 0x26, 0, hour24, 0, 0}, uint8(0x32))
	f.Add([]byte{12, 0, 13, 0, 0x92, 0, 0, 31, 12, 26, 0, binary, 0, 0, 0xff}, uint8(14))
	f.Fuzz(func(t *testing.T, p []byte, century uint8) {
		var k chip
		copy(k[:], p)
		now, ok := Now(k.read, century, none)
		if ok && (now.Year() < 1900 || now.Year() > 2999 || now.UnixNano() == 0 && now.Year() != 1970) {
			t.Errorf("%v", now)
		}
	})
}
