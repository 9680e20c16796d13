package proc

import (
	"golang.org/x/sys/unix"
)

// POSIX timers: timer_create(2) and its kin.

// Ways of notification (UAPI asm-generic/siginfo.h).
const (
	SIGEV_SIGNAL    = 0
	SIGEV_NONE      = 1
	SIGEV_THREAD    = 2 // the C library's business: a signal for us
	SIGEV_THREAD_ID = 4
)

// SigEvent is struct sigevent: what happens when a timer expires.
type SigEvent struct {
	Value  uint64
	Signo  int32
	Notify int32
	TID    int32 // for SIGEV_THREAD_ID
}

// maxTimers bounds the timers of one process even where RLIMIT_SIGPENDING is
// infinite: each is kernel memory.
const maxTimers = 1 << 16

// posixTimer is one timer of a process. It owns the record by which its signal
// is queued: there is one at most, whatever expires meanwhile is its overrun.
type posixTimer struct {
	group  *ThreadGroup
	id     int32
	event  SigEvent
	target *Task // for SIGEV_THREAD_ID

	// Guarded by groupTimers.mu.
	alarm    alarm
	interval int64
	overrun  int64 // of the signal delivered last
	deleted  bool
	waiting  bool // expired, will go on when its signal is delivered

	// Guarded by groupSignals.mu.
	record sigQueued
	queued bool
}

// CreateTimer implements timer_create(2) and returns the timer's id.
func (t *Task) CreateTimer(clock Clock, ev SigEvent) (int32, error) {
	if !clock.CanSleep() {
		return 0, unix.EOPNOTSUPP
	}
	if clock.isAlarm() && !t.Cred().Capable(unix.CAP_WAKE_ALARM) {
		return 0, unix.EPERM
	}
	g := t.Group
	pt := &posixTimer{group: g, event: ev}
	switch ev.Notify {
	case SIGEV_NONE:
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		pt.target = FindTask(ev.TID)
		if pt.target == nil || pt.target.Group != g {
			return 0, unix.EINVAL
		}
		fallthrough
	case SIGEV_SIGNAL, SIGEV_THREAD:
		if !ValidSignal(int(ev.Signo)) {
			return 0, unix.EINVAL
		}
	default:
		return 0, unix.EINVAL
	}
	u := chargeSignal(t.Cred().UID, int64(g.Limit(rlimSigPending)))
	if u == nil {
		return 0, unix.EAGAIN
	}
	pt.record.user, pt.record.timer = u, pt
	pt.alarm.clock, pt.alarm.fn = clock, pt.expire

	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.posix) >= maxTimers {
		u.unchargeSignal()
		return 0, unix.EAGAIN
	}
	if ts.posix == nil {
		ts.posix = make(map[int32]*posixTimer)
	}
	for {
		pt.id = ts.posixSeq
		ts.posixSeq = (ts.posixSeq + 1) & (1<<31 - 1)
		if ts.posix[pt.id] == nil {
			break
		}
	}
	ts.posix[pt.id] = pt
	return pt.id, nil
}

// SetTimerValue fills in what timer_create(2) with a null sigevent means: the
// timer's own id as value.
func (g *ThreadGroup) SetTimerValue(id int32) {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if pt := ts.posix[id]; pt != nil {
		pt.event.Value = uint64(uint32(id))
	}
}

// SetTimer implements timer_settime(2) and returns the old setting.
func (g *ThreadGroup) SetTimer(id int32, it Itimer, absolute bool) (Itimer, error) {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	pt := ts.posix[id]
	if pt == nil {
		return Itimer{}, unix.EINVAL
	}
	old := pt.setting()
	pt.alarm.stop()
	pt.waiting = false
	pt.overrun = 0
	pt.interval = it.Interval
	if it.Value == 0 {
		pt.interval = 0
		return old, nil
	}
	when := it.Value
	if !absolute {
		when = addTime(pt.alarm.clock.Now(), it.Value)
	}
	pt.alarm.set(when, absolute)
	return old, nil
}

// GetTimer implements timer_gettime(2).
func (g *ThreadGroup) GetTimer(id int32) (Itimer, error) {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	pt := ts.posix[id]
	if pt == nil {
		return Itimer{}, unix.EINVAL
	}
	return pt.setting(), nil
}

// TimerOverrun implements timer_getoverrun(2).
func (g *ThreadGroup) TimerOverrun(id int32) (int, error) {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	pt := ts.posix[id]
	if pt == nil {
		return 0, unix.EINVAL
	}
	return int(min(pt.overrun, 1<<31-1)), nil // DELAYTIMER_MAX
}

// DeleteTimer implements timer_delete(2).
func (g *ThreadGroup) DeleteTimer(id int32) error {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	pt := ts.posix[id]
	if pt == nil {
		return unix.EINVAL
	}
	pt.destroy()
	return nil
}

// deletePosixTimers deletes all of them: execve(2) and the end of the process.
func (g *ThreadGroup) deletePosixTimers() {
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, pt := range ts.posix {
		pt.destroy()
	}
	ts.posix, ts.posixSeq = nil, 0
}

// destroy ends the timer; a signal of it that is still queued goes too.
// timers.mu is held.
func (pt *posixTimer) destroy() {
	g := pt.group
	pt.alarm.stop()
	pt.deleted = true
	delete(g.sig.timers.posix, pt.id)
	g.sig.mu.Lock()
	if pt.queued {
		p := &g.sig.shared
		if pt.target != nil {
			p = &pt.target.sig.pending
		}
		p.remove(&pt.record)
		pt.queued = false
	}
	g.sig.mu.Unlock()
	pt.record.user.unchargeSignal()
	pt.record.user = nil
}

// setting returns what timer_gettime(2) shows. timers.mu is held.
func (pt *posixTimer) setting() Itimer {
	it := Itimer{Interval: pt.interval}
	a := &pt.alarm
	switch {
	case a.armed:
		it.Value = a.left()
		if it.Value <= 0 {
			it.Value = 1
			if pt.event.Notify == SIGEV_NONE {
				it.Value = 0
			}
		}
	case pt.interval != 0 && (pt.waiting || pt.event.Notify == SIGEV_NONE) && a.deadline != 0:
		// Expired, but periodic: to the next expiry.
		l := a.left() % pt.interval
		if l <= 0 {
			l += pt.interval
		}
		it.Value = l
	}
	return it
}

// expire runs when the timer's time has come.
func (pt *posixTimer) expire() {
	g := pt.group
	ts := &g.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if pt.deleted || !pt.alarm.expired() || pt.event.Notify == SIGEV_NONE {
		return
	}
	sent := true
	g.sig.mu.Lock()
	if pt.queued {
		// Set anew before its last signal was taken: that one stands for both.
		pt.record.info.fields[0] += 1 << 32
	} else {
		pt.record.info = SigInfo{Signo: pt.event.Signo, Code: SI_TIMER,
			fields: [4]uint64{uint64(uint32(pt.id)), pt.event.Value}}
		to, group := pt.target, false
		if to == nil && len(g.threads) > 0 {
			to, group = g.threads[0], true
		}
		sent = to != nil && !to.sig.exiting && g.sendTimerLocked(to, &pt.record, group)
		pt.queued = sent
	}
	g.sig.mu.Unlock()
	if pt.interval == 0 {
		return
	}
	pt.waiting = sent
	if !sent {
		// Ignored: nobody will tell us of a delivery, so it goes on by itself,
		// but not faster than the clock ticks.
		pt.alarm.deadline = addTime(pt.alarm.deadline, max(0, lowResolution-pt.interval))
		pt.alarm.forward(pt.interval)
		pt.alarm.arm()
	}
}

// delivered fills in the overrun of the timer's signal, which has been taken
// out of the queue, and lets a periodic timer go on. No lock is held.
func (pt *posixTimer) delivered(info *SigInfo) {
	ts := &pt.group.sig.timers
	ts.mu.Lock()
	defer ts.mu.Unlock()
	n := int64(info.Overrun())
	if pt.waiting && pt.interval != 0 && !pt.deleted {
		n += pt.alarm.forward(pt.interval) - 1
		pt.waiting = false
		pt.alarm.arm()
	}
	pt.overrun = n
	info.fields[0] = pair(uint32(pt.id), uint32(min(n, 1<<31-1)))
}

// dropped notes that the timer's signal has been thrown away unseen.
// groupSignals.mu is held.
func (pt *posixTimer) dropped() { pt.queued = false }
