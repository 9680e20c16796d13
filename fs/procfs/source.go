package procfs

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// Source is where procfs learns of processes and of the system. All methods may
// be called by any task.
type Source interface {
	// Next returns the process with the lowest PID that is at least from, nil if there is none.
	Next(from int32) Process
	// Find returns the task with that thread id, nil if there is none.
	Find(tid int32) Process
	// Self returns the calling task's process id and thread id, 0 if it is no process.
	Self(ctx *fs.Context) (tgid, tid int32)
	// System returns figures of the whole system.
	System() System
	// Settings are the files below /proc/sys.
	Settings() []Setting
	// SysRq does what a key does with Alt-SysRq.
	SysRq(key byte)
}

// System are figures of the whole system.
type System struct {
	Forks        uint64     // tasks made since boot
	Tasks        int        // tasks that exist
	Running      int        // of them running or ready
	Blocked      int        // of them in uninterruptible sleep
	LastPID      int32      // given out last
	Switches     uint64     // context switches
	Load         [3]float64 // load averages over 1, 5 and 15 minutes
	Boot         int64      // when the system started, seconds since 1970
	Uptime       int64      // ns since then
	Idle         int64      // ns that all CPUs together were idle
	CommandLine  string
	Release      string // uname -r
	Version      string // uname -v
	Builder      string // "user@host"
	Compiler     string // "go1.26.8"
	TotalThreads int    // most tasks there may be
}

// Setting is a file below /proc/sys.
type Setting struct {
	Path string // "kernel/hostname"
	Mode uint32 // permission bits
	// Get returns the value without a newline at the end.
	Get func(ctx *fs.Context) string
	// Set takes a new value, white space around it removed. nil: EPERM.
	Set func(ctx *fs.Context, value string) error
}

// Process is one task: a process if it stands for the whole thread group, which
// the methods that differ are told by their argument.
type Process interface {
	TID() int32
	TGID() int32
	// Alive reports whether the task is still known by its number.
	Alive() bool
	Cred() *fs.Cred
	// Dumpable is what PR_GET_DUMPABLE says: 1 means that its owner may look into it.
	Dumpable() int
	// Info fills in i, for the thread alone or for its whole process.
	Info(i *Info, whole bool)
	// AddressSpace, Files and FSInfo return a new reference, or nil when the task has none (any more).
	AddressSpace() *mm.AddressSpace
	Files() *fs.FDTable
	FSInfo() *fs.FSInfo
	// Exe returns the executable with a new reference, or nil.
	Exe() *fs.File
	Limits() [NumLimits]unix.Rlimit
	// Threads returns the thread ids of the process, ascending.
	Threads() []int32
	SetComm(name string)
	SetOOMScoreAdj(ctx *fs.Context, v int) error
}

// NumLimits is the number of resource limits (RLIM_NLIMITS).
const NumLimits = 16

// Info is what /proc/PID/stat and status show of a task or process. Times are in ns.
type Info struct {
	Comm                   string
	State                  byte // R, S, D, T, t, Z, X
	PPID, PGID, SID        int32
	TTY                    uint64 // device number of the controlling terminal, 0 if none
	Foreground             int32  // foreground group of that terminal, -1 if none
	Tracer                 int32
	Flags                  uint32 // PF_* of linux/sched.h
	MinorFaults            uint64
	MajorFaults            uint64
	ChildMinorFaults       uint64 // of children that were waited for
	ChildMajorFaults       uint64
	COWCopies, COWClaims   uint64
	ZeroFills              uint64
	User, System           int64
	ChildUser, ChildSystem int64
	Priority, Nice         int // as /proc/PID/stat shows them
	RTPriority, Policy     int
	Threads                int
	Start                  int64 // since boot
	ExitSignal             int
	ExitStatus             int // as wait(2) gives it; shown to who may trace
	CPU                    int // where it ran last
	Pending, Shared        uint64
	Blocked                uint64
	Ignored, Caught        uint64
	Queued, QueueLimit     uint64 // signals queued for this user
	OOMScore, OOMScoreAdj  int
	Voluntary, Involuntary uint64 // context switches
	WChan                  string
	Personality            uint32
	ReadChars, WriteChars  uint64 // /proc/PID/io
	ReadCalls, WriteCalls  uint64
}
