package proc

import (
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

// eventually waits for a condition that other goroutines bring about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !cond(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("does not happen: %s", what)
		}
	}
}

// family makes a parent and a child in one session, the child in a group of its own.
func family(t *testing.T, n int) (parent, child *ThreadGroup) {
	t.Helper()
	parent, child = signalGroup(t, 1), signalGroup(t, n)
	child.PID = 2000
	s := &Session{}
	tree.Lock()
	defer tree.Unlock()
	for _, g := range []*ThreadGroup{parent, child} {
		g.session = s
		g.pgrp = &ProcessGroup{ID: g.PID, Session: s}
		g.pgrp.members.add(g, linkMember)
	}
	child.parent = parent
	child.exitSignal = unix.SIGCHLD
	return parent, child
}

// idle plays the loops of threads that do nothing but handle signals. The
// returned counter says how many have ended.
func idle(g *ThreadGroup) *atomic.Int32 {
	var ended atomic.Int32
	for _, task := range g.threads {
		go func() {
			task.Thread.Bind()
			for !task.handleSignals(-1) {
				task.waitForSignal()
			}
			task.exitSignals()
			ended.Add(1)
		}()
	}
	return &ended
}

func TestStopContinueKill(t *testing.T) {
	parent, child := family(t, 3)
	ended := idle(child)
	var w wait.Thread
	w.Bind()
	changed := func(what string, cond func() bool) {
		t.Helper()
		if err := parent.childEvents.Wait(&w, wait.Now()+30e9, cond); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	takeChild := func(code int32, status unix.Signal) {
		t.Helper()
		eventually(t, "SIGCHLD", func() bool { return parent.threads[0].hasAny(sigBit(unix.SIGCHLD)) })
		info, _ := parent.threads[0].takeSignal(sigBit(unix.SIGCHLD))
		if info.Code != code || info.Status() != int32(status) || info.Pid() != child.PID {
			t.Errorf("SIGCHLD says %+v, want code %d, status %d", info, code, status)
		}
	}
	parent.threads[0].setBlocked(sigBit(unix.SIGCHLD))
	for range 20 {
		send(t, child, unix.SIGTSTP)
		changed("stop", func() bool {
			sig, ok := child.peekStop(true)
			return ok && sig == unix.SIGTSTP
		})
		takeChild(CLD_STOPPED, unix.SIGTSTP)
		for _, task := range child.threads {
			if !task.Stopped() {
				t.Fatal("a thread still runs")
			}
		}
		send(t, child, unix.SIGUSR2) // stays pending while it is stopped
		child.threads[0].SetAction(unix.SIGUSR2, SigAction{Handler: SIG_IGN})
		send(t, child, unix.SIGCONT)
		changed("continue", func() bool { return child.peekContinued(true) })
		takeChild(CLD_CONTINUED, unix.SIGCONT)
		child.threads[0].SetAction(unix.SIGUSR2, SigAction{})
	}
	send(t, child, unix.SIGSTOP)
	changed("stop", func() bool { _, ok := child.peekStop(true); return ok })
	if _, ok := child.peekStop(true); ok {
		t.Error("a stop is reported twice")
	}
	send(t, child, unix.SIGTERM) // not before it goes on
	time.Sleep(time.Millisecond)
	if ended.Load() != 0 {
		t.Error("SIGTERM has ended a stopped process")
	}
	child.sig.shared.discard(sigBit(unix.SIGTERM))
	send(t, child, unix.SIGKILL)
	eventually(t, "the end of all threads", func() bool { return ended.Load() == 3 })
	if child.sig.exitStatus != int(unix.SIGKILL) {
		t.Errorf("status %#x", child.sig.exitStatus)
	}
}

func TestStopDoesNotWaitForKilledThreads(t *testing.T) {
	_, child := family(t, 2)
	one, other := child.threads[0], child.threads[1]
	send(t, child, unix.SIGSTOP)
	done := make(chan bool)
	go func() {
		one.Thread.Bind()
		done <- one.handleSignals(-1)
	}()
	eventually(t, "the other is asked to stop", func() bool {
		child.sig.mu.Lock()
		defer child.sig.mu.Unlock()
		return other.sig.stopPending
	})
	if _, ok := child.peekStop(false); ok {
		t.Error("stopped with one thread running")
	}
	// What execve does in a second thread, seen from a third: here the first one
	// sits in the stop, and the other is killed before it joins.
	child.sig.mu.Lock()
	other.killLocked()
	left := child.sig.stopCount
	child.sig.mu.Unlock()
	if left != 0 {
		t.Errorf("the stop still waits for %d threads", left)
	}
	send(t, child, unix.SIGKILL)
	if !<-done {
		t.Error("the stopped thread survives SIGKILL")
	}
}

func TestNoStopInOrphanedGroup(t *testing.T) {
	parent, child := family(t, 1)
	child.parent = nil
	task := child.threads[0]
	send(t, child, unix.SIGTTOU)
	if task.handleSignals(-1) || task.Stopped() || child.sig.flags&groupStopped != 0 {
		t.Error("SIGTTOU has stopped an orphan")
	}
	_ = parent
}

func TestParentCanDeclineStops(t *testing.T) {
	parent, child := family(t, 1)
	parent.threads[0].setBlocked(sigBit(unix.SIGCHLD))
	parent.threads[0].SetAction(unix.SIGCHLD, handler(SA_NOCLDSTOP, 0))
	ended := idle(child)
	send(t, child, unix.SIGSTOP)
	eventually(t, "stop", func() bool { _, ok := child.peekStop(false); return ok })
	send(t, child, unix.SIGKILL)
	eventually(t, "end", func() bool { return ended.Load() == 1 })
	if parent.threads[0].hasAny(sigBit(unix.SIGCHLD)) {
		t.Error("SIGCHLD in spite of SA_NOCLDSTOP")
	}
	for _, c := range []struct {
		a        SigAction
		autoreap bool
		sent     bool
	}{
		{SigAction{}, false, false}, // blocked, so kept... see below
		{handler(SA_NOCLDWAIT, 0), true, true},
		{SigAction{Handler: SIG_IGN}, true, false},
	} {
		parent.threads[0].SetAction(unix.SIGCHLD, c.a)
		tree.Lock()
		got := child.notifyParentExit(child.Leader)
		tree.Unlock()
		_, sent := parent.threads[0].takeSignal(sigBit(unix.SIGCHLD))
		if c.a.Handler == SIG_DFL {
			c.sent = true // it is blocked: its action could change yet
		}
		if got != c.autoreap || sent != c.sent {
			t.Errorf("handler %#x flags %#x: reaped %v, SIGCHLD %v", c.a.Handler, c.a.Flags, got, sent)
		}
	}
}

func TestWaitSignal(t *testing.T) {
	g := signalGroup(t, 2)
	task := g.threads[0]
	g.threads[1].setBlocked(^SigSet(0))
	done := make(chan SigInfo)
	bound := make(chan bool)
	go func() {
		task.Thread.Bind()
		task.setBlocked(sigBit(unix.SIGTERM))
		close(bound)
		for range 100 {
			info, err := task.WaitSignal(sigBit(unix.SIGTERM), wait.Never)
			if err != nil {
				t.Error(err)
			}
			done <- info
		}
		_, err := task.WaitSignal(sigBit(unix.SIGTERM), wait.Now()+1e6)
		if err != unix.EAGAIN {
			t.Errorf("time-out: %v", err)
		}
		task.SetAction(unix.SIGUSR1, handler(0, 0))
		done <- SigInfo{}
		_, err = task.WaitSignal(sigBit(unix.SIGTERM), wait.Never)
		if err != unix.EINTR || task.Blocked() != sigBit(unix.SIGTERM) {
			t.Errorf("another signal: %v, mask %#x", err, task.Blocked())
		}
		close(done)
	}()
	<-bound
	for range 100 {
		send(t, g, unix.SIGTERM) // its default action must not come first
		if info := <-done; info.Signal() != unix.SIGTERM || info.Pid() != 7 {
			t.Errorf("%+v", info)
		}
	}
	<-done
	for {
		send(t, g, unix.SIGUSR1)
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// TestNoSignalIsLost sends signals to a task that sleeps, wakes and blocks at
// random: each must be seen.
func TestNoSignalIsLost(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	var seen atomic.Int64
	const rounds = 5000
	go func() {
		task.Thread.Bind()
		var q wait.Queue
		for seen.Load() < rounds {
			if err := q.Wait(&task.Thread, wait.Never, func() bool { return false }); err != wait.ErrRestartSys {
				t.Error(err)
			}
			for {
				if _, ok := task.takeSignal(sigBit(SIGRTMIN + 3)); !ok {
					break
				}
				seen.Add(1)
			}
		}
	}()
	task.SetAction(SIGRTMIN+3, handler(0, 0))
	for i := range int64(rounds) {
		send(t, g, SIGRTMIN+3)
		if i%7 == 0 {
			eventually(t, "the signal is seen", func() bool { return seen.Load() == i+1 })
		}
	}
	eventually(t, "all are seen", func() bool { return seen.Load() == rounds })
}
