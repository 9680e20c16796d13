package info

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// tag makes a tag of the Multiboot2 boot information.
func tag(kind uint32, body []byte) []byte {
	t := binary.LittleEndian.AppendUint32(nil, kind)
	t = binary.LittleEndian.AppendUint32(t, uint32(8+len(body)))
	t = append(t, body...)
	for len(t)%8 != 0 {
		t = append(t, 0)
	}
	return t
}

// tagged makes boot information of tags.
func tagged(tags ...[]byte) []byte {
	p := make([]byte, 8)
	p = append(append(p, slices.Concat(tags...)...), tag(mbEnd, nil)...)
	binary.LittleEndian.PutUint32(p, uint32(len(p)))
	return p
}

func memoryMap(regions ...Region) []byte {
	p := []byte{24, 0, 0, 0, 0, 0, 0, 0}
	for _, r := range regions {
		p = binary.LittleEndian.AppendUint64(p, r.Start)
		p = binary.LittleEndian.AppendUint64(p, r.End-r.Start)
		p = binary.LittleEndian.AppendUint64(p, uint64(r.Kind))
	}
	return tag(mbMemoryMap, p)
}

type efi struct {
	kind         uint32
	start, pages uint64
}

// attributed gives each descriptor of a tag with UEFI's map these attributes.
func attributed(t []byte, attributes uint64) []byte {
	for o, size := 16, int(le32(t, 8)); o+size <= len(t); o += size {
		binary.LittleEndian.PutUint64(t[o+32:], attributes)
	}
	return t
}

func efiMap(size int, list ...efi) []byte {
	p := binary.LittleEndian.AppendUint32(nil, uint32(size))
	p = binary.LittleEndian.AppendUint32(p, 1)
	for _, e := range list {
		d := make([]byte, size)
		binary.LittleEndian.PutUint32(d, e.kind)
		binary.LittleEndian.PutUint64(d[8:], e.start)
		binary.LittleEndian.PutUint64(d[24:], e.pages)
		p = append(p, d...)
	}
	return tag(mbEFIMap, p)
}

func framebuffer(kind byte, w, h uint32, bits byte, pitch uint32) []byte {
	p := binary.LittleEndian.AppendUint64(nil, 0xfd000000)
	for _, v := range []uint32{pitch, w, h} {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return tag(mbFramebuffer, append(p, bits, kind, 0, 0, 16, 8, 8, 8, 0, 8))
}

// parse parses tags, which must be good.
func parse(t *testing.T, tags ...[]byte) *Boot {
	t.Helper()
	b := new(Boot)
	if err := Parse(b, magicMultiboot2, 8, append(make(image, 8), tagged(tags...)...)); err != nil {
		t.Fatal(err)
	}
	check(t, b, nil)
	return b
}

// TestUEFIKnowsBetter: memory that only UEFI's map keeps for the firmware is not
// used, though the ordinary map calls it usable.
func TestUEFIKnowsBetter(t *testing.T) {
	b := parse(t, memoryMap(Region{Range{0, 64 << 20}, Usable}),
		efiMap(48,
			efi{efiBootCode, 0, 0x400},
			efi{efiRuntimeData, 0x400000, 2},
			efi{efiACPINVS, 0x500000, 1},
			efi{efiACPIReclaim, 0x501000, 1},
			efi{12, 0x600000, 1},
			efi{99, 0x700000, 1},
			efi{efiConventional, 128 << 20, 1 << 10}))
	want := []Range{{0, 0x400000}, {0x402000, 0x500000}, {0x502000, 0x600000}, {0x601000, 0x700000}, {0x701000, 64 << 20}}
	b.nReserve = 0 // the boot information's own place
	if got := free(b); !same(got, want) {
		t.Errorf("free %x, want %x", got, want)
	}
	if !b.UEFI {
		t.Error("not seen to be UEFI")
	}
}

// TestOnlyUEFIsMap: without an ordinary map, UEFI's own will do.
func TestOnlyUEFIsMap(t *testing.T) {
	maps := []efi{{efiConventional, 0x100000, 0x100}, {efiBootData, 0x200000, 0x100}, {efiLoaderData, 0x300000, 0x100}, {efiRuntimeCode, 0x400000, 1}}
	b := parse(t, efiMap(40, maps...))
	if b.UsableSize() != 3<<20 {
		t.Errorf("%d bytes usable", b.UsableSize())
	}
	b = parse(t, efiMap(40, maps...), tag(mbBootServices, nil))
	if b.UsableSize() != 2<<20 || len(b.Problems()) != 1 {
		t.Errorf("boot services running: %d bytes usable, problems %v", b.UsableSize(), b.Problems())
	}
}

// TestUsedAtRunTime: memory of whatever type that UEFI says its services use is
// left to them.
func TestUsedAtRunTime(t *testing.T) {
	b := parse(t, memoryMap(Region{Range{0, 64 << 20}, Usable}),
		attributed(efiMap(48, efi{efiBootData, 0x400000, 2}, efi{efiConventional, 0x500000, 1}, efi{efiACPINVS, 0x600000, 1}), efiRuntime|0xf))
	want := []Region{
		{Range{0, 0x400000}, Usable}, {Range{0x400000, 0x402000}, Runtime},
		{Range{0x402000, 0x500000}, Usable}, {Range{0x500000, 0x501000}, Runtime},
		{Range{0x501000, 0x600000}, Usable}, {Range{0x600000, 0x601000}, ACPINVS},
		{Range{0x601000, 64 << 20}, Usable},
	}
	if !slices.Equal(b.Memory(), want) {
		t.Errorf("memory %x", b.Memory())
	}
}

// TestUnreadableMap: a map none of whose entries can be read is no map, and the
// next best is taken.
func TestUnreadableMap(t *testing.T) {
	basic := tag(mbBasicMemory, []byte{0x7f, 2, 0, 0, 0, 0x78, 0, 0})
	good := efiMap(40, efi{efiConventional, 0x100000, 0x100})
	for _, c := range []struct {
		name  string
		table []byte
	}{
		{"small entries", tag(mbMemoryMap, append([]byte{20, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 40)...))},
		{"huge entries", tag(mbMemoryMap, append([]byte{0, 0, 0, 0x80, 0, 0, 0, 0}, make([]byte, 40)...))},
		{"not one entry", tag(mbMemoryMap, append([]byte{24, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 16)...))},
		{"cut off", tag(mbMemoryMap, []byte{24, 0, 0})},
	} {
		if b := parse(t, c.table, good); b.UsableSize() != 1<<20 || len(b.Problems()) != 1 {
			t.Errorf("%s, and UEFI's: %d bytes usable, problems %v", c.name, b.UsableSize(), b.Problems())
		}
		if b := parse(t, basic, c.table, tag(mbEFIMap, make([]byte, 30))); b.UsableSize() != 30<<20+639<<10 || len(b.Problems()) != 2 {
			t.Errorf("%s, and the sizes alone: %d bytes usable, problems %v", c.name, b.UsableSize(), b.Problems())
		}
	}
}

// TestRootPointers: of two the newer one counts, in whichever order they come; of
// one longer than there is room for, what is known of it.
func TestRootPointers(t *testing.T) {
	mem := memoryMap(pc...)
	old, newer := bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 36)
	longest := bytes.Repeat([]byte{3}, 100)
	for _, c := range []struct {
		tags [][]byte
		want []byte
	}{
		{[][]byte{mem, tag(mbRSDP1, old)}, old},
		{[][]byte{mem, tag(mbRSDP1, old), tag(mbRSDP2, newer)}, newer},
		{[][]byte{mem, tag(mbRSDP2, newer), tag(mbRSDP1, old)}, newer},
		{[][]byte{mem, tag(mbRSDP1, old), tag(mbRSDP2, longest)}, longest[:64]},
		{[][]byte{mem}, nil},
	} {
		if b := parse(t, c.tags...); !bytes.Equal(b.RSDPCopy[:b.RSDPLen], c.want) {
			t.Errorf("%x, want %x", b.RSDPCopy[:b.RSDPLen], c.want)
		}
	}
}

func TestBasicMemory(t *testing.T) {
	basic := tag(mbBasicMemory, []byte{0x7f, 2, 0, 0, 0, 0x78, 0, 0})
	b := parse(t, basic)
	if want := []Region{{Range{0, 639 << 10}, Usable}, {Range{1 << 20, 31 << 20}, Usable}}; !slices.Equal(b.Memory(), want) {
		t.Errorf("memory %x", b.Memory())
	}
	b = parse(t, basic, memoryMap(Region{Range{1 << 20, 2 << 20}, Usable}))
	if b.UsableSize() != 1<<20 {
		t.Errorf("%d bytes usable: the map ought to count", b.UsableSize())
	}
}

func TestFramebuffer(t *testing.T) {
	mem := memoryMap(pc...)
	for _, c := range []struct {
		name string
		tag  []byte
		want FramebufferKind
	}{
		{"RGB", framebuffer(1, 1280, 800, 32, 5120), RGB},
		{"24 bits, padded", framebuffer(1, 640, 480, 24, 2048), RGB},
		{"text", framebuffer(2, 80, 25, 0, 160), EGAText},
		{"palette", framebuffer(0, 640, 480, 8, 640), Indexed},
		{"unknown kind", framebuffer(7, 640, 480, 8, 640), NoFramebuffer},
		{"lines overlap", framebuffer(1, 1280, 800, 32, 5116), NoFramebuffer},
		{"no width", framebuffer(1, 0, 800, 32, 5120), NoFramebuffer},
		{"colours beyond the pixel", framebuffer(1, 640, 480, 16, 1280), NoFramebuffer},
		{"too large", framebuffer(1, 65536, 65536, 32, 1<<20), NoFramebuffer},
		{"cut off", tag(mbFramebuffer, make([]byte, 20)), NoFramebuffer},
	} {
		b := parse(t, mem, c.tag)
		if b.Framebuffer.Kind != c.want {
			t.Errorf("%s: %s, want %s", c.name, b.Framebuffer.Kind, c.want)
		}
		if (len(b.Problems()) == 0) != (c.want != NoFramebuffer) {
			t.Errorf("%s: problems %v", c.name, b.Problems())
		}
	}
}

// TestModuleAtZero: GRUB under UEFI puts modules anywhere, even there.
func TestModuleAtZero(t *testing.T) {
	b := parse(t, memoryMap(Region{Range{0, 64 << 20}, Usable}), tag(mbModule, []byte{0, 0, 0, 0, 0, 0x90, 0, 0, 0}))
	if m := b.Modules(); len(m) != 1 || m[0] != (Range{0, 0x9000}) {
		t.Fatalf("modules %x", m)
	}
	if s, _, _ := b.NextFree(0); s != 0x9000 {
		t.Errorf("free from %#x on", s)
	}
}

func TestMemoryOutOfReach(t *testing.T) {
	b := parse(t, memoryMap(Region{Range{1 << 20, 1 << 30}, Usable}, Region{Range{MaxMemory - 1<<30, MaxMemory + 1<<30}, Usable}))
	if b.UsableSize() != 2<<30-1<<20 || b.UsableTop() != MaxMemory {
		t.Errorf("%#x bytes usable up to %#x", b.UsableSize(), b.UsableTop())
	}
	want := Problem{"memory above 512 GiB is not used", Range{MaxMemory, MaxMemory + 1<<30}}
	if len(b.Problems()) != 1 || b.Problems()[0] != want {
		t.Errorf("problems %v", b.Problems())
	}
}

// TestMoreRegionsThanRoom: whatever does not fit, no memory of the firmware's is
// taken.
func TestMoreRegionsThanRoom(t *testing.T) {
	var raw []Region
	for i := range uint64(2000) {
		raw = append(raw, Region{Range{i << 21, i<<21 + 1<<20}, Usable}, Region{Range{i<<21 + 1<<19, i<<21 + 3<<18}, Reserved})
	}
	b := parse(t, memoryMap(raw...))
	check(t, b, raw)
	if b.Dropped == 0 || b.UsableSize() == 0 {
		t.Errorf("%d dropped, %d bytes usable", b.Dropped, b.UsableSize())
	}
}
