package kernel

import (
	"testing"

	"tamarix/dev/pci"
)

func TestPCIPath(t *testing.T) {
	at := func(bus, slot, function uint8) pci.Address { return pci.Address{Bus: bus, Slot: slot, Func: function} }
	bridge := &pci.Device{Address: at(0, 0x1c, 0), HeaderType: 1, Secondary: 1}
	inner := &pci.Device{Address: at(1, 0, 0), HeaderType: 1, Secondary: 2}
	loop := &pci.Device{Address: at(3, 0, 0), HeaderType: 1, Secondary: 3}
	all := []*pci.Device{bridge, inner, loop}
	for _, c := range []struct {
		d    *pci.Device
		want string
	}{
		{&pci.Device{Address: at(0, 0x1f, 2)}, "devices/pci0000:00/0000:00:1f.2"},
		{bridge, "devices/pci0000:00/0000:00:1c.0"},
		{&pci.Device{Address: at(2, 3, 1)}, "devices/pci0000:00/0000:00:1c.0/0000:01:00.0/0000:02:03.1"},
		{&pci.Device{Address: at(3, 1, 0)}, "devices/pci0000:03/0000:03:01.0"},
		{loop, "devices/pci0000:03/0000:03:00.0"},
	} {
		if got := pciPath(c.d, all); got != c.want {
			t.Errorf("%v: %s, want %s", c.d.Address, got, c.want)
		}
	}
}

func TestBARFlags(t *testing.T) {
	for want, r := range map[uint64]pci.BAR{0: {}, 1: {IO: true}, 4: {Wide: true}, 12: {Wide: true, Prefetch: true}} {
		if got := barFlags(r); got != want {
			t.Errorf("%+v: %d, want %d", r, got, want)
		}
	}
}
