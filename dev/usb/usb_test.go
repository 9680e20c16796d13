package usb

import (
	"slices"
	"testing"
	"time"

	"tamarix/dev/kbd"
)

func TestParseConfig(t *testing.T) {
	p := append(slices.Clone(seedConfig),
		9, 4, 1, 0, 1, 8, 6, 80, 0, // storage with an endpoint that cannot be
		7, 5, 0x80, 2, 64, 0, 0,
		9, 4, 1, 1, 1, 8, 6, 80, 0,
		7, 5, 0x82, 3, 64, 0, 10, // more than low speed has
		9, 4) // cut off
	p[2] = byte(len(p))
	c, err := parseConfig(p, Low)
	if err != nil || c.Value != 1 || len(c.Interfaces) != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	want := Endpoint{Address: 0x81, Kind: EndpointInterrupt, MaxPacket: 8, Interval: 10}
	if k := c.Interfaces[0]; k.Class != 3 || k.Subclass != 1 || k.Protocol != 1 || !slices.Equal(k.Endpoints, []Endpoint{want}) {
		t.Errorf("%+v", k)
	}
	if i := c.Interfaces[1]; len(i.Endpoints) != 0 || i.Class != ClassStorage {
		t.Errorf("%+v", i)
	}
	if i := c.Interfaces[2]; len(i.Endpoints) != 1 || i.Alternate != 1 || i.Endpoints[0].MaxPacket != 8 {
		t.Errorf("%+v", i)
	}
	// What comes behind the announced length does not count.
	p[2] = 34
	if c, _ := parseConfig(p, Low); len(c.Interfaces) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestParseHub(t *testing.T) {
	h, err := parseHub(seedHub)
	if want := (hubDescriptor{ports: 4, powerGood: 100 * time.Millisecond, thinkTime: 1}); err != nil || h != want {
		t.Errorf("%+v, %v", h, err)
	}
	if got := changedPorts([]byte{0x13, 0xff}, 9); got != 1<<0|1<<1|1<<4|1<<8|1<<9 {
		t.Errorf("ports %#x", got)
	}
}

func TestParseString(t *testing.T) {
	for _, c := range []struct {
		p    string
		want string
	}{
		{"\x0a\x03K\x00\xe4\x00\x3d\xd8\x00\xde", "Kä😀"},
		{"\x08\x03A\x00\x1b\x00[\x00", "A?["},
		{"\xff\x03A\x00 \x00 \x00", "A"},
		{"\x06\x03\x00\xdc", "?"},
		{"\x02\x03", ""}, {"\x04\x02A\x00", ""}, {"", ""},
	} {
		if got := parseString([]byte(c.p)); got != c.want {
			t.Errorf("%q: %q, want %q", c.p, got, c.want)
		}
	}
}

// Each usage that keyboards of 105 keys have leads to another key, but the two
// places of the key beside Enter.
func TestUsages(t *testing.T) {
	seen := map[kbd.Code]int{}
	for u := 4; u <= 0x65; u++ {
		if usages[u] == 0 {
			t.Errorf("usage %#x has no key", u)
		}
		if o, ok := seen[usages[u]]; ok && u != 0x32 {
			t.Errorf("usages %#x and %#x are both key %d", o, u, usages[u])
		}
		seen[usages[u]] = u
	}
	for u := range lastErrorUsage + 1 {
		if usages[u] != 0 {
			t.Errorf("usage %#x is no key", u)
		}
	}
	// Some by name, from linux/input-event-codes.h.
	for usage, code := range map[int]kbd.Code{
		0x04: 30, 0x1d: 44, 0x1e: 2, 0x27: 11, 0x28: 28, 0x29: 1, 0x2c: 57, 0x39: 58, 0x3a: 59, 0x45: 88,
		0x46: 99, 0x4f: 106, 0x50: 105, 0x51: 108, 0x52: 103, 0x53: 69, 0x59: 79, 0x62: 82, 0x64: 86,
		0xe0: 29, 0xe1: 42, 0xe2: 56, 0xe3: 125, 0xe4: 97, 0xe5: 54, 0xe6: 100, 0xe7: 126,
	} {
		if usages[usage] != code {
			t.Errorf("usage %#x is key %d, want %d", usage, usages[usage], code)
		}
	}
}

func TestReport(t *testing.T) {
	var r report
	for _, c := range []struct {
		p    []byte
		want []change
	}{
		{[]byte{0, 0, 4, 4, 4}, []change{{30, true}}},
		{[]byte{0x21, 0, 5, 4}, []change{{29, true}, {54, true}, {48, true}}},
		{[]byte{0x01, 0, 1, 1, 1, 1, 1, 1}, []change{{54, false}}},
		{[]byte{0x01, 0, 5, 0xa5}, []change{{30, false}}},
		{nil, nil},
		{[]byte{0x01, 0, 5, 0xe0, 0x31, 0x32}, []change{{43, true}}}, // no modifier; two places of one key
		{[]byte{0x01, 0, 5, 0x32}, nil},
		{[]byte{0x01, 0, 5}, []change{{43, false}}},
		{[]byte{0}, []change{{29, false}, {48, false}}},
	} {
		if got := r.next(c.p); !slices.Equal(got, c.want) {
			t.Errorf("% x: %v, want %v", c.p, got, c.want)
		}
	}
}
