package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Segment is one piece of user memory, laid out as struct iovec
// (readv(2), UAPI linux/uio.h), so that an array of them can be copied in
// from user space as it is.
type Segment struct {
	Base uint64 // user address
	Len  uint64 // bytes
}

// Iter says where the bytes of an I/O operation go to or come from: one piece
// of user memory, several of them (struct iovec), or a kernel slice. It is a
// cursor: each operation consumes what it transferred.
//
// An Iter is a value owned by one task, is not safe for concurrent use and
// allocates nothing. User memory is touched only while an operation runs, and
// every operation may fault and sleep: hold no lock that the fault path takes
// (AddressSpace.mu, Object.mu).
type Iter struct {
	as   *AddressSpace // user memory if not nil
	buf  []byte        // kernel memory otherwise: what is left of full
	full []byte        // the kernel slice as given, for Revert
	segs []Segment     // nil for a single buffer
	one  Segment       // the single user buffer
	seg  int           // index of the current segment
	off  uint64        // bytes done of the current segment
	left int           // bytes left in all
	done int           // bytes done so far
}

// UserIter returns an Iter over the n bytes of user memory at addr.
func UserIter(as *AddressSpace, addr uint64, n int) Iter {
	if n < 0 {
		n = 0
	}
	return Iter{as: as, one: Segment{addr, uint64(n)}, left: n}
}

// SetUser makes it what UserIter returns, at a lower price.
func (it *Iter) SetUser(as *AddressSpace, addr uint64, n int) {
	if it.as != as {
		it.as = as
	}
	if it.segs != nil {
		it.segs = nil
	}
	it.one, it.off = Segment{addr, uint64(n)}, 0
	it.left, it.done = n, 0
}

// UserVecIter returns an Iter over segs, which it keeps. The sum of the
// lengths must fit into an int (readv(2): EINVAL otherwise, for the caller to
// check); what goes beyond is cut off.
func UserVecIter(as *AddressSpace, segs []Segment) Iter {
	it := Iter{as: as, segs: segs}
	for _, s := range segs {
		if s.Len > uint64(int(^uint(0)>>1)-it.left) {
			it.left = int(^uint(0) >> 1)
			break
		}
		it.left += int(s.Len)
	}
	return it
}

// BytesIter returns an Iter over the kernel slice p.
func BytesIter(p []byte) Iter {
	return Iter{buf: p, full: p, left: len(p)}
}

// Len returns the number of bytes that are left.
func (it *Iter) Len() int { return it.left }

// Done returns the number of bytes consumed so far.
func (it *Iter) Done() int { return it.done }

// IsUser reports whether the Iter stands for user memory.
func (it *Iter) IsUser() bool { return it.as != nil }

// CopyTo fills the destination with src and returns how many bytes went in:
// fewer than len(src) without an error when the destination is full, with
// EFAULT when user memory could not be written. Bytes copied before a fault
// count as done.
func (it *Iter) CopyTo(src []byte) (int, error) {
	if it.as == nil {
		n := copy(it.buf, src)
		it.buf = it.buf[n:]
		it.left -= n
		it.done += n
		return n, nil
	}
	if it.segs == nil {
		at := it.one.Base + it.off
		src = src[:min(len(src), it.left)]
		m, err := arch.CopyToUser(it.as.pt, at, src), error(nil)
		if m < len(src) {
			m, err = it.as.copyOutRest(at, src, m)
		}
		it.step(m)
		return m, err
	}
	n := 0
	for n < len(src) && it.left > 0 {
		base, l := it.piece(len(src) - n)
		m, err := it.as.copyOut(base, src[n:n+l])
		it.step(m)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// CopyFrom takes bytes from the source into dst and returns how many: fewer
// than len(dst) without an error when the source is exhausted, with EFAULT
// when user memory could not be read.
func (it *Iter) CopyFrom(dst []byte) (int, error) {
	if it.as == nil {
		n := copy(dst, it.buf)
		it.buf = it.buf[n:]
		it.left -= n
		it.done += n
		return n, nil
	}
	if it.segs == nil {
		at := it.one.Base + it.off
		dst = dst[:min(len(dst), it.left)]
		m, err := arch.CopyFromUser(it.as.pt, dst, at), error(nil)
		if m < len(dst) {
			m, err = it.as.copyInRest(dst, at, m)
		}
		it.step(m)
		return m, err
	}
	n := 0
	for n < len(dst) && it.left > 0 {
		base, l := it.piece(len(dst) - n)
		m, err := it.as.copyIn(dst[n:n+l], base)
		it.step(m)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Zero writes up to n zero bytes to the destination, with the same results as
// CopyTo.
func (it *Iter) Zero(n int) (int, error) {
	if n > it.left {
		n = it.left
	}
	if it.as == nil {
		clear(it.buf[:n])
		it.buf = it.buf[n:]
		it.left -= n
		it.done += n
		return n, nil
	}
	if it.segs == nil {
		at := it.one.Base + it.off
		m, err := arch.ZeroUser(it.as.pt, at, uint64(n)), error(nil)
		if m < n {
			m, err = it.as.clearRest(at, uint64(n), m)
		}
		it.step(m)
		return m, err
	}
	done := 0
	for done < n {
		base, l := it.piece(n - done)
		m, err := it.as.clear(base, uint64(l))
		it.step(m)
		done += m
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Advance skips n bytes, at most what is left.
func (it *Iter) Advance(n int) {
	if n > it.left {
		n = it.left
	}
	if it.as == nil {
		it.buf = it.buf[n:]
		it.left -= n
		it.done += n
		return
	}
	if it.segs == nil {
		it.step(n)
		return
	}
	for n > 0 {
		_, l := it.piece(n)
		it.step(l)
		n -= l
	}
}

// Revert takes back the last n bytes, at most what is done.
func (it *Iter) Revert(n int) {
	if n > it.done {
		n = it.done
	}
	it.left += n
	it.done -= n
	if it.as == nil {
		it.buf = it.full[it.done : it.done+it.left]
		return
	}
	for n > 0 {
		if it.off == 0 {
			it.seg--
			it.off = it.segs[it.seg].Len
			continue
		}
		m := min(uint64(n), it.off)
		it.off -= m
		n -= int(m)
	}
}

// Limit cuts the Iter down to at most n bytes. A limited Iter must not be
// advanced past the cut; Unlimit is the caller's job: Limit returns the number
// of bytes hidden, to be given back with Grow.
func (it *Iter) Limit(n int) (hidden int) {
	if n < 0 || n >= it.left {
		return 0
	}
	hidden = it.left - n
	it.left = n
	if it.as == nil {
		it.buf = it.buf[:n]
	}
	return hidden
}

// Grow gives back bytes that Limit has hidden.
func (it *Iter) Grow(hidden int) {
	it.left += hidden
	if it.as == nil {
		it.buf = it.full[it.done : it.done+it.left]
	}
}

// piece returns the address and length of the next contiguous run of user
// memory in several, at most limit bytes. Precondition: left > 0.
func (it *Iter) piece(limit int) (addr uint64, n int) {
	if limit > it.left {
		limit = it.left
	}
	for it.off == it.segs[it.seg].Len {
		it.seg++
		it.off = 0
	}
	s := it.segs[it.seg]
	return s.Base + it.off, int(min(uint64(limit), s.Len-it.off))
}

func (it *Iter) step(n int) {
	it.off += uint64(n)
	it.left -= n
	it.done += n
}

// CheckSegments applies the rules of readv(2) to an iovec array: the sum of
// the lengths must not overflow ssize_t (EINVAL); totals above what one call
// may transfer (MAX_RW_COUNT, linux/fs.h: INT_MAX rounded down to a page) are
// cut silently. It returns the total.
func CheckSegments(segs []Segment) (int, error) {
	const maxRW = (1<<31 - 1) &^ 4095
	total := uint64(0)
	for i := range segs {
		l := segs[i].Len
		if int64(l) < 0 {
			return 0, unix.EINVAL
		}
		if l > maxRW-total {
			segs[i].Len = maxRW - total
			l = segs[i].Len
		}
		total += l
	}
	return int(total), nil
}
