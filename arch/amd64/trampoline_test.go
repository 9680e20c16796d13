package amd64

import (
	"encoding/binary"
	"testing"

	"tamarix/boot/info"
)

// lowMap is boot information, by PVH, of a machine with the given low memory.
func lowMap(t *testing.T, modules []info.Range, regions ...info.Region) *info.Boot {
	t.Helper()
	m := make(physicalImage, 1<<16)
	const start, table, mods = 0x1000, 0x2000, 0x4000
	le := binary.LittleEndian
	// struct hvm_start_info, Xen's public/arch-x86/hvm/start_info.h.
	le.PutUint32(m[start:], 0x336ec578)
	le.PutUint32(m[start+4:], 1)
	le.PutUint32(m[start+12:], uint32(len(modules)))
	le.PutUint64(m[start+16:], mods)
	le.PutUint64(m[start+40:], table)
	le.PutUint32(m[start+48:], uint32(len(regions)+1))
	for i, r := range append(regions, info.Region{Range: info.Range{Start: 1 << 20, End: 64 << 20}, Kind: info.Usable}) {
		p := m[table+24*i:]
		le.PutUint64(p, r.Start)
		le.PutUint64(p[8:], r.End-r.Start)
		le.PutUint32(p[16:], uint32(r.Kind))
	}
	for i, r := range modules {
		p := m[mods+32*i:]
		le.PutUint64(p, r.Start)
		le.PutUint64(p[8:], r.End-r.Start)
	}
	b := new(info.Boot)
	if err := info.Parse(b, 0, start, m); err != nil {
		t.Fatal(err)
	}
	return b
}

type physicalImage []byte

func (m physicalImage) Bytes(addr, n uint64) []byte {
	if addr > uint64(len(m)) || n > uint64(len(m))-addr {
		return nil
	}
	return m[addr : addr+n]
}

func TestTrampolinePage(t *testing.T) {
	region := func(start, end uint64, k info.Kind) info.Region {
		return info.Region{Range: info.Range{Start: start, End: end}, Kind: k}
	}
	for _, c := range []struct {
		name      string
		ebda, kib uint16
		modules   []info.Range
		regions   []info.Region
		want      uint64
	}{
		{"a BIOS's", 0x9fc0, 639, nil, []info.Region{region(0, 0x9fc00, info.Usable), region(0x9fc00, 0xa0000, info.Reserved)}, 0x9e000},
		{"UEFI's, no BIOS data", 0, 0, nil, []info.Region{region(0, 0xa0000, info.Usable)}, 0x9f000},
		{"garbage for BIOS data", 0xffff, 0xffff, nil, []info.Region{region(0, 0xa0000, info.Usable)}, 0x9f000},
		{"small numbers for BIOS data", 0x10, 1, nil, []info.Region{region(0, 0xa0000, info.Usable)}, 0x9f000},
		{"a data area that the map does not tell", 0x8000, 640, nil, []info.Region{region(0, 0xa0000, info.Usable)}, 0x7f000},
		{"less low memory than the map tells", 0, 512, nil, []info.Region{region(0, 0xa0000, info.Usable)}, 0x7f000},
		{"reserved memory on top", 0, 0, nil, []info.Region{region(0, 0xa0000, info.Usable), region(0x58000, 0xa0000, info.ACPINVS)}, 0x57000},
		{"a piece", 0, 0, nil, []info.Region{region(0x1800, 0x3800, info.Usable)}, 0x2000},
		{"less than a page", 0, 0, nil, []info.Region{region(0x1800, 0x2800, info.Usable)}, 0},
		{"page 0 only", 0, 0, nil, []info.Region{region(0, 0x1000, info.Usable)}, 0},
		{"a module", 0, 0, []info.Range{{Start: 0x90000, End: 0x9f800}}, []info.Region{region(0, 0xa0000, info.Usable)}, 0x8f000},
		{"none", 0, 0, nil, nil, 0},
	} {
		if got := trampolinePage(lowMap(t, c.modules, c.regions...), c.ebda, c.kib); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
	}
}

func TestTrampolineCode(t *testing.T) {
	const at, root, entry = 0x9e000, 0x1234000, 0xffff_8000_0123_4567
	if len(trampolineCode) > trampolineGDTR {
		t.Fatalf("%d bytes of code", len(trampolineCode))
	}
	var page [PageSize]byte
	for i := range page {
		page[i] = 0xcc
	}
	layTrampoline(&page, at, root, entry, true)
	le := binary.LittleEndian
	if page[trampolineEFER-1] != 0 || le.Uint32(page[trampolineEFER-1:]) != 0x900 || page[trampolineEFER-2] != 0x0d {
		t.Error("EFER")
	}
	if page[trampolineJump-2] != 0x66 || page[trampolineJump-1] != 0xea || le.Uint32(page[trampolineJump:]) != at+trampolineLong {
		t.Error("the jump to 64-bit code")
	}
	// Where the two RIP-relative instructions look.
	for _, c := range []struct {
		end  int
		want int
	}{{trampolineLong + 14, trampolineCPU}, {trampolineLong + 20, trampolineEntry}} {
		if got := c.end + int(int32(le.Uint32(page[c.end-4:]))); got != c.want {
			t.Errorf("the operand before %#x is at %#x, want %#x", c.end, got, c.want)
		}
	}
	if trampolineLong+20 != len(trampolineCode) {
		t.Error("the end of the code")
	}
	if le.Uint32(page[trampolineGDTR+2:]) != at+trampolineGDT || le.Uint64(page[trampolineEntry:]) != entry || le.Uint32(page[trampolineRoot:]) != root {
		t.Error("the data")
	}
}

func TestRebootPlan(t *testing.T) {
	for _, c := range []struct {
		line, ways string
		warm       bool
	}{
		{"", "akpt", false},
		{"console=ttyS0", "akpt", false},
		{"reboot=k", "kapt", false},
		{"reboot=t quiet", "takp", false},
		{"quiet reboot=warm,acpi", "akpt", true},
		{"reboot=w,k,c", "kapt", false},
		{"reboot=p reboot=k", "kapt", false},
		{"reboot=", "akpt", false},
		{"reboot=b,efi,x", "akpt", false},
		{"xreboot=k", "akpt", false},
		{"reboot=,,k", "kapt", false},
	} {
		p := rebootPlan([]byte(c.line))
		if string(p.ways[:]) != c.ways || p.warm != c.warm {
			t.Errorf("%q: %s, warm %t; want %s, %t", c.line, p.ways, p.warm, c.ways, c.warm)
		}
	}
}
