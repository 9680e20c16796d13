package info

// Kind says what a region of physical memory is. Those below 0x100 have the
// numbers of the PC firmware's memory map (ACPI specification 6.5, table 15.4).
type Kind uint32

const (
	Usable      Kind = 1     // ordinary memory
	Reserved    Kind = 2     // firmware or devices
	ACPIReclaim Kind = 3     // ACPI tables; memory once they have been read
	ACPINVS     Kind = 4     // used by the firmware for as long as the machine runs
	Unusable    Kind = 5     // memory with errors
	Persistent  Kind = 7     // keeps its contents without power
	Clipped     Kind = 0x100 // ordinary memory beyond what "mem=" allows
	Runtime     Kind = 0x101 // code and data of the firmware's services, under UEFI
	Beyond      Kind = 0x102 // ordinary memory above MaxMemory, or not worth its records
	Bad         Kind = 0x103 // ordinary memory that "memtest=" found to be bad
)

// The kernel's image lies at its own place in the direct map, the window of the
// upper half through which all memory is reached.
const (
	DirectMap = 0xffff_8000_0000_0000 // virtual address of physical address 0
	ImageBase = DirectMap + 16<<20    // where the image begins, with its ELF header
	TextBase  = ImageBase + 0x1000    // what the linker's -T gets
)

// MaxMemory is how much physical memory the direct map reaches, from address 0
// on; what lies above is not used.
const MaxMemory = 512 << 30

// Limits of what is kept. A loader that says more loses the rest, which
// [Boot.Dropped] counts.
const (
	maxRegions  = 512
	maxModules  = 16
	maxReserved = 64
	maxCommand  = 4096 // COMMAND_LINE_SIZE is 2048 in asm/setup.h
	maxProblems = 16
)

// PageSize is the granularity of [Boot.NextFree].
const PageSize = 4096

// Range is the physical memory from Start up to, not including, End.
type Range struct{ Start, End uint64 }

// Region is one entry of the memory map.
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

// Problem is something wrong or unusual in the boot information, for the log:
// there is none yet when it is found.
type Problem struct {
	Text string // a constant
	Range
}

// Boot is all that is kept of the boot information. It is filled by [Parse] and
// by the start-up code in packages boot and arch/amd64, and read-only from then
// on.
type Boot struct {
	Loader  string // "PVH" or "Multiboot2"
	RSDP    uint64 // physical address of the ACPI root pointer; 0: not told
	Root    uint64 // physical address of the kernel's top page table (CR3)
	Dropped int    // regions, modules or ranges that found no room here
	UEFI    bool   // the loader gave UEFI's memory map

	// SystemTable is the physical address of UEFI's system table, whose list of
	// configuration tables outlives the boot services; 0: not told.
	SystemTable uint64

	Framebuffer Framebuffer

	// RSDPCopy holds the root pointer itself where the loader hands over a
	// copy (Multiboot2); RSDPLen is its length, 0 if there is none.
	RSDPCopy [64]byte
	RSDPLen  int

	memory    [maxRegions]Region
	nMemory   int
	flat      [maxRegions]Region // normalise's work
	modules   [maxModules]Range
	nModules  int
	reserved  [maxReserved]Range
	nReserve  int
	command   [maxCommand]byte
	nCommand  int
	name      [64]byte // the loader's own
	nName     int
	problems  [maxProblems]Problem
	nProblems int
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

// Memory returns the memory map: sorted, without overlaps.
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
		if c == 0 {
			break
		}
		if b.nCommand == maxCommand {
			b.complain("the command line is too long, its end is cut off", 0, 0)
			break
		}
		b.command[b.nCommand] = c
		b.nCommand++
	}
}

// LoaderName returns the name and version by which the loader makes itself
// known; it may be empty.
func (b *Boot) LoaderName() []byte { return b.name[:b.nName] }

// Problems returns what was wrong with the boot information.
func (b *Boot) Problems() []Problem { return b.problems[:b.nProblems] }

// complain notes a problem. More of them than fit are not worth telling.
func (b *Boot) complain(text string, start, end uint64) {
	if b.nProblems < maxProblems {
		b.problems[b.nProblems] = Problem{text, Range{start, end}}
		b.nProblems++
	}
}

func (b *Boot) addModule(start, end uint64) {
	switch {
	case end < start:
		b.complain("a module ends before it begins", start, end)
	case b.nModules == maxModules:
		b.Dropped++
	case !b.Reserve(start, end):
		// It would be overwritten.
		b.complain("there is no room to note a module", start, end)
	default:
		b.modules[b.nModules] = Range{start, end}
		b.nModules++
	}
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
	case Persistent:
		return "persistent"
	case Clipped:
		return "beyond mem="
	case Runtime:
		return "firmware's run time"
	case Beyond:
		return "out of reach"
	case Bad:
		return "found to be bad"
	}
	return "unknown"
}
