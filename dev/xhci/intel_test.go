package xhci

import (
	"testing"

	"tamarix/dev/pci"
)

// configSpace is the configuration space of some functions, all of it writable.
type configSpace map[pci.Address]*[64]uint32

func (c configSpace) Read(a pci.Address, off uint16) uint32 {
	if f := c[a]; f != nil {
		return f[off/4]
	}
	return 0xffff_ffff
}

func (c configSpace) Write(a pci.Address, off uint16, v uint32) { c[a][off/4] = v }
func (c configSpace) Size(pci.Address) int                      { return 256 }
func (c configSpace) Roots() []pci.Root                         { return []pci.Root{{}} }

func TestTakePorts(t *testing.T) {
	for _, c := range []struct {
		name        string
		vendor      uint32
		mask, super uint32
		ehci        bool
		want        bool
	}{
		{"Intel with EHCI", 0x8086, 0x3fff, 0x3f, true, true},
		{"Intel alone", 0x8086, 0x3fff, 0x3f, false, false},
		{"another maker", 0x1b36, 0x3fff, 0x3f, true, false},
		{"nothing shared", 0x8086, 0, 0, true, false},
		{"no such registers", 0x8086, 0xffff_ffff, 0xffff_ffff, true, false},
	} {
		x := pci.Address{Slot: 20}
		space := configSpace{x: {0: 0x1e31_0000 | c.vendor, 2: classXHCI << 8, intelPortsMask / 4: c.mask, intelSuperMask / 4: c.super}}
		if c.ehci {
			space[pci.Address{Slot: 29}] = &[64]uint32{0: 0x1e26_0000 | c.vendor, 2: classEHCI << 8}
		}
		list := pci.Scan(space)
		if got := TakePorts(list[0], list); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		want := [2]uint32{}
		if c.want {
			want = [2]uint32{c.mask, c.super}
		}
		if got := [2]uint32{space[x][intelPorts/4], space[x][intelSuper/4]}; got != want {
			t.Errorf("%s: %x, want %x", c.name, got, want)
		}
	}
}

// classXHCI is the class of a controller.
const classXHCI = 0x0c0330
