package proc

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

// SleepUntil sleeps until the clock reaches deadline. It returns
// wait.ErrRestartNoHand when a signal comes first.
func (t *Task) SleepUntil(c Clock, deadline int64) error {
	var e wait.Entry
	if c.isWall() {
		wallSet.Add(&e, &t.Thread) // setting the clock moves the end of the sleep
		defer wallSet.Remove(&e)
	}
	for {
		t.Thread.Prepare()
		left := deadline - c.Now()
		if left <= 0 {
			return nil
		}
		if t.Thread.Interrupted() {
			return wait.ErrRestartNoHand
		}
		if c.IsCPU() {
			n := 1
			if c.group != nil {
				n = int(c.group.liveCount.Load())
			}
			left = cpuCheck(left, n)
		}
		now := wait.Now()
		if left > 1<<62-now {
			left = 1<<62 - now
		}
		t.Thread.ParkUntil(now + left)
	}
}

// Sleep implements clock_nanosleep(2). when is a duration or, with absolute, a
// time on the clock. A relative sleep that a signal interrupts tells remain how
// much is left, and goes on by restart_syscall(2).
func (t *Task) Sleep(c Clock, when int64, absolute bool, remain func(t *Task, ns int64) error) error {
	if absolute {
		return t.SleepUntil(c, when)
	}
	if c.isWall() {
		c = Clock{id: unix.CLOCK_MONOTONIC} // a duration does not change with the time of day
	}
	now := c.Now()
	deadline := now + when
	if deadline < now {
		deadline = 1<<63 - 1
	}
	return t.sleepRelative(c, deadline, remain)
}

func (t *Task) sleepRelative(c Clock, deadline int64, remain func(t *Task, ns int64) error) error {
	err := t.SleepUntil(c, deadline)
	if err == nil {
		return nil
	}
	left := deadline - c.Now()
	if left <= 0 {
		return nil
	}
	if remain != nil {
		if err := remain(t, left); err != nil {
			return err
		}
	}
	t.SetRestart(func(t *Task) (uintptr, error) {
		return 0, t.sleepRelative(c, deadline, remain)
	})
	return wait.ErrRestartBlock
}
