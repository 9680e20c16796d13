package amd64

import "sync/atomic"

// PTE is a page-table entry (Intel SDM vol. 3A, table 4-20). An entry whose
// present bit is clear belongs entirely to mm: nothing here looks into it.
type PTE uint64

// Bits of an entry. Bits 9 to 11 and 52 to 58 are free for software.
const (
	ptePresent  PTE = 1 << 0
	pteWritable PTE = 1 << 1
	pteUser     PTE = 1 << 2
	pteNoCache  PTE = 1<<3 | 1<<4 // PWT and PCD: uncached, PAT entry 3
	pteAccessed PTE = 1 << 5
	pteDirty    PTE = 1 << 6
	pteLarge    PTE = 1 << 7 // in a PD or PDPT entry: a leaf
	pteGlobal   PTE = 1 << 8
	pteNX       PTE = 1 << 63

	pteFrameMask PTE = 0x000f_ffff_ffff_f000

	// SoftCOW marks a private page that is write-protected because it is
	// (or was) shared: a write fault copies it or claims it.
	SoftCOW PTE = 1 << 9
	// SoftSpecial marks a mapping of something that is not an allocated
	// frame of the owner (the vDSO page, the zero page): not counted, not freed.
	SoftSpecial PTE = 1 << 10
	// Soft1 to Soft3 are mm's to name.
	Soft1 PTE = 1 << 11
	Soft2 PTE = 1 << 52
	Soft3 PTE = 1 << 53

	// PTEWritable, PTEDirty and PTEAccessed are for setting and clearing by CASPTE.
	PTEPresent  = ptePresent
	PTEWritable = pteWritable
	PTEUser     = pteUser
	PTEDirty    = pteDirty
	PTEAccessed = pteAccessed
	PTENoExec   = pteNX
)

// noExec is pteNX where the CPU has it, else 0 (set once at boot).
var noExec = pteNX

// Prot says what a mapping allows.
type Prot uint8

const (
	ProtRead  Prot = 1
	ProtWrite Prot = 2
	ProtExec  Prot = 4
)

// Access says what a faulting instruction tried.
type Access uint8

const (
	AccessWrite   Access = 1 << iota // a store
	AccessExec                       // an instruction fetch
	AccessPresent                    // the page was present: protection, not absence
)

// MakePTE makes a present user entry for f. The accessed bit is set in
// advance: the CPU need not come back to set it. So is the dirty bit where
// writing is allowed.
func MakePTE(f Frame, prot Prot) PTE {
	e := PTE(f) | ptePresent | pteUser | pteAccessed
	if prot&ProtWrite != 0 {
		e |= pteWritable | pteDirty
	}
	if prot&ProtExec == 0 {
		e |= noExec
	}
	return e
}

func (e PTE) Present() bool  { return e&ptePresent != 0 }
func (e PTE) Writable() bool { return e&pteWritable != 0 }
func (e PTE) User() bool     { return e&pteUser != 0 }
func (e PTE) Dirty() bool    { return e&pteDirty != 0 }
func (e PTE) Accessed() bool { return e&pteAccessed != 0 }
func (e PTE) NX() bool       { return e&pteNX != 0 }

// AllowsAll reports whether e, another entry for the same page as old, forbids
// nothing that old allowed.
func (e PTE) AllowsAll(old PTE) bool {
	const rights = ptePresent | pteWritable | pteUser
	return old&rights&^e == 0 && e&pteNX&^old == 0 || !old.Present()
}

// Frame is the page the entry maps.
//
//go:nosplit
func (e PTE) Frame() Frame { return Frame(e & pteFrameMask) }

// LoadPTE reads an entry that other CPUs, and the page walker, may be changing.
//
//go:nosplit
func LoadPTE(p *PTE) PTE { return PTE(atomic.LoadUint64((*uint64)(p))) }

// StorePTE writes an entry. The caller flushes.
//
//go:nosplit
func StorePTE(p *PTE, e PTE) { atomic.StoreUint64((*uint64)(p), uint64(e)) }

// CASPTE replaces old by e, unless the entry changed meanwhile (the CPU may
// set accessed and dirty at any time).
//
//go:nosplit
func CASPTE(p *PTE, old, e PTE) bool {
	return atomic.CompareAndSwapUint64((*uint64)(p), uint64(old), uint64(e))
}

// SwapPTE writes an entry and returns what was there, the CPU's last
// accessed and dirty bits included.
//
//go:nosplit
func SwapPTE(p *PTE, e PTE) PTE { return PTE(atomic.SwapUint64((*uint64)(p), uint64(e))) }
