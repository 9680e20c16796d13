package proc

import (
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

// Snapshot is the state of a task, or of its whole process, at one moment.
type Snapshot struct {
	State                         byte // R, S, T, Z as proc(5)
	PPID, PGID, SID               int32
	TTY                           ControllingTerminal // nil: none
	ExitSignal                    unix.Signal
	ExitStatus                    int
	Threads                       int
	User, System                  int64 // ns
	MinorFaults, MajorFaults      uint64
	COWCopies, COWClaims          uint64
	ZeroFills                     uint64
	Voluntary, Involuntary        uint64
	ChildUser, ChildSystem        int64
	ChildMinor, ChildMajor        uint64
	Pending, Shared, Blocked      SigSet
	Ignored, Caught               SigSet
	SystemCall                    int64 // the call it is in, -1 outside
}
