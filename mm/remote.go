package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// ReadRemote copies from memory of any process, the caller's own or not, to p
// and returns how many bytes: fewer than len(p) with EFAULT where nothing can
// be read. It reaches the pages through the direct map, faulting them in.
func (as *AddressSpace) ReadRemote(addr uint64, p []byte) (int, error) {
	return as.remote(addr, p, 0, false)
}

// WriteRemote is the reverse of ReadRemote: p goes where the process itself
// could write.
func (as *AddressSpace) WriteRemote(addr uint64, p []byte) (int, error) {
	return as.remote(addr, p, arch.AccessWrite, false)
}

// ForceWrite is WriteRemote past write protection, as ptrace(2) and
// /proc/PID/mem do: a private page is copied first, a shared one refused.
func (as *AddressSpace) ForceWrite(addr uint64, p []byte) (int, error) {
	return as.remote(addr, p, arch.AccessWrite, true)
}

func (as *AddressSpace) remote(addr uint64, p []byte, acc arch.Access, force bool) (int, error) {
	n := 0
	for try := 0; n < len(p); {
		at := addr + uint64(n)
		if !userRange(at, 1) {
			return n, unix.EFAULT
		}
		in := int(at & (arch.PageSize - 1))
		part := p[n:min(len(p), n+arch.PageSize-in)]
		f, ok := as.pin(at, acc, force)
		if !ok {
			if force {
				if err := as.forceCopy(at, &try); err != nil {
					return n, err
				}
				continue
			}
			if err := as.faultIn(at, acc, &try); err != nil {
				return n, err
			}
			continue
		}
		try = 0
		if acc&arch.AccessWrite != 0 {
			copy(f.Page()[in:], part)
		} else {
			copy(part, f.Page()[in:])
		}
		f.Unref()
		n += len(part)
	}
	return n, nil
}

// pin returns the frame at addr with a reference for the caller, if the entry
// allows the access now. force asks only that the page be the process's own.
//
// It needs mu in write mode: only then does the entry keep its reference
// while the caller's is taken.
func (as *AddressSpace) pin(addr uint64, acc arch.Access, force bool) (arch.Frame, bool) {
	as.mu.Lock()
	defer as.mu.Unlock()
	p, state := as.pt.Leaf(addr)
	if p == nil || acc&arch.AccessWrite != 0 && state != arch.LeafOwned {
		return 0, false
	}
	e := arch.LoadPTE(p)
	if !e.Present() || acc&arch.AccessWrite != 0 && !e.Writable() && !force {
		return 0, false
	}
	f := e.Frame()
	if force && !e.Writable() && (!pteHasFrame(e) || f.Use() != arch.UseAnon || f.Refs() != 1) {
		return 0, false
	}
	f.Ref()
	return f, true
}

// forceCopy makes the private page at addr the process's own, whatever its
// protection.
func (as *AddressSpace) forceCopy(addr uint64, try *int) error {
	as.mu.Lock()
	v := as.vmas.find(addr)
	if v == nil || v.start > addr {
		as.mu.Unlock()
		return as.faultIn(addr, arch.AccessWrite, try) // may be a stack to grow
	}
	if v.is(vmShared) && v.prot&unix.PROT_WRITE == 0 || v.prot == 0 {
		as.mu.Unlock()
		return unix.EFAULT
	}
	// Let the fault handler see the page as writable, then take that back.
	if !as.ownLeaf(addr) {
		as.mu.Unlock()
		return unix.EFAULT
	}
	was := v.prot
	v.setProt(was | unix.PROT_WRITE | unix.PROT_READ)
	got := as.resolve(v, addr, arch.AccessWrite, nil)
	v.setProt(was)
	if got == faultDone && was&unix.PROT_WRITE == 0 {
		if p := as.pt.Lookup(addr); p != nil {
			for e := arch.LoadPTE(p); e.Writable() && !arch.CASPTE(p, e, e&^arch.PTEWritable); {
				e = arch.LoadPTE(p)
			}
			as.pt.FlushPage(addr)
		}
	}
	as.mu.Unlock()
	if got == faultDone || got == faultAgain {
		if *try++; *try > maxCopyTries {
			return unix.EFAULT
		}
		return nil
	}
	return as.faultIn(addr, 0, try)
}

// Key names a futex (futex(2)): the same word of memory has the same key,
// whichever process and address it is reached by. Keys are comparable.
type Key struct {
	Owner any    // *AddressSpace for private memory, *Object for shared
	Off   uint64 // address in the former, byte offset in the latter
}

// FutexKey returns the key of the word at addr. A private futex
// (FUTEX_PRIVATE_FLAG, shared false) is known by address space and address
// alone, without a look at the mapping. For a shared one the mapping decides:
// EFAULT if there is none. The key is valid as long as the mapping is; an
// Object it names is not kept alive by it, so the caller looks nothing up in it.
func (as *AddressSpace) FutexKey(addr uint64, shared bool) (Key, error) {
	if addr&3 != 0 {
		return Key{}, unix.EINVAL
	}
	if !userRange(addr, 4) {
		return Key{}, unix.EFAULT
	}
	if !shared {
		return Key{as, addr}, nil
	}
	as.mu.RLock()
	defer as.mu.RUnlock()
	v := as.vmas.find(addr)
	if v == nil || v.start > addr {
		return Key{}, unix.EFAULT
	}
	if v.obj != nil && v.is(vmShared) {
		return Key{v.obj, v.index(addr)<<arch.PageShift | addr&(arch.PageSize-1)}, nil
	}
	return Key{as, addr}, nil
}

// PageAt tells what the page table says about the page at addr
// (/proc/PID/pagemap): ok is false if no frame is there, file tells a page of
// an Object from an anonymous one, once whether nobody else maps it. The frame
// is named, not held.
func (as *AddressSpace) PageAt(addr uint64) (f arch.Frame, file, once, ok bool) {
	as.mu.RLock()
	defer as.mu.RUnlock()
	p := as.pt.Lookup(addr)
	if p == nil {
		return 0, false, false, false
	}
	e := arch.LoadPTE(p)
	if !pteHasFrame(e) {
		return 0, false, false, false
	}
	f = e.Frame()
	file = f.Use() != arch.UseAnon
	owners := f.Refs() - 1 + as.pt.LeafFrame(addr).Refs()
	if file {
		owners-- // the page cache's
	}
	return f, file, owners == 1, true
}
