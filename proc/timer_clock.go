package proc

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
)

// Kinds of CPU-time clocks, the low bits of a clock id made from a process or
// thread id (UAPI linux/posix-timers_types.h: CPUCLOCK_*).
const (
	cpuClockProf      = 0 // user and system time
	cpuClockVirt      = 1 // user time
	cpuClockSched     = 2 // all time on a CPU; the same as prof here
	cpuClockPerThread = 4
	cpuClockMask      = 7

	// lowResolution is what coarse clocks advance by on Linux with HZ=250; ours
	// are exact, but programs ask.
	lowResolution = 4_000_000

	// taiOffset is TAI - UTC until somebody sets it (adjtimex(2), ADJ_TAI): Linux starts with 0.
	taiOffset = 0
)

// Clock is one of the clocks of clock_gettime(2), with what it measures.
type Clock struct {
	id    int32        // CLOCK_*; for CPU time CLOCK_PROCESS_CPUTIME_ID or CLOCK_THREAD_CPUTIME_ID
	which uint8        // cpuClock*
	group *ThreadGroup // process clocks
	task  *Task        // thread clocks
}

// FindClock returns the clock with that id as t sees it; EINVAL: there is none.
// Negative ids name the CPU time of a process or thread (clock_getcpuclockid(3)).
func (t *Task) FindClock(id int32) (Clock, error) {
	switch id {
	case unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC, unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_BOOTTIME,
		unix.CLOCK_REALTIME_COARSE, unix.CLOCK_MONOTONIC_COARSE, unix.CLOCK_TAI,
		unix.CLOCK_REALTIME_ALARM, unix.CLOCK_BOOTTIME_ALARM:
		return Clock{id: id}, nil
	case unix.CLOCK_PROCESS_CPUTIME_ID:
		return Clock{id: id, group: t.Group}, nil
	case unix.CLOCK_THREAD_CPUTIME_ID:
		return Clock{id: id, task: t}, nil
	}
	if id >= 0 || id&3 == 3 {
		return Clock{}, unix.EINVAL
	}
	pid, which := ^(id >> 3), uint8(id&3)
	if id&cpuClockPerThread != 0 {
		o := t
		if pid != 0 {
			o = FindTask(pid)
		}
		if o == nil || o.Group != t.Group {
			return Clock{}, unix.EINVAL
		}
		return Clock{id: unix.CLOCK_THREAD_CPUTIME_ID, which: which, task: o}, nil
	}
	g := t.Group
	if pid != 0 {
		g = FindGroup(pid)
	}
	if g == nil {
		return Clock{}, unix.EINVAL
	}
	return Clock{id: unix.CLOCK_PROCESS_CPUTIME_ID, which: which, group: g}, nil
}

// IsCPU reports whether the clock measures CPU time.
func (c *Clock) IsCPU() bool { return c.group != nil || c.task != nil }

// CanSleep reports whether timers and sleeps on the clock exist; the others
// can only be read.
func (c *Clock) CanSleep() bool {
	switch c.id {
	case unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_REALTIME_COARSE, unix.CLOCK_MONOTONIC_COARSE:
		return false
	}
	return true
}

// isWall reports whether the clock jumps when the time is set.
func (c *Clock) isWall() bool {
	switch c.id {
	case unix.CLOCK_REALTIME, unix.CLOCK_REALTIME_COARSE, unix.CLOCK_REALTIME_ALARM, unix.CLOCK_TAI:
		return true
	}
	return false
}

// isAlarm reports whether the clock would wake the machine from suspension.
func (c *Clock) isAlarm() bool {
	return c.id == unix.CLOCK_REALTIME_ALARM || c.id == unix.CLOCK_BOOTTIME_ALARM
}

// Now reads the clock, in nanoseconds.
func (c *Clock) Now() int64 {
	switch {
	case c.IsCPU():
		var user, system int64
		if c.task != nil {
			user, system = c.task.CPUTimes()
		} else {
			user, system = c.group.CPUTimes()
		}
		if c.which == cpuClockVirt {
			return user
		}
		return user + system
	case c.id == unix.CLOCK_TAI:
		return wait.Now() + arch.WallOffset() + taiOffset*1e9
	case c.id == unix.CLOCK_REALTIME_COARSE:
		return arch.CoarseWall()
	case c.id == unix.CLOCK_MONOTONIC_COARSE:
		return arch.CoarseTime()
	case c.isWall():
		return wait.Now() + arch.WallOffset()
	}
	return wait.Now()
}

// Resolution returns what clock_getres(2) says, in nanoseconds.
func (c *Clock) Resolution() int64 {
	switch c.id {
	case unix.CLOCK_REALTIME_COARSE, unix.CLOCK_MONOTONIC_COARSE:
		return lowResolution
	}
	return 1
}

// cpuCheck is how long to wait before the next look at a clock of CPU time that
// lacks left nanoseconds to a deadline. With n threads running the clock goes n
// times as fast as the wall's; below a tick there is no precision to be had.
func cpuCheck(left int64, threads int) int64 {
	return max(left/int64(max(threads, 1)), 1_000_000)
}

// Wall returns the wall clock in nanoseconds since 1970.
func Wall() int64 { return wait.Now() + arch.WallOffset() }

// wallAlarms are the armed alarms on clocks that SetWall moves.
var wallAlarms struct {
	mu  sync.Mutex // guards set; taken under the owners' locks, leaf
	set map[*alarm]struct{}
}

// wallSet is woken when the wall clock has been set: sleepers until a time of
// day look again.
var wallSet wait.Queue

// wallSets counts the settings, for timerfd's TFD_TIMER_CANCEL_ON_SET.
var wallSets struct {
	mu sync.Mutex // guards n
	n  uint64
}

// SetWall sets the wall clock: clock_settime(2).
func SetWall(ns int64) {
	wallSets.mu.Lock()
	arch.SetWallOffset(ns - wait.Now())
	wallSets.n++
	wallSets.mu.Unlock()
	arch.UpdateVDSO()
	wallSet.WakeAll(^uint32(0))
	wallAlarms.mu.Lock()
	defer wallAlarms.mu.Unlock()
	for a := range wallAlarms.set {
		a.timer.Reset(0) // its expired finds out how long it has left
	}
}

// wallGeneration returns how often the wall clock has been set.
func wallGeneration() uint64 {
	wallSets.mu.Lock()
	defer wallSets.mu.Unlock()
	return wallSets.n
}

// alarm calls a function when a clock reaches a deadline. Its methods need a
// lock of the owner's around them, the one that the function takes first.
type alarm struct {
	clock    Clock
	fn       func() // runs on a goroutine of its own; asks expired before it believes
	deadline int64  // on clock; a delay on a clock that can be set: on wait.Now
	armed    bool
	absolute bool // the deadline is a time of day, on a clock that can be set
	timer    *wait.Timer
}

// set arms the alarm for deadline, a time on its clock. absolute says that it
// was given as one: a delay is not touched when the clock is set.
func (a *alarm) set(deadline int64, absolute bool) {
	a.absolute = absolute && a.clock.isWall()
	if a.clock.isWall() && !a.absolute {
		deadline -= a.clock.Now() - wait.Now()
	}
	a.deadline = deadline
	a.arm()
}

// arm arms the alarm for the deadline it has.
func (a *alarm) arm() {
	a.armed = true
	d := a.delay()
	if a.timer == nil {
		a.timer = wait.AfterFunc(d, a.fn)
	} else {
		a.timer.Reset(d)
	}
	if a.absolute {
		wallAlarms.mu.Lock()
		if wallAlarms.set == nil {
			wallAlarms.set = make(map[*alarm]struct{})
		}
		wallAlarms.set[a] = struct{}{}
		wallAlarms.mu.Unlock()
	}
}

// left returns how long it is to the deadline, in nanoseconds of the clock.
func (a *alarm) left() int64 {
	if a.clock.isWall() && !a.absolute {
		return a.deadline - wait.Now()
	}
	return a.deadline - a.clock.Now()
}

func (a *alarm) delay() time.Duration {
	l := a.left()
	if a.clock.IsCPU() && l > 0 {
		n := 1
		if a.clock.group != nil {
			n = int(a.clock.group.liveCount.Load())
		}
		l = cpuCheck(l, n)
	}
	return time.Duration(max(l, 0))
}

// stop disarms the alarm. A call of fn that is under way finds expired false.
func (a *alarm) stop() {
	if !a.armed {
		return
	}
	a.timer.Stop()
	a.armed = false
	if a.absolute {
		wallAlarms.mu.Lock()
		delete(wallAlarms.set, a)
		wallAlarms.mu.Unlock()
	}
}

// expired is asked by fn: it reports whether the deadline has really come, and
// disarms the alarm then; otherwise it sees to it that fn is called again.
func (a *alarm) expired() bool {
	if !a.armed {
		return false
	}
	if a.left() > 0 {
		a.timer.Reset(a.delay())
		return false
	}
	a.stop()
	return true
}

// forward moves the deadline of a disarmed periodic alarm past now, by whole
// intervals, at least one, and returns how many those were.
func (a *alarm) forward(interval int64) (n int64) {
	late := -a.left()
	n = 1
	if late >= interval {
		n += late / interval
	}
	a.deadline += n * interval
	return n
}

// MeasuresThread reports whether the clock is the CPU time of thread t alone.
func (c *Clock) MeasuresThread(t *Task) bool { return c.task == t }
