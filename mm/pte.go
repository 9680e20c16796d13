package mm

import (
	arch "tamarix/arch/amd64"
)

// Entries whose present bit is clear mean nothing to the CPU; mm gives them
// these meanings. Zero is an empty entry.
const (
	// pteHidden marks a page that is there but out of reach: its VMA is
	// PROT_NONE. Frame and dirty bit stay in place.
	pteHidden = arch.Soft1

	// pteBusy stands for a moment in the place of an entry whose frame is
	// being exchanged by a copy-on-write fault. Whoever finds it tries again.
	pteBusy = arch.Soft2
)

// frameDirty is the flag (arch.Frame.Flags) of a page-cache page that is newer
// than its backing store.
const frameDirty = 1 << 0

// pteHasFrame reports whether the entry holds a frame that it owns a
// reference to.
func pteHasFrame(e arch.PTE) bool {
	return e&(arch.PTEPresent|pteHidden) != 0 && e&arch.SoftSpecial == 0
}

// pteIsZeroPage reports whether the entry shows the common page of zeros,
// which is not counted.
func pteIsZeroPage(e arch.PTE) bool { return e&arch.SoftSpecial != 0 }

// pteReprotect returns e with the protection prot. The page is writable only
// if mayWrite says that a write needs no fault first.
func pteReprotect(e arch.PTE, prot arch.Prot, mayWrite bool) arch.PTE {
	if prot == 0 {
		return e&^(arch.PTEPresent|arch.PTEWritable) | pteHidden
	}
	dirty := e & arch.PTEDirty
	if !mayWrite {
		prot &^= arch.ProtWrite
	}
	return arch.MakePTE(e.Frame(), prot) | dirty
}
