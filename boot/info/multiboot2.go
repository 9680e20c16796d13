package info

// Tags of the Multiboot2 boot information (Multiboot2 specification 2.0,
// section 3.6). The others are known and of no use here: the BIOS's boot device
// (5), VBE's own tables (7), ELF sections (9), APM (10), UEFI's 32-bit system
// table and image handles (11, 19, 20), which only its boot services could use, SMBIOS
// (13), the network (16), and where a relocatable image was put (21).
const (
	mbEnd          = 0
	mbCommandLine  = 1
	mbLoaderName   = 2
	mbModule       = 3
	mbBasicMemory  = 4
	mbMemoryMap    = 6
	mbFramebuffer  = 8
	mbEFI64        = 12 // where UEFI's system table is
	mbRSDP1        = 14
	mbRSDP2        = 15
	mbEFIMap       = 17
	mbBootServices = 18 // UEFI's boot services still run

	mbMaxSize = 1 << 20 // no honest loader hands over more
)

func parseMultiboot2(b *Boot, addr uint64, m Memory) error {
	h := m.Bytes(addr, 8)
	if h == nil {
		return ErrUnread
	}
	total := uint64(le32(h, 0))
	if total < 16 || total > mbMaxSize {
		return ErrTruncated
	}
	p := m.Bytes(addr, total)
	if p == nil {
		return ErrUnread
	}
	b.Reserve(addr, addr+total)
	// What a tag means depends on whether some others are there: these first.
	var has tags
	if err := eachTag(p, func(kind uint32, t []byte) { has.note(kind, t) }); err != nil {
		return err
	}
	b.UEFI = has.efiMap
	if has.bootServices {
		b.complain("the loader left UEFI's boot services running; their memory is not used", 0, 0)
	}
	return eachTag(p, func(kind uint32, t []byte) { parseTag(b, &has, kind, t) })
}

// tags says which tags there are.
type tags struct{ memoryMap, efiMap, bootServices bool }

func (h *tags) note(kind uint32, t []byte) {
	switch kind {
	case mbMemoryMap:
		h.memoryMap = h.memoryMap || entrySize(t, mapEntry) > 0
	case mbEFIMap:
		h.efiMap = h.efiMap || entrySize(t, efiDescriptor) > 0
	case mbBootServices:
		h.bootServices = true
	}
}

// mapEntry is the part of an entry of the ordinary memory map that is read.
const mapEntry = 24

// entrySize returns the size of the entries in a tag with a memory map, of either
// kind: it comes first in the tag, and the entries begin 16 bytes into it. 0: it
// cannot be, or there is not one whole entry.
func entrySize(t []byte, least int) int {
	const most = 1024
	if len(t) < 16 {
		return 0
	}
	if n := le32(t, 8); n >= uint32(least) && n <= most && int(n) <= len(t)-16 {
		return int(n)
	}
	return 0
}

// eachTag calls f for each tag of the boot information p, header included.
func eachTag(p []byte, f func(kind uint32, t []byte)) error {
	for off := 8; off+8 <= len(p); {
		kind, size := le32(p, off), int(le32(p, off+4))
		if kind == mbEnd {
			return nil
		}
		if size < 8 || size > len(p)-off {
			return ErrTruncated
		}
		f(kind, p[off:off+size])
		off += (size + 7) &^ 7
	}
	return ErrTruncated
}

// parseTag reads one tag, header included. A tag too short for its kind is
// skipped.
func parseTag(b *Boot, has *tags, kind uint32, t []byte) {
	switch kind {
	case mbCommandLine:
		b.SetCommandLine(t[8:])
	case mbLoaderName:
		for _, c := range t[8:] {
			if c == 0 || b.nName == len(b.name) {
				break
			}
			b.name[b.nName] = c
			b.nName++
		}
	case mbModule:
		if len(t) >= 16 {
			b.addModule(uint64(le32(t, 8)), uint64(le32(t, 12)))
		}
	case mbBasicMemory:
		// KiB from 0 on and from 1 MiB on, for want of better.
		if len(t) >= 16 && !has.memoryMap && !has.efiMap {
			b.add(0, min(uint64(le32(t, 8)), 640)<<10, Usable)
			b.add(1<<20, uint64(le32(t, 12))<<10, Usable)
		}
	case mbMemoryMap:
		size := entrySize(t, mapEntry)
		if size == 0 {
			b.complain("the loader's memory map has no entries that can be read", 0, 0)
			return
		}
		for off := 16; off+size <= len(t); off += size {
			b.add(le64(t, off), le64(t, off+8), firmwareKind(le32(t, off+16)))
		}
	case mbEFI64:
		if len(t) >= 16 {
			b.SystemTable = le64(t, 8)
		}
	case mbEFIMap:
		parseEFIMap(b, t, has)
	case mbFramebuffer:
		if b.Framebuffer = parseFramebuffer(t); b.Framebuffer.Kind == NoFramebuffer {
			b.complain("the screen that the loader describes makes no sense", 0, 0)
		}
	case mbRSDP1, mbRSDP2:
		// Both may come; the newer one is the longer one. What a still newer
		// one may have at its end is not read.
		if n := min(len(t)-8, len(b.RSDPCopy)); n > b.RSDPLen {
			copy(b.RSDPCopy[:], t[8:])
			b.RSDPLen = n
		}
	}
}
