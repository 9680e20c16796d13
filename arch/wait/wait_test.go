package wait

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParkReturnsWhenWokenBefore(t *testing.T) {
	var th Thread
	th.Bind()
	th.Prepare()
	th.Wake()
	th.Wake()
	done := make(chan bool)
	go func() { th.Park(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("a Wake between Prepare and Park was lost")
	}
}

func TestPingPongLosesNoWake(t *testing.T) {
	const rounds = 20000
	var turn atomic.Uint32
	var th [2]Thread
	var wg sync.WaitGroup
	for me := range uint32(2) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			th[me].Bind()
			for range rounds {
				for {
					th[me].Prepare()
					if turn.Load() == me {
						break
					}
					th[me].Park()
				}
				turn.Store(1 - me)
				th[1-me].Wake()
			}
		}()
	}
	wg.Wait()
}

func TestParkUntilTimesOut(t *testing.T) {
	var th Thread
	for range 3 {
		start := Now()
		th.Prepare()
		for !th.ParkUntil(start + 2e6) {
			th.Prepare()
		}
		if d := Now() - start; d < 2e6 {
			t.Fatalf("timed out after %d ns, want at least 2 ms", d)
		}
	}
	if !th.ParkUntil(Now() - 1) {
		t.Fatal("a deadline in the past did not time out")
	}
}

func TestWaitEnds(t *testing.T) {
	never := func() bool { return false }
	var q Queue
	var th Thread
	if err := q.Wait(&th, Now()+1e6, never); err != unix.ETIMEDOUT {
		t.Errorf("deadline: got %v, want ETIMEDOUT", err)
	}
	th.SetInterrupted(true)
	if err := q.Wait(&th, Never, never); err != ErrRestartSys {
		t.Errorf("interrupted: got %v, want ErrRestartSys", err)
	}
	if err := q.WaitKillable(&th, Now()+1e6, never); err != unix.ETIMEDOUT {
		t.Errorf("killable sleep ended by an ordinary signal: %v", err)
	}
	th.SetKilled()
	if err := q.WaitKillable(&th, Never, never); err != ErrRestartSys {
		t.Errorf("killed: got %v, want ErrRestartSys", err)
	}
	if !q.Empty() {
		t.Error("an entry stayed on the queue")
	}
}

func TestExclusiveWakesOne(t *testing.T) {
	var q Queue
	var th [4]Thread
	var e [4]Entry
	q.add(&e[0], &th[0], true)
	q.Add(&e[1], &th[1])
	q.add(&e[2], &th[2], true)
	q.Add(&e[3], &th[3])
	q.Wake(unix.POLLIN)
	want := [4]uint32{notified, notified, idle, notified}
	for i := range th {
		if s := th[i].state.Load(); s != want[i] {
			t.Errorf("thread %d: state %d, want %d", i, s, want[i])
		}
	}
	q.WakeAll(unix.POLLIN)
	if th[2].state.Load() != notified {
		t.Error("WakeAll left an exclusive waiter asleep")
	}
	for i := range e {
		q.Remove(&e[i])
		q.Remove(&e[i])
	}
	if q.head != nil || q.tail != nil || !q.Empty() {
		t.Error("queue not empty after all were removed")
	}
}

// Two Wakes are for two waiters, even if the first waiter has not run between them.
func TestSecondWakeGoesToTheNext(t *testing.T) {
	var q Queue
	var th [3]Thread
	var e [3]Entry
	for i := range e {
		q.add(&e[i], &th[i], true)
	}
	q.Wake(unix.POLLIN)
	q.Wake(unix.POLLIN)
	want := [3]uint32{notified, notified, idle}
	for i := range th {
		if s := th[i].state.Load(); s != want[i] {
			t.Errorf("thread %d: state %d, want %d", i, s, want[i])
		}
	}
	if q.remove(&e[1]) || !q.remove(&e[2]) {
		t.Error("remove does not say which entry a Wake has unlinked")
	}
}

// A Wake that comes when a waiter has just been successful is not for that one.
func TestWakeAfterSuccessIsPassedOn(t *testing.T) {
	var q Queue
	var first, second Thread
	var e Entry
	looks := 0
	err := q.WaitExclusive(&first, Never, func() bool {
		if looks++; looks < 2 {
			return false
		}
		q.add(&e, &second, true)
		q.Wake(unix.POLLIN)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if second.state.Load() != notified {
		t.Error("the Wake stayed with a waiter that had left")
	}
	q.Remove(&e)
}

func TestMaskSelects(t *testing.T) {
	var q Queue
	var th Thread
	e := Entry{Mask: unix.POLLIN}
	q.Add(&e, &th)
	q.Wake(unix.POLLOUT)
	if th.state.Load() != idle {
		t.Error("woken by an event it did not ask for")
	}
	q.Wake(unix.POLLIN)
	if th.state.Load() != notified {
		t.Error("not woken by its event")
	}
	q.Remove(&e)
}

// Producers and consumers share a counter; every token is taken exactly once.
func TestQueueStress(t *testing.T) {
	var q Queue
	var tokens, taken atomic.Int64
	const workers, each = 8, 2000
	var wg sync.WaitGroup
	for i := range workers {
		wg.Add(2)
		go func() {
			defer wg.Done()
			var th Thread
			take := func() bool {
				for n := tokens.Load(); n > 0; n = tokens.Load() {
					if tokens.CompareAndSwap(n, n-1) {
						return true
					}
				}
				return false
			}
			for range each {
				var err error
				if i%2 == 0 {
					err = q.WaitExclusive(&th, Never, take)
				} else {
					err = q.Wait(&th, Now()+int64(time.Minute), take)
				}
				if err != nil {
					t.Error(err)
					return
				}
				taken.Add(1)
			}
		}()
		go func() {
			defer wg.Done()
			for range each {
				tokens.Add(1)
				q.Wake(unix.POLLIN)
			}
		}()
	}
	wg.Wait()
	if taken.Load() != workers*each || tokens.Load() != 0 {
		t.Fatalf("taken %d, left %d", taken.Load(), tokens.Load())
	}
}

func TestPollTableManyQueues(t *testing.T) {
	var th Thread
	queues := make([]Queue, 40)
	pt := PollTable{Thread: &th, Key: unix.POLLIN}
	for range 2 {
		for i := range queues {
			pt.Add(&queues[i], unix.POLLIN|unix.POLLHUP)
		}
		var out Queue
		pt.Add(&out, unix.POLLOUT)
		if !out.Empty() {
			t.Error("linked for an event nobody asked for")
		}
		th.Prepare()
		queues[39].Wake(unix.POLLHUP)
		th.Park()
		pt.Release()
		for i := range queues {
			if !queues[i].Empty() {
				t.Fatalf("queue %d still has an entry", i)
			}
		}
	}
	(*PollTable)(nil).Add(&queues[0], 0)
}

func BenchmarkRoundTrip(b *testing.B) {
	var turn atomic.Uint32
	var th [2]Thread
	var wg sync.WaitGroup
	for me := range uint32(2) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range b.N {
				for th[me].Prepare(); turn.Load() != me; th[me].Prepare() {
					th[me].Park()
				}
				turn.Store(1 - me)
				th[1-me].Wake()
			}
		}()
	}
	wg.Wait()
}
