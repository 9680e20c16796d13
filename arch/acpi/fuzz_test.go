package acpi

import (
	"bytes"
	"testing"
)

// checkTables holds what Open found to what is promised about it.
func checkTables(t *testing.T, tabs *Tables, m Memory) {
	t.Helper()
	type span struct{ start, end uint64 }
	var spans []span
	n := 0
	tabs.Each(func(p []byte) {
		n++
		addr := tabs.Address(p)
		if len(p) < headerSize || len(p) > maxTable || int(le.Uint32(p[4:])) != len(p) || sum(p) != 0 {
			t.Errorf("the table at %#x is not good", addr)
		}
		if addr == 0 || !bytes.Equal(p, m.Bytes(addr, uint64(len(p)))) {
			t.Errorf("the table is not at %#x", addr)
		}
		for _, s := range spans {
			if addr < s.end && s.start < addr+uint64(len(p)) {
				t.Errorf("the table at %#x overlaps another", addr)
			}
		}
		spans = append(spans, span{addr, addr + uint64(len(p))})
		if first := tabs.Find(string(p[:4])); first == nil || string(first[:4]) != string(p[:4]) {
			t.Errorf("%q is not found", p[:4])
		}
	})
	if n > maxTables || len(tabs.Problems()) > maxProblems {
		t.Errorf("%d tables, %d problems", n, len(tabs.Problems()))
	}
	for _, p := range tabs.Problems() {
		if p.Reason == "" {
			t.Errorf("no reason: %+v", p)
		}
	}
}

// pieces is memory at two places, with nothing around them.
type pieces struct{ low, bios []byte }

func (m pieces) Bytes(addr, n uint64) []byte {
	if addr >= 0xe0000 {
		return image(m.bios).Bytes(addr-0xe0000, n)
	}
	return image(m.low).Bytes(addr, n)
}

// FuzzMemory opens arbitrary memory.
func FuzzMemory(f *testing.F) {
	m := machine(madt(local(0, 0, 1)), build("SSDT", nil))
	f.Add([]byte(m[0x1000:0x1100]), []byte(m[0xf0000:0xf0000+rootSize2]), uint64(0))
	f.Add([]byte(nil), root(0, 0x10, 0), uint64(0x10))
	f.Add(list("RSDT", 0x400, 0x410), root(2, 0x400, 0x400), uint64(0x400))
	f.Fuzz(func(t *testing.T, low, pointer []byte, rsdp uint64) {
		m := pieces{append(make([]byte, 0x400), low...), pointer}
		for _, c := range [][]byte{nil, pointer} {
			var tabs Tables
			if err := tabs.Open(rsdp, c, m); err != nil && tabs.n > 0 && err != ErrNoRoot {
				t.Errorf("%v, and %d tables", err, tabs.n)
			}
			checkTables(t, &tabs, m)
		}
	})
}

// FuzzList opens a list of arbitrary entries with a right checksum, in memory in
// which every table that fits has one, too.
func FuzzList(f *testing.F) {
	a, b := build("SSDT", []byte{1, 2}), build("APIC", make([]byte, 8))
	f.Add(append(append(list("XSDT", 0x1000, 0x1000, 0)[headerSize:], a...), b...), uint8(24), true)
	f.Add(append(list("RSDT", 0x1000, 0x1030, 0x1026)[headerSize:], append(a, b...)...), uint8(12), false)
	f.Fuzz(func(t *testing.T, p []byte, entries uint8, wide bool) {
		n := min(int(entries), len(p))
		m := make(image, 1<<16)
		copy(m[0x1000:], p[n:])
		for o := 0x1000; o+headerSize <= len(m) && o < 0x1000+len(p); o++ {
			if l := le.Uint32(m[o+4:]); l >= headerSize && int(l) <= len(m)-o && m[o] == 'S' {
				fix(m[o:o+int(l)], 9)
			}
		}
		r := root(2, 0xf000, 0)
		copy(m[0xf000:], build("RSDT", p[:n]))
		if wide {
			r = root(2, 0, 0xf000)
			copy(m[0xf000:], build("XSDT", p[:n]))
		}
		var tabs Tables
		if err := tabs.Open(0, r, m); err != nil {
			t.Fatalf("a good list: %v", err)
		}
		checkTables(t, &tabs, m)
		for i := uint64(0); i < 0x40; i++ {
			if d := tabs.Table(0x1000+i, "DSDT"); d != nil && (sum(d) != 0 || string(d[:4]) != "DSDT") {
				t.Error("a bad DSDT")
			}
			if d := tabs.Table(0x1000+i, "FACS"); d != nil && (len(d) < headerSize || len(d) > 1<<12) {
				t.Error("a bad FACS")
			}
		}
	})
}

// FuzzMADT reads arbitrary interrupt tables.
func FuzzMADT(f *testing.F) {
	f.Add([]byte(madt(local(0, 0, 1), x2(1, 300, 1))), true)
	f.Add([]byte(madt([]byte{1, 12, 9, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0}, []byte{2, 10, 0, 9, 20, 0, 0, 0, 0x0d, 0},
		[]byte{3, 8, 3, 0, 23, 0, 0, 0}, []byte{4, 6, 0xff, 0, 0, 1}, []byte{5, 12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},
		[]byte{0xa, 12, 3, 0, 7, 0, 0, 0, 1, 0, 0, 0})), false)
	f.Fuzz(func(t *testing.T, p []byte, capable bool) {
		var m MADT
		if m.Parse(p, capable) != (len(p) >= 44) {
			t.Error("short, and yet parsed")
		}
		entries := len(p) / 2
		if n := len(m.CPUs()) + len(m.IOAPICs()) + len(m.Overrides()) + len(m.NMISources()) + m.nNMIs +
			m.Ignored + m.Unknown + m.Excess + m.Disabled; n > entries {
			t.Errorf("%d things out of %d entries", n, entries)
		}
		seen := map[uint32]bool{}
		for _, c := range m.CPUs() {
			if seen[c.APICID] || c.APICID == 0xffff_ffff || c.APICID > m.MaxID() || m.UID(c.APICID) != c.UID {
				t.Errorf("processor %+v", c)
			}
			seen[c.APICID] = true
			if n := m.LocalNMI(c.UID); n.Pin > 1 {
				t.Errorf("pin %d", n.Pin)
			}
		}
		for _, a := range m.IOAPICs() {
			if a.Address == 0 {
				t.Errorf("IOAPIC %+v", a)
			}
		}
		for irq := range 256 {
			r, s := m.Route(uint8(irq)), m.RouteSCI(uint16(irq))
			if r.IRQ != uint8(irq) || r.GSI != s.GSI {
				t.Errorf("IRQ %d: %+v, %+v", irq, r, s)
			}
		}
	})
}

// FuzzFADT reads arbitrary FADTs, HPET and MCFG tables.
func FuzzFADT(f *testing.F) {
	f.Add(fadt(1, 116, put32(64, 0x604), put8(88, 4)))
	f.Add(fadt(6, 276, put32(112, fadtHardwareReduced|fadtResetSupported), gas(116, 2, 8, 0x1f_0003_00ac), gas(244, 0, 8, 0xfe000000)))
	f.Add(fadt(3, 244, put32(112, fadtResetSupported|fadtTimer32), gas(116, 1, 8, 0xcf9), gas(208, 1, 32, 0x608), put8(92, 16)))
	f.Add(build("MCFG", append(make([]byte, 8), 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0)))
	f.Add(build("HPET", []byte{1, 2, 3, 4, 0, 64, 0, 0, 0, 0, 0xd0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, p []byte) {
		var d FADT
		if d.Parse(p) != (len(p) >= fadtSize1) {
			t.Error("short, and yet parsed")
		}
		fixed := []Address{d.PM1aEvent, d.PM1bEvent, d.PM1a, d.PM1b, d.GPE0, d.GPE1, d.PMTimer}
		for _, a := range append(fixed, d.SleepControl, d.SleepStatus) {
			if a != (Address{}) && (!a.usable() || a.Bits == 0 || a.Bits%8 != 0) {
				t.Errorf("a register at %+v", a)
			}
			if a != (Address{}) && d.HardwareReduced != (a == d.SleepControl || a == d.SleepStatus) {
				t.Errorf("hardware-reduced %t, and a register at %+v", d.HardwareReduced, a)
			}
		}
		dev, fn, off, ok := d.Reset.Config()
		if d.HasReset && !ok && !d.Reset.usable() || ok && (dev > 31 || fn > 7 || off > 0xfff) {
			t.Errorf("reset by %+v", d.Reset)
		}
		var h HPET
		if h.Parse(p) != (h.Address != 0) || h.Address>>52 != 0 || h.Address&7 != 0 {
			t.Errorf("HPET at %#x", h.Address)
		}
		var m MCFG
		if m.Parse(p) != (len(m.Regions()) > 0) || len(m.Regions())+m.Ignored > len(p)/16 {
			t.Errorf("%d regions, %d ignored", len(m.Regions()), m.Ignored)
		}
		buses := map[uint32]bool{}
		for _, r := range m.Regions() {
			if r.Address == 0 || r.Address>>52 != 0 || r.LastBus < r.FirstBus {
				t.Errorf("region %+v", r)
			}
			for b := uint32(r.FirstBus); b <= uint32(r.LastBus); b++ {
				if buses[uint32(r.Segment)<<8|b] {
					t.Errorf("bus %d twice", b)
				}
				buses[uint32(r.Segment)<<8|b] = true
			}
		}
	})
}

// FuzzS5 searches arbitrary byte code.
func FuzzS5(f *testing.F) {
	f.Add([]byte("\x08_S5_\x12\x06\x04\x0a\x05\x0a\x07\x00\x00"))
	f.Add([]byte("\x08\\_S5_\x12\x46\x00\x02\x01\x0a\x03"))
	f.Add([]byte("\x08_S5_\x12\x0c\x04\x0b\x05\x00\x0c\x07\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x08_S5_\x12\xcb\x00\x00\x00\x01\x0e\x05\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		a, b, ok := FindS5(append(make([]byte, headerSize), p...))
		if a > 7 || b > 7 || !ok && (a != 0 || b != 0) {
			t.Errorf("%d, %d, %t", a, b, ok)
		}
		if ok && !bytes.Contains(p, []byte("_S5_\x12")) {
			t.Error("found in nothing")
		}
		FindS5(p)
	})
}
