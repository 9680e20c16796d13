package amd64

import (
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/arch/acpi"
)

// fakeIOAPIC is a controller with so many entries, all of them as bad firmware
// may leave them. It notices an entry that is changed while it is not masked.
type fakeIOAPIC struct {
	t       *testing.T
	entries uint32
	regs    [2 * 240]uint32
}

func newFakeIOAPIC(t *testing.T, entries uint32) *fakeIOAPIC {
	c := &fakeIOAPIC{t: t, entries: entries}
	for i := range c.regs {
		c.regs[i] = 0x31
	}
	return c
}

func (c *fakeIOAPIC) read(r uint32) uint32 {
	if r == ioapicVersion {
		return (c.entries-1)<<16 | 0x20
	}
	return c.regs[r-ioapicTable]
}

func (c *fakeIOAPIC) write(r, v uint32) {
	i := r - ioapicTable
	if i >= 2*c.entries {
		c.t.Errorf("register %#x written", r)
		return
	}
	if i&1 == 1 && c.regs[i-1]&redirMasked == 0 {
		c.t.Errorf("entry %d: the destination changes under way", i/2)
	}
	c.regs[i] = v
}

type noIOAPIC uint32

func (n noIOAPIC) read(uint32) uint32 { return uint32(n) }
func (noIOAPIC) write(r, _ uint32)    { panic("nobody is there") }

// TestFirmwaresEntryStays has an entry by which the firmware is called, as it may
// be for the keyboards that it drives, and one that is masked.
func TestFirmwaresEntryStays(t *testing.T) {
	c := newFakeIOAPIC(t, 24)
	c.regs[2*5], c.regs[2*6] = redirSMI, redirSMI|redirMasked|0x31
	if _, ok := openIOAPIC(c, 0); !ok {
		t.Fatal("not taken")
	}
	if c.regs[2*5] != redirSMI || c.regs[2*6] != redirMasked || c.regs[2*7] != redirMasked {
		t.Errorf("%#x", c.regs[10:16])
	}
}

func TestRedirect(t *testing.T) {
	var list []ioapic
	fakes := map[uint32]*fakeIOAPIC{0: newFakeIOAPIC(t, 24), 24: newFakeIOAPIC(t, 32), 100: newFakeIOAPIC(t, 240)}
	for _, base := range []uint32{24, 0, 100} {
		c, ok := openIOAPIC(fakes[base], base)
		if !ok {
			t.Fatalf("the controller at %d is not taken", base)
		}
		list = append(list, c)
	}
	for base, f := range fakes {
		for i := range f.entries {
			if f.regs[2*i]&redirMasked == 0 {
				t.Errorf("entry %d of the controller at %d is open", i, base)
			}
		}
	}
	for _, c := range []struct {
		name   string
		o      acpi.Override
		vector uint8
		id     uint32
		err    error
		at, i  uint32
		low    uint32
	}{
		{"ISA", acpi.Override{GSI: 4}, 0x30, 0, nil, 0, 4, 0x30},
		{"level, low", acpi.Override{GSI: 9, Level: true, ActiveLow: true}, 0x31, 3, nil, 0, 9, 0x31 | redirLevel | redirActiveLow},
		{"last of the first", acpi.Override{GSI: 23}, 0x32, 0, nil, 0, 23, 0x32},
		{"first of the second", acpi.Override{GSI: 24}, 0x33, 0, nil, 24, 0, 0x33},
		{"last of the second", acpi.Override{GSI: 55}, 0x34, 254, nil, 24, 31, 0x34},
		{"between", acpi.Override{GSI: 56}, 0x35, 0, unix.ENODEV, 0, 0, 0},
		{"last of all", acpi.Override{GSI: 339}, 0x36, 0, nil, 100, 239, 0x36},
		{"beyond", acpi.Override{GSI: 340}, 0x36, 0, unix.ENODEV, 0, 0, 0},
		{"absurd", acpi.Override{GSI: 0xffffffff}, 0x36, 0, unix.ENODEV, 0, 0, 0},
		{"NMI", acpi.Override{GSI: 2, Level: true, ActiveLow: true}, 0, 0, nil, 0, 2, redirNMI | redirActiveLow},
		{"all CPUs", acpi.Override{GSI: 4}, 0x30, 255, unix.EINVAL, 0, 0, 0},
		{"a large id", acpi.Override{GSI: 4}, 0x30, 256, unix.EINVAL, 0, 0, 0},
		{"an exception", acpi.Override{GSI: 4}, 14, 0, unix.EINVAL, 0, 0, 0},
	} {
		err := redirect(list, c.o, c.vector, c.id)
		if err != c.err {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if err != nil {
			continue
		}
		if r := fakes[c.at].regs; r[2*c.i] != c.low || r[2*c.i+1] != c.id<<24 {
			t.Errorf("%s: %#x, %#x; want %#x for %d", c.name, r[2*c.i], r[2*c.i+1], c.low, c.id)
		}
	}
	for _, n := range []noIOAPIC{0xffff_ffff, 0, 0x00ff0020} {
		if _, ok := openIOAPIC(n, 0); ok {
			t.Errorf("version %#x is taken for a controller", uint32(n))
		}
	}
	if _, ok := openIOAPIC(newFakeIOAPIC(t, 24), 0xffff_fff0); ok {
		t.Error("interrupt numbers beyond 32 bits")
	}
}
