package proc

import (
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/mm"
)

// Resource limits, getrlimit(2). Numbers that x/sys/unix lacks are from UAPI
// asm-generic/resource.h.
const (
	rlimNProc      = unix.RLIMIT_NPROC
	rlimSigPending = 11
	rlimMsgQueue   = 12
	rlimNice       = 13
	rlimRTPrio     = 14
	rlimRTTime     = 15
	numLimits      = 16
)

// maxOpenFiles is the ceiling of RLIMIT_NOFILE (fs.nr_open of proc(5)).
const maxOpenFiles = 1 << 20

// limitSet is the resource limits of a process.
type limitSet struct {
	mu  sync.Mutex // guards lim; leaf
	lim [numLimits]unix.Rlimit
}

// initialLimits are PID 1's: include/asm-generic/resource.h, INIT_RLIMITS, with
// the number of processes and pending signals that memory allows (fork_init).
func (g *ThreadGroup) initialLimits() {
	const inf = unix.RLIM_INFINITY
	for i := range g.limits.lim {
		g.limits.lim[i] = unix.Rlimit{Cur: inf, Max: inf}
	}
	l := &g.limits.lim
	l[unix.RLIMIT_STACK].Cur = 8 << 20
	l[unix.RLIMIT_CORE].Cur = 0
	l[unix.RLIMIT_NOFILE] = unix.Rlimit{Cur: 1024, Max: 4096}
	l[unix.RLIMIT_MEMLOCK] = unix.Rlimit{Cur: 8 << 20, Max: 8 << 20}
	l[rlimMsgQueue] = unix.Rlimit{Cur: 819200, Max: 819200}
	l[rlimNice] = unix.Rlimit{}
	l[rlimRTPrio] = unix.Rlimit{}
	n := uint64(maxTasks()) / 2
	l[rlimNProc] = unix.Rlimit{Cur: n, Max: n}
	l[rlimSigPending] = unix.Rlimit{Cur: n, Max: n}
	g.mirrorLimits()
}

func (g *ThreadGroup) copyLimits(from *ThreadGroup) {
	from.limits.mu.Lock()
	g.limits.lim = from.limits.lim
	from.limits.mu.Unlock()
	g.mirrorLimits()
}

// mirrorLimits hands package fs the limits it looks at.
func (g *ThreadGroup) mirrorLimits() {
	g.fsLimits.FileSize.Store(g.limits.lim[unix.RLIMIT_FSIZE].Cur)
	g.fsLimits.NoFile.Store(g.limits.lim[unix.RLIMIT_NOFILE].Cur)
	g.cpuLimited.Store(g.limits.lim[unix.RLIMIT_CPU].Cur != unix.RLIM_INFINITY)
}

// Limit returns the soft limit of resource res (RLIMIT_*).
func (g *ThreadGroup) Limit(res int) uint64 {
	g.limits.mu.Lock()
	defer g.limits.mu.Unlock()
	return g.limits.lim[res].Cur
}

// Limits returns all limits, indexed by RLIMIT_*.
func (g *ThreadGroup) Limits() [numLimits]unix.Rlimit {
	g.limits.mu.Lock()
	defer g.limits.mu.Unlock()
	return g.limits.lim
}

// memoryLimits returns what package mm looks at.
func (g *ThreadGroup) memoryLimits() mm.Limits {
	l := g.Limits()
	return mm.Limits{AS: l[unix.RLIMIT_AS].Cur, Data: l[unix.RLIMIT_DATA].Cur,
		Stack: l[unix.RLIMIT_STACK].Cur, Memlock: l[unix.RLIMIT_MEMLOCK].Cur}
}

// Prlimit is prlimit(2) on process pid (0: the caller's): it returns the old
// limits and, if set is not nil, installs new ones.
func (t *Task) Prlimit(pid int32, res int, set *unix.Rlimit) (old unix.Rlimit, err error) {
	target := t
	if pid != 0 {
		if target = FindTask(pid); target == nil {
			return old, unix.ESRCH
		}
	}
	if res < 0 || res >= numLimits {
		return old, unix.EINVAL
	}
	if set != nil && (set.Cur > set.Max || res == unix.RLIMIT_NOFILE && set.Max > maxOpenFiles) {
		if set.Cur > set.Max {
			return old, unix.EINVAL
		}
		return old, unix.EPERM
	}
	c, o := t.Cred(), target.Cred()
	if target.Group != t.Group && !c.Capable(unix.CAP_SYS_RESOURCE) &&
		!(c.UID == o.UID && c.UID == o.EUID && c.UID == o.SUID && c.GID == o.GID && c.GID == o.EGID && c.GID == o.SGID) {
		return old, unix.EPERM
	}
	g := target.Group
	g.limits.mu.Lock()
	old = g.limits.lim[res]
	if set != nil {
		if set.Max > old.Max && !c.Capable(unix.CAP_SYS_RESOURCE) {
			g.limits.mu.Unlock()
			return old, unix.EPERM
		}
		g.limits.lim[res] = *set
		g.mirrorLimits()
	}
	g.limits.mu.Unlock()
	if set == nil {
		return old, nil
	}
	if as := target.AddressSpace(); as != nil {
		as.SetLimits(g.memoryLimits())
		as.Unref()
	}
	return old, nil
}

// checkCPULimit applies RLIMIT_CPU: SIGXCPU at the soft limit and every second
// after it, SIGKILL at the hard one. The owner calls it at a timer tick.
func (t *Task) checkCPULimit() {
	g := t.Group
	now := wait.Now()
	if next := g.cpuLimitNext.Load(); now < next || !g.cpuLimitNext.CompareAndSwap(next, now+1e8) {
		return
	}
	user, system := g.CPUTimes()
	used := uint64(user+system) / 1e9
	l := g.Limits()[unix.RLIMIT_CPU]
	switch {
	case used >= l.Max:
		t.killGroup(unix.SIGKILL)
	case used >= l.Cur:
		g.limits.mu.Lock()
		g.limits.lim[unix.RLIMIT_CPU].Cur = used + 1
		g.limits.mu.Unlock()
		info := KernelInfo(unix.SIGXCPU)
		SendGroup(g, &info)
	}
}

// rusage is the sums of getrusage(2): times in ns, the greatest resident set in
// bytes.
type rusage struct {
	User, System                   int64
	MinorFaults, MajorFaults       uint64
	Voluntary, Involuntary         uint64
	MaxRSS                         uint64
	COWCopies, COWClaims, ZeroFill uint64
	ReadBytes, ReadCalls           uint64 // by system calls
	WriteBytes, WriteCalls         uint64
}

func (r *rusage) add(o *rusage) {
	r.User += o.User
	r.System += o.System
	r.MinorFaults += o.MinorFaults
	r.MajorFaults += o.MajorFaults
	r.Voluntary += o.Voluntary
	r.Involuntary += o.Involuntary
	r.MaxRSS = max(r.MaxRSS, o.MaxRSS)
	r.COWCopies += o.COWCopies
	r.COWClaims += o.COWClaims
	r.ZeroFill += o.ZeroFill
	r.ReadBytes += o.ReadBytes
	r.ReadCalls += o.ReadCalls
	r.WriteBytes += o.WriteBytes
	r.WriteCalls += o.WriteCalls
}

// Unix returns r as struct rusage.
func (r *rusage) Unix() unix.Rusage {
	return unix.Rusage{
		Utime: unix.NsecToTimeval(r.User), Stime: unix.NsecToTimeval(r.System),
		Maxrss: int64(r.MaxRSS >> 10), Minflt: int64(r.MinorFaults), Majflt: int64(r.MajorFaults),
		Nvcsw: int64(r.Voluntary), Nivcsw: int64(r.Involuntary),
	}
}

// rusage returns what t has used. Its address space's peak is not in it.
func (t *Task) rusage() rusage {
	user, system := t.CPUTimes()
	rb, rc, wb, wc := t.fsctx.IO.Load()
	return rusage{
		User: user, System: system,
		MinorFaults: t.usage.MinorFaults.Load(), MajorFaults: t.usage.MajorFaults.Load(),
		COWCopies: t.usage.COWCopies.Load(), COWClaims: t.usage.COWClaims.Load(), ZeroFill: t.usage.ZeroFills.Load(),
		Voluntary: t.Thread.Sleeps(), Involuntary: t.preempted.Load(),
		ReadBytes: rb, ReadCalls: rc, WriteBytes: wb, WriteCalls: wc,
	}
}

// Usage returns what all threads of g have used, ended ones included.
func (g *ThreadGroup) Usage() rusage {
	g.sig.mu.Lock()
	r := g.deadUsage
	var as *mm.AddressSpace
	for _, t := range g.threads {
		u := t.rusage()
		r.add(&u)
		if as == nil {
			as = t.AddressSpace()
		}
	}
	g.sig.mu.Unlock()
	if as != nil {
		r.MaxRSS = max(r.MaxRSS, peakRSS(as))
		as.Unref()
	}
	return r
}

func peakRSS(as *mm.AddressSpace) uint64 { return as.Stats().PeakRSS * 4096 }

// ChildUsage returns the sum over the children that g has waited for.
func (g *ThreadGroup) ChildUsage() rusage {
	tree.RLock()
	defer tree.RUnlock()
	return g.childUsage
}

// Getrusage is getrusage(2).
func (t *Task) Getrusage(who int) (unix.Rusage, error) {
	var r rusage
	switch who {
	case unix.RUSAGE_SELF:
		r = t.Group.Usage()
	case unix.RUSAGE_CHILDREN:
		r = t.Group.ChildUsage()
	case unix.RUSAGE_THREAD:
		r = t.rusage()
		r.MaxRSS = peakRSS(t.AS)
	default:
		return unix.Rusage{}, unix.EINVAL
	}
	return r.Unix(), nil
}
