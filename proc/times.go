package proc

// CPU time. The total is exact: wait.Thread reads the clock when the task goes
// to sleep or gives up the CPU, and when it goes on, so that a system call that
// does not sleep costs nothing. User time is what the timer's interrupts found
// in ring 3; the rest is system time (Linux splits a precise total by samples
// too: kernel/sched/cputime.c, cputime_adjust).

// CPUTimes returns how long t has run in ring 3 and for itself in the kernel,
// in nanoseconds. Anyone may call it.
func (t *Task) CPUTimes() (user, system int64) {
	n := t.Thread.Ran()
	user = min(t.userTime.Load(), n)
	return user, n - user
}

// CPUTimes returns the times of all threads of g, ended ones included.
func (g *ThreadGroup) CPUTimes() (user, system int64) {
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	return g.cpuTimesLocked()
}

func (g *ThreadGroup) cpuTimesLocked() (user, system int64) {
	user, system = g.deadUsage.User, g.deadUsage.System
	for _, t := range g.threads {
		u, s := t.CPUTimes()
		user += u
		system += s
	}
	return user, system
}
