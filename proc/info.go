package proc

import (
	"slices"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// What /proc shows of tasks and processes, and terminals need to know of them.

// LeftTTY reports whether the process has given up its session's controlling
// terminal for itself alone (TIOCNOTTY by a process that leads no session).
func (g *ThreadGroup) LeftTTY() bool { return g.leftTTY.Load() }

// LeaveTTY makes LeftTTY true until the process gets into another session.
func (g *ThreadGroup) LeaveTTY() { g.leftTTY.Store(true) }

// Exe returns the executable with a new reference, nil when there is none (any more).
func (g *ThreadGroup) Exe() *fs.File {
	tree.RLock()
	defer tree.RUnlock()
	if f := g.exe.Load(); f != nil && g.state == groupAlive {
		return f.Ref()
	}
	return nil
}

// Snapshot is the state of a task, or of its whole process, at one moment. Times
// are in ns.
type Snapshot struct {
	State                    byte // R, S, T or Z, as proc(5) has them
	PPID, PGID, SID          int32
	TTY                      ControllingTerminal // nil: none
	ExitSignal               unix.Signal
	ExitStatus               int // wait status, once it is decided
	Threads                  int
	User, System             int64
	MinorFaults, MajorFaults uint64
	COWCopies, COWClaims     uint64
	ZeroFills                uint64
	Voluntary, Involuntary   uint64
	ChildUser, ChildSystem   int64 // of children that were waited for
	ChildMinor, ChildMajor   uint64
	Pending, Shared, Blocked SigSet
	Ignored, Caught          SigSet
	Policy, RTPriority, Nice int
	Personality              uint32
	ReadBytes, ReadCalls     uint64 // by system calls
	WriteBytes, WriteCalls   uint64
}

// Snapshot describes t, and if whole is set counts all threads of its process,
// ended ones too.
func (t *Task) Snapshot(whole bool) (s Snapshot) {
	g := t.Group
	s.Nice = t.Nice()
	s.Policy, s.RTPriority = t.Scheduler()
	s.Policy &^= SchedResetOnFork
	s.Personality = t.personality
	tree.RLock()
	defer tree.RUnlock()
	if g.parent != nil {
		s.PPID = g.parent.PID
	}
	if g.pgrp != nil {
		s.PGID = g.pgrp.ID
	}
	if g.session != nil {
		s.SID = g.session.ID
		if !g.LeftTTY() {
			s.TTY = g.session.TTY()
		}
	}
	s.ExitSignal = g.exitSignal
	if t != g.Leader {
		s.ExitSignal = -1 // as Linux shows threads
	}
	s.ChildUser, s.ChildSystem = g.childUsage.User, g.childUsage.System
	s.ChildMinor, s.ChildMajor = g.childUsage.MinorFaults, g.childUsage.MajorFaults
	zombie := g.state != groupAlive || t.exited

	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	var used rusage
	if whole {
		used = g.deadUsage
		for _, o := range g.threads {
			u := o.rusage()
			used.add(&u)
		}
	} else {
		used = t.rusage()
	}
	s.User, s.System = used.User, used.System
	s.MinorFaults, s.MajorFaults = used.MinorFaults, used.MajorFaults
	s.COWCopies, s.COWClaims, s.ZeroFills = used.COWCopies, used.COWClaims, used.ZeroFill
	s.Voluntary, s.Involuntary = used.Voluntary, used.Involuntary
	s.ReadBytes, s.ReadCalls = used.ReadBytes, used.ReadCalls
	s.WriteBytes, s.WriteCalls = used.WriteBytes, used.WriteCalls
	s.Threads = len(g.threads)
	if g.sig.flags&groupExiting != 0 {
		s.ExitStatus = g.sig.exitStatus
	}
	s.Shared = g.sig.shared.set
	s.Pending, s.Blocked = t.sig.pending.set, t.sig.blocked
	if t.sig.hand != nil && !zombie {
		s.Ignored, s.Caught = t.sig.hand.Sets()
	}
	switch {
	case zombie:
		s.State = 'Z'
		s.Threads = max(s.Threads, 1)
	case t.sig.stopped:
		s.State = 'T'
	case t.Thread.Asleep():
		s.State = 'S'
	default:
		s.State = 'R'
	}
	return s
}

// Known reports whether t is still found by its number.
func (t *Task) Known() bool { return FindTask(t.TID) == t }

// ThreadIDs returns the numbers of g's living threads, ascending.
func (g *ThreadGroup) ThreadIDs() []int32 {
	g.sig.mu.Lock()
	ids := make([]int32, 0, len(g.threads))
	for _, t := range g.threads {
		ids = append(ids, t.TID)
	}
	g.sig.mu.Unlock()
	slices.Sort(ids)
	return ids
}
