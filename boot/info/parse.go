package info

// Memory gives access to physical memory. Bytes returns n bytes at a physical
// address, or nil if that memory cannot be read.
type Memory interface {
	Bytes(addr, n uint64) []byte
}

// Magic numbers by which a loader makes itself known.
const (
	magicPVH        = 0x336ec578 // xen/interface/hvm/start_info.h: XEN_HVM_START_MAGIC_VALUE
	magicMultiboot2 = 0x36d76289 // Multiboot2 specification 3.2: in EAX at entry
)

// Parse fills b from the boot information at physical address ebx, as found in
// that register at the entry point. eax tells Multiboot2; under PVH it holds
// nothing of use. The command line's "mem=" is applied to the memory map.
// b must be the zero Boot.
func Parse(b *Boot, eax, ebx uint32, m Memory) error {
	var err error
	if eax == magicMultiboot2 {
		b.Loader = "Multiboot2"
		err = parseMultiboot2(b, uint64(ebx), m)
	} else {
		b.Loader = "PVH"
		err = parsePVH(b, uint64(ebx), m)
	}
	if err != nil {
		return err
	}
	b.normalise()
	if top := b.UsableTop(); top > MaxMemory {
		b.complain("memory above 512 GiB is not used", MaxMemory, top)
		b.clip(MaxMemory, Beyond)
	}
	if v, ok := b.Option("mem"); ok {
		if limit, ok := ParseSize(v); ok && limit > 0 {
			b.clip(limit, Clipped)
		}
	}
	if _, _, ok := b.NextFree(0); !ok {
		return ErrNoMemory
	}
	return nil
}

// Offsets in struct hvm_start_info and its tables (xen/interface/hvm/start_info.h).
const (
	pvhSize       = 56
	pvhVersion    = 4
	pvhModules    = 12
	pvhModuleList = 16
	pvhCommand    = 24
	pvhRSDP       = 32
	pvhMap        = 40
	pvhMapEntries = 48

	pvhModuleSize = 32 // struct hvm_modlist_entry
	pvhMapSize    = 24 // struct hvm_memmap_table_entry

	pvhMaxMap = 4096 // no honest loader has more entries
)

func parsePVH(b *Boot, addr uint64, m Memory) error {
	s := m.Bytes(addr, pvhSize)
	if s == nil {
		return ErrUnread
	}
	if le32(s, 0) != magicPVH {
		return ErrNoLoader
	}
	b.RSDP = le64(s, pvhRSDP)

	n, at := uint64(le32(s, pvhMapEntries)), le64(s, pvhMap)
	if le32(s, pvhVersion) == 0 {
		n = 0 // the first version had no memory map
	}
	for i := range min(n, pvhMaxMap) {
		e := m.Bytes(at+i*pvhMapSize, pvhMapSize)
		if e == nil {
			return ErrUnread
		}
		b.add(le64(e, 0), le64(e, 8), firmwareKind(le32(e, 16)))
	}
	if n > pvhMaxMap {
		b.Dropped++
	}

	if c := le64(s, pvhCommand); c != 0 {
		b.SetCommandLine(cstring(m, c))
	}

	n, at = uint64(le32(s, pvhModules)), le64(s, pvhModuleList)
	for i := range min(n, maxModules) {
		e := m.Bytes(at+i*pvhModuleSize, pvhModuleSize)
		if e == nil {
			return ErrUnread
		}
		start, size := le64(e, 0), le64(e, 8)
		b.addModule(start, start+size) // one that wraps around is refused there
	}
	if n > maxModules {
		b.Dropped++
	}
	return nil
}

// cstring returns the bytes at addr, at least up to the first NUL or the
// longest command line.
func cstring(m Memory, addr uint64) []byte {
	for n := uint64(maxCommand); n > 0; n /= 2 {
		if p := m.Bytes(addr, n); p != nil {
			return p
		}
	}
	return nil
}

func le16(p []byte, o int) uint16 { return uint16(p[o]) | uint16(p[o+1])<<8 }
func le32(p []byte, o int) uint32 { return uint32(le16(p, o)) | uint32(le16(p, o+2))<<16 }
func le64(p []byte, o int) uint64 { return uint64(le32(p, o)) | uint64(le32(p, o+4))<<32 }
