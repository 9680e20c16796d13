package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

type AddressSpace struct{ pt *arch.PageTable }

// Backing is the open file behind a file mapping, as mm sees it. Each VMA of
// the file holds one reference. fs.File implements it.
type Backing interface {
	MapRef()
	MapUnref()
	MapInfo() (path string, dev, ino uint64)
}

// Limits are the resource limits (getrlimit(2)) that memory calls obey, in bytes; ^0 is none.
type Limits struct{ AS, Data, Stack, Memlock uint64 }

// Layout: for /proc/PID/stat, cmdline, environ, brk.
type Layout struct {
	StartCode, EndCode, StartData, EndData uint64
	StartBrk                               uint64
	StartStack                             uint64
	ArgStart, ArgEnd, EnvStart, EnvEnd     uint64
	MmapBase                               uint64 // top of the mmap area (search goes down from here)
	Auxv                                   []byte // for /proc/PID/auxv
}

type MmapRequest struct {
	Addr, Len uint64
	Prot      int // unix.PROT_*
	Flags     int // unix.MAP_*
	Object    *Object
	Offset    uint64 // bytes
	Backing   Backing
	MaxProt   int    // what mprotect may later give; 0: all
	Name      string // "[stack]", "[vdso]"
}

type FaultError struct {
	Signal unix.Signal
	Code   int32
	OOM    bool
}

type VMAInfo struct {
	Start, End uint64
	Prot       int
	Shared     bool
	Offset     uint64
	Dev, Ino   uint64
	Name       string
	Flags      string // VmFlags of smaps
	// bytes
	RSS, PSS, SharedClean, SharedDirty, PrivateClean, PrivateDirty, Referenced, Anonymous, Locked uint64
}

// Stats in pages unless said otherwise
type Stats struct {
	RSSAnon, RSSFile, RSSShmem, PeakRSS                             uint64
	TotalVM, PeakVM, DataVM, StackVM, ExecVM, LockedVM, PageTables  uint64
	MinorFaults, MajorFaults, COWCopies, COWClaims, ZeroFills, VMAs uint64
}

type Key struct {
	Owner any // *AddressSpace or *Object
	Off   uint64
}

func New() (*AddressSpace, error)                             { panic("skeleton") }
func (as *AddressSpace) Ref()                                 {}
func (as *AddressSpace) Unref()                               {}
func (as *AddressSpace) PageTable() *arch.PageTable           { return as.pt }
func (as *AddressSpace) Fork() (*AddressSpace, error)         { panic("skeleton") }
func (as *AddressSpace) SetLimits(l Limits)                   {}
func (as *AddressSpace) SetLayout(l Layout)                   {}
func (as *AddressSpace) Layout() Layout                       { panic("skeleton") }
func (as *AddressSpace) Stats() Stats                         { panic("skeleton") }
func (as *AddressSpace) EachVMA(pages bool, fn func(VMAInfo)) { panic("skeleton") } // pages: also count RSS.. (smaps)

func (as *AddressSpace) Fault(addr uint64, acc arch.Access, u *Usage) *FaultError { panic("skeleton") }

func (as *AddressSpace) Mmap(req MmapRequest) (uint64, error)    { panic("skeleton") }
func (as *AddressSpace) Munmap(addr, n uint64) error             { panic("skeleton") }
func (as *AddressSpace) Mprotect(addr, n uint64, prot int) error { panic("skeleton") }
func (as *AddressSpace) Mremap(old, oldLen, newLen uint64, flags int, newAddr uint64) (uint64, error) {
	panic("skeleton")
}
func (as *AddressSpace) Brk(addr uint64) uint64                   { panic("skeleton") }
func (as *AddressSpace) Madvise(addr, n uint64, advice int) error { panic("skeleton") }
func (as *AddressSpace) Mincore(addr, n uint64, vec uint64) error { panic("skeleton") }
func (as *AddressSpace) Msync(addr, n uint64, flags int) error    { panic("skeleton") }
func (as *AddressSpace) Mlock(addr, n uint64, flags int) error    { panic("skeleton") }
func (as *AddressSpace) Munlock(addr, n uint64) error             { panic("skeleton") }
func (as *AddressSpace) Mlockall(flags int) error                 { panic("skeleton") }
func (as *AddressSpace) Munlockall() error                        { panic("skeleton") }

// user memory of the current task
func (as *AddressSpace) CopyOut(addr uint64, p []byte) error               { panic("skeleton") }
func (as *AddressSpace) CopyIn(p []byte, addr uint64) error                { panic("skeleton") }
func (as *AddressSpace) CopyInString(addr uint64, max int) (string, error) { panic("skeleton") } // ENAMETOOLONG if no NUL within max
func (as *AddressSpace) Clear(addr, n uint64) error                        { panic("skeleton") }
func (as *AddressSpace) Read32(addr uint64) (uint32, error)                { panic("skeleton") }
func (as *AddressSpace) Read64(addr uint64) (uint64, error)                { panic("skeleton") }
func (as *AddressSpace) Write32(addr uint64, v uint32) error               { panic("skeleton") }
func (as *AddressSpace) Write64(addr uint64, v uint64) error               { panic("skeleton") }
func (as *AddressSpace) CAS32(addr uint64, old, new uint32) (cur uint32, err error) {
	panic("skeleton")
}
func (as *AddressSpace) copyOut(addr uint64, p []byte) (int, error) { panic("skeleton") }
func (as *AddressSpace) copyIn(p []byte, addr uint64) (int, error)  { panic("skeleton") }
func (as *AddressSpace) clear(addr, n uint64) (int, error)          { panic("skeleton") }

// any process's memory, through the direct map
func (as *AddressSpace) ReadRemote(addr uint64, p []byte) (int, error)  { panic("skeleton") }
func (as *AddressSpace) WriteRemote(addr uint64, p []byte) (int, error) { panic("skeleton") }
func (as *AddressSpace) ForceWrite(addr uint64, p []byte) (int, error)  { panic("skeleton") } // /proc/PID/mem: past read-only protection (COW)
func (as *AddressSpace) FutexKey(addr uint64, shared bool) (Key, error) { panic("skeleton") }

func ReadVMStat() VMStat { panic("skeleton") }

// OutOfMemory is proc's killer
var OutOfMemory func(need string) bool

// Pager of an Object: nil = zero fill, pages stay (tmpfs, shm)
type Pager interface {
	ReadPage(idx uint64, f arch.Frame) error
	WritePage(idx uint64, f arch.Frame) error
}

type Object struct{}

func NewObject(p Pager) *Object                                 { panic("skeleton") } // a file's page cache; p nil: memory is the file (tmpfs)
func NewSharedMemory(size int64) *Object                        { panic("skeleton") } // memfd, shm, MAP_SHARED|MAP_ANONYMOUS
func (o *Object) Ref()                                          {}
func (o *Object) Unref()                                        {} // the last frees the pages
func (o *Object) Size() int64                                   { panic("skeleton") }
func (o *Object) Pages() uint64                                 { panic("skeleton") } // resident pages
func (o *Object) ReadAt(it *Iter, off, size int64) (int, error) { panic("skeleton") } // up to size (end of file), 0 at the end
func (o *Object) WriteAt(it *Iter, off int64) (int, error)      { panic("skeleton") } // grows Size()
func (o *Object) Truncate(size int64) error                     { panic("skeleton") } // up or down; unmaps beyond
func (o *Object) PunchHole(off, n int64) error                  { panic("skeleton") }
func (o *Object) Allocate(off, n int64) error                   { panic("skeleton") } // fallocate: zero pages now, size unchanged
func (o *Object) Mapped() bool                                  { panic("skeleton") }
func (o *Object) Sync() error                                   { panic("skeleton") }
func (o *Object) SetPageLimit(reserve func(pages int64) bool)   {}                    // quota of a tmpfs: asked before a page is added, told (negative) when freed
func (o *Object) NextData(off int64) int64                      { panic("skeleton") } // SEEK_DATA/HOLE: -1 none
func (o *Object) NextHole(off int64) int64                      { panic("skeleton") }
