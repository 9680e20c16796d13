package amd64

import "unsafe"

// User copies. All of them take the address space: the goroutine that calls
// may have come to a CPU on which another one is loaded. Each moves at most
// one page's worth with interrupts off, in one assembly routine, having made sure that
// the root is loaded: so no kernel thread is ever switched out in the middle
// of a copy, and a root is only ever in use where a CPU's record says so.
//
// A fault in the routine ends it; the caller learns how far it came, has the
// fault handled, and calls again.

// userRange reports whether n bytes at addr lie in the user half.
func userRange(addr uint64, n int) bool {
	return addr < UserTop && uint64(n) <= UserTop-addr
}

// within reports whether n bytes at addr, at most a page, lie in the user half.
func within(addr uint64, n int) bool {
	return uint(n-1) < PageSize && addr <= UserTop-PageSize
}

// clip returns how many of n bytes from addr on lie in the user half.
func clip(addr uint64, n int) int {
	if addr >= UserTop {
		return 0
	}
	return int(min(uint64(n), UserTop-addr))
}

// step returns how much of the n bytes at addr lies in the first page.
func step(addr uint64, n int) int { return min(n, PageSize-int(addr&(PageSize-1))) }

// CopyFromUser copies from user address src and returns how many bytes came
// before the first fault; the faulting address is then src+n.
func CopyFromUser(pt *PageTable, dst []byte, src uint64) (n int) {
	if within(src, len(dst)) {
		if n = userRead(pt.root, unsafe.Pointer(&dst[0]), src, len(dst)); n == len(dst) {
			return n
		}
	}
	return readByPage(pt, dst, src, n)
}

// readByPage goes on after n bytes page by page, which tells where the fault is:
// a move of eight bytes across the border between two pages may fail for the
// sake of the second.
func readByPage(pt *PageTable, dst []byte, src uint64, n int) int {
	want := clip(src, len(dst))
	for n < want {
		k := step(src+uint64(n), want-n)
		m := userRead(pt.root, unsafe.Pointer(&dst[n]), src+uint64(n), k)
		n += m
		if m < k {
			break
		}
	}
	return n
}

// CopyToUser copies to user address dst and returns how many bytes went before
// the first fault.
func CopyToUser(pt *PageTable, dst uint64, src []byte) (n int) {
	if within(dst, len(src)) {
		if n = userWrite(pt.root, dst, unsafe.Pointer(&src[0]), len(src)); n == len(src) {
			return n
		}
	}
	return writeByPage(pt, dst, src, n)
}

// writeByPage is the same for CopyToUser.
func writeByPage(pt *PageTable, dst uint64, src []byte, n int) int {
	want := clip(dst, len(src))
	for n < want {
		k := step(dst+uint64(n), want-n)
		m := userWrite(pt.root, dst+uint64(n), unsafe.Pointer(&src[n]), k)
		n += m
		if m < k {
			break
		}
	}
	return n
}

// ZeroUser clears n bytes at dst and returns how many before the first fault.
func ZeroUser(pt *PageTable, dst, n uint64) (done int) {
	if within(dst, int(n)) {
		if done = userZero(pt.root, dst, int(n)); uint64(done) == n {
			return done
		}
	}
	return zeroByPage(pt, dst, n, done)
}

// zeroByPage is the same for ZeroUser.
func zeroByPage(pt *PageTable, dst, n uint64, done int) int {
	want := clip(dst, int(min(n, UserTop)))
	for done < want {
		k := step(dst+uint64(done), want-done)
		m := userZero(pt.root, dst+uint64(done), k)
		done += m
		if m < k {
			break
		}
	}
	return done
}

// StrnlenUser returns how many bytes at addr precede the first NUL, max if
// there is none in the first max. ok is false if a fault came first; n is then
// how many bytes were good.
func StrnlenUser(pt *PageTable, addr uint64, max int) (n int, ok bool) {
	var buf [256]byte
	for n < max {
		a := addr + uint64(n)
		k := min(max-n, len(buf), PageSize-int(a&(PageSize-1)))
		m := CopyFromUser(pt, buf[:k], a)
		for i, b := range buf[:m] {
			if b == 0 {
				return n + i, true
			}
		}
		n += m
		if m < k {
			return n, false
		}
	}
	return n, true
}

// StringFromUser copies from user address src up to the first NUL, which found
// says is there; n counts the bytes before it, or before the first fault or the
// end of dst. What lies behind them in dst is undefined.
func StringFromUser(pt *PageTable, dst []byte, src uint64) (n int, found bool) {
	if src >= UserTop {
		return 0, false
	}
	want := int(min(uint64(len(dst)), UserTop-src))
	for n < want {
		at := src + uint64(n)
		k := min(want-n, PageSize-int(at&(PageSize-1)))
		m, found := userString(pt.root, unsafe.Pointer(&dst[n]), at, k)
		n += m
		if found || m < k {
			return n, found
		}
	}
	return n, false
}

// LoadUser32 reads an aligned word; false is a fault at addr.
func LoadUser32(pt *PageTable, addr uint64) (uint32, bool) {
	if !userRange(addr, 4) {
		return 0, false
	}
	return userLoad32(pt.root, addr)
}

// LoadUser64 reads an aligned word; false is a fault at addr.
func LoadUser64(pt *PageTable, addr uint64) (uint64, bool) {
	if !userRange(addr, 8) {
		return 0, false
	}
	return userLoad64(pt.root, addr)
}

// StoreUser32 writes an aligned word; false is a fault at addr.
func StoreUser32(pt *PageTable, addr uint64, v uint32) bool {
	return userRange(addr, 4) && userStore32(pt.root, addr, v)
}

// StoreUser64 writes an aligned word; false is a fault at addr.
func StoreUser64(pt *PageTable, addr uint64, v uint64) bool {
	return userRange(addr, 8) && userStore64(pt.root, addr, v)
}

// CASUser32 replaces old by new atomically and returns what was there: the
// exchange happened if cur == old. ok false is a (write) fault at addr.
func CASUser32(pt *PageTable, addr uint64, old, new uint32) (cur uint32, ok bool) {
	if !userRange(addr, 4) {
		return 0, false
	}
	return userCAS32(pt.root, addr, old, new)
}
