package info

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

func (m image) put32(at int, v uint32) { binary.LittleEndian.PutUint32(m[at:], v) }
func (m image) put64(at int, v uint64) { binary.LittleEndian.PutUint64(m[at:], v) }

// pvh makes start information at 0x100 with a memory map and modules.
func pvh(command string, memory []Region, modules ...Range) image {
	m := make(image, 64<<10)
	m.put32(0x100, magicPVH)
	m.put32(0x100+pvhVersion, 1)
	m.put32(0x100+pvhMapEntries, uint32(len(memory)))
	m.put64(0x100+pvhMap, 0x1000)
	m.put64(0x100+pvhCommand, 0x8000)
	m.put64(0x100+pvhRSDP, 0xf1234)
	copy(m[0x8000:], command)
	for i, r := range memory {
		m.put64(0x1000+24*i, r.Start)
		m.put64(0x1008+24*i, r.End-r.Start)
		m.put32(0x1010+24*i, uint32(r.Kind))
	}
	m.put32(0x100+pvhModules, uint32(len(modules)))
	m.put64(0x100+pvhModuleList, 0x4000)
	for i, r := range modules {
		m.put64(0x4000+32*i, r.Start)
		m.put64(0x4008+32*i, r.End-r.Start)
	}
	return m
}

var pc = []Region{
	{Range{0, 0x9fc00}, Usable},
	{Range{0x9fc00, 0xa0000}, Reserved},
	{Range{0x100000, 0x20000000}, Usable},
	{Range{0x100000000, 0x140000000}, Usable},
}

// free lists all that NextFree gives.
func free(b *Boot) (list []Range) {
	for a := uint64(0); ; {
		s, e, ok := b.NextFree(a)
		if !ok || len(list) > 100 {
			return list
		}
		list = append(list, Range{s, e})
		a = e
	}
}

func same(a, b []Range) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestPVH(t *testing.T) {
	m := pvh("console=ttyS0 mem=1G -- x", pc, Range{0x1ff00123, 0x1ff80456}, Range{0x1ff90000, 0x1ff91000})
	var b Boot
	if err := Parse(&b, 0, 0x100, m); err != nil {
		t.Fatal(err)
	}
	if b.Loader != "PVH" || b.RSDP != 0xf1234 || string(b.CommandLine()) != "console=ttyS0 mem=1G -- x" {
		t.Errorf("%s, RSDP %#x, command line %q", b.Loader, b.RSDP, b.CommandLine())
	}
	if len(b.Modules()) != 2 || b.Modules()[0] != (Range{0x1ff00123, 0x1ff80456}) {
		t.Errorf("modules %x", b.Modules())
	}
	want := []Range{{0, 0x9f000}, {0x100000, 0x1ff00000}, {0x1ff81000, 0x1ff90000}, {0x1ff91000, 0x20000000}}
	if got := free(&b); !same(got, want) {
		t.Errorf("free %x, want %x", got, want)
	}
	if top := b.Top(512 << 30); top != 0x140000000 {
		t.Errorf("top %#x", top)
	}
}

func TestMemLimitCutsARegion(t *testing.T) {
	var b Boot
	if err := Parse(&b, 0, 0x100, pvh("mem=64M", pc)); err != nil {
		t.Fatal(err)
	}
	want := []Range{{0, 0x9f000}, {0x100000, 64 << 20}}
	if got := free(&b); !same(got, want) {
		t.Errorf("free %x, want %x", got, want)
	}
	if top := b.Top(4 << 30); top != 0x20000000 {
		t.Errorf("top %#x: modules may lie above the limit", top)
	}
}

func TestCarve(t *testing.T) {
	var b Boot
	if err := Parse(&b, 0, 0x100, pvh("", pc)); err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	for range 10 {
		a, err := b.Carve(5000, 4<<30)
		if err != nil || a == 0 || a%PageSize != 0 || seen[a] {
			t.Fatalf("Carve: %#x, %v", a, err)
		}
		seen[a] = true
	}
	if _, err := b.Carve(8<<30, 4<<30); err != ErrNoSpace {
		t.Errorf("8 GiB below 4 GiB: %v", err)
	}
}

// TestHoles: what is no memory need not be mapped, whatever lies above it.
func TestHoles(t *testing.T) {
	var b Boot
	err := Parse(&b, 0, 0x100, pvh("", []Region{
		{Range{0, 0x9fc00}, Usable},
		{Range{0x100000, 0x7ff00000}, Usable},
		{Range{0x7ff00000, 0x80000000}, Reserved}, // tables
		{Range{0xe0000000, 0xf0000000}, Reserved}, // devices
		{Range{0xffc00000, 0xffc84000}, ACPINVS},  // as UEFI's variables in a flash chip
		{Range{0x100000000, 0x140000000}, Usable},
		{Range{0x140000000, 0x200000000}, Reserved},
		{Range{0x300000000, 0x300001000}, Usable},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		start, end uint64
		want       bool
	}{
		{0, 1 << 12, true}, {0xa0000, 0xa1000, true}, {0xff000, 0x100000, true},
		{0x7fe00000, 0x80000000, true}, {0x7ff00000, 0x7ff01000, true}, {0x80000000, 0xffc00000, false},
		{0xe0000000, 0xe0200000, false}, {0xffc00000, 0xffe00000, true}, {0xffe00000, 0x100000000, false},
		{0x13fe00000, 0x140000000, true}, {0x140000000, 0x140200000, false}, {0x300000000, 0x300200000, true},
		{0x300001000, 1 << 50, false}, {0x7ff00000, 0x7ff00000, false}, {0, 0, false},
	} {
		if got := b.HasMemory(c.start, c.end); got != c.want {
			t.Errorf("memory at %#x-%#x: %v", c.start, c.end, got)
		}
	}
	if low, top := b.Top(4<<30), b.Top(MaxMemory); low != 0xffc84000 || top != 0x300001000 {
		t.Errorf("memory ends at %#x and %#x", low, top)
	}
}

// TestRecords: a little memory far above the rest does not cost the machine its
// records, and none is given up where they are cheap.
func TestRecords(t *testing.T) {
	const g = 1 << 30
	for _, c := range []struct {
		name    string
		memory  []Region
		top     uint64
		size    uint64
		problem []Range
	}{
		{"a PC", pc, 5 * g, 0x9fc00 + 512<<20 - 1<<20 + g, nil},
		{"a little far up", []Region{{Range{0, 2 * g}, Usable}, {Range{400 * g, 400*g + 256<<20}, Usable}},
			2 * g, 2 * g, []Range{{400 * g, 400*g + 256<<20}}},
		{"much far up", []Region{{Range{0, 2 * g}, Usable}, {Range{400 * g, 410 * g}, Usable}}, 410 * g, 12 * g, nil},
		{"several far up", []Region{{Range{0, g}, Usable}, {Range{300 * g, 300*g + 4096}, Usable}, {Range{500 * g, 500*g + 4096}, Usable}},
			g, g, []Range{{500 * g, 500*g + 4096}, {300 * g, 300*g + 4096}}},
		{"no room", []Region{{Range{0, 1 << 20}, Usable}, {Range{4 * g, 4*g + 8<<20}, Usable}, {Range{4*g + 9<<20, 4*g + 17<<20}, Usable}},
			1 << 20, 1 << 20, []Range{{4*g + 9<<20, 4*g + 17<<20}, {4 * g, 4*g + 8<<20}}},
	} {
		var b Boot
		if err := Parse(&b, 0, 0x100, pvh("", c.memory)); err != nil {
			t.Fatal(err)
		}
		_, top, err := b.CarveRecords(8)
		if err != nil || top != c.top || b.UsableSize() != c.size {
			t.Errorf("%s: up to %#x, %#x bytes usable, %v; want %#x, %#x", c.name, top, b.UsableSize(), err, c.top, c.size)
		}
		var said []Range
		for _, p := range b.Problems() {
			said = append(said, p.Range)
		}
		if !same(said, c.problem) {
			t.Errorf("%s: problems %v", c.name, b.Problems())
		}
		check(t, &b, nil)
	}
	var b Boot
	if err := Parse(&b, 0, 0x100, pvh("", []Region{{Range{500 * g, 500*g + 8192}, Usable}})); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.CarveRecords(8); err != ErrNoSpace {
		t.Errorf("two pages, far up: %v", err)
	}
}

func TestOverlapsAreNotFree(t *testing.T) {
	var b Boot
	err := Parse(&b, 0, 0x100, pvh("", []Region{
		{Range{0, 0x100000}, Usable},
		{Range{0x80000, 0x90000}, ACPINVS},
		{Range{0x8f800, 0x91001}, Reserved},
		{Range{0x70000, 0x120000}, Usable},
		{Range{^uint64(0) - 0x5000, ^uint64(0)}, Usable},
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := free(&b)
	for _, r := range got {
		if r.Start < 0x92000 && r.End > 0x80000 {
			t.Errorf("%x is not free", r)
		}
	}
	if len(got) < 2 || got[0].Start != 0 || got[0].End != 0x80000 {
		t.Errorf("free %x", got)
	}
}

func TestHostileInformation(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		make func() (image, uint32)
	}{
		{"pointer outside memory", ErrUnread, func() (image, uint32) { return make(image, 100), 0xfffffff0 }},
		{"no magic", ErrNoLoader, func() (image, uint32) { return make(image, 1000), 0x100 }},
		{"map outside memory", ErrUnread, func() (image, uint32) {
			m := pvh("", pc)
			m.put64(0x100+pvhMap, ^uint64(0)-8)
			return m, 0x100
		}},
		{"a billion modules", ErrUnread, func() (image, uint32) {
			m := pvh("", pc)
			m.put32(0x100+pvhModules, 1<<30)
			m.put64(0x100+pvhModuleList, uint64(len(m)-40))
			return m, 0x100
		}},
		{"no memory", ErrNoMemory, func() (image, uint32) { return pvh("", nil), 0x100 }},
		{"all memory reserved", ErrNoMemory, func() (image, uint32) {
			return pvh("", append([]Region{{Range{0, ^uint64(0)}, Reserved}}, pc...)), 0x100
		}},
	} {
		var b Boot
		m, ebx := c.make()
		if err := Parse(&b, 0, ebx, m); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestMultiboot2(t *testing.T) {
	var body []byte
	tag := func(kind uint32, p []byte) {
		body = binary.LittleEndian.AppendUint32(body, kind)
		body = binary.LittleEndian.AppendUint32(body, uint32(8+len(p)))
		body = append(body, p...)
		for len(body)%8 != 0 {
			body = append(body, 0)
		}
	}
	tag(mbCommandLine, []byte("quiet\x00"))
	tag(mbModule, []byte{0, 0, 0x20, 0, 0, 0, 0x30, 0, 'x', 0})
	mm := []byte{24, 0, 0, 0, 0, 0, 0, 0}
	mm = binary.LittleEndian.AppendUint64(mm, 1<<20)
	mm = binary.LittleEndian.AppendUint64(mm, 31<<20)
	mm = binary.LittleEndian.AppendUint64(mm, 1)
	tag(mbMemoryMap, mm)
	tag(mbRSDP2, []byte("RSD PTR and more"))
	tag(mbEnd, nil)
	m := make(image, 4096)
	m.put32(8, uint32(8+len(body)))
	copy(m[16:], body)

	var b Boot
	if err := Parse(&b, magicMultiboot2, 8, m); err != nil {
		t.Fatal(err)
	}
	if string(b.CommandLine()) != "quiet" || string(b.RSDPCopy[:b.RSDPLen]) != "RSD PTR and more" {
		t.Errorf("command line %q, RSDP %q", b.CommandLine(), b.RSDPCopy[:b.RSDPLen])
	}
	want := []Range{{0x100000, 0x200000}, {0x300000, 0x2000000}}
	if got := free(&b); !same(got, want) {
		t.Errorf("free %x, want %x", got, want)
	}
	for n := range len(body) {
		var b Boot
		m.put32(8, uint32(n))
		Parse(&b, magicMultiboot2, 8, m)
	}
}

func TestParseSize(t *testing.T) {
	for _, c := range []struct {
		s  string
		v  uint64
		ok bool
	}{
		{"0", 0, true}, {"4096", 4096, true}, {"64M", 64 << 20, true}, {"0x1000", 4096, true},
		{"1g", 1 << 30, true}, {"010k", 8 << 10, true}, {"", 0, false}, {"x", 0, false},
		{"1Q", 0, false}, {"1MM", 0, false}, {"99999999999999999999", 0, false}, {"17179869184G", 0, false},
	} {
		if v, ok := ParseSize([]byte(c.s)); v != c.v || ok != c.ok {
			t.Errorf("ParseSize(%q) = %d, %v", c.s, v, ok)
		}
	}
}

func TestOption(t *testing.T) {
	var b Boot
	b.SetCommandLine([]byte("maxcpus=1 quiet maxcpus=2 max -- maxcpus=3"))
	for _, c := range []struct {
		name, value string
		ok          bool
	}{{"maxcpus", "2", true}, {"quiet", "", true}, {"max", "", true}, {"maxcpu", "", false}, {"x", "", false}} {
		if v, ok := b.Option(c.name); string(v) != c.value || ok != c.ok {
			t.Errorf("Option(%q) = %q, %v", c.name, v, ok)
		}
	}
}
