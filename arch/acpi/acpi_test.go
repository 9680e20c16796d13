package acpi

import (
	"encoding/binary"
	"testing"
)

// image is physical memory for the tests: bytes from address 0 on.
type image []byte

func (m image) Bytes(addr, n uint64) []byte {
	if addr > uint64(len(m)) || n > uint64(len(m))-addr {
		return nil
	}
	return m[addr : addr+n]
}

func fix(p []byte, at int) { p[at] = 0; p[at] = -sum(p) }

// build makes a table with a right header around a body.
func build(sig string, body []byte) []byte {
	t := make([]byte, headerSize+len(body))
	copy(t, sig)
	binary.LittleEndian.PutUint32(t[4:], uint32(len(t)))
	copy(t[headerSize:], body)
	fix(t, 9)
	return t
}

// machine lays out a root pointer at 0xf0000, an XSDT and the given tables.
func machine(tables ...[]byte) image {
	m := make(image, 1<<20)
	addr := 0x1000
	var list []byte
	for _, t := range tables {
		copy(m[addr:], t)
		list = binary.LittleEndian.AppendUint64(list, uint64(addr))
		addr += (len(t) + 15) &^ 15
	}
	copy(m[addr:], build("XSDT", list))
	r := m[0xf0000 : 0xf0000+36]
	copy(r, "RSD PTR ")
	r[15] = 2
	binary.LittleEndian.PutUint32(r[20:], 36)
	binary.LittleEndian.PutUint64(r[24:], uint64(addr))
	fix(r[:20], 8)
	fix(r, 32)
	return m
}

func madt(entries ...[]byte) []byte {
	body := []byte{0, 0, 0xe0, 0xfe, 1, 0, 0, 0}
	for _, e := range entries {
		body = append(body, e...)
	}
	return build("APIC", body)
}

func TestMADT(t *testing.T) {
	m := machine(madt(
		[]byte{0, 8, 0, 0, 1, 0, 0, 0},                          // CPU 0, APIC 0
		[]byte{0, 8, 1, 4, 1, 0, 0, 0},                          // CPU 1, APIC 4
		[]byte{0, 8, 2, 5, 0, 0, 0, 0},                          // disabled
		[]byte{0, 8, 3, 6, 2, 0, 0, 0},                          // online capable only
		[]byte{1, 12, 9, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0},       // IOAPIC
		[]byte{2, 10, 0, 0, 2, 0, 0, 0, 0, 0},                   // IRQ 0 -> 2
		[]byte{2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0},                // IRQ 9: high, level
		[]byte{9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0}, // x2APIC 256
		[]byte{9, 16, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}, // CPU 1 again
		[]byte{9, 16, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, // an id for local APIC entries
		[]byte{0, 3, 1},       // too short
		[]byte{0x7f, 4, 0, 0}, // unknown
		[]byte{1, 200, 0, 0},  // runs over the end
	))
	var tabs Tables
	if err := tabs.Open(0, nil, m); err != nil {
		t.Fatal(err)
	}
	var a MADT
	if !a.Parse(tabs.Find("APIC"), true) {
		t.Fatal("not parsed")
	}
	ids := []uint32{0, 4, 256}
	if len(a.CPUs()) != len(ids) {
		t.Fatalf("processors: %+v", a.CPUs())
	}
	for i, c := range a.CPUs() {
		if c.APICID != ids[i] {
			t.Errorf("processor %d has APIC id %d, want %d", i, c.APICID, ids[i])
		}
	}
	if len(a.IOAPICs()) != 1 || a.IOAPICs()[0].Address != 0xfec00000 {
		t.Errorf("IOAPICs: %+v", a.IOAPICs())
	}
	if r := a.Route(0); r.GSI != 2 || r.Level || r.ActiveLow {
		t.Errorf("IRQ 0: %+v", r)
	}
	if r := a.Route(9); r.GSI != 9 || !r.Level || r.ActiveLow {
		t.Errorf("IRQ 9: %+v", r)
	}
	if r := a.Route(4); r.GSI != 4 || r.Level {
		t.Errorf("IRQ 4: %+v", r)
	}
	if a.LAPIC != 0xfee00000 || !a.HasPIC || a.Ignored != 2 {
		t.Errorf("LAPIC %#x, PIC %v, ignored %d", a.LAPIC, a.HasPIC, a.Ignored)
	}
}

func TestBadTablesAreSkipped(t *testing.T) {
	good := madt([]byte{0, 8, 0, 0, 1, 0, 0, 0})
	bad := build("BAD1", make([]byte, 20))
	bad[40]++
	long := build("BAD2", nil)
	binary.LittleEndian.PutUint32(long[4:], 0xffffffff)
	short := build("BAD3", nil)
	binary.LittleEndian.PutUint32(short[4:], 7)
	var tabs Tables
	if err := tabs.Open(0, nil, machine(bad, long, short, good)); err != nil {
		t.Fatal(err)
	}
	if tabs.Find("APIC") == nil {
		t.Error("the good table is missing")
	}
	want := []Error{ErrChecksum, ErrLength, ErrLength}
	if len(tabs.Problems()) != len(want) {
		t.Fatalf("problems: %+v", tabs.Problems())
	}
	for i, p := range tabs.Problems() {
		if p.Reason != want[i] {
			t.Errorf("%s: %v, want %v", p.Signature, p.Reason, want[i])
		}
	}
}

func TestNoRootPointer(t *testing.T) {
	var tabs Tables
	if err := tabs.Open(0, nil, make(image, 1<<20)); err != ErrNoRSDP {
		t.Errorf("empty memory: %v", err)
	}
	if err := tabs.Open(1<<40, nil, make(image, 1<<20)); err != ErrNoRSDP {
		t.Errorf("pointer outside memory: %v", err)
	}
	if tabs.Find("APIC") != nil {
		t.Error("a table out of nothing")
	}
}

func TestS5(t *testing.T) {
	for _, c := range []struct {
		name string
		aml  []byte
		a, b uint8
		ok   bool
	}{
		{"QEMU", []byte("\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), 0, 0, true},
		{"byte prefix", []byte("\x08\\_S5_\x12\x08\x04\x0a\x05\x0a\x07\x00\x00"), 5, 7, true},
		{"long package length", []byte("\x08_S5_\x12\x46\x00\x02\x01\x0a\x03"), 1, 3, true},
		{"one element", []byte("\x08_S5_\x12\x04\x01\x0a\x06\x00\x00"), 6, 0, true},
		{"truncated", []byte("\x08_S5_\x12\x06\x04\x0a"), 0, 0, false},
		{"no package", []byte("\x08_S5_\x0a\x06\x04\x0a"), 0, 0, false},
		{"no name operator", []byte("\x10_S5_\x12\x06\x04\x00\x00"), 0, 0, false},
		{"nothing", nil, 0, 0, false},
	} {
		a, b, ok := FindS5(build("DSDT", c.aml))
		if a != c.a || b != c.b || ok != c.ok {
			t.Errorf("%s: %d, %d, %v; want %d, %d, %v", c.name, a, b, ok, c.a, c.b, c.ok)
		}
	}
}

func TestFADT(t *testing.T) {
	body := make([]byte, 244-headerSize)
	put := func(off int, b ...byte) { copy(body[off-headerSize:], b) }
	put(40, 0, 0x10, 0, 0)           // DSDT
	put(64, 0x04, 0x06, 0, 0)        // PM1a control
	put(113, 4)                      // flags: reset register
	put(116, 1, 8, 0, 1, 0xf9, 0x0c) // reset register
	put(128, 0x0f)                   // its value
	var f FADT
	if !f.Parse(build("FACP", body)) {
		t.Fatal("not parsed")
	}
	if f.PM1a.Addr != 0x604 || !f.HasReset || f.Reset.Addr != 0xcf9 || f.ResetValue != 15 || f.DSDT != 0x1000 {
		t.Errorf("%+v", f)
	}
	if f.Parse(make([]byte, 60)) {
		t.Error("a short table was taken")
	}
}

// FuzzTables feeds arbitrary memory to everything that reads tables.
func FuzzTables(f *testing.F) {
	f.Add([]byte(madt([]byte{0, 8, 0, 0, 1, 0, 0, 0})))
	f.Fuzz(func(t *testing.T, p []byte) {
		var tabs Tables
		tabs.Open(0, p, image(p))
		var a MADT
		a.Parse(p, false)
		var d FADT
		d.Parse(p)
		var h HPET
		h.Parse(p)
		FindS5(p)
	})
}
