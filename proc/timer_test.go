package proc

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
)

func TestAlarmForward(t *testing.T) {
	for _, c := range []struct{ late, interval, n int64 }{
		{0, 100, 1}, {99, 100, 1}, {100, 100, 2}, {1050, 100, 11},
	} {
		a := alarm{clock: Clock{id: unix.CLOCK_MONOTONIC}}
		now := wait.Now()
		a.deadline = now - c.late*1e9
		n := a.forward(c.interval * 1e9)
		if n != c.n || a.deadline <= now || a.deadline != now-c.late*1e9+n*c.interval*1e9 {
			t.Errorf("%d late, every %d: %d, deadline in %d", c.late, c.interval, n, a.deadline-now)
		}
	}
}

func TestRealTimerWaitsForItsSignal(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	task.setBlocked(sigBit(unix.SIGALRM))
	if _, err := g.SetItimer(unix.ITIMER_REAL, Itimer{Value: 1e6, Interval: 1e6}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		info, err := task.WaitSignal(sigBit(unix.SIGALRM), wait.Now()+5e9)
		if err != nil || info.Code != SI_KERNEL {
			t.Fatalf("%+v, %v", info, err)
		}
	}
	old, _ := g.SetItimer(unix.ITIMER_REAL, Itimer{})
	if old.Interval != 1e6 {
		t.Errorf("old setting %+v", old)
	}
	if it, _ := g.GetItimer(unix.ITIMER_REAL); it != (Itimer{}) {
		t.Errorf("disarmed: %+v", it)
	}
	if _, err := g.SetItimer(3, Itimer{}); err != unix.EINVAL {
		t.Error(err)
	}
}

func TestPosixTimerCountsOverruns(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	const sig = SIGRTMIN + 1
	task.setBlocked(sigBit(sig))
	clock, _ := task.FindClock(unix.CLOCK_MONOTONIC)
	id, err := task.CreateTimer(clock, SigEvent{Value: 0x1234, Signo: sig, Notify: SIGEV_SIGNAL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.SetTimer(id, Itimer{Value: 1e6, Interval: 1e6}, false); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	info, err := task.WaitSignal(sigBit(sig), wait.Now()+5e9)
	if err != nil || info.Code != SI_TIMER || info.Value() != 0x1234 || info.TimerID() != id {
		t.Fatalf("%+v, %v", info, err)
	}
	n, _ := g.TimerOverrun(id)
	if n < 15 || int32(n) != info.Overrun() {
		t.Errorf("overrun %d, siginfo %d", n, info.Overrun())
	}
	if it, _ := g.GetTimer(id); it.Interval != 1e6 || it.Value <= 0 || it.Value > 1e6 {
		t.Errorf("setting %+v", it)
	}
	eventually(t, "next expiry", func() bool { return task.hasAny(sigBit(sig)) })
	if err := g.DeleteTimer(id); err != nil {
		t.Error(err)
	}
	if task.hasAny(sigBit(sig)) || QueuedSignals(task.Cred().UID) != 0 {
		t.Error("a deleted timer leaves its signal")
	}
	if _, err := g.GetTimer(id); err != unix.EINVAL {
		t.Error(err)
	}
}

func TestTimersOfBadKind(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	mono, _ := task.FindClock(unix.CLOCK_MONOTONIC)
	raw, _ := task.FindClock(unix.CLOCK_MONOTONIC_RAW)
	for _, c := range []struct {
		clock Clock
		ev    SigEvent
		want  error
	}{
		{raw, SigEvent{Signo: 10}, unix.EOPNOTSUPP},
		{mono, SigEvent{Signo: 0}, unix.EINVAL},
		{mono, SigEvent{Signo: 65}, unix.EINVAL},
		{mono, SigEvent{Signo: 10, Notify: 7}, unix.EINVAL},
		{mono, SigEvent{Signo: 10, Notify: SIGEV_THREAD_ID, TID: 1 << 20}, unix.EINVAL},
		{mono, SigEvent{Signo: 99, Notify: SIGEV_NONE}, nil},
	} {
		if _, err := task.CreateTimer(c.clock, c.ev); err != c.want {
			t.Errorf("%+v: %v, want %v", c.ev, err, c.want)
		}
	}
	g.limits.lim[rlimSigPending].Cur = 1
	if _, err := task.CreateTimer(mono, SigEvent{Signo: 10}); err != unix.EAGAIN {
		t.Errorf("beyond RLIMIT_SIGPENDING: %v", err)
	}
}

func TestWallAlarmFollowsTheClock(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	defer arch.SetWallOffset(0)
	SetWall(1e18)
	const sig = SIGRTMIN + 1
	task.setBlocked(sigBit(sig))
	clock, _ := task.FindClock(unix.CLOCK_REALTIME)
	abs, _ := task.CreateTimer(clock, SigEvent{Value: 1, Signo: sig})
	rel, _ := task.CreateTimer(clock, SigEvent{Value: 2, Signo: sig})
	g.SetTimer(abs, Itimer{Value: 1e18 + 3600e9}, true)
	g.SetTimer(rel, Itimer{Value: 3600e9}, false)
	SetWall(1e18 + 7200e9)
	info, err := task.WaitSignal(sigBit(sig), wait.Now()+5e9)
	if err != nil || info.Value() != 1 {
		t.Errorf("the timer for a time of day: %+v, %v", info, err)
	}
	if it, _ := g.GetTimer(rel); it.Value < 3500e9 || it.Value > 3600e9 {
		t.Errorf("the delay has changed to %d s", it.Value/1e9)
	}
	g.deletePosixTimers()
	if n := len(wallAlarms.set); n != 0 {
		t.Errorf("%d alarms are left", n)
	}
}

func TestSleep(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	mono, _ := task.FindClock(unix.CLOCK_MONOTONIC)
	start := wait.Now()
	if err := task.Sleep(mono, 2e6, false, nil); err != nil || wait.Now()-start < 2e6 {
		t.Errorf("%v after %d ns", err, wait.Now()-start)
	}
	if err := task.Sleep(mono, wait.Now()-1, true, nil); err != nil {
		t.Error(err)
	}
	task.SetAction(unix.SIGUSR1, handler(0, 0))
	send(t, g, unix.SIGUSR1)
	var left int64
	remain := func(_ *Task, ns int64) error { left = ns; return nil }
	if err := task.Sleep(mono, 50e6, false, remain); err != wait.ErrRestartBlock || left <= 0 || left > 50e6 {
		t.Errorf("%v, left %d", err, left)
	}
	task.takeSignal(^SigSet(0))
	if _, err := task.RestartSyscall(); err != nil {
		t.Error(err)
	}
	if d := wait.Now() - start; d < 52e6 {
		t.Errorf("slept %d ns in all", d)
	}
	if _, err := task.RestartSyscall(); err != unix.EINTR {
		t.Errorf("nothing to restart: %v", err)
	}
	send(t, g, unix.SIGUSR1)
	if err := task.Sleep(mono, wait.Now()+1e9, true, remain); err != wait.ErrRestartNoHand {
		t.Error(err)
	}
}

func TestSleepUntilTimeOfDayThatComesEarly(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	defer arch.SetWallOffset(0)
	SetWall(1e18)
	wall, _ := task.FindClock(unix.CLOCK_REALTIME)
	go func() {
		time.Sleep(5 * time.Millisecond)
		SetWall(1e18 + 7200e9)
	}()
	if err := task.Sleep(wall, 1e18+3600e9, true, nil); err != nil {
		t.Error(err)
	}
}

func TestCPUClockIDs(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	for _, id := range []int32{^0<<3 | 2, ^0 << 3, ^0<<3 | 4 | 2, unix.CLOCK_PROCESS_CPUTIME_ID, unix.CLOCK_THREAD_CPUTIME_ID} {
		c, err := task.FindClock(id)
		if err != nil || !c.IsCPU() {
			t.Errorf("clock %d: %+v, %v", id, c, err)
		}
	}
	for _, id := range []int32{10, 12, 99, ^999<<3 | 2, ^0<<3 | 3, -1} {
		if _, err := task.FindClock(id); err != unix.EINVAL {
			t.Errorf("clock %d: %v", id, err)
		}
	}
}

func TestTimerFile(t *testing.T) {
	tf := new(TimerFile)
	tf.alarm.clock, tf.alarm.fn = Clock{id: unix.CLOCK_MONOTONIC}, tf.expire
	if _, err := tf.Set(Itimer{Value: 1e6, Interval: 1e6}, 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
	eventually(t, "it is ready", func() bool { return tf.Poll(nil, nil) == unix.POLLIN })
	if it := tf.Get(); it.Interval != 1e6 || it.Value > 1e6 || it.Value <= 0 {
		t.Errorf("setting %+v", it)
	}
	tf.mu.Lock()
	if tf.ticks < 8 {
		t.Errorf("%d ticks in 10 ms", tf.ticks)
	}
	tf.mu.Unlock()
	if _, err := tf.Set(Itimer{}, 0); err != nil || tf.Poll(nil, nil) != 0 {
		t.Error("disarmed, but ready")
	}
	if _, err := tf.Set(Itimer{}, 1<<5); err != unix.EINVAL {
		t.Error(err)
	}
}
