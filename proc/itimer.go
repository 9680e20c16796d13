package proc

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

// groupTimers are the timers of one process (embedded in groupSignals).
type groupTimers struct {
	// mu guards everything below. It is taken before groupSignals.mu and after tree.
	mu sync.Mutex

	real realTimer
	cpu  [2]cpuTimer // ITIMER_VIRTUAL, ITIMER_PROF
	// check is the next look at the CPU time, for cpu.
	check   *wait.Timer
	checked int64 // CPU time at the last look
	idle    int   // looks in a row that found no progress

	posix    map[int32]*posixTimer
	posixSeq int32 // id given out last
}

// realTimer is ITIMER_REAL. A periodic one is armed again when its signal is
// delivered, not before: a process cannot be flooded.
type realTimer struct {
	timer    *wait.Timer
	deadline int64 // wait.Now()
	interval int64
	armed    bool
}

// cpuTimer is ITIMER_VIRTUAL or ITIMER_PROF, in ns of CPU time.
type cpuTimer struct {
	deadline int64 // 0: off
	interval int64
}

// Itimer is the setting of an interval timer, in nanoseconds; Value 0: off.
type Itimer struct{ Value, Interval int64 }

// GetItimer implements getitimer(2).
func (g *ThreadGroup) GetItimer(which int) (Itimer, error) {
	if which < unix.ITIMER_REAL || which > unix.ITIMER_PROF {
		return Itimer{}, unix.EINVAL
	}
	user, system := g.CPUTimes()
	g.sig.timers.mu.Lock()
	defer g.sig.timers.mu.Unlock()
	return g.sig.timers.get(which, user, system), nil
}

// SetItimer implements setitimer(2) and returns the old setting.
func (g *ThreadGroup) SetItimer(which int, it Itimer) (Itimer, error) {
	if which < unix.ITIMER_REAL || which > unix.ITIMER_PROF {
		return Itimer{}, unix.EINVAL
	}
	user, system := g.CPUTimes()
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	old := ts.get(which, user, system)
	if which == unix.ITIMER_REAL {
		r := &ts.real
		r.stop()
		r.interval = it.Interval
		if it.Value != 0 {
			r.deadline = addTime(wait.Now(), it.Value)
			g.armReal()
		}
		return old, nil
	}
	c := &ts.cpu[which-unix.ITIMER_VIRTUAL]
	*c = cpuTimer{}
	if it.Value != 0 {
		*c = cpuTimer{deadline: addTime(cpuTime(which, user, system), it.Value), interval: it.Interval}
	}
	ts.idle = 0
	g.scheduleCheck(user, system)
	return old, nil
}

// addTime returns a + b, or the last moment there is.
func addTime(a, b int64) int64 {
	if s := a + b; s >= a {
		return s
	}
	return 1<<63 - 1
}

func cpuTime(which int, user, system int64) int64 {
	if which == unix.ITIMER_VIRTUAL {
		return user
	}
	return user + system
}

func (ts *groupTimers) get(which int, user, system int64) Itimer {
	if which == unix.ITIMER_REAL {
		it := Itimer{Interval: ts.real.interval}
		if ts.real.armed {
			// Running and due, but not 0: that would say off.
			it.Value = max(ts.real.deadline-wait.Now(), 1000)
		}
		return it
	}
	c := ts.cpu[which-unix.ITIMER_VIRTUAL]
	it := Itimer{Interval: c.interval}
	if c.deadline != 0 {
		it.Value = max(c.deadline-cpuTime(which, user, system), 1000)
	}
	return it
}

func (r *realTimer) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.armed = false
}

// armReal arms ITIMER_REAL for its deadline. timers.mu is held.
func (g *ThreadGroup) armReal() {
	r := &g.sig.timers.real
	d := time.Duration(max(r.deadline-wait.Now(), 0))
	r.armed = true
	if r.timer == nil {
		r.timer = wait.AfterFunc(d, g.realExpired)
	} else {
		r.timer.Reset(d)
	}
}

// realExpired runs when ITIMER_REAL's time has come.
func (g *ThreadGroup) realExpired() {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	r := &ts.real
	if !r.armed {
		return // set anew meanwhile
	}
	if r.deadline > wait.Now() {
		g.armReal()
		return
	}
	r.armed = false
	info := KernelInfo(unix.SIGALRM)
	SendGroup(g, &info)
}

// alarmDelivered arms a periodic ITIMER_REAL again; its SIGALRM has been taken.
func (g *ThreadGroup) alarmDelivered() {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	r := &ts.real
	if r.armed || r.interval == 0 || r.deadline == 0 {
		return
	}
	n := int64(1)
	if late := wait.Now() - r.deadline; late >= r.interval {
		n += late / r.interval
	}
	r.deadline += n * r.interval
	g.armReal()
}

// scheduleCheck arranges for the next look at the process's CPU time. timers.mu is held.
func (g *ThreadGroup) scheduleCheck(user, system int64) {
	ts := &g.sig.timers
	left := int64(-1)
	add := func(deadline, now int64) {
		if deadline != 0 && (left < 0 || deadline-now < left) {
			left = max(deadline-now, 0)
		}
	}
	add(ts.cpu[0].deadline, user)
	add(ts.cpu[1].deadline, user+system)
	if left < 0 {
		if ts.check != nil {
			ts.check.Stop()
		}
		return
	}
	// A process that sleeps is looked at less and less often, up to 16 ms.
	d := time.Duration(cpuCheck(left, int(g.liveCount.Load()))) << min(ts.idle, 4)
	if ts.idle > 0 {
		d = min(d, max(16*time.Millisecond, d>>ts.idle))
	}
	if ts.check == nil {
		ts.check = wait.AfterFunc(d, g.checkCPUTime)
	} else {
		ts.check.Reset(d)
	}
}

// checkCPUTime sends the signals of the timers on CPU time that are due.
func (g *ThreadGroup) checkCPUTime() {
	user, system := g.CPUTimes()
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	total := user + system
	if total == ts.checked {
		ts.idle++
	} else {
		ts.idle = 0
	}
	ts.checked = total
	for i, sig := range [2]unix.Signal{unix.SIGVTALRM, unix.SIGPROF} {
		c := &ts.cpu[i]
		now := cpuTime(unix.ITIMER_VIRTUAL+i, user, system)
		if c.deadline == 0 || now < c.deadline {
			continue
		}
		if c.interval == 0 {
			c.deadline = 0
		} else {
			c.deadline += c.interval * (1 + (now-c.deadline)/c.interval)
		}
		info := KernelInfo(sig)
		SendGroup(g, &info)
	}
	g.scheduleCheck(user, system)
}

// stopTimers ends all timers of a process that has ended.
func (g *ThreadGroup) stopTimers() {
	g.deletePosixTimers()
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.real.stop()
	ts.real.interval = 0
	ts.cpu = [2]cpuTimer{}
	if ts.check != nil {
		ts.check.Stop()
	}
}
