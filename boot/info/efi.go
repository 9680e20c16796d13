package info

// Memory types of UEFI (UEFI specification 2.10, section 7.2.1,
// AllocatePages).
const (
	efiLoaderCode   = 1
	efiLoaderData   = 2
	efiBootCode     = 3
	efiBootData     = 4
	efiRuntimeCode  = 5
	efiRuntimeData  = 6
	efiConventional = 7
	efiUnusable     = 8
	efiACPIReclaim  = 9
	efiACPINVS      = 10
	efiPersistent   = 14
	efiPageSize     = 4096
	efiDescriptor   = 40 // the part of EFI_MEMORY_DESCRIPTOR that is read

	efiRuntime = 1 << 63 // attribute EFI_MEMORY_RUNTIME: the firmware's services use it
)

// parseEFIMap reads a Multiboot2 tag with UEFI's memory map ("EFI memory map"):
// the size of a descriptor, their version, and the descriptors. Where the
// loader also made an ordinary map of it, only what is not to be used is taken
// from here: a loader may have lost some of that.
func parseEFIMap(b *Boot, t []byte, has *tags) {
	size := entrySize(t, efiDescriptor)
	if size == 0 {
		b.complain("UEFI's memory map has no entries that can be read", 0, 0)
		return
	}
	for off := 16; off+size <= len(t); off += size {
		start, pages := le64(t, off+8), le64(t, off+24)
		kind := efiKind(le32(t, off), has.bootServices)
		if kind == Usable && le64(t, off+32)&efiRuntime != 0 {
			kind = Runtime
		}
		if kind == Usable && has.memoryMap {
			continue
		}
		n := pages * efiPageSize
		if pages > ^uint64(0)/efiPageSize {
			n = ^uint64(0)
		}
		b.add(start, n, kind)
	}
}

// efiKind translates a memory type of UEFI. bootServices says that they still
// run.
func efiKind(kind uint32, bootServices bool) Kind {
	switch kind {
	case efiConventional, efiLoaderCode, efiLoaderData:
		return Usable
	case efiBootCode, efiBootData:
		if !bootServices {
			return Usable
		}
	case efiRuntimeCode, efiRuntimeData:
		return Runtime
	case efiUnusable:
		return Unusable
	case efiACPIReclaim:
		return ACPIReclaim
	case efiACPINVS:
		return ACPINVS
	case efiPersistent:
		return Persistent
	}
	return Reserved
}

// firmwareKind translates a type of the PC firmware's memory map; one that is
// not known is not to be used.
func firmwareKind(kind uint32) Kind {
	switch k := Kind(kind); k {
	case Usable, Reserved, ACPIReclaim, ACPINVS, Unusable, Persistent:
		return k
	}
	return Reserved
}
