package proc

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/mm"
)

// The futex operations on two words: FUTEX_REQUEUE, FUTEX_CMP_REQUEUE and
// FUTEX_WAKE_OP.

// FutexRequeue wakes up to wake waiters of the word at from and moves up to
// move others to the word at to. If cmp is not nil, the word at from must hold
// *cmp: EAGAIN otherwise. It returns how many were woken or moved.
func (t *Task) FutexRequeue(from, to uint64, wake, move int, cmp *uint32, shared bool) (int, error) {
	if wake < 0 || move < 0 {
		return 0, unix.EINVAL
	}
	k1, err := t.AS.FutexKey(from, shared)
	if err != nil {
		return 0, err
	}
	k2, err := t.AS.FutexKey(to, shared)
	if err != nil {
		return 0, err
	}
	b1, b2 := bucketOf(&k1), bucketOf(&k2)
	lockBoth(b1, b2)
	for cmp != nil {
		v, ok := arch.LoadUser32(t.AS.PageTable(), from)
		if ok && v != *cmp {
			unlockBoth(b1, b2)
			return 0, unix.EAGAIN
		}
		if ok {
			break
		}
		unlockBoth(b1, b2)
		if _, err := t.AS.Read32(from); err != nil {
			return 0, err
		}
		lockBoth(b1, b2)
	}
	n, err := b1.wake(&k1, wake, ^uint32(0))
	if err == nil && move > 0 {
		n += b1.move(&k1, b2, &k2, move)
	}
	unlockBoth(b1, b2)
	return n, err
}

// move gives up to n ordinary waiters of key k1 in b the key k2 in b2.
//
//   - both buckets are held
func (b *futexBucket) move(k1 *mm.Key, b2 *futexBucket, k2 *mm.Key, n int) (moved int) {
	if sameKey(k1, k2) {
		return 0
	}
	for w := b.head; w != nil && moved < n; {
		next := w.next
		if sameKey(&w.key, k1) && w.owner == 0 {
			w.key = *k2
			if b != b2 {
				b.shift(w, b2)
			}
			moved++
		}
		w = next
	}
	return moved
}

// shift moves w from b to b2 without its ever seeming to have been woken.
//
//   - both buckets are held
func (b *futexBucket) shift(w *futexWaiter, b2 *futexBucket) {
	b.unlink(w)
	b2.add(w)
}

// futexOp is the encoded operation of FUTEX_WAKE_OP (futex(2)).
type futexOp uint32

// apply returns the new value of the word for old.
func (o futexOp) apply(old uint32) (uint32, error) {
	arg := uint32(int32(o) << 8 >> 20)
	op := o >> 28 & 15
	if op&8 != 0 { // FUTEX_OP_ARG_SHIFT
		arg = 1 << (arg & 31)
	}
	switch op & 7 {
	case 0: // FUTEX_OP_SET
		return arg, nil
	case 1: // FUTEX_OP_ADD
		return old + arg, nil
	case 2: // FUTEX_OP_OR
		return old | arg, nil
	case 3: // FUTEX_OP_ANDN
		return old &^ arg, nil
	case 4: // FUTEX_OP_XOR
		return old ^ arg, nil
	}
	return 0, unix.ENOSYS
}

// compare reports whether old satisfies the operation's condition.
func (o futexOp) compare(old uint32) (bool, error) {
	v, arg := int32(old), int32(o)<<20>>20
	switch o >> 24 & 15 {
	case 0: // FUTEX_OP_CMP_EQ
		return v == arg, nil
	case 1: // FUTEX_OP_CMP_NE
		return v != arg, nil
	case 2: // FUTEX_OP_CMP_LT
		return v < arg, nil
	case 3: // FUTEX_OP_CMP_LE
		return v <= arg, nil
	case 4: // FUTEX_OP_CMP_GT
		return v > arg, nil
	case 5: // FUTEX_OP_CMP_GE
		return v >= arg, nil
	}
	return false, unix.ENOSYS
}

// FutexWakeOp changes the word at addr2 as op says, wakes up to n1 waiters of
// addr1 and, if the old value satisfied op's condition, up to n2 of addr2.
func (t *Task) FutexWakeOp(addr1, addr2 uint64, n1, n2 int, op uint32, shared bool) (int, error) {
	o := futexOp(op)
	k1, err := t.AS.FutexKey(addr1, shared)
	if err != nil {
		return 0, err
	}
	k2, err := t.AS.FutexKey(addr2, shared)
	if err != nil {
		return 0, err
	}
	b1, b2 := bucketOf(&k1), bucketOf(&k2)
	lockBoth(b1, b2)
	for {
		old, ok := arch.LoadUser32(t.AS.PageTable(), addr2)
		if ok {
			v, err := o.apply(old)
			if err != nil {
				unlockBoth(b1, b2)
				return 0, err
			}
			var cur uint32
			if cur, ok = arch.CASUser32(t.AS.PageTable(), addr2, old, v); ok && cur == old {
				n, err := t.wakeBoth(b1, b2, &k1, &k2, n1, n2, o, old)
				unlockBoth(b1, b2)
				return n, err
			}
		}
		if !ok {
			unlockBoth(b1, b2)
			if err := t.faultInForWrite(addr2); err != nil {
				return 0, err
			}
			lockBoth(b1, b2)
		}
	}
}

func (t *Task) wakeBoth(b1, b2 *futexBucket, k1, k2 *mm.Key, n1, n2 int, o futexOp, old uint32) (int, error) {
	n, err := b1.wake(k1, n1, ^uint32(0))
	if err != nil {
		return n, err
	}
	yes, err := o.compare(old)
	if err != nil || !yes {
		return n, err
	}
	m, err := b2.wake(k2, n2, ^uint32(0))
	return n + m, err
}

// faultInForWrite makes the page at addr present and writable for the moment.
func (t *Task) faultInForWrite(addr uint64) error {
	if addr >= arch.UserTop || t.AS.Fault(addr, arch.AccessWrite, &t.usage) != nil {
		return unix.EFAULT
	}
	return nil
}
