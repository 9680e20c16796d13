package acpi

import (
	"slices"
	"testing"
)

// fadt makes an FADT of so many bytes, set by the functions.
func fadt(revision byte, size int, set ...func(t []byte)) []byte {
	t := make([]byte, size)
	copy(t, "FACP")
	le.PutUint32(t[4:], uint32(size))
	t[8] = revision
	for _, f := range set {
		f(t)
	}
	fix(t, 9)
	return t
}

func put32(o int, v uint32) func([]byte) { return func(t []byte) { le.PutUint32(t[o:], v) } }
func put8(o int, v byte) func([]byte)    { return func(t []byte) { t[o] = v } }

// gas puts a register description.
func gas(o int, space, bits byte, addr uint64) func([]byte) {
	return func(t []byte) {
		t[o], t[o+1] = space, bits
		le.PutUint64(t[o+4:], addr)
	}
}

func TestFADT(t *testing.T) {
	old := []func([]byte){put32(36, 0x2000), put32(40, 0x1000), put8(46, 9), put32(48, 0xb2), put8(52, 2),
		put32(56, 0x600), put32(64, 0x604), put32(76, 0x608), put32(80, 0x620), put8(88, 4), put8(89, 2), put8(91, 4), put8(92, 16), put8(108, 0x32)}
	with := func(more ...func([]byte)) []func([]byte) { return append(old[:len(old):len(old)], more...) }
	port := func(bits uint16, addr uint64) Address { return Address{SpacePort, bits, addr} }
	base := FADT{
		DSDT: 0x1000, FACS: 0x2000, SCIInterrupt: 9, SMICommand: 0xb2, EnableACPI: 2, Century: 0x32,
		PM1aEvent: port(32, 0x600), PM1a: port(16, 0x604), PMTimer: port(32, 0x608), GPE0: port(128, 0x620),
		Has8042: true, LegacyDevices: true,
	}
	for _, c := range []struct {
		name  string
		table []byte
		want  func(f *FADT)
	}{
		{"1.0", fadt(1, 116, old...), func(f *FADT) { f.Revision = 1 }},
		{"1.0 with rubbish where the flags of PCs are now", fadt(1, 116, with(put8(109, 0xff))...), func(f *FADT) { f.Revision = 1 }},
		{"2.0", fadt(3, 244, with(put8(109, 0x02), put32(112, fadtTimer32|fadtResetSupported), gas(116, 1, 8, 0xcf9), put8(128, 15),
			gas(140-4, 0, 0, 0x8000_0000_0), gas(172, 1, 0, 0x804), gas(184, 1, 16, 0x10000))...),
			func(f *FADT) {
				f.Revision, f.LegacyDevices, f.PMTimer32 = 3, false, true
				f.Reset, f.ResetValue, f.HasReset = port(8, 0xcf9), 15, true
				f.DSDT, f.PM1a = 0x8000_0000_0, port(16, 0x804) // a port beyond 0xffff is none
			}},
		{"no old devices", fadt(4, 244, with(put8(109, fadtNoVGA|fadtNoMSI|fadtNoCMOS))...), func(f *FADT) {
			f.Revision, f.LegacyDevices, f.Has8042, f.NoVGA, f.NoMSI, f.NoCMOSClock = 4, false, false, true, true, true
		}},
		{"blocks in memory", fadt(5, 268, with(put8(109, 3), gas(148, 0, 32, 0xfe000000), gas(172, 0, 16, 0xfe000004))...), func(f *FADT) {
			f.Revision = 5
			f.PM1aEvent, f.PM1a = Address{SpaceMemory, 32, 0xfe000000}, Address{SpaceMemory, 16, 0xfe000004}
		}},
		{"blocks in spaces that cannot be", fadt(5, 268, with(put8(109, 3), gas(148, 2, 32, 0x600), gas(172, 0x7f, 16, 4), gas(208, 0, 32, 1<<60))...),
			func(f *FADT) { f.Revision = 5 }},
		{"no lengths", fadt(1, 116, with(put8(88, 0), put8(92, 0xff))...), func(f *FADT) {
			f.Revision = 1
			f.PM1aEvent, f.GPE0 = Address{}, Address{}
		}},
		// 128 events, as chipsets have them since about 2015: the width of the
		// block, 256 bits, is more than the table's own field for it can hold.
		{"many events", fadt(5, 268, with(put8(109, 3), put8(92, 32), gas(220, 1, 0, 0x1880))...), func(f *FADT) {
			f.Revision, f.GPE0 = 5, port(256, 0x1880)
		}},
		{"as many events as can be", fadt(1, 116, with(put8(92, 0xfe))...), func(f *FADT) {
			f.Revision, f.GPE0 = 1, port(2032, 0x620)
		}},
		{"hardware-reduced", fadt(6, 276, with(put8(109, 0), put8(131, 3), put32(112, fadtHardwareReduced|fadtResetSupported),
			gas(116, 0, 8, 0xfed00000), gas(244, 0, 0, 0xfe000010), gas(256, 1, 8, 0x602))...), func(f *FADT) {
			*f = FADT{Revision: 6, Minor: 3, DSDT: 0x1000, FACS: 0x2000, SCIInterrupt: 9, SMICommand: 0xb2, EnableACPI: 2, Century: 0x32,
				HardwareReduced: true, SleepControl: Address{SpaceMemory, 8, 0xfe000010}, SleepStatus: port(8, 0x602),
				Reset: Address{SpaceMemory, 8, 0xfed00000}, HasReset: true}
		}},
		{"a reset register that cannot be", fadt(1, 244, with(put32(112, fadtResetSupported), gas(116, 1, 8, 0x10cf9))...), func(f *FADT) {
			f.Revision, f.Reset = 1, port(8, 0x10cf9)
		}},
		{"a reset register in configuration space", fadt(1, 244, with(put32(112, fadtResetSupported), gas(116, 2, 8, 0x1f_0003_00ac))...), func(f *FADT) {
			f.Revision, f.HasReset, f.Reset = 1, true, Address{SpaceConfig, 8, 0x1f_0003_00ac}
		}},
	} {
		want := base
		c.want(&want)
		var f FADT
		if !f.Parse(c.table) {
			t.Errorf("%s: not parsed", c.name)
		} else if f != want {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, f, want)
		}
	}
	var f FADT
	if f.Parse(make([]byte, 115)) || f.Parse(nil) {
		t.Error("a short table was taken")
	}
}

func TestConfigRegister(t *testing.T) {
	d, f, o, ok := Address{SpaceConfig, 8, 0x1f_0003_00ac}.Config()
	if d != 31 || f != 3 || o != 0xac || !ok {
		t.Errorf("%d, %d, %#x, %t", d, f, o, ok)
	}
	for _, a := range []Address{{SpaceConfig, 8, 32 << 32}, {SpaceConfig, 8, 8 << 16}, {SpaceConfig, 8, 0x1000}, {SpaceConfig, 8, 1 << 48}, {SpacePort, 8, 0xac}} {
		if _, _, _, ok := a.Config(); ok {
			t.Errorf("%+v is taken", a)
		}
	}
}

func TestSleepValues(t *testing.T) {
	// All but the type and the order stay as they are.
	if v := SleepType(0xffff, 5); v != 0xffff&^(1<<13|2<<10) {
		t.Errorf("%#x", v)
	}
	if v := SleepNow(SleepType(SCIEnable, 7)); v != 0x3c01 {
		t.Errorf("%#x", v)
	}
	if c, s := ReducedSleep(5); c != 0x34 || s != 0x80 {
		t.Errorf("%#x, %#x", c, s)
	}
}

func TestHPET(t *testing.T) {
	table := func(space byte, addr uint64) []byte {
		b := make([]byte, 20)
		b[4], b[5] = space, 64
		le.PutUint64(b[8:], addr)
		return build("HPET", b)
	}
	var h HPET
	if !h.Parse(table(0, 0xfed00000)) || h.Address != 0xfed00000 {
		t.Errorf("%+v", h)
	}
	for _, p := range [][]byte{table(1, 0xfed00000), table(0, 0), table(0, 0xfed00001), table(0, 1<<60), build("HPET", nil), nil} {
		if h.Parse(p) || h != (HPET{}) {
			t.Errorf("%x is taken: %+v", p, h)
		}
	}
}

func TestMCFG(t *testing.T) {
	entry := func(addr uint64, segment uint16, first, last byte) []byte {
		e := make([]byte, 16)
		le.PutUint64(e, addr)
		le.PutUint16(e[8:], segment)
		e[10], e[11] = first, last
		return e
	}
	body := make([]byte, 8)
	for _, e := range [][]byte{
		entry(0xb0000000, 0, 0, 127),
		entry(0, 0, 128, 255),                // nowhere
		entry(0xc0000000, 0, 100, 200),       // buses that are there already
		entry(0x10_0000_0000, 1, 0, 255),     // another segment
		entry(0x20_0000_0000, 0, 255, 128),   // backwards
		entry(0x20_0008_0000, 0, 128, 255),   // not where a bus can begin
		entry(0xf000_0000_0000, 2, 128, 255), // good
		{1, 2, 3},                            // cut
	} {
		body = append(body, e...)
	}
	var m MCFG
	if !m.Parse(build("MCFG", body)) {
		t.Fatal("not parsed")
	}
	want := []ConfigRegion{{0xb0000000, 0, 0, 127}, {0x10_0000_0000, 1, 0, 255}, {0xf000_0000_0000, 2, 128, 255}}
	if len(m.Regions()) != len(want) || m.Ignored != 4 {
		t.Fatalf("%+v, %d ignored", m.Regions(), m.Ignored)
	}
	for i, r := range m.Regions() {
		if r != want[i] {
			t.Errorf("%+v, want %+v", r, want[i])
		}
	}
	// A CPU with addresses of 39 bits has no 0xf000_0000_0000; the second region ends
	// at a limit, and does not fit below one byte less.
	if m.Below(1 << 39); !slices.Equal(m.Regions(), want[:2]) || m.Ignored != 5 {
		t.Errorf("below 1<<39: %+v, %d ignored", m.Regions(), m.Ignored)
	}
	end := uint64(0x10_1000_0000)
	if m.Below(end); len(m.Regions()) != 2 {
		t.Errorf("below its end: %+v", m.Regions())
	}
	if m.Below(end - 1); !slices.Equal(m.Regions(), want[:1]) || m.Ignored != 6 {
		t.Errorf("below its last byte: %+v, %d ignored", m.Regions(), m.Ignored)
	}
	if m.Parse(build("MCFG", nil)) || m.Parse(nil) {
		t.Error("an empty one is taken")
	}
}
