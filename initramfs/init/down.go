package main

import (
	"time"

	"golang.org/x/sys/unix"

	"tamarix/initramfs/inittab"
)

// downKind is how the machine stops.
type downKind uint8

const (
	downNone downKind = iota
	downPowerOff
	downReboot
	downHalt
	downRestart // not the machine: init executes another program in its place
)

// String is for the message.
func (k downKind) String() string {
	return [...]string{"nothing", "powering off", "rebooting", "halting", "restarting init"}[k]
}

// downStep is how far the way down has come.
type downStep uint8

const (
	downEntries downStep = iota // the level's entries and the shutdown entries run
	downTerm                    // all have got SIGTERM
	downKill                    // all have got SIGKILL
)

// downState is the supervisor's state in phaseDown.
type downState struct {
	kind    downKind
	restart string // downRestart: the command
	step    downStep
	until   time.Time // when the step ends even if processes remain
}

// entriesDelay bounds the time the entries of the way down may take in all: a
// machine that is told to stop has to stop.
const entriesDelay = 60 * time.Second

// goDown begins the way down. It cannot be turned back.
func (s *supervisor) goDown(k downKind, restart string) {
	if s.phase == phaseDown {
		return
	}
	c := byte('0')
	if k == downReboot {
		c = '6'
	}
	s.prev, s.level, s.phase = s.level, c, phaseDown
	s.sys.say("%v", k)
	s.leaving, s.waiting, s.queue = false, nil, nil
	s.down = downState{kind: k, restart: restart, until: s.sys.now().Add(entriesDelay)}
	if k == downRestart {
		return
	}
	for _, a := range []inittab.Action{inittab.Wait, inittab.Once, inittab.Shutdown} {
		for _, j := range s.jobs {
			// An entry without a runlevel field stands for all levels, but a
			// once or wait entry of that kind is meant for coming up.
			if j.gone || j.Action != a || !j.Levels.Has(c) {
				continue
			}
			if a != inittab.Shutdown && j.Levels.Has('3') {
				continue
			}
			s.queue = append(s.queue, j)
		}
	}
}

// advanceDown brings the way down further.
func (s *supervisor) advanceDown() {
	late := !s.sys.now().Before(s.down.until)
	if s.down.step == downEntries {
		for s.waiting == nil && len(s.queue) > 0 {
			j := s.queue[0]
			s.queue = s.queue[1:]
			if j.pid == 0 && s.startJob(j) && j.Action.Waits() {
				s.waiting = j
			}
		}
		if s.waiting != nil && !late {
			return
		}
		s.sweep(downTerm, unix.SIGTERM)
		return
	}
	if s.sys.alone() {
		s.sys.down(s.down.kind, s.down.restart)
		return
	}
	if !late {
		return
	}
	if s.down.step == downTerm {
		s.sys.say("killing what is left")
		s.sweep(downKill, unix.SIGKILL)
		return
	}
	s.sys.down(s.down.kind, s.down.restart) // stuck in the kernel: go without them
}

// sweep sends sig to every process but init, and gives them a time.
func (s *supervisor) sweep(step downStep, sig unix.Signal) {
	s.down.step = step
	s.down.until = s.sys.now().Add(killDelay)
	if s.sys.kill(-1, sig) == nil && sig == unix.SIGTERM {
		// Stopped processes see SIGTERM only when they run again.
		s.sys.kill(-1, unix.SIGCONT)
	}
}
