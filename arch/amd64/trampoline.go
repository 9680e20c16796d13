package amd64

import "tamarix/boot/info"

// trampolinePage returns the page below 1 MiB in which other CPUs may begin: the
// highest that the memory map calls usable and that neither a module nor the
// BIOS's extended data area reaches into; 0 if there is none. ebda is the segment
// of that area and kib the size of low memory, as the BIOS data area has them at
// 0x40e and 0x413; where they cannot be right, as after UEFI, they do not count.
// Page 0 is never taken.
func trampolinePage(b *info.Boot, ebda, kib uint16) uint64 {
	top := uint64(0xa0000)
	for _, end := range [...]uint64{uint64(ebda) << 4, uint64(kib) << 10} {
		if end >= 0x20000 && end < top {
			top = end
		}
	}
	for page := top&^(PageSize-1) - PageSize; page >= PageSize; page -= PageSize {
		if trampolineFits(b, page, page+PageSize) {
			return page
		}
	}
	return 0
}

func trampolineFits(b *info.Boot, start, end uint64) bool {
	usable := false
	for _, r := range b.Memory() {
		if r.Kind == info.Usable {
			usable = usable || r.Start <= start && end <= r.End
		} else if r.Start < end && start < r.End {
			return false
		}
	}
	for _, r := range b.Modules() {
		if r.Start < end && start < r.End {
			return false
		}
	}
	return usable
}

// The trampoline: one page below 1 MiB. Code first, then data at these offsets.
const (
	trampolineGDTR  = 0xe0  // limit and base of the descriptors below
	trampolineEntry = 0xe8  // where the CPU goes on, 64 bits
	trampolineRoot  = 0xf0  // tables that map the page where it lies, 32 bits
	trampolineCPU   = 0xf8  // percpu of the CPU to start
	trampolineGDT   = 0x100 // three descriptors
	trampolineEnd   = trampolineGDT + 3*8

	// Operands of trampolineCode to be filled in.
	trampolineEFER = 32 // the byte with LME and NXE
	trampolineJump = 54 // the address of what follows the jump, 32 bits
	trampolineLong = 60 // the offset of that
)

// trampolineCode goes from real mode, where the CPU begins with CS = the page and
// IP = 0, straight to 64-bit mode (SDM vol. 3A, 10.8.5).
var trampolineCode = [...]byte{
	0xfa,       // cli
	0x8c, 0xc8, // mov ax, cs
	0x8e, 0xd8, // mov ds, ax
	0x66, 0xb8, 0x20, 0x06, 0x00, 0x00, // mov eax, PAE|OSFXSR|OSXMMEXCPT
	0x0f, 0x22, 0xe0, // mov cr4, eax
	0x66, 0xa1, trampolineRoot, 0x00, // mov eax, [root]
	0x0f, 0x22, 0xd8, // mov cr3, eax
	0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, // mov ecx, EFER
	0x0f, 0x32, // rdmsr
	0x66, 0x0d, 0x00, 0x01, 0x00, 0x00, // or eax, LME
	0x0f, 0x30, // wrmsr
	0x66, 0xb8, 0x11, 0x00, 0x01, 0x80, // mov eax, PG|WP|ET|PE: caches on, too
	0x0f, 0x22, 0xc0, // mov cr0, eax
	0x66, 0x0f, 0x01, 0x16, trampolineGDTR, 0x00, // lgdt [gdtr]
	0x66, 0xea, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, // jmp 8:long
	// long: 64-bit mode
	0xb8, 0x10, 0x00, 0x00, 0x00, // mov eax, 16
	0x8e, 0xd0, // mov ss, ax
	0x48, 0x8b, 0x3d, 0, 0, 0, 0, // mov rdi, [rip+cpu]
	0xff, 0x25, 0, 0, 0, 0, // jmp [rip+entry]
}

// layTrampoline writes the trampoline into its page, at physical address at. root
// is below 4 GiB.
func layTrampoline(page *[PageSize]byte, at, root, entry uint64, noExec bool) {
	clear(page[:trampolineEnd])
	copy(page[:], trampolineCode[:])
	put := func(o int, v uint64, n int) {
		for i := range n {
			page[o+i] = byte(v >> (8 * i))
		}
	}
	if noExec {
		page[trampolineEFER] |= 8
	}
	put(trampolineJump, at+trampolineLong, 4)
	// RIP-relative operands count from the end of their instruction.
	put(trampolineLong+10, trampolineCPU-(trampolineLong+14), 4)
	put(trampolineLong+16, trampolineEntry-(trampolineLong+20), 4)
	put(trampolineGDTR, 3*8-1, 2)
	put(trampolineGDTR+2, at+trampolineGDT, 4)
	put(trampolineEntry, entry, 8)
	put(trampolineRoot, root, 4)
	put(trampolineGDT+8, 0x00af9b000000ffff, 8)  // 64-bit code
	put(trampolineGDT+16, 0x00cf93000000ffff, 8) // data
}
