package proc

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// Robust futexes (get_robust_list(2), Documentation/locking/robust-futex-ABI):
// a thread keeps a list of the locks it holds in its own memory; when it ends,
// the kernel marks them and wakes one waiter of each.

// robustLimit bounds the walk of a list that may be circular (ROBUST_LIST_LIMIT).
const robustLimit = 2048

// SetRobustList is set_robust_list(2); its length has been checked.
func (t *Task) SetRobustList(head uint64) { t.robustList = head }

// RobustList is get_robust_list(2) on thread tid (0: the caller).
func (t *Task) RobustList(tid int32) (uint64, error) {
	if tid == 0 || tid == t.TID {
		return t.robustList, nil
	}
	o := FindTask(tid)
	if o == nil {
		return 0, unix.ESRCH
	}
	if o.Group != t.Group && !t.MayAccess(o) {
		return 0, unix.EPERM
	}
	return o.robustList, nil
}

// exitRobustFutexes walks t's list and marks what it holds.
func (t *Task) exitRobustFutexes() {
	defer func() { t.robustList = 0 }()
	if piWaiters.Load() > 0 {
		defer t.wakePIWaiters()
	}
	head := t.robustList
	if head == 0 {
		return
	}
	next, err := t.AS.Read64(head)
	if err != nil {
		return
	}
	offset, err := t.AS.Read64(head + 8)
	if err != nil {
		return
	}
	pending, err := t.AS.Read64(head + 16)
	if err != nil {
		return
	}
	const piBit = 1
	for n := 0; n < robustLimit && next&^piBit != head; n++ {
		entry := next &^ piBit
		pi := next&piBit != 0
		// Fetch the successor first: the lock may vanish once it is released.
		var failed error
		next, failed = t.AS.Read64(entry)
		if entry != pending&^piBit && t.robustDeath(entry+offset, pi, false) != nil {
			return
		}
		if failed != nil {
			return
		}
	}
	if pending&^piBit != 0 {
		t.robustDeath(pending&^piBit+offset, pending&piBit != 0, true)
	}
}

// robustDeath marks the lock at addr if t holds it, and wakes a waiter
// (handle_futex_death of kernel/futex).
func (t *Task) robustDeath(addr uint64, pi, pending bool) error {
	if addr&3 != 0 {
		return unix.EFAULT
	}
	for {
		v, err := t.AS.Read32(addr)
		if err != nil {
			return err
		}
		if pending && !pi && v == 0 {
			t.FutexWake(addr, 1, ^uint32(0), true)
			return nil
		}
		if int32(v&futexTIDMask) != t.TID {
			return nil
		}
		if pi && v&futexWaiters != 0 {
			key, err := t.AS.FutexKey(addr, true)
			if err != nil {
				return err
			}
			b := bucketOf(&key)
			b.mu.Lock()
			done, ok := b.handOver(t, &key, addr, v, futexOwnerDied)
			b.mu.Unlock()
			if done {
				return nil
			}
			if !ok {
				if err := t.faultInForWrite(addr); err != nil {
					return err
				}
			}
			continue
		}
		cur, ok := arch.CASUser32(t.AS.PageTable(), addr, v, v&futexWaiters|futexOwnerDied)
		if !ok {
			if err := t.faultInForWrite(addr); err != nil {
				return err
			}
			continue
		}
		if cur == v {
			if v&futexWaiters != 0 {
				t.FutexWake(addr, 1, ^uint32(0), true)
			}
			return nil
		}
	}
}
