package kernel

import (
	"runtime"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/procfs"
	"tamarix/mm"
	"tamarix/proc"
)

// procInfo tells procfs about processes and the system.
type procInfo struct {
	settings []procfs.Setting
}

func newProcInfo() *procInfo { return &procInfo{settings: settings()} }

// Next implements [procfs.Source].
func (*procInfo) Next(from int32) procfs.Process {
	g := proc.NextGroup(from)
	if g == nil {
		return nil
	}
	return taskInfo{g.Leader}
}

// Find implements [procfs.Source].
func (*procInfo) Find(tid int32) procfs.Process {
	t := proc.FindTask(tid)
	if t == nil {
		return nil
	}
	return taskInfo{t}
}

// Self implements [procfs.Source].
func (*procInfo) Self(ctx *fs.Context) (tgid, tid int32) {
	t := taskOf(ctx)
	if t == nil {
		return 0, 0
	}
	return t.Group.PID, t.TID
}

// System implements [procfs.Source].
func (*procInfo) System() procfs.System {
	s := procfs.System{
		Forks:        proc.Forks(),
		LastPID:      proc.LastPID(),
		Uptime:       wait.Now(),
		Boot:         arch.WallOffset() / 1e9,
		CommandLine:  CommandLine(),
		Release:      utsRelease,
		Version:      utsVersion,
		Builder:      "tamarix",
		Compiler:     runtime.Version(),
		TotalThreads: proc.ThreadsMax(),
	}
	s.Running, s.Tasks = proc.TaskCounts()
	for i, l := range proc.LoadAverage() {
		s.Load[i] = float64(l) / (1 << 11)
	}
	for i := range arch.NumCPU() {
		_, _, idle := arch.CPUTimes(i)
		s.Idle += idle
	}
	return s
}

// SysRq implements [procfs.Source].
func (*procInfo) SysRq(key byte) { sysrq(key) }

// Settings implements [procfs.Source].
func (p *procInfo) Settings() []procfs.Setting { return p.settings }

// taskInfo shows a task to procfs.
type taskInfo struct{ t *proc.Task }

// TID implements [procfs.Process].
func (p taskInfo) TID() int32 { return p.t.TID }

// TGID implements [procfs.Process].
func (p taskInfo) TGID() int32 { return p.t.Group.PID }

// Alive implements [procfs.Process].
func (p taskInfo) Alive() bool { return p.t.Known() }

// Cred implements [procfs.Process].
func (p taskInfo) Cred() *fs.Cred { return p.t.Cred() }

// Dumpable implements [procfs.Process].
func (p taskInfo) Dumpable() int { return p.t.Group.Dumpable() }

// AddressSpace implements [procfs.Process].
func (p taskInfo) AddressSpace() *mm.AddressSpace { return p.t.AddressSpace() }

// Files implements [procfs.Process].
func (p taskInfo) Files() *fs.FDTable { return p.t.Files() }

// FSInfo implements [procfs.Process].
func (p taskInfo) FSInfo() *fs.FSInfo { return p.t.FSInfo() }

// Exe implements [procfs.Process].
func (p taskInfo) Exe() *fs.File { return p.t.Group.Exe() }

// Limits implements [procfs.Process].
func (p taskInfo) Limits() [procfs.NumLimits]unix.Rlimit { return p.t.Group.Limits() }

// Threads implements [procfs.Process].
func (p taskInfo) Threads() []int32 { return p.t.Group.ThreadIDs() }

// SetComm implements [procfs.Process].
func (p taskInfo) SetComm(name string) { p.t.SetComm(name) }

// SetOOMScoreAdj implements [procfs.Process].
func (p taskInfo) SetOOMScoreAdj(ctx *fs.Context, v int) error {
	t := taskOf(ctx)
	if t == nil {
		return unix.ESRCH
	}
	return t.SetOOMScoreAdj(p.t.Group, v)
}

// Info implements [procfs.Process].
func (p taskInfo) Info(i *procfs.Info, whole bool) {
	t, g := p.t, p.t.Group
	s := t.Snapshot(whole)
	*i = procfs.Info{
		Comm: t.Comm(), State: s.State, PPID: s.PPID, PGID: s.PGID, SID: s.SID, Foreground: -1,
		MinorFaults: s.MinorFaults, MajorFaults: s.MajorFaults,
		ChildMinorFaults: s.ChildMinor, ChildMajorFaults: s.ChildMajor,
		COWCopies: s.COWCopies, COWClaims: s.COWClaims, ZeroFills: s.ZeroFills,
		User: s.User, System: s.System, ChildUser: s.ChildUser, ChildSystem: s.ChildSystem,
		Priority: 20 + s.Nice, Nice: s.Nice, RTPriority: s.RTPriority, Policy: s.Policy,
		Threads: s.Threads, Start: t.StartTime(), ExitSignal: int(s.ExitSignal), ExitStatus: s.ExitStatus,
		Pending: uint64(s.Pending), Shared: uint64(s.Shared), Blocked: uint64(s.Blocked),
		Ignored: uint64(s.Ignored), Caught: uint64(s.Caught),
		QueueLimit: g.Limit(rlimitSigPending),
		OOMScore:   g.OOMScore(), OOMScoreAdj: g.OOMScoreAdj(),
		Voluntary: s.Voluntary, Involuntary: s.Involuntary, Personality: s.Personality,
		ReadChars: s.ReadBytes, ReadCalls: s.ReadCalls, WriteChars: s.WriteBytes, WriteCalls: s.WriteCalls,
	}
	if c := t.Cred(); c != nil {
		i.Queued = uint64(proc.QueuedSignals(c.UID))
	}
	if s.RTPriority > 0 {
		i.Priority = -1 - s.RTPriority
	}
	if s.TTY != nil {
		i.TTY, i.Foreground = s.TTY.Number(), s.TTY.Foreground()
	}
}

// rlimitSigPending is RLIMIT_SIGPENDING (UAPI asm-generic/resource.h).
const rlimitSigPending = 11
