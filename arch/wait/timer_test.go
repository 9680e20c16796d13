package wait

import (
	"math/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTimerFires(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond} {
		start, at := Now(), make(chan int64, 2)
		tm := AfterFunc(d, func() { at <- Now() })
		if took := <-at - start; took < int64(d) {
			t.Errorf("a timer of %v fired after %v", d, time.Duration(took))
		}
		tm.Reset(d)
		<-at
		tm.Stop()
		if len(at) != 0 {
			t.Errorf("a timer of %v fired twice", d)
		}
	}
}

// A timer that is moved fires at its last deadline only.
func TestTimerMoves(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range [][]time.Duration{
		{15 * ms, 40 * ms}, {40 * ms, 15 * ms}, {5 * ms, 40 * ms}, {40 * ms, 5 * ms},
		{time.Hour, 5 * ms}, {time.Hour, 30 * ms}, {20 * ms, 30 * ms, 3 * ms, 25 * ms},
	} {
		var fired atomic.Int32
		at := make(chan int64, 9)
		tm := AfterFunc(c[0], func() { fired.Add(1); at <- Now() })
		start := Now()
		for _, d := range c[1:] {
			start = Now()
			tm.Reset(d)
		}
		if took := <-at - start; took < int64(c[len(c)-1]) {
			t.Errorf("%v: fired after %v", c, time.Duration(took))
		}
		time.Sleep(45 * ms)
		if n := fired.Load(); n != 1 {
			t.Errorf("%v: fired %d times", c, n)
		}
	}
}

func TestTimerStops(t *testing.T) {
	for _, d := range []time.Duration{2 * time.Millisecond, 20 * time.Millisecond} {
		var fired atomic.Bool
		tm := AfterFunc(d, func() { fired.Store(true) })
		tm.Stop()
		time.Sleep(d + 10*time.Millisecond)
		if fired.Load() {
			t.Errorf("a stopped timer of %v fired", d)
		}
	}
}

// Stopped timers do not stay in memory until their deadlines.
func TestStoppedTimersGo(t *testing.T) {
	for range 10000 {
		AfterFunc(time.Hour, func() {}).Stop()
	}
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	if n := len(keeper.timers); n > 1000 {
		t.Errorf("%d timers are kept", n)
	}
}

// Timers set, moved and stopped by many at once: each one's last deadline counts.
func TestTimerStress(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewSource(int64(i)))
			fired := make(chan bool, 1)
			tm := AfterFunc(time.Hour, func() {
				select {
				case fired <- true:
				default:
				}
			})
			for range 50 {
				for range r.Intn(20) {
					if r.Intn(4) == 0 {
						tm.Stop()
					} else {
						tm.Reset(time.Duration(r.Intn(2000)) * time.Millisecond)
					}
				}
				tm.Stop()
				select {
				case <-fired:
				default:
				}
				tm.Reset(time.Duration(r.Intn(25)) * time.Millisecond)
				select {
				case <-fired:
				case <-time.After(20 * time.Second):
					t.Error("a timer did not fire")
					return
				}
			}
		}()
	}
	wg.Wait()
}
