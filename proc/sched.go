package proc

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// Scheduling (sched(7)). The Go scheduler runs the tasks' goroutines in turn and
// knows neither priorities nor CPUs; what programs set here is checked by Linux's
// rules, remembered and reported, so that they see a consistent machine.

// schedParams is a task's scheduling state; guarded by Task.mu.
type schedParams struct {
	policy      int // SCHED_*, without SCHED_RESET_ON_FORK
	priority    int // 1 to 99 for SCHED_FIFO and SCHED_RR, else 0
	nice        int // -20 to 19
	resetOnFork bool
	affinity    []uint64 // nil: all CPUs; never changed in place
	ioprio      int
	timerSlack  uint64 // ns; 0: the default
}

// Policies that x/sys/unix lacks (UAPI linux/sched.h).
const (
	SchedOther    = 0
	SchedFIFO     = 1
	SchedRR       = 2
	SchedBatch    = 3
	SchedIdle     = 5
	SchedDeadline = 6
	// SchedResetOnFork may be or-ed to a policy.
	SchedResetOnFork = 0x40000000
)

func (s *schedParams) fork() schedParams {
	n := *s
	if n.resetOnFork {
		if n.policy == SchedFIFO || n.policy == SchedRR {
			n.policy, n.priority = SchedOther, 0
		}
		n.nice = max(n.nice, 0)
		n.resetOnFork = false
	}
	return n
}

func realTime(policy int) bool { return policy == SchedFIFO || policy == SchedRR }

// PriorityRange returns the least and greatest priority of a policy: EINVAL for
// one that does not exist.
func PriorityRange(policy int) (lo, hi int, err error) {
	switch policy {
	case SchedFIFO, SchedRR:
		return 1, 99, nil
	case SchedOther, SchedBatch, SchedIdle, SchedDeadline:
		return 0, 0, nil
	}
	return 0, 0, unix.EINVAL
}

// Nice returns t's nice value.
func (t *Task) Nice() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sched.nice
}

// Scheduler returns t's policy (with SchedResetOnFork if set) and priority.
func (t *Task) Scheduler() (policy, priority int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	policy = t.sched.policy
	if t.sched.resetOnFork {
		policy |= SchedResetOnFork
	}
	return policy, t.sched.priority
}

// SchedTask returns the thread that tid names (0: the caller): EINVAL, ESRCH.
func (t *Task) SchedTask(tid int32) (*Task, error) {
	if tid < 0 {
		return nil, unix.EINVAL
	}
	if tid == 0 {
		return t, nil
	}
	if o := FindTask(tid); o != nil {
		return o, nil
	}
	return nil, unix.ESRCH
}

// mayNice reports whether t may give o, a task it may touch, the nice value n.
func (t *Task) mayNice(o *Task, n int) bool {
	return n >= o.Nice() || 20-n <= int(min(o.Group.Limit(rlimNice), 40)) || t.Cred().Capable(unix.CAP_SYS_NICE)
}

// ownsForSched reports whether t may change how o is scheduled.
func (t *Task) ownsForSched(o *Task) bool {
	c, oc := t.Cred(), o.Cred()
	return c.EUID == oc.EUID || c.EUID == oc.UID || c.Capable(unix.CAP_SYS_NICE)
}

// SetNice changes the nice value of o: EPERM for another user's, EACCES for a
// better one without the right to it (setpriority(2)).
func (t *Task) SetNice(o *Task, n int) error {
	c, oc := t.Cred(), o.Cred()
	if c.UID != oc.EUID && c.EUID != oc.EUID && !c.Capable(unix.CAP_SYS_NICE) {
		return unix.EPERM
	}
	n = min(max(n, -20), 19)
	if !t.mayNice(o, n) {
		return unix.EACCES
	}
	o.mu.Lock()
	o.sched.nice = n
	o.mu.Unlock()
	return nil
}

// SetScheduler is sched_setscheduler(2) and, with policy -1, sched_setparam(2).
func (t *Task) SetScheduler(o *Task, policy, priority int, nice *int) error {
	old, oldPriority := o.Scheduler()
	reset := old&SchedResetOnFork != 0
	old &^= SchedResetOnFork
	if policy == -1 {
		policy = old
	} else {
		reset = policy&SchedResetOnFork != 0
		policy &^= SchedResetOnFork
	}
	lo, hi, err := PriorityRange(policy)
	if err != nil || policy == SchedDeadline || priority < lo || priority > hi {
		return unix.EINVAL
	}
	c := t.Cred()
	if !c.Capable(unix.CAP_SYS_NICE) {
		limit := int(min(o.Group.Limit(rlimRTPrio), 99))
		switch {
		case realTime(policy) && policy != old && limit == 0,
			realTime(policy) && priority > oldPriority && priority > limit,
			old == SchedIdle && policy != SchedIdle && !t.mayNice(o, o.Nice()),
			nice != nil && !t.mayNice(o, *nice),
			!t.ownsForSched(o),
			o.resetsOnFork() && !reset:
			return unix.EPERM
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sched.policy, o.sched.priority, o.sched.resetOnFork = policy, priority, reset
	if nice != nil && !realTime(policy) {
		o.sched.nice = min(max(*nice, -20), 19)
	}
	return nil
}

func (t *Task) resetsOnFork() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sched.resetOnFork
}

// cpuWords is how many words a mask of the machine's CPUs has.
func cpuWords() int { return (arch.NumCPU() + 63) / 64 }

// Affinity returns the CPUs that o may run on as a bit mask.
func (o *Task) Affinity() []uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := make([]uint64, cpuWords())
	for cpu := range arch.NumCPU() {
		m[cpu/64] |= 1 << (cpu % 64)
	}
	if o.sched.affinity != nil {
		for i := range m {
			m[i] &= o.sched.affinity[i]
		}
	}
	return m
}

// SetAffinity remembers on which CPUs o shall run: EINVAL if none of them
// exists, EPERM without the right.
func (t *Task) SetAffinity(o *Task, mask []uint64) error {
	if !t.ownsForSched(o) {
		return unix.EPERM
	}
	m := make([]uint64, cpuWords())
	any := false
	for cpu := range arch.NumCPU() {
		if cpu/64 < len(mask) && mask[cpu/64]>>(cpu%64)&1 != 0 {
			m[cpu/64] |= 1 << (cpu % 64)
			any = true
		}
	}
	if !any {
		return unix.EINVAL
	}
	o.mu.Lock()
	o.sched.affinity = m
	o.mu.Unlock()
	return nil
}

// IOPriority returns what SetIOPriority stored (ioprio_set(2)).
func (t *Task) IOPriority() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sched.ioprio
}

// SetIOPriority remembers an I/O priority; nothing here has a queue that would obey it.
func (t *Task) SetIOPriority(p int) {
	t.mu.Lock()
	t.sched.ioprio = p
	t.mu.Unlock()
}

// TimerSlack returns the slack of sleeps in nanoseconds (PR_GET_TIMERSLACK).
func (t *Task) TimerSlack() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sched.timerSlack == 0 {
		return 50_000
	}
	return t.sched.timerSlack
}

// SetTimerSlack changes it; 0 sets the default.
func (t *Task) SetTimerSlack(ns uint64) {
	t.mu.Lock()
	t.sched.timerSlack = ns
	t.mu.Unlock()
}

// EachPriorityTarget calls fn for every thread that which and who of
// getpriority(2) name: EINVAL for an unknown which.
func (t *Task) EachPriorityTarget(which int, who int32, fn func(o *Task)) error {
	switch which {
	case unix.PRIO_PROCESS:
		if o, err := t.SchedTask(who); err == nil {
			fn(o)
		}
	case unix.PRIO_PGRP:
		tree.RLock()
		defer tree.RUnlock()
		pg := t.Group.pgrp
		if who != 0 {
			pg = FindProcessGroup(who)
		}
		if pg != nil {
			for g := pg.members.head; g != nil; g = g.member.next {
				g.eachThread(fn)
			}
		}
	case unix.PRIO_USER:
		uid := uint32(who)
		if who == 0 {
			uid = t.Cred().UID
		}
		for g := NextGroup(1); g != nil; g = NextGroup(g.PID + 1) {
			g.eachThread(func(o *Task) {
				if o.Cred().UID == uid {
					fn(o)
				}
			})
		}
	default:
		return unix.EINVAL
	}
	return nil
}

// eachThread calls fn for every living thread of g, without a lock held.
func (g *ThreadGroup) eachThread(fn func(*Task)) {
	for _, t := range g.Threads() {
		fn(t)
	}
}

// Threads returns the living threads of g.
func (g *ThreadGroup) Threads() []*Task {
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	return append([]*Task(nil), g.threads...)
}

// MayAccess reports whether t may look into o (ptrace(2), "Ptrace access mode
// checking"): same user and group, or CAP_SYS_PTRACE; a process that is not
// dumpable is open to the latter only.
func (t *Task) MayAccess(o *Task) bool {
	if t.Group == o.Group {
		return true
	}
	c, oc := t.Cred(), o.Cred()
	if c.Capable(unix.CAP_SYS_PTRACE) {
		return true
	}
	return c.FSUID == oc.UID && c.FSUID == oc.EUID && c.FSUID == oc.SUID &&
		c.FSGID == oc.GID && c.FSGID == oc.EGID && c.FSGID == oc.SGID &&
		o.Group.dumpable.Load() == 1 && oc.Permitted&^c.Permitted == 0
}
