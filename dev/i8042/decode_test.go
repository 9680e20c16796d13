package i8042

import (
	"fmt"
	"strings"
	"testing"

	"tamarix/dev/kbd"
)

// keys decodes bytes to a text: "+30 -30".
func keys(d *Decoder, p ...byte) string {
	var s []string
	for _, b := range p {
		d.Feed(b, func(code kbd.Code, down bool) {
			sign := "-"
			if down {
				sign = "+"
			}
			s = append(s, fmt.Sprintf("%s%d", sign, code))
		})
	}
	return strings.Join(s, " ")
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name string
		set1 []byte
		set2 []byte
		want string
	}{
		{"a", []byte{0x1e, 0x9e}, []byte{0x1c, 0xf0, 0x1c}, "+30 -30"},
		{"repeat", []byte{0x1e, 0x1e, 0x9e}, []byte{0x1c, 0x1c, 0xf0, 0x1c}, "+30 +30 -30"},
		{"F7", []byte{0x41, 0xc1}, []byte{0x83, 0xf0, 0x83}, "+65 -65"},
		{"F12", []byte{0x58, 0xd8}, []byte{0x07, 0xf0, 0x07}, "+88 -88"},
		{"the 102nd key", []byte{0x56, 0xd6}, []byte{0x61, 0xf0, 0x61}, "+86 -86"},
		{"up", []byte{0xe0, 0x48, 0xe0, 0xc8}, []byte{0xe0, 0x75, 0xe0, 0xf0, 0x75}, "+103 -103"},
		{"keypad up", []byte{0x48, 0xc8}, []byte{0x75, 0xf0, 0x75}, "+72 -72"},
		{
			"up with fake shifts", []byte{0xe0, 0x2a, 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0xaa},
			[]byte{0xe0, 0x12, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0xe0, 0xf0, 0x12}, "+103 -103",
		},
		{
			"print screen", []byte{0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa},
			[]byte{0xe0, 0x12, 0xe0, 0x7c, 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12}, "+99 -99",
		},
		{"print screen with Alt", []byte{0x38, 0x54, 0xd4, 0xb8}, []byte{0x11, 0x84, 0xf0, 0x84, 0xf0, 0x11}, "+56 +99 -99 -56"},
		{
			"pause", []byte{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5},
			[]byte{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}, "+119 -119",
		},
		{"break", []byte{0x1d, 0xe0, 0x46, 0xe0, 0xc6, 0x9d}, []byte{0x14, 0xe0, 0x7e, 0xe0, 0xf0, 0x7e, 0xf0, 0x14}, "+29 +119 -119 -29"},
		{"left meta", []byte{0xe0, 0x5b, 0xe0, 0xdb}, []byte{0xe0, 0x1f, 0xe0, 0xf0, 0x1f}, "+125 -125"},
		{"overrun", []byte{0xff, 0x1e}, []byte{0x00, 0x1c}, "+30"},
		{"overrun after a prefix", []byte{0xe0, 0xff, 0x48}, []byte{0xe0, 0x00, 0x75}, "+72"},
		{"unfinished pause", []byte{0xe1, 0x1e, 0x1e}, []byte{0xe1, 0x1c, 0x1c}, "+30 +30"},
		{"no such key", []byte{0xe0, 0x01, 0x1e}, []byte{0xe0, 0x76, 0x1c}, "+30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := keys(&Decoder{}, c.set1...); got != c.want {
				t.Errorf("set 1: %s, want %s", got, c.want)
			}
			if got := keys(&Decoder{Set2: true}, c.set2...); got != c.want {
				t.Errorf("set 2: %s, want %s", got, c.want)
			}
		})
	}
}

// Every key of set 2 has one code of set 1, and no two have the same, except F7,
// which has an old code too.
func TestTranslationIsOneToOne(t *testing.T) {
	seen := map[byte]int{}
	for b := 1; b < 0x85; b++ {
		c := translate(byte(b))
		if c == 0 {
			continue
		}
		if old, ok := seen[c]; ok && c != 0x41 && c != 0x54 {
			t.Errorf("%#02x and %#02x both become %#02x", old, b, c)
		}
		seen[c] = b
	}
	for c := byte(1); c <= 0x58; c++ {
		if _, ok := seen[c]; !ok {
			t.Errorf("no code of set 2 becomes %#02x", c)
		}
	}
}

// released are the keys that one set's codes can let go.
func released(set2 bool) map[kbd.Code]bool {
	keys := map[kbd.Code]bool{}
	for c := range 256 {
		for _, p := range [][]byte{{}, {prefixE0}} {
			switch {
			case set2:
				p = append(p, prefixF0, byte(c))
			case c < 0x80:
				p = append(p, byte(c)|breakBit)
			}
			d := Decoder{Set2: set2}
			for _, b := range p {
				d.Feed(b, func(code kbd.Code, on bool) { keys[code] = keys[code] || !on })
			}
		}
	}
	keys[kbd.KeyPause] = true // lets itself go
	return keys
}

// FuzzDecoder: whatever comes, keys are in range, a byte makes at most two of
// them, and the decoder falls back into step: after the bytes of one key, the
// next is understood.
func FuzzDecoder(f *testing.F) {
	f.Add(false, []byte{0x1e, 0x9e})
	f.Add(false, []byte{0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa})
	f.Add(false, []byte{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5})
	f.Add(true, []byte{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77})
	f.Add(true, []byte{0xe0, 0xf0, 0x75, 0x84, 0x00, 0xff})
	sets := map[bool]map[kbd.Code]bool{false: released(false), true: released(true)}
	f.Fuzz(func(t *testing.T, set2 bool, p []byte) {
		releasable := sets[set2]
		d := &Decoder{Set2: set2}
		down := map[kbd.Code]bool{}
		for _, b := range p {
			n := 0
			d.Feed(b, func(code kbd.Code, on bool) {
				n++
				if code == 0 || code > 0xff {
					t.Fatalf("code %d", code)
				}
				down[code] = on
			})
			if n > 2 {
				t.Fatalf("%d keys from one byte", n)
			}
			if n > 0 && !d.Idle() {
				t.Fatalf("in the middle of something after a key")
			}
		}
		for code := range down {
			if !releasable[code] {
				t.Fatalf("key %d went down, and nothing lets it go", code)
			}
		}
		a := []byte{0x1e, 0x9e, 0x1e, 0x9e}
		if set2 {
			a = []byte{0x1c, 0xf0, 0x1c, 0x1c, 0xf0, 0x1c}
		}
		if got := keys(d, a...); !strings.HasSuffix(got, "+30 -30") {
			t.Fatalf("after it, two a's are %q", got)
		}
	})
}
