package proc

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// Task is one user thread: a goroutine that enters ring 3 and comes back with
// what the thread wants (see run.go). A process is a [ThreadGroup] of tasks.
//
// "Owner" below is the task's own goroutine. Fields that only the owner writes
// it may read without a lock.
type Task struct {
	// --- Fixed when the task is made.

	Group     *ThreadGroup
	Ctx       *arch.UserContext // the ring-3 registers; freed by the owner at its end
	startTime int64             // wait.Now() of its making

	// TID is the thread id. It changes only when another thread than the leader
	// executes a program and takes over the leader's id (tree lock held).
	TID int32

	// --- Words that anybody may touch.

	// work holds work* bits: what the owner has to do before it enters ring 3 again.
	work   atomic.Uint32
	Thread wait.Thread // how the owner sleeps

	comm      atomic.Pointer[string]  // command name, at most 15 bytes
	cred      atomic.Pointer[fs.Cred] // = fsctx.Cred, for other goroutines; written by the owner
	usage     mm.Usage                // faults and copies
	preempted atomic.Uint64           // times it gave up the CPU in ring 3
	userTime  atomic.Int64            // ns in ring 3, as the timer saw it; written by the owner

	// --- The owner's. Other goroutines read AS, fsctx.FS and fsctx.Files under mu.

	mu    sync.Mutex // guards the pointers named above against change while others look; leaf but for reference counts
	AS    *mm.AddressSpace
	fsctx fs.Context // credentials, root, cwd, descriptors: what package fs needs

	sig taskSignals // see signal_state.go

	// --- The owner's alone.

	clearChildTID uint64     // user address cleared and woken at the end (CLONE_CHILD_CLEARTID, set_tid_address(2))
	robustList    uint64     // user address of struct robust_list_head
	sysNr         int64      // number of the system call it is in, -1 outside
	panics        int        // Go panics that happened while it ran
	vfork         *vforkWait // whom to wake when this task executes a program or ends
	vforkWait     vforkWait  // what vfork points to, if anything
	childSetTID   uint64     // user address to store the own TID at when it first runs
	futex         futexWaiter
	childWait     wait.Entry   // its place among those who wait for a child
	account       *userAccount // whose count of tasks it is in
	crowded       bool         // a set*id call has put it over its new user\'s RLIMIT_NPROC
	peakRSS       uint64       // bytes; noted when the address space is given up
	exitStatus    int          // wait status of exit(2), for a process whose threads all leave by it
	exitStep      int          // of exitSteps, to be done next
	last          bool         // was the last thread of its process
	personality   uint32
	parentDeath   unix.Signal // PR_SET_PDEATHSIG; tree lock
	sched         schedParams // under mu

	// --- Guarded by the tree lock.

	exited bool // has left its group; only a leader is still found after that
}

// Bits of Task.work. SIGNAL's first, the rest from bit 8 on.
const (
	workSignal = 1 << 0 // a signal may have to be handled: call handleSignals
	workExit   = 1 << 8 // exit(2): end this thread
)

// FSContext returns the view of the file system that t's system calls use.
// Owner only.
func (t *Task) FSContext() *fs.Context { return &t.fsctx }

// Cred returns t's credentials. Anyone may call it.
func (t *Task) Cred() *fs.Cred { return t.cred.Load() }

// setCred publishes new credentials. Owner only; c must not change afterwards.
func (t *Task) setCred(c *fs.Cred) {
	t.fsctx.Cred = c
	t.cred.Store(c)
}

// Comm returns the command name.
func (t *Task) Comm() string {
	if p := t.comm.Load(); p != nil {
		return *p
	}
	return ""
}

// commName is a command name and its characters, in one allocation.
type commName struct {
	text string
	room [15]byte
}

// SetComm sets the command name, cut to 15 bytes (TASK_COMM_LEN - 1).
func (t *Task) SetComm(name string) {
	if len(name) > 15 {
		name = name[:15]
	}
	c := new(commName)
	c.text = text(c.room[:copy(c.room[:], name)])
	t.comm.Store(&c.text)
}

// StartTime returns when t was made, on the clock of wait.Now.
func (t *Task) StartTime() int64 { return t.startTime }

// Usage returns t's fault counters.
func (t *Task) Usage() *mm.Usage { return &t.usage }

// AddressSpace returns t's address space with a reference added, or nil when it
// has given it up already. Anyone may call it.
func (t *Task) AddressSpace() *mm.AddressSpace {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.AS != nil {
		t.AS.Ref()
	}
	return t.AS
}

// FSInfo returns t's root and current directory with a reference added, or nil.
func (t *Task) FSInfo() *fs.FSInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fsctx.FS == nil {
		return nil
	}
	return t.fsctx.FS.Ref()
}

// Files returns t's descriptor table with a reference added, or nil.
func (t *Task) Files() *fs.FDTable {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fsctx.Files == nil {
		return nil
	}
	return t.fsctx.Files.Ref()
}

// setWork asks the owner to do w before its next instruction in ring 3: it
// ends an interruptible sleep and fetches it from ring 3. Anyone may call it
// who knows that t has not ended (t.Group.sig.mu and t in threads).
func (t *Task) setWork(w uint32) {
	t.work.Or(w)
	t.Thread.SetInterrupted(true)
	t.Ctx.RequestKick()
	t.Ctx.Kick()
	t.Thread.Wake()
}

// ReplaceFiles gives t a descriptor table of its own in place of the one it
// shares (unshare(2), close_range(2)); n's reference becomes t's. Owner only.
func (t *Task) ReplaceFiles(n *fs.FDTable) {
	t.mu.Lock()
	old := t.fsctx.Files
	t.fsctx.Files = n
	t.mu.Unlock()
	old.Unref(&t.fsctx)
}
