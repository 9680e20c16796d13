package mm

import (
	"runtime"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// FaultError says which signal answers a page fault that cannot be resolved
// (siginfo of sigaction(2)); the address is the one that faulted. The values
// are shared and constant.
type FaultError struct {
	Signal unix.Signal
	Code   int32 // SEGV_MAPERR, SEGV_ACCERR or BUS_ADRERR
	OOM    bool  // no memory, and nobody to take it from: SIGKILL
}

// si_code of SIGSEGV and SIGBUS (UAPI asm-generic/siginfo.h; not in x/sys/unix).
const (
	SEGV_MAPERR = 1 // nothing mapped there
	SEGV_ACCERR = 2 // mapped, but not for this kind of access
	BUS_ADRERR  = 2 // beyond the end of the mapped file
)

var (
	errNotMapped = &FaultError{Signal: unix.SIGSEGV, Code: SEGV_MAPERR}
	errNoAccess  = &FaultError{Signal: unix.SIGSEGV, Code: SEGV_ACCERR}
	errBeyondEnd = &FaultError{Signal: unix.SIGBUS, Code: BUS_ADRERR}
	errNoMemory  = &FaultError{Signal: unix.SIGKILL, OOM: true}
)

// outcome is what came of one attempt to resolve a fault under mu.
type outcome uint8

const (
	faultDone      outcome = iota // the access will succeed now
	faultAgain                    // somebody else was at work on the entry: look again
	faultNotMapped                // SIGSEGV, SEGV_MAPERR
	faultNoAccess                 // SIGSEGV, SEGV_ACCERR
	faultBeyondEnd                // SIGBUS
	faultNoMemory                 // no frame left
	faultGrow                     // below a stack: grow it
	faultUnshare                  // the leaf table is shared since a fork: make it one's own
	faultRead                     // the page must be read from its Pager first
	faultIOError                  // the Pager failed: SIGBUS
)

// Fault resolves a page fault of user code, or of the kernel on user memory,
// at addr. It returns nil if the access is to be tried again, and otherwise
// the signal to send. The counts go to u, if not nil, as well.
//
// It may sleep (for mu, for a Pager, for the OOM killer). After an OOM kill it
// returns nil too: the victim may be the caller itself, which its task loop
// finds out.
func (as *AddressSpace) Fault(addr uint64, acc arch.Access, u *Usage) *FaultError {
	switch as.fault(addr, acc, u) {
	case faultDone:
		return nil
	case faultNotMapped:
		return errNotMapped
	case faultNoAccess:
		return errNoAccess
	case faultBeyondEnd, faultIOError:
		return errBeyondEnd
	}
	if outOfMemory(as, "user page") {
		return nil
	}
	return errNoMemory
}

// fault tries until the fault is resolved or cannot be: faultDone,
// faultNotMapped, faultNoAccess, faultBeyondEnd, faultIOError or, with
// nothing left to reclaim, faultNoMemory.
func (as *AddressSpace) fault(addr uint64, acc arch.Access, u *Usage) outcome {
	major := false
	for try := 0; ; {
		as.mu.RLock()
		v := as.hit.Load()
		if v == nil || addr < v.start || addr >= v.end {
			v = as.vmas.find(addr)
			if v != nil && addr >= v.start {
				as.hit.Store(v)
			}
		}
		got := as.resolve(v, addr, acc, u)
		if got == faultDone {
			as.mu.RUnlock()
			as.countFault(u, major)
			return faultDone
		}
		// The rare rest.
		var obj *Object
		var idx uint64
		if got == faultRead {
			obj, idx = v.obj, v.index(addr&^(arch.PageSize-1))
			obj.Ref()
		}
		as.mu.RUnlock()
		switch got {
		case faultAgain:
			runtime.Gosched()
		case faultUnshare:
			as.mu.Lock()
			ok := as.ownLeaf(addr)
			as.mu.Unlock()
			if !ok && !reclaim(&try) {
				return faultNoMemory
			}
		case faultGrow:
			if got = as.growStack(addr); got != faultDone {
				return got
			}
		case faultRead:
			major = true
			err := obj.read(idx)
			obj.Unref()
			if err == unix.ENOMEM {
				if !reclaim(&try) {
					return faultNoMemory
				}
			} else if err != nil {
				return faultIOError
			}
		case faultNoMemory:
			if !reclaim(&try) {
				return faultNoMemory
			}
		default:
			as.countFault(u, major)
			return got
		}
	}
}

func (as *AddressSpace) countFault(u *Usage, major bool) {
	as.counters.faults.Add(1)
	if major {
		as.counters.major.Add(1)
	}
	if u != nil {
		if major {
			u.MajorFaults.Add(1)
		} else {
			u.MinorFaults.Add(1)
		}
	}
}

// resolve is the whole policy, for one attempt: may the access be, what does
// the page-table entry hold, what must it hold. v is the first VMA that ends
// above addr, or nil. Precondition: mu held in read mode.
//
// While mu is so held an entry only goes forward: empty → page, read-only →
// writable, page → copy of the page. So a compare-and-swap of the entry is
// all the locking that parallel faults need. A leaf table becomes shared, or
// one's own again, only with mu in write mode.
func (as *AddressSpace) resolve(v *vma, addr uint64, acc arch.Access, u *Usage) outcome {
	if v == nil || addr < minAddr {
		return faultNotMapped
	}
	if addr < v.start {
		if v.isStack() {
			return faultGrow
		}
		return faultNotMapped
	}
	write := acc&arch.AccessWrite != 0
	switch {
	case write && v.pteProt&arch.ProtWrite == 0,
		acc&arch.AccessExec != 0 && v.pteProt&arch.ProtExec == 0,
		v.pteProt == 0:
		return faultNoAccess
	}
	va := addr &^ (arch.PageSize - 1)
	p, state := as.pt.Leaf(va)
	if state != arch.LeafOwned {
		if state == arch.LeafShared {
			return faultUnshare
		}
		var ok bool
		if p, ok = as.pt.Ensure(va); !ok {
			return faultNoMemory
		}
	}
	switch e := arch.LoadPTE(p); {
	case e == 0 && v.obj == nil:
		return as.fillZero(v, p, write, u)
	case e == 0:
		return as.fillFromObject(v, va, p, write, u)
	case e == pteBusy:
		return faultAgain
	case !e.Present():
		// A page that was hidden while the VMA was PROT_NONE. mprotect
		// shows all of them again, so this is only for safety.
		arch.CASPTE(p, e, pteReprotect(e, v.pteProt, false))
		return faultAgain
	case write && !e.Writable():
		return as.fillWrite(v, va, p, e, u)
	}
	// The entry allows the access: another CPU was faster, or the TLB
	// remembers what the entry said before.
	as.pt.FlushLocalPage(va)
	return faultDone
}

// fillZero answers the first access to a page of anonymous memory: a write
// gets a cleared frame, a read the common page of zeros.
func (as *AddressSpace) fillZero(v *vma, p *arch.PTE, write bool, u *Usage) outcome {
	if !write {
		arch.CASPTE(p, 0, arch.MakePTE(zeroPage(), v.pteProt&^arch.ProtWrite)|arch.SoftSpecial)
		return faultDone
	}
	f, ok := arch.AllocZeroFrame(arch.UseAnon)
	if !ok {
		return faultNoMemory
	}
	if !arch.CASPTE(p, 0, arch.MakePTE(f, v.pteProt)) {
		f.Unref() // another thread was here first; it may have been a read
		return faultAgain
	}
	as.rssAnon.Add(1)
	as.counters.zeroFills.Add(1)
	if u != nil {
		u.ZeroFills.Add(1)
	}
	return faultDone
}

// fillFromObject answers the first access to a page of a file or of shared
// memory.
func (as *AddressSpace) fillFromObject(v *vma, va uint64, p *arch.PTE, write bool, u *Usage) outcome {
	o := v.obj
	f, got := o.pageForFault(v.index(va))
	if got != faultDone {
		return got
	}
	if !v.is(vmShared) {
		if write {
			return as.fillCopy(v, p, f, u)
		}
		if !arch.CASPTE(p, 0, arch.MakePTE(f, v.pteProt&^arch.ProtWrite)) {
			f.Unref()
			return faultAgain
		}
		as.rssOf(o).Add(1)
		as.faultAround(v, va)
		return faultDone
	}
	prot := v.pteProt
	if write {
		f.SetFlag(frameDirty)
	} else if o.pager != nil {
		prot &^= arch.ProtWrite // the first write must mark the page dirty
	}
	if !arch.CASPTE(p, 0, arch.MakePTE(f, prot)) {
		f.Unref()
		return faultAgain
	}
	as.rssOf(o).Add(1)
	if !write {
		as.faultAround(v, va)
	}
	return faultDone
}

// fillCopy puts a private copy of the page-cache page f, a reference to which
// it consumes, into the empty entry p.
func (as *AddressSpace) fillCopy(v *vma, p *arch.PTE, f arch.Frame, u *Usage) outcome {
	c, ok := arch.AllocFrame(arch.UseAnon)
	if !ok {
		f.Unref()
		return faultNoMemory
	}
	arch.CopyPage(c, f)
	f.Unref()
	if !arch.CASPTE(p, 0, arch.MakePTE(c, v.pteProt)) {
		c.Unref()
		return faultAgain
	}
	as.rssAnon.Add(1)
	as.countCopy(u)
	return faultDone
}

// fillWrite answers a write to a page that is there but read-only: copy on
// write, unless the page is shared on purpose or this is its last owner.
func (as *AddressSpace) fillWrite(v *vma, va uint64, p *arch.PTE, e arch.PTE, u *Usage) outcome {
	f := e.Frame()
	zero := pteIsZeroPage(e)
	switch {
	case v.is(vmShared):
		f.SetFlag(frameDirty)
		if !arch.CASPTE(p, e, arch.MakePTE(f, v.pteProt)) {
			return faultAgain
		}
		as.pt.FlushLocalPage(va)
		return faultDone

	case !zero && f.Use() == arch.UseAnon && f.Refs() == 1:
		// The last owner claims it. Nobody can become a second owner
		// meanwhile: fork needs mu in write mode.
		if !arch.CASPTE(p, e, arch.MakePTE(f, v.pteProt)) {
			return faultAgain
		}
		as.pt.FlushLocalPage(va)
		as.counters.cowClaims.Add(1)
		if u != nil {
			u.COWClaims.Add(1)
		}
		return faultDone
	}

	var c arch.Frame
	var ok bool
	if zero {
		c, ok = arch.AllocZeroFrame(arch.UseAnon)
	} else {
		c, ok = arch.AllocFrame(arch.UseAnon)
	}
	if !ok {
		return faultNoMemory
	}
	// No CPU may read the old page any more when the first one writes the
	// new: hence the busy mark and the flush in between.
	if !arch.CASPTE(p, e, pteBusy) {
		c.Unref()
		return faultAgain
	}
	as.pt.FlushPage(va)
	if !zero {
		arch.CopyPage(c, f)
	}
	arch.StorePTE(p, arch.MakePTE(c, v.pteProt))
	as.rssAnon.Add(1)
	if zero {
		as.counters.zeroFills.Add(1)
		if u != nil {
			u.ZeroFills.Add(1)
		}
		return faultDone
	}
	as.countCopy(u)
	as.uncount(v, f)
	f.Unref()
	return faultDone
}

func (as *AddressSpace) countCopy(u *Usage) {
	as.counters.cowCopies.Add(1)
	if u != nil {
		u.COWCopies.Add(1)
	}
}

// faultAroundPages is how many pages one read fault may map: those of the
// aligned block around the address that are in the page cache already.
const faultAroundPages = 16

// faultAround maps the cached neighbours of va, which has just been mapped
// for reading. Nothing is read in, no table is made.
func (as *AddressSpace) faultAround(v *vma, va uint64) {
	const block = faultAroundPages << arch.PageShift
	lo := max(va&^(block-1), v.start)
	hi := min(va&^(block-1)+block, v.end)
	base, leaf := as.pt.NextLeaf(lo, hi) // the block lies within va's leaf table
	if leaf == nil {
		return
	}
	entries := leaf[(lo-base)>>arch.PageShift : (hi-base)>>arch.PageShift]
	var frames [faultAroundPages]arch.Frame
	if v.obj.cached(v.index(lo), frames[:len(entries)]) == 0 {
		return
	}
	prot := v.pteProt
	if !v.is(vmShared) || v.obj.pager != nil {
		prot &^= arch.ProtWrite
	}
	n := int64(0)
	for i, f := range frames[:len(entries)] {
		if f == 0 {
			continue
		}
		if arch.LoadPTE(&entries[i]) == 0 && arch.CASPTE(&entries[i], 0, arch.MakePTE(f, prot)) {
			n++
		} else {
			f.Unref()
		}
	}
	as.rssOf(v.obj).Add(n)
}

// growStack extends the stack above addr down to addr's page. It answers a
// faultGrow: the reader's lock was not enough.
func (as *AddressSpace) growStack(addr uint64) outcome {
	as.mu.Lock()
	defer as.mu.Unlock()
	v := as.vmas.find(addr)
	if v == nil || !v.isStack() && addr < v.start {
		return faultNotMapped
	}
	if addr >= v.start {
		return faultDone // somebody else has done it
	}
	lo := addr &^ (arch.PageSize - 1)
	if v.end-lo > as.limitStack.Load() || lo < minAddr {
		return faultNotMapped
	}
	// The guard gap keeps what lies below at a distance, unless it is
	// inaccessible anyway or a stack itself.
	if p := v.prev; p != nil && p.prot != 0 && !p.isStack() && lo-p.end < stackGuardGap {
		return faultNotMapped
	}
	n := (v.start - lo) >> arch.PageShift
	if !as.mayExpand(n, false) || v.is(vmLocked) && !as.mayLock(n) {
		return faultNotMapped
	}
	as.account(v, int64(n))
	as.vmas.resize(v, lo, v.end)
	return faultDone
}
