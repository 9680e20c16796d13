package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// User copies of the current task: the arch layer copies as the CPU sees user
// memory and stops at the first fault; the fault is handled here as one of the
// user's own would be, and the copy goes on. All of them may sleep.

// maxCopyTries bounds how often a copy comes back to the same byte: it is
// reached only when memory is short and every page is taken away again.
const maxCopyTries = 64

// faultIn resolves a fault of a copy. *try counts; it starts at 0.
func (as *AddressSpace) faultIn(addr uint64, acc arch.Access, try *int) error {
	if *try++; *try > maxCopyTries {
		return unix.EFAULT
	}
	switch as.fault(addr, acc, nil) {
	case faultDone:
		return nil
	case faultNoMemory:
		if *try <= maxKills && outOfMemory(as, "user copy") {
			return nil
		}
	}
	return unix.EFAULT
}

// copyOut copies p to user memory and returns how many bytes went before
// EFAULT.
func (as *AddressSpace) copyOut(addr uint64, p []byte) (int, error) {
	n := arch.CopyToUser(as.pt, addr, p)
	if n == len(p) {
		return n, nil
	}
	return as.copyOutRest(addr, p, n)
}

// copyOutRest goes on after n bytes, where the first fault was.
func (as *AddressSpace) copyOutRest(addr uint64, p []byte, n int) (int, error) {
	for try := 0; n < len(p); {
		if !userRange(addr, uint64(n)+1) {
			return n, unix.EFAULT
		}
		if err := as.faultIn(addr+uint64(n), arch.AccessWrite, &try); err != nil {
			return n, err
		}
		if m := arch.CopyToUser(as.pt, addr+uint64(n), p[n:]); m > 0 {
			n += m
			try = 0
		}
	}
	return n, nil
}

// copyIn copies user memory to p and returns how many bytes came before
// EFAULT.
func (as *AddressSpace) copyIn(p []byte, addr uint64) (int, error) {
	n := arch.CopyFromUser(as.pt, p, addr)
	if n == len(p) {
		return n, nil
	}
	return as.copyInRest(p, addr, n)
}

// copyInRest goes on after n bytes, where the first fault was.
func (as *AddressSpace) copyInRest(p []byte, addr uint64, n int) (int, error) {
	for try := 0; n < len(p); {
		if !userRange(addr, uint64(n)+1) {
			return n, unix.EFAULT
		}
		if err := as.faultIn(addr+uint64(n), 0, &try); err != nil {
			return n, err
		}
		if m := arch.CopyFromUser(as.pt, p[n:], addr+uint64(n)); m > 0 {
			n += m
			try = 0
		}
	}
	return n, nil
}

// CopyInPath fills p with the string at user address addr, which ends before
// the first NUL, and returns its length: ENAMETOOLONG if p has no room for string
// and NUL, EFAULT if memory ends first.
func (as *AddressSpace) CopyInPath(p []byte, addr uint64) (int, error) {
	n, found := arch.StringFromUser(as.pt, p, addr)
	for try := 0; !found; {
		if n >= len(p) {
			return 0, unix.ENAMETOOLONG
		}
		if !userRange(addr, uint64(n)+1) {
			return 0, unix.EFAULT
		}
		if err := as.faultIn(addr+uint64(n), 0, &try); err != nil {
			return 0, err
		}
		var m int
		if m, found = arch.StringFromUser(as.pt, p[n:], addr+uint64(n)); m > 0 {
			n += m
			try = 0
		}
	}
	return n, nil
}

// clear zeroes user memory and returns how many bytes before EFAULT.
func (as *AddressSpace) clear(addr, size uint64) (int, error) {
	n := arch.ZeroUser(as.pt, addr, size)
	if uint64(n) == size {
		return n, nil
	}
	return as.clearRest(addr, size, n)
}

// clearRest goes on after n bytes, where the first fault was.
func (as *AddressSpace) clearRest(addr, size uint64, n int) (int, error) {
	for try := 0; uint64(n) < size; {
		if !userRange(addr, uint64(n)+1) {
			return n, unix.EFAULT
		}
		if err := as.faultIn(addr+uint64(n), arch.AccessWrite, &try); err != nil {
			return n, err
		}
		if m := arch.ZeroUser(as.pt, addr+uint64(n), size-uint64(n)); m > 0 {
			n += m
			try = 0
		}
	}
	return n, nil
}

// CopyOut copies p to user address addr: nil or EFAULT, then perhaps in part.
func (as *AddressSpace) CopyOut(addr uint64, p []byte) error {
	_, err := as.copyOut(addr, p)
	return err
}

// CopyIn fills p from user address addr: nil or EFAULT.
func (as *AddressSpace) CopyIn(p []byte, addr uint64) error {
	_, err := as.copyIn(p, addr)
	return err
}

// Clear zeroes n bytes at user address addr: nil or EFAULT.
func (as *AddressSpace) Clear(addr, n uint64) error {
	if !userRange(addr, n) {
		return unix.EFAULT
	}
	_, err := as.clear(addr, n)
	return err
}

// CopyInString returns the string at user address addr, which ends before the
// first NUL. At most max bytes are looked at, the NUL included: ENAMETOOLONG
// if it is not among them, EFAULT if memory ends first.
func (as *AddressSpace) CopyInString(addr uint64, max int) (string, error) {
	var small [256]byte
	buf := small[:0]
	for len(buf) < max {
		// Page by page: what lies behind the string may not be there.
		at := addr + uint64(len(buf))
		n := min(max-len(buf), arch.PageSize-int(at&(arch.PageSize-1)), 256)
		var part [256]byte
		m, err := as.copyIn(part[:n], at)
		for i, b := range part[:m] {
			if b == 0 {
				return string(append(buf, part[:i]...)), nil
			}
		}
		if err != nil {
			return "", err
		}
		buf = append(buf, part[:m]...)
	}
	return "", unix.ENAMETOOLONG
}

// Read32 reads a word, aligned or not, at user address addr.
func (as *AddressSpace) Read32(addr uint64) (uint32, error) {
	if addr&3 != 0 {
		var b [4]byte
		err := as.CopyIn(b[:], addr)
		return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24, err
	}
	for try := 0; ; {
		if v, ok := arch.LoadUser32(as.pt, addr); ok {
			return v, nil
		}
		if err := as.faultIn(addr, 0, &try); err != nil {
			return 0, err
		}
	}
}

// Read64 reads a word, aligned or not, at user address addr.
func (as *AddressSpace) Read64(addr uint64) (uint64, error) {
	if addr&7 != 0 {
		var b [8]byte
		err := as.CopyIn(b[:], addr)
		v := uint64(0)
		for i := range b {
			v |= uint64(b[i]) << (8 * i)
		}
		return v, err
	}
	for try := 0; ; {
		if v, ok := arch.LoadUser64(as.pt, addr); ok {
			return v, nil
		}
		if err := as.faultIn(addr, 0, &try); err != nil {
			return 0, err
		}
	}
}

// Write32 writes a word, aligned or not, to user address addr.
func (as *AddressSpace) Write32(addr uint64, v uint32) error {
	if addr&3 != 0 {
		b := [4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}
		return as.CopyOut(addr, b[:])
	}
	for try := 0; ; {
		if arch.StoreUser32(as.pt, addr, v) {
			return nil
		}
		if err := as.faultIn(addr, arch.AccessWrite, &try); err != nil {
			return err
		}
	}
}

// Write64 writes a word, aligned or not, to user address addr.
func (as *AddressSpace) Write64(addr uint64, v uint64) error {
	if addr&7 != 0 {
		var b [8]byte
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		return as.CopyOut(addr, b[:])
	}
	for try := 0; ; {
		if arch.StoreUser64(as.pt, addr, v) {
			return nil
		}
		if err := as.faultIn(addr, arch.AccessWrite, &try); err != nil {
			return err
		}
	}
}

// CAS32 replaces old by new at user address addr, which must be aligned
// (EINVAL), in one step, and returns what was there.
func (as *AddressSpace) CAS32(addr uint64, old, new uint32) (cur uint32, err error) {
	if addr&3 != 0 {
		return 0, unix.EINVAL
	}
	for try := 0; ; {
		if cur, ok := arch.CASUser32(as.pt, addr, old, new); ok {
			return cur, nil
		}
		if err := as.faultIn(addr, arch.AccessWrite, &try); err != nil {
			return 0, err
		}
	}
}
