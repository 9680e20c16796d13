package amd64

import "testing"

func TestAPICMode(t *testing.T) {
	for _, c := range []struct {
		name string
		apicState
		x2 bool
	}{
		{"an old CPU", apicState{maxID: 3}, false},
		{"an old CPU, and large ids", apicState{maxID: 300}, false},
		{"nothing demands it", apicState{has: true, maxID: 254}, false},
		{"an id that means all", apicState{has: true, maxID: 255}, true},
		{"large ids", apicState{has: true, maxID: 1024}, true},
		{"large ids, not wanted", apicState{has: true, maxID: 1024, never: true}, true},
		{"left on", apicState{has: true, on: true}, false},
		{"left on, wanted", apicState{has: true, on: true, always: true}, true},
		{"left on, large ids", apicState{has: true, on: true, maxID: 300}, true},
		{"left on and locked", apicState{has: true, on: true, locked: true}, true},
		{"left on in a virtual machine", apicState{has: true, on: true, guest: true}, true},
		{"left on, not wanted", apicState{has: true, on: true, guest: true, never: true}, false},
		{"locked, not wanted", apicState{has: true, on: true, locked: true, never: true}, true},
		{"wanted", apicState{has: true, always: true}, true},
		{"wanted in vain", apicState{always: true}, false},
		{"on, and CPUID hides it", apicState{on: true, guest: true}, true},
	} {
		if x2, why := c.apicState.x2(); x2 != c.x2 || why == "" {
			t.Errorf("%s: %t (%s)", c.name, x2, why)
		}
	}
}

func TestInterruptCommands(t *testing.T) {
	if v := x2Command(0x12345678, icrAssert|0xf1); v != 0x12345678_000040f1 {
		t.Errorf("x2APIC command %#x", v)
	}
	// The values of the SDM's examples (vol. 3A, 10.4.4.1): INIT and start-up.
	if v := x2Command(300, icrInit|icrAssert); v != 300<<32|0x4500 {
		t.Errorf("INIT %#x", v)
	}
	if v := startupCommand(0x9e000); v != 0x469e {
		t.Errorf("start-up %#x", v)
	}
	for _, c := range []struct {
		id   uint32
		addr uint64
		ok   bool
	}{{0, 0xfee00000, true}, {3, 0xfee03000, true}, {254, 0xfeefe000, true}, {255, 0, false}, {256, 0, false}} {
		if addr, ok := messageAddress(c.id); ok != c.ok || ok && addr != c.addr {
			t.Errorf("message to %d: %#x, %t", c.id, addr, ok)
		}
	}
	if v := nmiPins(1, false); v != [2]uint32{lvtMasked, icrNMI} {
		t.Errorf("NMI at LINT1: %#x", v)
	}
	if v := nmiPins(0, true); v != [2]uint32{icrNMI | lvtActiveLow, lvtMasked} {
		t.Errorf("NMI at LINT0, active low: %#x", v)
	}
}
