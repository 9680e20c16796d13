package mm

import (
	"sync"
	"sync/atomic"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// MaxMapCount is the largest number of VMAs of one address space, as
// /proc/sys/vm/max_map_count has it by default.
const MaxMapCount = 65530

// PageSize is the size of a page, for callers above mm.
const PageSize = arch.PageSize

// stackGuardGap is what must stay free below a stack, in bytes: Linux's
// default of 256 pages (kernel parameter stack_guard_gap).
const stackGuardGap = 256 << arch.PageShift

// minAddr is the lowest address that can be mapped: page zero never is.
const minAddr = arch.PageSize

// Backing is the open file behind a mapping, as mm sees it. Each VMA of the
// file holds one reference. fs.File implements it.
type Backing interface {
	MapRef()                                 // one more VMA
	MapUnref()                               // one VMA less
	MapInfo() (path string, dev, ino uint64) // for /proc/PID/maps
}

// Limits are the resource limits (getrlimit(2)) that memory calls obey, in
// bytes; ^0 means none.
type Limits struct {
	AS, Data, Stack, Memlock uint64
}

// NoLimits is the Limits of a process without any.
var NoLimits = Limits{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// Layout says where exec put the parts of a program: what /proc/PID/stat,
// cmdline, environ and auxv tell, and where brk and mmap begin.
type Layout struct {
	StartCode, EndCode uint64
	StartData, EndData uint64
	StartBrk           uint64 // brk(2) begins here
	StartStack         uint64 // stack pointer at the first instruction
	ArgStart, ArgEnd   uint64
	EnvStart, EnvEnd   uint64
	MmapBase           uint64 // mmap(2) looks for room from here downwards
	Auxv               []byte // auxiliary vector as on the stack
}

// AddressSpace is the memory of a process (mm_struct of Linux): its VMAs and
// its page table. Tasks share one by CLONE_VM; the last Unref tears it down.
//
// All methods are safe for concurrent use unless they say otherwise.
type AddressSpace struct {
	refs atomic.Int32
	pt   *arch.PageTable // immutable; its entries: see doc.go, "Who may change an entry"

	// mu guards what follows. Faults hold it in read mode, everything that
	// takes entries away or changes VMAs in write mode. Above Object.mapMu
	// and Object.mu in the lock order; below every lock of fs and proc.
	mu       sync.RWMutex
	vmas     vmaTree
	spare    *vma // VMAs that were taken out, linked by next, to be used again
	nspare   int
	layout   Layout
	brk      uint64   // present end of the heap, not rounded
	lockNew  vmaFlags // mlockall(MCL_FUTURE): flags for new VMAs
	totalVM  uint64   // pages of all VMAs
	peakVM   uint64
	dataVM   uint64 // pages that count against RLIMIT_DATA
	stackVM  uint64
	execVM   uint64
	lockedVM uint64
	strays   bool // for want of memory, an unmapping left entries in a shared table

	hit atomic.Pointer[vma] // the last fault's VMA; reset when a VMA goes

	barrier atomic.Bool // RegisterBarrier was called

	limitAS, limitData, limitStack, limitMemlock atomic.Uint64

	// Resident pages by kind. They are exact whenever mu is held in write mode.
	rssAnon, rssFile, rssShmem counter
	peakRSS                    counter

	counters counters

	prevSpace, nextSpace *AddressSpace // guarded by spaces.mu
}

// spaces is the list of all address spaces, for the global account.
var spaces struct {
	mu      sync.Mutex // guards first and retired; a leaf
	first   *AddressSpace
	n       int
	retired VMStat // counts of address spaces that are gone
}

// New returns an empty address space without limits and with one reference,
// or ENOMEM.
func New() (*AddressSpace, error) {
	if !Admit() {
		return nil, unix.ENOMEM
	}
	pt, ok := newPageTable()
	if !ok || !makeZeroPage() {
		return nil, unix.ENOMEM
	}
	as := &AddressSpace{pt: pt}
	as.refs.Store(1)
	as.layout.MmapBase = arch.UserTop
	as.SetLimits(NoLimits)
	spaces.mu.Lock()
	as.nextSpace = spaces.first
	if spaces.first != nil {
		spaces.first.prevSpace = as
	}
	spaces.first = as
	spaces.n++
	spaces.mu.Unlock()
	return as, nil
}

// newPageTable makes a page table, reclaiming memory if need be.
func newPageTable() (*arch.PageTable, bool) {
	for try := 0; ; try++ {
		if pt, ok := arch.NewPageTable(); ok {
			return pt, true
		}
		if !makeRoom("page table", try) {
			return nil, false
		}
	}
}

// Ref adds a reference.
func (as *AddressSpace) Ref() { as.refs.Add(1) }

// tryRef adds a reference unless the address space is already going away.
func (as *AddressSpace) tryRef() bool {
	for {
		n := as.refs.Load()
		if n == 0 {
			return false
		}
		if as.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Unref drops a reference. The last one frees all memory; nobody may run on
// the page table any more but CPUs that happen to have it loaded.
func (as *AddressSpace) Unref() {
	if n := as.refs.Add(-1); n > 0 {
		return
	} else if n < 0 {
		panic("mm: AddressSpace.Unref without a reference")
	}
	as.teardown()
}

// Refs returns the number of references, for diagnostics.
func (as *AddressSpace) Refs() int { return int(as.refs.Load()) }

// PageTable returns the page table, for the user context and user copies.
func (as *AddressSpace) PageTable() *arch.PageTable { return as.pt }

// SetLimits sets the resource limits that apply from now on.
func (as *AddressSpace) SetLimits(l Limits) {
	as.limitAS.Store(l.AS)
	as.limitData.Store(l.Data)
	as.limitStack.Store(l.Stack)
	as.limitMemlock.Store(l.Memlock)
}

// Limits returns the limits set last.
func (as *AddressSpace) Limits() Limits {
	return Limits{as.limitAS.Load(), as.limitData.Load(), as.limitStack.Load(), as.limitMemlock.Load()}
}

// SetLayout says where things are; exec calls it, prctl(PR_SET_MM) may. The
// heap becomes empty if StartBrk changes. A MmapBase of zero means the top of
// user memory.
func (as *AddressSpace) SetLayout(l Layout) {
	as.mu.Lock()
	if l.MmapBase == 0 || l.MmapBase > arch.UserTop {
		l.MmapBase = arch.UserTop
	}
	l.MmapBase &^= arch.PageSize - 1
	if l.StartBrk != as.layout.StartBrk {
		as.brk = l.StartBrk
	}
	as.layout = l
	as.mu.Unlock()
}

// Layout returns what SetLayout set.
func (as *AddressSpace) Layout() Layout {
	as.mu.RLock()
	defer as.mu.RUnlock()
	return as.layout
}

// account adds the pages of v, n of them with sign, to the totals.
func (as *AddressSpace) account(v *vma, n int64) {
	d := uint64(n)
	as.totalVM += d
	switch {
	case v.isStack():
		as.stackVM += d
	case v.isExec():
		as.execVM += d
	}
	if v.isData() {
		as.dataVM += d
	}
	if v.is(vmLocked) {
		as.lockedVM += d
	}
	if as.totalVM > as.peakVM {
		as.peakVM = as.totalVM
	}
}

// addVMA puts v into the tree, the account and its object's reverse map, and
// takes the references v holds. Precondition: mu held in write mode.
func (as *AddressSpace) addVMA(v *vma) {
	v.as = as
	as.vmas.insert(v)
	as.account(v, int64(v.pages()))
	v.hold()
}

// hold takes the references v holds and enters it into the reverse map.
func (v *vma) hold() {
	if v.obj != nil {
		v.obj.Ref()
		v.obj.addMapping(v)
	}
	if v.backing != nil {
		v.backing.MapRef()
	}
}

// addPages makes v part of the address space: as a piece of a neighbour that
// it continues, or as a VMA of its own. It returns the VMA that holds v's pages;
// v may be none any more. Precondition: mu held in write mode, v's range is
// free.
func (as *AddressSpace) addPages(v, dead *vma) (*vma, *vma) {
	next := as.vmas.find(v.start)
	prev := as.vmas.last
	if next != nil {
		prev = next.prev
	}
	switch {
	case prev != nil && prev.canFollow(v):
		as.account(prev, int64(v.pages()))
		as.vmas.resize(prev, prev.start, v.end)
		as.recycle(v)
		return as.merge(prev, dead)
	case next != nil && v.canFollow(next):
		as.account(next, int64(v.pages()))
		next.pgoff = v.pgoff
		as.vmas.resize(next, v.start, next.end)
		as.recycle(v)
		return next, dead
	}
	as.addVMA(v)
	return v, dead
}

// trim takes [lo, hi), which is the beginning or the end of v but not all of
// it, off v. Precondition: mu held in write mode, none of these pages mapped.
func (as *AddressSpace) trim(v *vma, lo, hi uint64) {
	as.account(v, -int64((hi-lo)>>arch.PageShift))
	if lo == v.start {
		v.pgoff = v.index(hi)
		as.vmas.resize(v, hi, v.end)
	} else {
		as.vmas.resize(v, v.start, lo)
	}
}

// dropVMA is the reverse of addVMA. What it releases may call into fs, whose
// locks are above mu, so references go onto the list of dead VMAs that the
// caller releases after unlocking (see release). Precondition: mu held in
// write mode, no page of v mapped.
func (as *AddressSpace) dropVMA(v *vma, dead *vma) *vma {
	as.vmas.remove(v)
	as.hit.Store(nil)
	as.account(v, -int64(v.pages()))
	return as.bury(v, dead)
}

// maxSpare bounds how many VMAs an address space keeps to be used again.
const maxSpare = 8

// newVMA returns an empty VMA. Precondition: mu held in write mode.
func (as *AddressSpace) newVMA() *vma {
	v := as.spare
	if v == nil {
		return new(vma)
	}
	as.spare, v.next = v.next, nil
	as.nspare--
	return v
}

// recycle keeps v, which nobody knows any more, for newVMA. Precondition: mu
// held in write mode.
func (as *AddressSpace) recycle(v *vma) {
	if as.nspare < maxSpare {
		*v = vma{next: as.spare}
		as.spare = v
		as.nspare++
	}
}

// bury takes v, which is out of the tree, off the reverse map and, if it holds
// references, onto the list of dead VMAs. Precondition: mu held in write mode.
func (as *AddressSpace) bury(v, dead *vma) *vma {
	if v.obj == nil && v.backing == nil {
		as.recycle(v)
		return dead
	}
	if v.obj != nil {
		v.obj.dropMapping(v)
	}
	v.next = dead
	return v
}

// release gives back what the VMAs of the list held. Precondition: mu not held.
func release(dead *vma) {
	for v := dead; v != nil; {
		next := v.next
		v.next = nil
		if v.obj != nil {
			v.obj.Unref()
		}
		if v.backing != nil {
			v.backing.MapUnref()
		}
		v = next
	}
}

// split cuts v at addr, inside it, and returns the upper part. Precondition:
// mu held in write mode.
func (as *AddressSpace) split(v *vma, addr uint64) *vma {
	w := as.newVMA()
	w.as, w.start, w.end, w.flags = as, addr, v.end, v.flags
	w.prot, w.maxProt, w.pteProt = v.prot, v.maxProt, v.pteProt
	w.obj, w.pgoff, w.backing, w.name = v.obj, v.index(addr), v.backing, v.name
	as.vmas.split(v, w)
	w.hold()
	return w
}

// merge joins v with its neighbours where they are one, and returns the VMA
// that holds v's pages and the list of dead VMAs, longer by what was swallowed.
// Precondition: mu held in write mode.
func (as *AddressSpace) merge(v, dead *vma) (*vma, *vma) {
	if p := v.prev; p != nil && p.canFollow(v) {
		dead = as.swallow(p, v, dead)
		v = p
	}
	if n := v.next; n != nil && v.canFollow(n) {
		dead = as.swallow(v, n, dead)
	}
	return v, dead
}

// swallow makes p cover n, which follows it.
func (as *AddressSpace) swallow(p, n, dead *vma) *vma {
	as.vmas.absorb(p, n)
	as.hit.Store(nil)
	return as.bury(n, dead)
}

// maySplit reports whether cutting [lo, hi) out of v is allowed: always, if
// that makes no VMA more. Precondition: mu held.
func (as *AddressSpace) maySplit(v *vma, lo, hi uint64) bool {
	return v.start >= lo && v.end <= hi || as.vmas.n < MaxMapCount && arch.KernelRoom()
}

// isolate returns the VMA that covers exactly the part of v inside [lo, hi),
// splitting v where needed. Precondition: mu held in write mode, v overlaps.
func (as *AddressSpace) isolate(v *vma, lo, hi uint64) *vma {
	if v.start < lo {
		v = as.split(v, lo)
	}
	if v.end > hi {
		as.split(v, hi)
	}
	return v
}

// pageUp rounds n up to whole pages; 0 on overflow.
func pageUp(n uint64) uint64 { return (n + arch.PageSize - 1) &^ (arch.PageSize - 1) }

func aligned(addr uint64) bool { return addr&(arch.PageSize-1) == 0 }

// userRange reports whether [addr, addr+n) lies in user memory.
func userRange(addr, n uint64) bool {
	return addr <= arch.UserTop && n <= arch.UserTop-addr
}
