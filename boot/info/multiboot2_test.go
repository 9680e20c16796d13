package info

import (
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
