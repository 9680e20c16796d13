package proc

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
)

// tree is the lock of the family: parents and children, process groups,
// sessions, thread lists' membership in a process, and the writing side of the
// PID table. Lock order: see doc.go.
var tree sync.RWMutex

// ThreadGroup is a process: one or more tasks with one PID, one parent, one set
// of signal handlers and resource limits.
type ThreadGroup struct {
	// --- Fixed.

	PID       int32
	startTime int64 // wait.Now()

	// --- Guarded by tree.

	Leader  *Task // its TID is PID; stays as a zombie when it ends before the others
	parent  *ThreadGroup
	creator *Task // thread of parent that made it: for __WNOTHREAD and PR_SET_PDEATHSIG
	session *Session
	pgrp    *ProcessGroup

	children     groupList   // in the order they came
	sibling      groupLink   // in parent.children
	member       groupLink   // in pgrp.members
	exitSignal   unix.Signal // sent to the parent at the end; 0: none
	state        groupState
	subreaper    bool   // PR_SET_CHILD_SUBREAPER
	hasSubreaper bool   // an ancestor is or was a subreaper
	executed     bool   // has called execve since fork: setpgid(2) by its parent gets EACCES
	childUsage   rusage // of children that were waited for

	// parentPID is parent's PID, for getppid(2) without a lock. Written with
	// tree held.
	parentPID atomic.Int32

	// --- Signals, and with them the list of threads, guarded by sig.mu.

	sig        groupSignals
	threads    []*Task  // those that have not ended; the leader first while it lives
	firstTask  [1]*Task // room for threads while there is one
	deadUsage  rusage   // of threads that have ended
	execWaiter *Task    // thread in execve(2) that waits for the others to end

	// --- With locks of their own.

	// childEvents is woken when a child ends, stops or continues (wait4).
	childEvents wait.Queue
	// exitEvents is woken when the process becomes a zombie (pidfd polling).
	exitEvents wait.Queue

	leftTTY      atomic.Bool // see LeaveTTY
	limits       limitSet
	cpuLimited   atomic.Bool             // RLIMIT_CPU is finite
	cpuLimitNext atomic.Int64            // wait.Now() of the next look at it
	fsLimits     fs.Limits               // mirror of two limits for package fs
	dumpable     atomic.Int32            // PR_SET_DUMPABLE
	oomAdj       atomic.Int32            // /proc/PID/oom_score_adj
	oomAdjMin    atomic.Int32            // the lowest an unprivileged process may set it to
	liveCount    atomic.Int32            // tasks that have not ended
	exe          atomic.Pointer[fs.File] // the executable, referenced
}

// groupState is where a process stands between its first and last breath.
type groupState uint8

const (
	groupAlive  groupState = iota
	groupZombie            // all threads ended, waits for its parent
	groupReaped            // its PID is free
)

// The two lists a group can be in.
const (
	linkSibling = iota
	linkMember
)

type groupLink struct{ next, prev *ThreadGroup }

// groupList is a list of processes linked through one of their groupLinks.
type groupList struct {
	head, tail *ThreadGroup
	n          int
}

func (g *ThreadGroup) link(which int) *groupLink {
	if which == linkSibling {
		return &g.sibling
	}
	return &g.member
}

func (l *groupList) add(g *ThreadGroup, which int) {
	k := g.link(which)
	k.next, k.prev = nil, l.tail
	if l.tail != nil {
		l.tail.link(which).next = g
	} else {
		l.head = g
	}
	l.tail = g
	l.n++
}

func (l *groupList) remove(g *ThreadGroup, which int) {
	k := g.link(which)
	if k.prev != nil {
		k.prev.link(which).next = k.next
	} else {
		l.head = k.next
	}
	if k.next != nil {
		k.next.link(which).prev = k.prev
	} else {
		l.tail = k.prev
	}
	*k = groupLink{}
	l.n--
}

// ProcessGroup is a job (setpgid(2)). It exists while it has members.
type ProcessGroup struct {
	ID      int32     // fixed
	Session *Session  // fixed
	members groupList // tree lock
}

// Session is a login (setsid(2)). It exists while it has process groups.
type Session struct {
	ID     int32        // fixed: PID of its first leader
	leader *ThreadGroup // tree lock; nil once that process has ended
	groups int          // process groups in it; tree lock
	// tty is the controlling terminal, an object of package fs/tty; nil: none.
	tty atomic.Pointer[ControllingTerminal]
}

// ControllingTerminal is what a session knows of its terminal. fs/tty implements it.
type ControllingTerminal interface {
	// Number returns the device number for /proc/PID/stat.
	Number() uint64
	// Foreground returns the id of the foreground process group, 0 when there is none.
	Foreground() int32
	// Disassociate is called when the leader of the session ends or gives the terminal
	// up: SIGHUP and SIGCONT to the foreground group, further use is refused.
	Disassociate(leaderExit bool)
}
