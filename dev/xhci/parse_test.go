package xhci

import (
	"encoding/binary"
	"testing"

	"tamarix/dev/usb"
)

// words are registers that only hold what they are given.
type words struct {
	p     []byte
	reads int
}

func (w *words) Size() uint32 { return uint32(len(w.p) &^ 3) }

func (w *words) Read32(off uint32) uint32 {
	w.reads++
	if off&3 != 0 || uint64(off)+4 > uint64(len(w.p)) {
		return 0xffff_ffff
	}
	return binary.LittleEndian.Uint32(w.p[off:])
}

func (w *words) Write32(off, v uint32) {}

// FuzzCapabilities reads what a controller says about itself: all registers that
// the driver is to use lie inside, and lists end.
func FuzzCapabilities(f *testing.F) {
	seed := func(change map[uint32]uint32) {
		p := make([]byte, simSize)
		m := newSim(nil, 4, 2)
		for off := uint32(0); off < simSize; off += 4 {
			binary.LittleEndian.PutUint32(p[off:], m.Read32(off))
		}
		for off, v := range change {
			binary.LittleEndian.PutUint32(p[off:], v)
		}
		f.Add(p)
	}
	seed(nil)
	seed(map[uint32]uint32{simExt + 0x28: 0x2000_0401, simExt + 0x30: 12<<16 | 2<<4 | 1, simExt + 0x34: 1500<<16 | 1<<4 | 2})
	seed(map[uint32]uint32{capParams1: 0xffff_0000, capRuntime: 0xffff_ffe0})
	seed(map[uint32]uint32{simExt: 0x0001_0001 | 0xff<<8})
	f.Fuzz(func(t *testing.T, p []byte) {
		w := &words{p: p}
		h, err := readHardware(w)
		if w.reads > 2000*20 {
			t.Fatalf("%d reads", w.reads)
		}
		if err != nil {
			return
		}
		size := w.Size()
		if h.op+opPorts+uint32(h.ports)*16 > size || h.run+runDequeue+8 > size || h.doorbells+uint32(h.slots+1)*4 > size ||
			h.legacy != 0 && h.legacy+4 > size {
			t.Fatalf("registers outside: %+v", h)
		}
		if h.slots < 1 || h.slots > 255 || h.ports < 1 || h.ports > 255 || h.scratch > 1023 || h.pageSize < 4096 || h.pageSize > 65536 {
			t.Fatalf("%+v", h)
		}
		for _, p := range h.protocols {
			if p.first < 1 || p.last < p.first || p.last > h.ports || p.slotType > 31 {
				t.Fatalf("protocol %+v", p)
			}
		}
		for port := 1; port <= h.ports; port++ {
			for id := range uint32(16) {
				if s := h.speed(port, id); s > usb.SuperPlus {
					t.Fatalf("speed %d", s)
				}
			}
		}
	})
}

func TestSpeedIDs(t *testing.T) {
	for id, want := range map[uint32]usb.Speed{
		1500<<16 | 1<<4: usb.Low, 12<<16 | 2<<4: usb.Full, 480<<16 | 2<<4: usb.High,
		5<<16 | 3<<4: usb.Super, 10<<16 | 3<<4: usb.SuperPlus, 0: usb.UnknownSpeed,
	} {
		if got := speedOf(id); got != want {
			t.Errorf("%#x: %v, want %v", id, got, want)
		}
	}
}

// A port's speed ids are the usual ones where the controller's own table does not
// name them.
func TestSpeedTable(t *testing.T) {
	p := make([]byte, simSize)
	m := newSim(t, 4, 2)
	for off := uint32(0); off < simSize; off += 4 {
		binary.LittleEndian.PutUint32(p[off:], m.Read32(off))
	}
	binary.LittleEndian.PutUint32(p[simExt+0x28:], 2<<28|4<<8|1)
	binary.LittleEndian.PutUint32(p[simExt+0x30:], 12<<16|2<<4|6) // id 6 is full speed
	binary.LittleEndian.PutUint32(p[simExt+0x34:], 3)             // id 3 is nothing
	h, err := readHardware(&words{p: p})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uint32]usb.Speed{1: usb.Full, 2: usb.Low, 3: usb.High, 6: usb.Full, 15: usb.UnknownSpeed} {
		if got := h.speed(1, id); got != want {
			t.Errorf("id %d: %v, want %v", id, got, want)
		}
	}
}

func TestInterval(t *testing.T) {
	for _, c := range []struct {
		speed    usb.Speed
		interval uint8
		want     uint32 // 2^n times 125 µs
	}{
		{usb.Low, 0, 3}, {usb.Low, 1, 3}, {usb.Low, 8, 6}, {usb.Low, 10, 6}, {usb.Full, 16, 7}, {usb.Full, 255, 10},
		{usb.High, 0, 0}, {usb.High, 1, 0}, {usb.High, 4, 3}, {usb.High, 16, 15}, {usb.Super, 255, 15},
	} {
		if got := interval(usb.Endpoint{Interval: c.interval}, c.speed); got != c.want {
			t.Errorf("%v Mbit/s, %d: %d, want %d", c.speed, c.interval, got, c.want)
		}
	}
}

func TestRouteString(t *testing.T) {
	if got := routeString([]uint8{3, 1, 15, 2, 4}); got != 0x42f13 {
		t.Errorf("%#x", got)
	}
	if got := index(usb.Endpoint{Address: 0x81}); got != 3 {
		t.Errorf("endpoint 1 to the host is context %d", got)
	}
	if got := index(usb.Endpoint{Address: 0x0f}); got != 30 {
		t.Errorf("endpoint 15 from the host is context %d", got)
	}
}
