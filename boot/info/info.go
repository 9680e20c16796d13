package info

// Kind says what a region of physical memory is, with the numbers of the PC
// firmware's memory map (ACPI specification 6.5, table 15.4).
type Kind uint32

const (
	Usable      Kind = 1     // ordinary memory
	Reserved    Kind = 2     // firmware or devices
	ACPIReclaim Kind = 3     // ACPI tables; memory once they have been read
	ACPINVS     Kind = 4     // used by the firmware for as long as the machine runs
	Unusable    Kind = 5     // memory with errors
	Clipped     Kind = 0x100 // ordinary memory beyond what "mem=" allows
)

// The kernel's image lies at its own place in the direct map, the window of the
// upper half through which all memory is reached.
const (
	DirectMap = 0xffff_8000_0000_0000 // virtual address of physical address 0
	ImageBase = DirectMap + 16<<20    // where the image begins, with its ELF header
	TextBase  = ImageBase + 0x1000    // what the linker's -T gets
)

// Limits of what is kept. A loader that says more loses the rest, which
// [Boot.Dropped] counts.
const (
	maxRegions  = 128
	maxModules  = 16
	maxReserved = 64
	maxCommand  = 4096 // COMMAND_LINE_SIZE is 2048 in asm/setup.h
)

// PageSize is the granularity of [Boot.NextFree].
const PageSize = 4096

// Range is the physical memory from Start up to, not including, End.
type Range struct{ Start, End uint64 }

// Region is one entry of the memory map. Regions may overlap; where they do,
// anything else wins over Usable.
type Region struct {
	Range
	Kind Kind
}

// FramebufferKind says how what is on the screen lies in memory.
type FramebufferKind uint8

const (
	NoFramebuffer FramebufferKind = iota
	RGB                           // pixels of red, green and blue fields
	EGAText                       // two bytes a character: its code, its colours
	Indexed                       // pixels are numbers of a palette, which is not kept
)

// Framebuffer describes the screen that the loader set up. It has been checked:
// lines do not overlap, the memory does not wrap around, the fields of a pixel
// lie within it.
type Framebuffer struct {
	Kind                FramebufferKind
	Address             uint64 // physical
	Pitch               uint32 // bytes from one line to the next
	Width, Height       uint32 // in pixels; for EGAText in characters
	BitsPerPixel        uint8  // 16 for EGAText
	RedPos, RedSize     uint8  // the colour fields' lowest bit and width; RGB only
	GreenPos, GreenSize uint8
	BluePos, BlueSize   uint8
}

// Size returns how many bytes from Address on belong to the screen.
func (f *Framebuffer) Size() uint64 { return uint64(f.Pitch) * uint64(f.Height) }

// Boot is all that is kept of the boot information. It is filled by [Parse] and
// by the start-up code in package boot, and read-only from then on.
type Boot struct {
	Loader  string // "PVH" or "Multiboot2"
	RSDP    uint64 // physical address of the ACPI root pointer; 0: not told
	Root    uint64 // physical address of the kernel's top page table (CR3)
	Dropped int    // regions, modules or ranges that found no room here

	Framebuffer Framebuffer

	// RSDPCopy holds the root pointer itself where the loader hands over a
	// copy (Multiboot2); RSDPLen is its length, 0 if there is none.
	RSDPCopy [64]byte
	RSDPLen  int

	memory   [maxRegions]Region
	nMemory  int
	modules  [maxModules]Range
	nModules int
	reserved [maxReserved]Range
	nReserve int
	command  [maxCommand]byte
	nCommand int
}

// Error is a reason why the boot information cannot be used. It is a constant
// string so that it exists before the Go runtime does.
type Error string

func (e Error) Error() string { return string(e) }

const (
	ErrNoLoader  Error = "boot information: neither PVH nor Multiboot2"
	ErrUnread    Error = "boot information: lies outside readable memory"
	ErrNoMemory  Error = "boot information: no usable memory in the memory map"
	ErrNoSpace   Error = "boot information: no free memory of the wanted size"
	ErrTruncated Error = "boot information: truncated"
)

// Memory returns the regions of the memory map, in the loader's order.
func (b *Boot) Memory() []Region { return b.memory[:b.nMemory] }

// Modules returns the modules the loader put into memory, in its order. They
// are reserved already.
func (b *Boot) Modules() []Range { return b.modules[:b.nModules] }

// ReservedRanges returns what is in use inside usable memory: the kernel
// image, early page tables, modules and the like.
func (b *Boot) ReservedRanges() []Range { return b.reserved[:b.nReserve] }

// CommandLine returns the kernel command line.
func (b *Boot) CommandLine() []byte { return b.command[:b.nCommand] }

// SetCommandLine replaces the command line, cut at its limit and at the first
// NUL.
func (b *Boot) SetCommandLine(p []byte) {
	b.nCommand = 0
	for _, c := range p {
		if c == 0 || b.nCommand == maxCommand {
			break
		}
		b.command[b.nCommand] = c
		b.nCommand++
	}
}

func (b *Boot) addRegion(start, size uint64, k Kind) {
	end := start + size
	if size == 0 {
		return
	}
	if end < start {
		end = ^uint64(0)
	}
	if b.nMemory == maxRegions {
		b.Dropped++
		return
	}
	b.memory[b.nMemory] = Region{Range{start, end}, k}
	b.nMemory++
}

func (b *Boot) addModule(start, end uint64) {
	if end < start || b.nModules == maxModules {
		b.Dropped++
		return
	}
	b.modules[b.nModules] = Range{start, end}
	b.nModules++
	b.Reserve(start, end)
}

// Reserve takes the memory from start to end out of what NextFree returns.
// It reports whether there was room to note it.
func (b *Boot) Reserve(start, end uint64) bool {
	if end <= start {
		return true
	}
	if n := b.nReserve; n > 0 && b.reserved[n-1].End == start {
		b.reserved[n-1].End = end
		return true
	}
	if b.nReserve == maxReserved {
		b.Dropped++
		return false
	}
	b.reserved[b.nReserve] = Range{start, end}
	b.nReserve++
	return true
}

// NextFree returns the first run of free whole pages at or above after: usable
// memory without what is reserved. ok is false when there is none.
func (b *Boot) NextFree(after uint64) (start, end uint64, ok bool) {
	for {
		// The lowest usable region that reaches above after.
		found := false
		for i := range b.nMemory {
			r := &b.memory[i]
			if r.Kind != Usable {
				continue
			}
			s, e := pageUp(max(after, r.Start)), r.End&^(PageSize-1)
			if s < e && (!found || s < start) {
				start, end, found = s, e, true
			}
		}
		if !found {
			return 0, 0, false
		}
		// Step over what covers its beginning, stop before what comes next.
		stepped := false
		for i := range b.nMemory + b.nReserve {
			var o Range
			if i >= b.nMemory {
				o = b.reserved[i-b.nMemory]
			} else if b.memory[i].Kind == Usable {
				continue
			} else {
				o = b.memory[i].Range
			}
			if o.Start&^(PageSize-1) <= start && start < o.End {
				start = pageUp(o.End)
				stepped = true
			} else if o.Start > start && o.Start < end {
				end = o.Start &^ (PageSize - 1)
			}
		}
		if !stepped && start < end {
			return start, end, true
		}
		after = start
	}
}

// Carve reserves size bytes of free memory, aligned to a page and wholly below
// limit, and returns its physical address.
func (b *Boot) Carve(size, limit uint64) (uint64, error) {
	size = pageUp(size)
	for after := uint64(PageSize); ; {
		start, end, ok := b.NextFree(after)
		if !ok || start >= limit {
			return 0, ErrNoSpace
		}
		if min(end, limit)-start >= size && b.Reserve(start, start+size) {
			return start, nil
		}
		after = end
	}
}

// Top returns the end of the highest region that is memory, whether usable or
// not, below limit, and so how far a map of all memory has to reach.
func (b *Boot) Top(limit uint64) uint64 {
	top := uint64(0)
	for _, r := range b.Memory() {
		switch r.Kind {
		case Usable, Clipped, ACPIReclaim, ACPINVS:
			if r.Start < limit {
				top = max(top, min(r.End, limit))
			}
		}
	}
	// Firmware keeps tables in reserved memory right above the rest.
	for again := true; again; {
		again = false
		for _, r := range b.Memory() {
			if r.Kind == Reserved && r.Start <= top && r.End > top && top < limit {
				top = min(r.End, limit)
				again = true
			}
		}
	}
	return top
}

// clip makes ordinary memory at or above limit unusable, for "mem=".
func (b *Boot) clip(limit uint64) {
	for i, n := 0, b.nMemory; i < n; i++ {
		r := &b.memory[i]
		if r.Kind != Usable || r.End <= limit {
			continue
		}
		if r.Start >= limit {
			r.Kind = Clipped
			continue
		}
		b.addRegion(limit, r.End-limit, Clipped)
		r.End = limit
	}
}

func pageUp(a uint64) uint64 {
	if a > ^uint64(PageSize-1) {
		return ^uint64(PageSize - 1)
	}
	return (a + PageSize - 1) &^ (PageSize - 1)
}

// String returns the kind's name, for the log.
func (k Kind) String() string {
	switch k {
	case Usable:
		return "usable"
	case Reserved:
		return "reserved"
	case ACPIReclaim:
		return "ACPI tables"
	case ACPINVS:
		return "ACPI NVS"
	case Unusable:
		return "unusable"
	case Clipped:
		return "beyond mem="
	}
	return "unknown"
}
