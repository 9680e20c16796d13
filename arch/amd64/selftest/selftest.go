//go:build tamarix

// Package selftest exercises the machine layer on the machine itself: the Go
// runtime in ring 0, user contexts in ring 3, CPUs against each other. The
// kernel runs it for the command line option selftest=arch and prints one line
// for each case.
package selftest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	arch "tamarix/arch/amd64"
)

// cases run in this order.
var cases = []struct {
	name string
	run  func() error
}{
	{"maps", maps},
	{"collector", collector},
	{"goroutines", goroutines},
	{"timers", timers},
	{"preemption", preemption},
	{"nil", nilDereference},
	{"division", division},
	{"release", release},
	{"clock", clock},
	{"mappings", arch.AuditMappings},
	{"interrupt", interrupt},
	{"spurious", spurious},
	{"times", times},
	{"null", nullCalls},
	{"faults", touchPages},
	{"exceptions", exceptions},
	{"copies", copies},
	{"kick", kick},
	{"verify", verify},
	{"shootdown", shootdown},
	{"frames", userFrames},
}

// Run runs all cases and returns how many failed.
func Run() (bad int) {
	start := time.Now()
	for _, c := range cases {
		t := time.Now()
		err := c.run()
		d := time.Since(t).Round(10 * time.Microsecond)
		if err != nil {
			bad++
			fmt.Printf("selftest: FAIL %s: %v (%v)\n", c.name, err, d)
		} else {
			fmt.Printf("selftest: ok %s (%v)\n", c.name, d)
		}
	}
	fmt.Printf("selftest: done, %d CPUs, %d failed, %v, frames %+v\n", arch.NumCPU(), bad, time.Since(start).Round(time.Millisecond), arch.ReadFrameStats())
	return bad
}

func maps() error {
	m := map[string]int{}
	for i := range 100000 {
		m[fmt.Sprint("k", i)] = i
	}
	if len(m) != 100000 || m["k777"] != 777 {
		return fmt.Errorf("wrong map: %d entries", len(m))
	}
	return nil
}

var sink [][]byte

func collector() error {
	for i := range 2000 {
		b := make([]byte, 100<<10)
		b[len(b)-1] = 1
		if i%40 == 0 {
			sink = append(sink, b)
		}
	}
	var ms runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&ms)
	if ms.NumGC == 0 {
		return fmt.Errorf("no collection")
	}
	return nil
}

func goroutines() error {
	var wg sync.WaitGroup
	c := make(chan int)
	for i := range 1000 {
		wg.Go(func() { c <- i })
	}
	go func() { wg.Wait(); close(c) }()
	sum := 0
	for v := range c {
		sum += v
	}
	if sum != 499500 {
		return fmt.Errorf("sum %d", sum)
	}
	return nil
}

func timers() error {
	for _, d := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		t := time.Now()
		time.Sleep(d)
		if took := time.Since(t); took < d || took > d+time.Second {
			return fmt.Errorf("sleep %v took %v", d, took)
		}
	}
	return nil
}

func preemption() error {
	stop := false // read in a loop without a call
	go func() {
		for x := 0; !stop; x++ {
		}
	}()
	defer func() { stop = true }()
	time.Sleep(20 * time.Millisecond)
	done := make(chan bool)
	go func() {
		runtime.GC()
		done <- true
	}()
	select {
	case <-done:
		return nil
	case <-time.After(5 * time.Second):
		return fmt.Errorf("a goroutine that spins stops the collector")
	}
}

func recovered(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}

func nilDereference() error {
	r := recovered(func() {
		var p *int
		*p = 1
	})
	if _, ok := r.(runtime.Error); !ok {
		return fmt.Errorf("recovered %v", r)
	}
	return nil
}

var zero int

func division() error {
	if _, ok := recovered(func() { zero = 1 / zero }).(runtime.Error); !ok {
		return fmt.Errorf("no panic")
	}
	return nil
}

func release() error {
	sink = nil
	before := arch.ReadFrameStats().Kernel
	debug.FreeOSMemory()
	if after := arch.ReadFrameStats().Kernel; after >= before {
		return fmt.Errorf("%d kernel pages before, %d after", before, after)
	}
	return nil
}

func clock() error {
	t := time.Now()
	n := 0
	for time.Since(t) < 10*time.Millisecond {
		n++
	}
	if n < 1000 {
		return fmt.Errorf("the clock was read %d times in 10 ms", n)
	}
	return nil
}

// raised counts the handler's calls.
var raised atomic.Int64

// interrupt sends interrupts to a goroutine.
func interrupt() error {
	q, err := arch.NewIRQ("selftest", func(arg uintptr) bool {
		raised.Add(1)
		return true
	}, 0)
	if err != nil {
		return err
	}
	woken := make(chan bool)
	go func() {
		for {
			q.Wait()
			woken <- true
		}
	}()
	for i := range 100 {
		arch.SendSelf(q.Vector())
		select {
		case <-woken:
		case <-time.After(time.Second):
			return fmt.Errorf("interrupt %d did not wake its goroutine (the handler ran %d times)", i, raised.Load())
		}
	}
	return nil
}

// spurious raises vectors that nobody wants: the 8259s' and one that no driver has.
// They are counted and keep nothing else away.
func spurious() error {
	count := func(label string) (n uint64) {
		for _, c := range arch.InterruptCounts() {
			if c.Label == label {
				for _, k := range c.PerCPU {
					n += k
				}
			}
		}
		return n
	}
	for _, v := range []struct {
		vector uint8
		label  string
	}{{0x27, "PIC"}, {0x2f, "PIC"}, {0xee, "UNW"}} {
		before := count(v.label)
		arch.SendSelf(v.vector)
		for start := time.Now(); count(v.label) == before; {
			if time.Since(start) > time.Second {
				return fmt.Errorf("vector %#x is not counted", v.vector)
			}
		}
	}
	return interrupt()
}

// times checks that a busy CPU is booked as busy and idle ones as idle.
func times() error {
	sum := func() (busy, idle int64) {
		for i := range arch.NumCPU() {
			u, s, d := arch.CPUTimes(i)
			busy, idle = busy+u+s, idle+d
		}
		return busy, idle
	}
	_, idle := sum()
	time.Sleep(100 * time.Millisecond)
	_, idle2 := sum()
	if d := time.Duration(idle2 - idle); d < 50*time.Millisecond {
		return fmt.Errorf("%v of idleness in 100 ms of sleep", d)
	}
	busy, _ := sum()
	for t := time.Now(); time.Since(t) < 100*time.Millisecond; {
	}
	busy2, _ := sum()
	if d := time.Duration(busy2 - busy); d < 10*time.Millisecond {
		return fmt.Errorf("%v of work in 100 ms of work", d)
	}
	return nil
}
