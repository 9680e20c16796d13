package acpi

import (
	"fmt"
	"slices"
	"testing"
)

func madt(entries ...[]byte) []byte {
	body := []byte{0, 0, 0xe0, 0xfe, 1, 0, 0, 0}
	for _, e := range entries {
		body = append(body, e...)
	}
	return build("APIC", body)
}

func local(uid, id, flags byte) []byte { return []byte{0, 8, uid, id, flags, 0, 0, 0} }

func x2(uid, id uint32, flags byte) []byte {
	e := make([]byte, 16)
	e[0], e[1], e[8] = 9, 16, flags
	le.PutUint32(e[4:], id)
	le.PutUint32(e[12:], uid)
	return e
}

// TestProcessors counts them as Linux does.
func TestProcessors(t *testing.T) {
	for _, c := range []struct {
		name          string
		onlineCapable bool
		entries       [][]byte
		ids           []uint32
		disabled      int
	}{
		{"not contiguous", false, [][]byte{local(0, 0, 1), local(1, 4, 1)}, []uint32{0, 4}, 0},
		{"disabled, before 6.3", false, [][]byte{local(0, 0, 1), local(1, 4, 0), local(2, 6, 2)}, []uint32{0}, 2},
		{"disabled, since 6.3", true, [][]byte{local(0, 0, 1), local(1, 4, 0), local(2, 6, 2)}, []uint32{0}, 1},
		{"twice", false, [][]byte{local(0, 0, 1), local(1, 0, 1), local(2, 3, 1)}, []uint32{0, 3}, 0},
		{"no id", false, [][]byte{local(0, 0, 1), local(1, 0xff, 1), x2(7, 0xffff_ffff, 1)}, []uint32{0}, 0},
		{"listed both ways", false, [][]byte{x2(0, 0, 1), x2(1, 2, 1), local(0, 0, 1), local(1, 2, 1)}, []uint32{0, 2}, 0},
		{"both, each for its ids", false, [][]byte{x2(2, 256, 1), local(0, 0, 1), local(1, 254, 1), x2(3, 255, 1)}, []uint32{0, 254, 256, 255}, 0},
		{"a small id in the wrong entry", false, [][]byte{local(0, 0, 1), x2(1, 6, 1)}, []uint32{0}, 0},
		{"x2APIC only", false, [][]byte{x2(0, 0, 1), x2(1, 6, 1), x2(2, 300, 0)}, []uint32{0, 6}, 1},
		{"local entries, all disabled", false, [][]byte{local(0, 0, 0), x2(1, 6, 1)}, []uint32{6}, 1},
		{"none", true, nil, nil, 0},
	} {
		var m MADT
		if !m.Parse(madt(c.entries...), c.onlineCapable) {
			t.Fatalf("%s: not parsed", c.name)
		}
		var ids []uint32
		for _, p := range m.CPUs() {
			ids = append(ids, p.APICID)
		}
		if !slices.Equal(ids, c.ids) || m.Disabled != c.disabled || m.Ignored != 0 {
			t.Errorf("%s: %v, %d disabled, %d ignored; want %v, %d", c.name, ids, m.Disabled, m.Ignored, c.ids, c.disabled)
		}
		if len(c.ids) > 0 && m.MaxID() != slices.Max(c.ids) {
			t.Errorf("%s: the largest id is %d", c.name, m.MaxID())
		}
	}
}

func TestManyProcessors(t *testing.T) {
	var entries [][]byte
	for i := range uint32(maxCPUs + 10) {
		entries = append(entries, x2(i, i*2, 1))
	}
	var m MADT
	m.Parse(madt(entries...), false)
	if len(m.CPUs()) != maxCPUs || m.Excess != 10 {
		t.Errorf("%d processors, %d too many", len(m.CPUs()), m.Excess)
	}
}

func TestControllers(t *testing.T) {
	var m MADT
	m.Parse(madt(
		local(0, 0, 1),
		[]byte{1, 12, 9, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0},
		[]byte{1, 12, 10, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0},
		[]byte{1, 12, 11, 0, 0, 0, 0, 0, 48, 0, 0, 0}, // at address 0
		[]byte{2, 10, 0, 0, 2, 0, 0, 0, 0, 0},         // IRQ 0 -> 2
		[]byte{2, 10, 0, 9, 20, 0, 0, 0, 0x0d, 0},     // IRQ 9 -> 20: high, level
		[]byte{2, 10, 0, 11, 11, 0, 0, 0, 0x0f, 0},    // low, level
		[]byte{2, 10, 0, 10, 10, 0, 0, 0, 0x00, 0},    // as the bus has it
		[]byte{2, 10, 1, 5, 50, 0, 0, 0, 0x00, 0},     // another bus than ISA
		[]byte{2, 10, 0, 7, 7, 0, 0, 0, 0x0a, 0},      // reserved flags
		[]byte{3, 8, 3, 0, 23, 0, 0, 0},               // NMI source, active low
		[]byte{4, 6, 0xff, 0, 0, 1},                   // all processors at LINT1
		[]byte{5, 12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},   // local APICs above 4 GiB
		[]byte{6, 16, 0, 0, 0, 0, 0, 0},               // cut by the length of the next line
		[]byte{0, 0, 0, 0, 0, 0, 0, 0},                //
		[]byte{0x7f, 4, 0, 0}, []byte{0x80, 4, 0, 0},  // unknown
		[]byte{0, 3, 1},      // too short
		[]byte{1, 200, 0, 0}, // runs over the end
	), false)
	want := []IOAPIC{{9, 0xfec00000, 0}, {10, 0xfec01000, 24}}
	if !slices.Equal(m.IOAPICs(), want) {
		t.Errorf("IOAPICs: %+v", m.IOAPICs())
	}
	for _, c := range []struct {
		irq        uint8
		gsi        uint32
		level, low bool
	}{{0, 2, false, false}, {4, 4, false, false}, {5, 5, false, false}, {7, 7, false, false}, {9, 20, true, false}, {11, 11, true, true}, {10, 10, false, false}} {
		if r := m.Route(c.irq); r.IRQ != c.irq || r.GSI != c.gsi || r.Level != c.level || r.ActiveLow != c.low {
			t.Errorf("IRQ %d: %+v", c.irq, r)
		}
	}
	// ACPI's own: what is not said is level and low.
	for _, c := range []struct {
		sci        uint16
		gsi        uint32
		level, low bool
	}{{9, 20, true, false}, {10, 10, true, true}, {11, 11, true, true}, {13, 13, true, true}, {300, 300, true, true}} {
		if r := m.RouteSCI(c.sci); r.GSI != c.gsi || r.Level != c.level || r.ActiveLow != c.low {
			t.Errorf("SCI %d: %+v", c.sci, r)
		}
	}
	if s := m.NMISources(); len(s) != 1 || s[0] != (NMISource{23, true}) {
		t.Errorf("NMI sources: %+v", s)
	}
	if m.LAPIC != 1<<32 || !m.HasPIC || m.Ignored != 5 || m.Unknown != 3 {
		t.Errorf("LAPIC %#x, PIC %v, ignored %d, unknown %d", m.LAPIC, m.HasPIC, m.Ignored, m.Unknown)
	}
}

func TestLocalNMI(t *testing.T) {
	x2nmi := func(uid uint32, flags, pin byte) []byte {
		e := []byte{0xa, 12, flags, 0, 0, 0, 0, 0, pin, 0, 0, 0}
		le.PutUint32(e[4:], uid)
		return e
	}
	for _, c := range []struct {
		entries [][]byte
		want    string
	}{
		{nil, "pin 1 low false"},
		{[][]byte{{4, 6, 0xff, 0, 0, 0}}, "pin 0 low false"},
		{[][]byte{{4, 6, 3, 0, 0, 0}}, "pin 1 low false"}, // another processor's
		{[][]byte{{4, 6, 3, 0, 0, 0}, {4, 6, 7, 3, 0, 0}}, "pin 0 low true"},
		{[][]byte{{4, 6, 7, 3, 0, 9}}, "pin 1 low false"}, // no such pin
		{[][]byte{x2nmi(0xffff_ffff, 3, 1)}, "pin 1 low true"},
		{[][]byte{x2nmi(7, 1, 0)}, "pin 0 low false"},
	} {
		var m MADT
		m.Parse(madt(append(c.entries, local(7, 2, 1))...), false)
		n := m.LocalNMI(m.UID(2))
		if s := fmt.Sprintf("pin %d low %t", n.Pin, n.ActiveLow); s != c.want {
			t.Errorf("%v: %s, want %s", c.entries, s, c.want)
		}
	}
	var m MADT
	if m.UID(5) != AllProcessors {
		t.Error("a processor out of nothing")
	}
}
