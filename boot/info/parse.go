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
	if v, ok := b.Option("mem"); ok {
		if limit, ok := ParseSize(v); ok && limit > 0 {
			b.clip(limit)
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
	pvhModules    = 12
	pvhModuleList = 16
	pvhCommand    = 24
	pvhRSDP       = 32
	pvhMap        = 40
	pvhMapEntries = 48

	pvhModuleSize = 32 // struct hvm_modlist_entry
	pvhMapSize    = 24 // struct hvm_memmap_table_entry
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

	n := uint64(le32(s, pvhMapEntries))
	at := le64(s, pvhMap)
	for i := uint64(0); i < n && i < maxRegions; i++ {
		e := m.Bytes(at+i*pvhMapSize, pvhMapSize)
		if e == nil {
			return ErrUnread
		}
		b.addRegion(le64(e, 0), le64(e, 8), Kind(le32(e, 16)))
	}
	if n > maxRegions {
		b.Dropped++
	}

	if c := le64(s, pvhCommand); c != 0 {
		b.SetCommandLine(cstring(m, c))
	}

	n = uint64(le32(s, pvhModules))
	at = le64(s, pvhModuleList)
	for i := uint64(0); i < n && i < maxModules; i++ {
		e := m.Bytes(at+i*pvhModuleSize, pvhModuleSize)
		if e == nil {
			return ErrUnread
		}
		start, size := le64(e, 0), le64(e, 8)
		b.addModule(start, start+size)
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

// ParseSize reads a number with a unit, as "512M" or "0x100000". It accepts
// what the command line of Linux does (lib/cmdline.c, memparse).
func ParseSize(s []byte) (v uint64, ok bool) {
	base := uint64(10)
	if len(s) > 1 && s[0] == '0' {
		if base, s = 8, s[1:]; s[0] == 'x' || s[0] == 'X' {
			base, s = 16, s[1:]
		}
	}
	i := 0
	for ; i < len(s); i++ {
		var d uint64
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			d = uint64(c - '0')
		case 'a' <= c && c <= 'f':
			d = uint64(c-'a') + 10
		case 'A' <= c && c <= 'F':
			d = uint64(c-'A') + 10
		default:
			d = base
		}
		if d >= base {
			break
		}
		if v > (^uint64(0)-d)/base {
			return 0, false
		}
		v = v*base + d
	}
	if i == 0 && base != 8 {
		return 0, false
	}
	shift := 0
	if i < len(s) {
		switch s[i] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		case 't', 'T':
			shift = 40
		default:
			return 0, false
		}
		i++
	}
	if i != len(s) || v > ^uint64(0)>>shift {
		return 0, false
	}
	return v << shift, true
}

func le16(p []byte, o int) uint16 { return uint16(p[o]) | uint16(p[o+1])<<8 }
func le32(p []byte, o int) uint32 { return uint32(le16(p, o)) | uint32(le16(p, o+2))<<16 }
func le64(p []byte, o int) uint64 { return uint64(le32(p, o)) | uint64(le32(p, o+4))<<32 }
