package pci

import (
	"encoding/binary"
	"testing"
)

// FuzzCapabilities feeds a configuration space to the code that reads a device:
// the list of capabilities has no entry twice, none in the header, and what is
// done with its entries stays inside of the 256 bytes.
func FuzzCapabilities(f *testing.F) {
	seed := func(words map[int]uint32) {
		p := make([]byte, 256)
		for off, v := range words {
			binary.LittleEndian.PutUint32(p[off:], v)
		}
		f.Add(p)
	}
	seed(map[int]uint32{0: 0x000d1b36, 4: 1 << 20, 0x34: 0x40, 0x40: 0x4005, 0xfc: 0x4011})
	seed(map[int]uint32{0: 0x000d1b36, 4: 1 << 20, 0x34: 0xfc, 0xfc: 0x01fc_fc05})
	seed(map[int]uint32{0: 0x000d1b36, 4: 1 << 20, 0x34: 0x90, 0x90: 0x0007_a011, 0xa0: 0x0081_5005, 0x50: 1})
	seed(map[int]uint32{0: 0x000d1b36, 4: 1 << 20, 8: 0x06040000, 0xc: 0x810000, 0x18: 0xffff0100, 0x34: 0x10})
	f.Fuzz(func(t *testing.T, p []byte) {
		m := newFake()
		fn := &fakeFunction{}
		for i := range fn.space {
			if len(p) >= i*4+4 {
				fn.space[i] = binary.LittleEndian.Uint32(p[i*4:])
			}
		}
		m.functions[Address{}] = fn
		list := Scan(boundsCheck{m, t})
		if m.reads > 1<<20 {
			t.Fatalf("%d reads", m.reads)
		}
		for _, d := range list {
			seen := map[uint8]bool{}
			for _, c := range d.Capabilities {
				if c.Offset < 0x40 || c.Offset&3 != 0 || seen[c.Offset] {
					t.Fatalf("capabilities %+v", d.Capabilities)
				}
				seen[c.Offset] = true
			}
			for i := range d.BARs {
				if phys, size, err := d.Region(i); err == nil && (size&(size-1) != 0 || phys&(size-1) != 0 || phys == 0) {
					t.Fatalf("BAR %d: %#x, size %#x", i, phys, size)
				}
			}
			d.EnableMessage(Message{0xfee0_0000, 0x31}, m.mapper)
			d.DisableMessage()
			if d.String() == "" {
				t.Fatal("no name")
			}
		}
	})
}

// boundsCheck fails the test on accesses outside of configuration space.
type boundsCheck struct {
	*fakeMachine
	t *testing.T
}

func (b boundsCheck) Read(a Address, off uint16) uint32 {
	b.check(off)
	return b.fakeMachine.Read(a, off)
}

func (b boundsCheck) Write(a Address, off uint16, v uint32) {
	b.check(off)
	b.fakeMachine.Write(a, off, v)
}

func (b boundsCheck) check(off uint16) {
	if off&3 != 0 || off >= 256 {
		b.t.Fatalf("access at %#x", off)
	}
}
