package proc

import (
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func newTable(limit int32) *pidTable {
	p := new(pidTable)
	p.max.Store(limit)
	return p
}

func TestPIDsAreGivenOutInOrder(t *testing.T) {
	p := newTable(PIDMaxDefault)
	for want := int32(1); want < 2000; want++ {
		s, err := p.alloc()
		if err != nil || s.nr.Load() != want {
			t.Fatalf("got %v, %v; want %d", s, err, want)
		}
		if want%3 == 0 {
			p.release(want)
		}
	}
	if p.slot(3) != nil || p.slot(4) == nil {
		t.Error("a released number is in use, or the other way round")
	}
}

func TestPIDsWrapAround(t *testing.T) {
	p := newTable(1000)
	for range 999 {
		if _, err := p.alloc(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.alloc(); err != unix.EAGAIN {
		t.Fatalf("table full: %v, want EAGAIN", err)
	}
	p.release(5)
	if _, err := p.alloc(); err != unix.EAGAIN {
		t.Fatalf("a reserved number was given out again: %v", err)
	}
	for _, nr := range []int32{999, 700, 300} {
		p.release(nr)
	}
	for _, want := range []int32{300, 700, 999} {
		if s, err := p.alloc(); err != nil || s.nr.Load() != want {
			t.Fatalf("got %v, %v; want %d", s, err, want)
		}
	}
}

// A part of the table that has become free serves other numbers later; who looks
// for an old one meanwhile must not find who has one of those.
func TestPIDIsNotAnothers(t *testing.T) {
	p := newTable(PIDMaxDefault)
	numbers := []int32{pidLeafSize + 7, 3*pidLeafSize + 7}
	var tasks [2]Task
	var stop atomic.Bool
	go func() {
		defer stop.Store(true)
		for i := range 50000 {
			nr := numbers[i&1]
			s := p.take(nr)
			s.task.Store(&tasks[i&1])
			s.task.Store(nil)
			p.release(nr)
		}
	}()
	for !stop.Load() {
		for i, nr := range numbers {
			if got := p.task(nr); got != nil && got != &tasks[i] {
				t.Fatalf("asked for %d, got another's task", nr)
			}
		}
	}
}

func TestPIDStaysWhileSomethingBearsIt(t *testing.T) {
	p := newTable(PIDMaxDefault)
	s, _ := p.alloc()
	s.pgrp.Store(new(ProcessGroup))
	p.release(s.nr.Load())
	if p.slot(s.nr.Load()) == nil {
		t.Fatal("number of a process group was freed")
	}
	s.pgrp.Store(nil)
	p.release(s.nr.Load())
	if p.slot(s.nr.Load()) != nil || p.count != 0 {
		t.Fatal("number was not freed")
	}
	for _, nr := range []int32{-1, 0, PIDMaxLimit, 1 << 30} {
		if p.slot(nr) != nil {
			t.Errorf("slot(%d) is not nil", nr)
		}
	}
}

func TestWantedPIDs(t *testing.T) {
	p := newTable(1000)
	if s, err := p.allocWanted([]int32{500}, true); err != nil || s.nr.Load() != 500 {
		t.Fatal(s, err)
	}
	tests := []struct {
		want []int32
		priv bool
		err  error
	}{
		{[]int32{500}, true, unix.EEXIST},
		{[]int32{501}, false, unix.EPERM},
		{[]int32{0}, true, unix.EINVAL},
		{[]int32{1000}, true, unix.EINVAL},
		{[]int32{10, 11}, true, unix.EINVAL},
	}
	for _, tt := range tests {
		if _, err := p.allocWanted(tt.want, tt.priv); err != tt.err {
			t.Errorf("%v: %v, want %v", tt.want, err, tt.err)
		}
	}
	if s, _ := p.alloc(); s.nr.Load() != 1 {
		t.Errorf("next number is %d, want 1", s.nr.Load())
	}
}
