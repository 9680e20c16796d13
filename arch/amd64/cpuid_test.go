package amd64

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

func TestHaltMayStopTimer(t *testing.T) {
	for _, c := range []struct {
		name, vendor   string
		sig, features2 uint32
		want           bool
	}{
		{"Athlon 64", "AuthenticAMD", 0x20ff0, 0, false},
		{"Athlon 64 X2", "AuthenticAMD", 0x40fb2, 0, true},
		{"Phenom II", "AuthenticAMD", 0x100f43, 0, true},
		{"Turion X2 Ultra", "AuthenticAMD", 0x200f31, 0, true},
		{"Bulldozer", "AuthenticAMD", 0x600f12, 0, false},
		{"Zen", "AuthenticAMD", 0x800f11, 0, false},
		{"virtual Phenom", "AuthenticAMD", 0x100f43, 1 << 31, false},
		{"Pentium 4", "GenuineIntel", 0xf43, 0, false},
		{"Core i7", "GenuineIntel", 0x906ea, 0, false},
	} {
		word := func(i int) uint32 { return binary.LittleEndian.Uint32([]byte(c.vendor)[i:]) }
		if got := haltMayStopTimer(func(leaf, _ uint32) (a, b, x, d uint32) {
			switch leaf {
			case 0:
				return 1, word(0), word(8), word(4)
			case 1:
				return c.sig, 0, c.features2, 0
			}
			return 0, 0, 0, 0
		}); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestIdentify(t *testing.T) {
	leaves := map[[2]uint32][4]uint32{
		{0, 0}:          {0x16, 0x756e6547, 0x6c65746e, 0x49656e69},
		{1, 0}:          {0x906ea, 0x100800, 1<<13 | 1<<0, 1<<0 | 1<<4 | 1<<19},
		{4, 0}:          {0x1c004121, 0x01c0003f, 0x3f},   // 32 KB
		{4, 1}:          {0x1c03c163, 0x02c0003f, 0x2fff}, // 9 MB
		{7, 0}:          {0, 1 << 5, 0, 0},
		{0x80000000, 0}: {0x80000008},
		{0x80000002, 0}: {0x65746e49, 0x2952286c, 0x726f4320, 0x4d542865},
		{0x80000007, 0}: {0, 0, 0, 1 << 8},
		{0x80000008, 0}: {0x3027},
	}
	one := identify(func(leaf, sub uint32) (a, b, c, d uint32) {
		r := leaves[[2]uint32{leaf, sub}]
		return r[0], r[1], r[2], r[3]
	})
	if one.Vendor != "GenuineIntel" || one.Family != 6 || one.Model != 0x9e || one.Stepping != 10 || one.Brand != "Intel(R) Core(TM" {
		t.Errorf("%+v", one)
	}
	if one.CacheKB != 9216 || one.Line != 64 || one.PhysicalBits != 39 || one.VirtualBits != 48 || one.Level != 0x16 {
		t.Errorf("%+v", one)
	}
	if got, want := strings.Join(one.Flags, " "), "fpu tsc clflush constant_tsc nonstop_tsc pni cx16 avx2"; got != want {
		t.Errorf("flags: %s, want %s", got, want)
	}
	for _, f := range flagNames {
		if n := len(strings.Fields(f.names)); n > 32 {
			t.Errorf("leaf %#x register %d: %d names", f.leaf, f.register, n)
		}
	}
	for name, want := range map[string][3]uint32{"hypervisor": {1, 2, 31}, "avx512vl": {7, 1, 31}, "3dnow": {0x80000001, 3, 31},
		"arch_capabilities": {7, 3, 29}, "pbe": {1, 3, 31}, "mwaitx": {0x80000001, 2, 29}, "rdpid": {7, 2, 22}, "umip": {7, 2, 2},
		"x2apic": {1, 2, 21}, "pdpe1gb": {0x80000001, 3, 26}, "fsrm": {7, 3, 4}, "enqcmd": {7, 2, 29}, "wbnoinvd": {0x80000008, 1, 9}} {
		for _, f := range flagNames {
			if i := slices.Index(strings.Fields(f.names), name); i >= 0 && (f.leaf != want[0] || f.register != int(want[1]) || i != int(want[2])) {
				t.Errorf("%s: leaf %#x register %d bit %d", name, f.leaf, f.register, i)
			}
		}
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, p []byte) {
		n := 0
		next := func() (v uint32) {
			for range 4 {
				if len(p) > 0 {
					v = v<<8 | uint32(p[n%len(p)])
				}
				n++
			}
			return v
		}
		one := identify(func(leaf, sub uint32) (a, b, c, d uint32) { return next(), next(), next(), next() })
		if one.Line <= 0 || one.Family < 0 || one.Family > 270 || len(one.Flags) > 400 || one.CacheKB > 1<<31 {
			t.Errorf("%+v", one)
		}
	})
}
