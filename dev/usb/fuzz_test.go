package usb

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	seedDevice = []byte{18, 1, 0, 2, 0, 0, 0, 8, 0x27, 6, 1, 0, 0, 1, 1, 2, 3, 1}
	seedConfig = []byte{
		9, 2, 34, 0, 1, 1, 0, 0xa0, 50, 9, 4, 0, 0, 1, 3, 1, 1, 0,
		9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0, 7, 5, 0x81, 3, 8, 0, 10,
	}
	seedHub = []byte{9, 0x29, 4, 0x29, 0, 50, 100, 0, 0xff}
)

// FuzzDescriptors parses a descriptor as each kind there is.
func FuzzDescriptors(f *testing.F) {
	f.Add(seedDevice, uint8(Low))
	f.Add(seedConfig, uint8(Low))
	f.Add(seedHub, uint8(High))
	f.Add([]byte{255, 2, 9, 0, 1, 1, 0, 0xa0, 50}, uint8(Full))
	f.Add([]byte{9, 2, 255, 255, 1, 1, 0, 0, 0, 0, 5, 1, 4, 2, 4}, uint8(Super))
	f.Add([]byte{12, 3, 'A', 0, 0x1b, 0, 0x3d, 0xd8, 0x0a, 0xde, ' ', 0}, uint8(High))
	f.Fuzz(func(t *testing.T, p []byte, speed uint8) {
		s := Speed(speed % 6)
		before := bytes.Clone(p)
		if n, err := maxPacketOf(p, s); err == nil && n != 8 && n != 16 && n != 32 && n != 64 && n != 512 {
			t.Errorf("packets of %d bytes", n)
		}
		if d, err := parseDevice(p, s); err == nil && d.MaxPacket == 0 {
			t.Errorf("%+v", d)
		}
		if n, err := configLength(p); err == nil && (n < 9 || n > maxTransfer) {
			t.Errorf("a configuration of %d bytes", n)
		}
		if c, err := parseConfig(p, s); err == nil {
			if len(c.Interfaces) == 0 || len(c.Interfaces) > maxInterfaces || len(c.Interfaces)*9 > len(p) {
				t.Errorf("%d interfaces", len(c.Interfaces))
			}
			for _, i := range c.Interfaces {
				if len(i.Endpoints) > maxEndpoints {
					t.Errorf("%d endpoints", len(i.Endpoints))
				}
				for _, e := range i.Endpoints {
					if n := e.Number(); n < 1 || n > 15 || e.MaxPacket < 1 || e.MaxPacket > 1024 || e.Burst > 2 || e.Kind > 3 {
						t.Errorf("%+v", e)
					}
					if s == Low && e.MaxPacket > 8 || s == Full && e.Kind == EndpointInterrupt && e.MaxPacket > 64 {
						t.Errorf("%v Mbit/s: %+v", s, e)
					}
				}
			}
		}
		if h, err := parseHub(p); err == nil && (h.ports < 1 || h.ports > maxHubPorts || h.powerGood > time.Second || h.thinkTime > 3) {
			t.Errorf("%+v", h)
		}
		if h, err := parseStatus(p); err == nil && h.speed() == UnknownSpeed {
			t.Errorf("%+v", h)
		}
		if set := changedPorts(p, maxHubPorts); set&^0xffff != 0 {
			t.Errorf("ports %#x", set)
		}
		text := parseString(p)
		if !utf8.ValidString(text) || len(text) > 3*len(p) || strings.IndexFunc(text, unicode.IsControl) >= 0 || strings.HasSuffix(text, " ") {
			t.Errorf("text %q", text)
		}
		if !bytes.Equal(p, before) {
			t.Error("the descriptor was changed")
		}
	})
}

// FuzzReport feeds reports of a keyboard, nine bytes each: one says how long the
// report is. A key never goes down twice, or up without having been down, and when
// all is released nothing is left down.
func FuzzReport(f *testing.F) {
	f.Add([]byte{8, 2, 0, 4, 5, 6, 7, 8, 9, 8, 0, 0, 1, 1, 1, 1, 1, 1, 8, 0xff, 0, 9, 9, 4, 0, 0, 0})
	f.Add([]byte{1, 0x80, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0x31, 0x32, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		var r report
		down := map[uint16]int{}
		take := func(report []byte) {
			list := r.next(report)
			if len(list) > 8+6+6 {
				t.Fatalf("%d changes", len(list))
			}
			for _, c := range list {
				if c.code == 0 || c.code > 255 {
					t.Fatalf("code %d", c.code)
				}
				if c.down {
					down[uint16(c.code)]++
				} else {
					down[uint16(c.code)]--
				}
				if n := down[uint16(c.code)]; n < 0 || n > 1 {
					t.Fatalf("key %d is down %d times", c.code, n)
				}
			}
		}
		for ; len(p) >= 9; p = p[9:] {
			take(p[1 : 1+p[0]%9])
		}
		take(make([]byte, reportSize))
		for code, n := range down {
			if n != 0 {
				t.Errorf("key %d stays down", code)
			}
		}
	})
}
