package smbios

import (
	"encoding/binary"
	"strings"
	"testing"
)

// memory is physical memory made of pieces.
type memory map[uint64][]byte

func (m memory) bytes(addr, n uint64) []byte {
	for at, p := range m {
		if addr >= at && addr-at <= uint64(len(p)) && n <= uint64(len(p))-(addr-at) {
			return p[addr-at:][:n]
		}
	}
	return nil
}

// build makes a structure.
func build(kind uint8, fixed string, strs ...string) string {
	s := string([]byte{kind, byte(4 + len(fixed)), 0, 0}) + fixed
	if len(strs) == 0 {
		return s + "\x00\x00"
	}
	return s + strings.Join(strs, "\x00") + "\x00\x00"
}

// sample is a table as a PC has it.
var sample = build(0, "\x01\x02\x00\xf0\x03\x00"+"12345678"+"\x00\x00"+"\x02\x05\xff\xff", "SeaBIOS", "1.16.2", "04/01/2014") +
	build(1, "\x01\x02\x03\x00"+"\x44\x33\x22\x11\x66\x55\x88\x77\x99\xaa\xbb\xcc\xdd\xee\xff\x00"+"\x06\x00\x04", "QEMU", "Standard PC \x01(Q35)", "pc-q35", "Family  ") +
	build(2, "\x01\x02\x00\x00\x00", "Board maker", "Board") +
	build(3, "\x01\x81\x00\x00\x00", "QEMU") +
	build(1, "\x01\x00\x00\x00", "a second one is not read") +
	build(127, "")

func fix(p []byte, n, at int) []byte {
	p[at] = 0
	p[at] = -sum(p[:n])
	return p
}

// entry2 is an entry point of the old kind, entry3 of the new one.
func entry2(table uint32, size uint16) []byte {
	p := make([]byte, 32)
	copy(p, "_SM_")
	p[5], p[6], p[7] = 31, 2, 8
	copy(p[16:], "_DMI_")
	binary.LittleEndian.PutUint16(p[22:], size)
	binary.LittleEndian.PutUint32(p[24:], table)
	return fix(p, 31, 4)
}

func entry3(table uint64, size uint32) []byte {
	p := make([]byte, 32)
	copy(p, "_SM3_")
	p[6], p[7], p[8] = 24, 3, 7
	binary.LittleEndian.PutUint32(p[12:], size)
	binary.LittleEndian.PutUint64(p[16:], table)
	return fix(p, 24, 5)
}

func check(t *testing.T, i Info, version string) {
	t.Helper()
	want := Info{Version: version, BIOSVendor: "SeaBIOS", BIOSVersion: "1.16.2", BIOSDate: "04/01/2014", BIOSRelease: "2.5",
		SysVendor: "QEMU", ProductName: "Standard PC  (Q35)", ProductVersion: "pc-q35",
		ProductUUID: "11223344-5566-7788-99aa-bbccddeeff00", ProductFamily: "Family",
		BoardVendor: "Board maker", BoardName: "Board", ChassisVendor: "QEMU", ChassisType: "1"}
	if i != want {
		t.Errorf("%+v", i)
	}
	files := i.Files()
	for _, f := range files {
		if f.Name == "product_uuid" && !f.Secret || f.Name == "bios_vendor" && f.Secret {
			t.Errorf("%+v", f)
		}
	}
	if len(files) != 13 {
		t.Errorf("%d files", len(files))
	}
}

func TestBIOS(t *testing.T) {
	rom := make([]byte, 0x10000)
	copy(rom[0x5a0:], entry2(0x7fff000, uint16(len(sample))))
	m := memory{0xf0000: rom, 0x7fff000: []byte(sample)}
	at := Find(m.bytes, 0)
	if at != 0xf05a0 {
		t.Fatalf("found at %#x", at)
	}
	i, ok := Read(m.bytes, at)
	if !ok {
		t.Fatal("not read")
	}
	check(t, i, "2.8")
	// The newer entry point is preferred, wherever it is.
	copy(rom[0x600:], entry3(0x7fff000, 1<<16))
	if at = Find(m.bytes, 0); at != 0xf0600 {
		t.Errorf("the newer one: %#x", at)
	}
}

func TestUEFI(t *testing.T) {
	system := make([]byte, 120)
	copy(system, "IBI SYST")
	binary.LittleEndian.PutUint64(system[104:], 3)
	binary.LittleEndian.PutUint64(system[112:], 0x2000)
	config := make([]byte, 72)
	copy(config, guid2)
	binary.LittleEndian.PutUint64(config[16:], 0x4000)
	copy(config[48:], guid3)
	binary.LittleEndian.PutUint64(config[64:], 0x3000)
	// The table's length is only a bound.
	table := append([]byte(sample), make([]byte, 4096-len(sample))...)
	m := memory{0x1000: system, 0x2000: config, 0x3000: entry3(0x10_0000_0000, 3*4096), 0x10_0000_0000: table}
	at := Find(m.bytes, 0x1000)
	if at != 0x3000 {
		t.Fatalf("found at %#x", at)
	}
	i, ok := Read(m.bytes, at)
	if !ok {
		t.Fatal("not read")
	}
	check(t, i, "3.7")
}

func TestNone(t *testing.T) {
	if at := Find(memory{}.bytes, 0x1234); at != 0 {
		t.Errorf("found at %#x", at)
	}
	bad := entry2(0x1000, 100)
	bad[8]++
	for name, m := range map[string]memory{
		"bad sum": {0: bad}, "no table": {0: entry2(0x1000, 100)}, "nothing": {}, "too long": {0: entry3(0, 1<<30)},
	} {
		if _, ok := Read(m.bytes, 0); ok {
			t.Errorf("%s: read", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample), uint32(len(sample)), true)
	f.Add([]byte(sample[:40]), uint32(1<<16), false)
	f.Add([]byte("\x01\x1b\x00\x00\xff\xff"), uint32(6), true)
	f.Fuzz(func(t *testing.T, table []byte, size uint32, wide bool) {
		e := entry2(0x1000, uint16(size))
		if wide {
			e = entry3(0x1000, size)
		}
		i, _ := Read(memory{0: e, 0x1000: table}.bytes, 0)
		for _, f := range i.Files() {
			if len(f.Value) > maxString || strings.ContainsFunc(f.Value, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s: %q", f.Name, f.Value)
			}
		}
	})
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("IBI SYST"), entry3(0x1000, 100))
	f.Add(make([]byte, 200), entry2(0x1000, 100))
	f.Fuzz(func(t *testing.T, system, rom []byte) {
		m := memory{0x1000: system, 0xf0000: append(rom, make([]byte, 1<<16)...)}
		if at := Find(m.bytes, 0x1000); at != 0 {
			Read(m.bytes, at)
		}
	})
}
