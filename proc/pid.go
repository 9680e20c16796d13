package proc

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The PID table: a number is in use while a thread, a process group or a
// session bears it. Numbers are given out in order and wrap around at pid_max;
// after the first round those below 300 are left to the system's first
// processes (RESERVED_PIDS of Linux kernel/pid.c).

const (
	// PIDMaxLimit is the greatest value pid_max can take (proc(5)).
	PIDMaxLimit = 1 << 22
	// PIDMaxDefault is what it starts with.
	PIDMaxDefault = 1 << 15

	reservedPIDs = 300
	pidLeafBits  = 9
	pidLeafSize  = 1 << pidLeafBits
)

// pidSlot is one number. Everything is written under tree and read by anyone.
type pidSlot struct {
	nr      atomic.Int32 // 0: free
	task    atomic.Pointer[Task]
	pgrp    atomic.Pointer[ProcessGroup]
	session atomic.Pointer[Session]
}

type pidLeaf struct {
	used  int // slots in use; tree lock
	slots [pidLeafSize]pidSlot
}

// pidTable is a radix tree of two levels. Lookup takes no lock; everything else
// runs under the tree lock held for writing.
type pidTable struct {
	leaves [PIDMaxLimit / pidLeafSize]atomic.Pointer[pidLeaf]
	last   int32 // given out last
	max    atomic.Int32
	count  int // numbers in use
	// spare is one without numbers in use, for the next time that its own numbers
	// are wanted: who is looking for one of them must not find another's.
	spare   *pidLeaf
	spareAt int32 // its place in leaves
}

var pids pidTable

func init() { pids.max.Store(PIDMaxDefault) }

// slot returns the slot of nr, or nil when it is free.
func (p *pidTable) slot(nr int32) *pidSlot {
	if nr <= 0 || nr >= PIDMaxLimit {
		return nil
	}
	leaf := p.leaves[nr>>pidLeafBits].Load()
	if leaf == nil {
		return nil
	}
	s := &leaf.slots[nr&(pidLeafSize-1)]
	if s.nr.Load() != nr {
		return nil
	}
	return s
}

// task returns the thread whose number is nr, or nil.
func (p *pidTable) task(nr int32) *Task {
	if s := p.slot(nr); s != nil {
		return s.task.Load()
	}
	return nil
}

// leaf returns the leaf of nr, making it. Precondition: tree locked.
func (p *pidTable) leaf(nr int32) *pidLeaf {
	at := &p.leaves[nr>>pidLeafBits]
	leaf := at.Load()
	if leaf == nil {
		if leaf = p.spare; leaf == nil || p.spareAt != nr>>pidLeafBits {
			leaf = new(pidLeaf)
		}
		p.spare = nil
		at.Store(leaf)
	}
	return leaf
}

// take marks nr, which is free, as in use. Precondition: tree locked.
func (p *pidTable) take(nr int32) *pidSlot {
	leaf := p.leaf(nr)
	s := &leaf.slots[nr&(pidLeafSize-1)]
	s.nr.Store(nr)
	leaf.used++
	p.count++
	return s
}

// alloc takes the next free number: EAGAIN when there is none. Precondition: tree locked.
func (p *pidTable) alloc() (*pidSlot, error) {
	limit := p.max.Load()
	nr := p.last + 1
	for range 2 {
		for ; nr < limit; nr++ {
			leaf := p.leaves[nr>>pidLeafBits].Load()
			if leaf != nil && leaf.used == pidLeafSize {
				nr |= pidLeafSize - 1
				continue
			}
			if leaf == nil || leaf.slots[nr&(pidLeafSize-1)].nr.Load() == 0 {
				p.last = nr
				return p.take(nr), nil
			}
		}
		nr = reservedPIDs
		if limit <= reservedPIDs {
			nr = 1
		}
	}
	return nil, unix.EAGAIN
}

// allocWanted takes the number that clone3(2)'s set_tid asks for, or the next
// one: EPERM without the privilege, EINVAL for an impossible number, EEXIST for
// one in use. Precondition: tree locked.
func (p *pidTable) allocWanted(want []int32, privileged bool) (*pidSlot, error) {
	if len(want) == 0 {
		return p.alloc()
	}
	nr := want[0]
	switch {
	case len(want) > 1 || nr < 1 || nr >= p.max.Load():
		return nil, unix.EINVAL
	case !privileged:
		return nil, unix.EPERM
	case p.slot(nr) != nil:
		return nil, unix.EEXIST
	}
	return p.take(nr), nil
}

// release gives the number back when nothing bears it any more.
// Precondition: tree locked.
func (p *pidTable) release(nr int32) {
	s := p.slot(nr)
	if s == nil || s.task.Load() != nil || s.pgrp.Load() != nil || s.session.Load() != nil {
		return
	}
	s.nr.Store(0)
	p.count--
	leaf := p.leaves[nr>>pidLeafBits].Load()
	if leaf.used--; leaf.used == 0 {
		p.leaves[nr>>pidLeafBits].Store(nil)
		p.spare, p.spareAt = leaf, nr>>pidLeafBits
	}
}

// PIDMax returns pid_max: PIDs are below it.
func PIDMax() int32 { return pids.max.Load() }

// SetPIDMax sets pid_max (/proc/sys/kernel/pid_max): EINVAL outside 301 to PIDMaxLimit.
func SetPIDMax(n int32) error {
	if n <= reservedPIDs || n > PIDMaxLimit {
		return unix.EINVAL
	}
	pids.max.Store(n)
	return nil
}

// LastPID returns the number given out last (/proc/loadavg).
func LastPID() int32 {
	tree.RLock()
	defer tree.RUnlock()
	return pids.last
}

// FindTask returns the thread with that id, nil if there is none. A leader that
// has ended is found until it is reaped.
func FindTask(tid int32) *Task { return pids.task(tid) }

// FindGroup returns the process with that PID, nil if there is none (or tid is
// only a thread's).
func FindGroup(pid int32) *ThreadGroup {
	if t := FindTask(pid); t != nil && t.Group.PID == pid {
		return t.Group
	}
	return nil
}

// FindProcessGroup returns the process group with that id, or nil.
func FindProcessGroup(id int32) *ProcessGroup {
	if s := pids.slot(id); s != nil {
		if pg := s.pgrp.Load(); pg != nil && pg.ID == id {
			return pg
		}
	}
	return nil
}

// NextGroup returns the process with the lowest PID that is at least from, or
// nil: this is how /proc is listed. Processes that come and go meanwhile may or
// may not be seen.
func NextGroup(from int32) *ThreadGroup {
	for nr := max(from, 1); nr < PIDMaxLimit; nr++ {
		leaf := pids.leaves[nr>>pidLeafBits].Load()
		if leaf == nil {
			nr |= pidLeafSize - 1
			continue
		}
		if t := leaf.slots[nr&(pidLeafSize-1)].task.Load(); t != nil && t.Group.PID == nr {
			return t.Group
		}
	}
	return nil
}
