package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/initramfs/inittab"
)

// Times and counts of the policy; the first three are System V's.
const (
	respawnCount  = 10              // starts ...
	respawnWindow = 2 * time.Minute // ... within this time are too many,
	respawnHold   = 5 * time.Minute // and cost this.
	killDelay     = 5 * time.Second // between SIGTERM and SIGKILL
)

// defaultLevel is entered when the table names none.
const defaultLevel = '3'

// A job is an inittab entry with the process that runs for it, if one does.
type job struct {
	inittab.Entry
	pid    int
	starts []time.Time // the last starts, for the throttle
	held   time.Time   // not to be started before; zero: not held back
	ran    bool        // once and wait entries: done for this level
	gone   bool        // no longer in the table: drop it when its process ends
}

// phase is how far the boot has come.
type phase uint8

const (
	phaseSysInit phase = iota
	phaseBoot
	phaseLevel // a runlevel is in force, or being changed
	phaseDown  // the machine is going down
)

// A system is what the supervisor does to the world; tests put their own here.
type system struct {
	start func(e inittab.Entry, env []string) (pid int, err error)
	kill  func(pid int, sig unix.Signal) error
	alone func() bool // no process is left but init (and threads of the kernel)
	now   func() time.Time
	say   func(format string, a ...any)
	there func(id string) bool               // the machine has the terminal of that name
	note  func(format string, a ...any)      // for who looks for it in the log
	down  func(how downKind, restart string) // does not return on a real machine
}

// A supervisor is the state of init. It belongs to the goroutine of run.
type supervisor struct {
	sys  system
	file string // the inittab

	jobs    []*job
	absent  map[string]bool // terminals that entries name and that there are none of
	phase   phase
	level   byte // the runlevel in force or being entered
	prev    byte // the one before; 'N' after boot
	initial byte // the level given as an argument, or 0

	queue   []*job    // to be started in this order, see advance
	waiting *job      // advance goes on when this one has ended
	killAt  time.Time // leaving a level: when SIGTERM becomes SIGKILL
	leaving bool      // processes of the old level are still running
	down    downState
}

// newSupervisor returns one that has read its table and is ready to boot.
func newSupervisor(sys system, file string, initial byte) *supervisor {
	s := &supervisor{sys: sys, file: file, level: 'N', prev: 'N', initial: initial, absent: map[string]bool{}}
	s.read(true)
	for _, j := range s.jobs {
		if j.Action == inittab.SysInit {
			s.queue = append(s.queue, j)
		}
	}
	return s
}

// read reads the table; on boot a missing one is replaced by a console shell,
// later the old one stays.
func (s *supervisor) read(boot bool) {
	t, problems, err := inittab.ReadFile(s.file)
	for _, p := range problems {
		s.sys.say("%v (line skipped)", p)
	}
	if err != nil {
		s.sys.say("%v", err)
		if !boot {
			return
		}
	}
	if boot && len(t.Entries) == 0 {
		s.sys.say("no usable inittab: a shell on the console")
		t.Entries = []inittab.Entry{{Levels: allLevels(), Action: inittab.Respawn, Process: "/bin/sh", Login: true}}
	}
	if s.initial == 0 {
		s.initial = t.Default
	}
	s.merge(t.Entries)
}

// withoutTerminal tells whether j is for a terminal that the machine does not
// have: one whose id is the name of a virtual terminal or a serial line. The log
// gets one line for each such terminal. What there is may change: the sysinit
// entries mount /dev.
func (s *supervisor) withoutTerminal(j *job) bool {
	if !strings.HasPrefix(j.ID, "tty") || s.sys.there(j.ID) {
		return false
	}
	if !s.absent[j.ID] {
		s.absent[j.ID] = true
		s.sys.note("%s: there is no terminal %s: left out", s.name(j), j.ID)
	}
	return true
}

// allLevels is the set of all levels a machine can be in.
func allLevels() (l inittab.Levels) {
	for c := byte('0'); c <= '9'; c++ {
		l |= inittab.Level(c)
	}
	return l | inittab.Level('S')
}

// merge makes entries the table. An entry that is unchanged keeps its process;
// one that has changed or gone loses it; a job that is held back is let go.
func (s *supervisor) merge(entries []inittab.Entry) {
	old := map[inittab.Entry]*job{}
	for _, j := range s.jobs {
		if !j.gone {
			old[j.Key()] = j
		}
	}
	var jobs []*job
	for _, e := range entries {
		j := old[e.Key()]
		if j == nil {
			// A new wait or once entry waits for the next change of level:
			// only a level that is entered runs it.
			j = &job{Entry: e, ran: s.phase >= phaseLevel && e.Action != inittab.Respawn && e.Action != inittab.AskFirst}
		}
		delete(old, e.Key())
		j.Line, j.held, j.starts = e.Line, time.Time{}, nil
		jobs = append(jobs, j)
	}
	for _, j := range s.jobs {
		if old[j.Key()] != j && !j.gone {
			continue
		}
		j.gone = true
		if j.pid != 0 {
			jobs = append(jobs, j) // until it is reaped
		}
	}
	s.jobs = jobs
	if s.phase == phaseLevel {
		s.leave()
	}
}

// belongs tells whether j may run in the level in force.
func (s *supervisor) belongs(j *job) bool {
	if j.gone {
		return false
	}
	switch j.Action {
	case inittab.Wait, inittab.Once, inittab.Respawn, inittab.AskFirst:
		return j.Levels.Has(s.level)
	case inittab.Off:
		return false
	}
	return true // boot entries, on-demand ones and handlers run to their end
}

// setLevel begins the change to level c. The on-demand levels only start what
// belongs to them.
func (s *supervisor) setLevel(c byte) {
	if inittab.Level(c)&(inittab.Level('a')|inittab.Level('b')|inittab.Level('c')) != 0 {
		for _, j := range s.jobs {
			if !j.gone && j.Action == inittab.OnDemand && j.Levels.Has(c) && j.pid == 0 {
				s.startJob(j)
			}
		}
		return
	}
	if s.phase == phaseDown || s.phase == phaseLevel && c == s.level {
		return
	}
	switch c {
	case '0':
		s.goDown(downPowerOff, "")
		return
	case '6':
		s.goDown(downReboot, "")
		return
	}
	if s.phase != phaseLevel {
		s.initial = c // boot goes on, and ends there
		return
	}
	s.enter(c)
}

// enter makes c the level: what does not belong there is told to end, what
// does is queued.
func (s *supervisor) enter(c byte) {
	s.prev, s.level, s.phase = s.level, c, phaseLevel
	s.sys.say("entering runlevel %c", c)
	for _, j := range s.jobs {
		j.ran, j.held, j.starts = false, time.Time{}, nil
	}
	s.queue = nil
	s.leave()
}

// leave sends SIGTERM to the processes that do not belong to the level.
func (s *supervisor) leave() {
	s.leaving = false
	for _, j := range s.jobs {
		if j.pid != 0 && !s.belongs(j) {
			s.killJob(j, unix.SIGTERM)
			s.leaving = true
		}
	}
	if s.leaving {
		s.killAt = s.sys.now().Add(killDelay)
	}
}

// killJob signals the process group of j: it leads one.
func (s *supervisor) killJob(j *job, sig unix.Signal) {
	if err := s.sys.kill(-j.pid, sig); err != nil {
		s.sys.kill(j.pid, sig)
	}
}

// advance starts whatever may be started now, and brings a boot or a change of
// level further. It is called after every event.
func (s *supervisor) advance() {
	for {
		if s.phase == phaseDown {
			s.advanceDown()
			return
		}
		if s.leaving {
			if s.stillLeaving() {
				return
			}
			s.leaving = false
		}
		if s.waiting != nil {
			return
		}
		if len(s.queue) > 0 {
			j := s.queue[0]
			s.queue = s.queue[1:]
			if j.pid == 0 && !j.gone && s.startJob(j) && j.Action.Waits() {
				s.waiting = j
			}
			continue
		}
		switch s.phase {
		case phaseSysInit:
			s.phase = phaseBoot
			for _, j := range s.jobs {
				if j.Action == inittab.Boot || j.Action == inittab.BootWait {
					s.queue = append(s.queue, j)
				}
			}
			continue
		case phaseBoot:
			if s.initial == 0 {
				s.initial = defaultLevel
			}
			s.phase = phaseLevel
			c := s.initial
			if c == '0' || c == '6' {
				s.sys.say("initdefault %c would stop the machine: entering %c instead", c, defaultLevel)
				c = defaultLevel
			}
			s.enter(c)
			continue
		}
		if !s.startLevel() {
			return
		}
	}
}

// startLevel starts the entries of the level in the file's order, as far as the
// first that is to be waited for; it tells whether it stopped at one.
func (s *supervisor) startLevel() (waits bool) {
	for _, j := range s.jobs {
		if j.pid != 0 || !s.belongs(j) || s.withoutTerminal(j) {
			continue
		}
		switch j.Action {
		case inittab.Wait, inittab.Once:
			if j.ran {
				continue
			}
			j.ran = true
			if s.startJob(j) && j.Action == inittab.Wait {
				s.waiting = j
				return true
			}
		case inittab.Respawn, inittab.AskFirst:
			s.respawn(j)
		}
	}
	return false
}

// respawn starts j unless it has been started too often of late.
func (s *supervisor) respawn(j *job) {
	now := s.sys.now()
	if now.Before(j.held) {
		return
	}
	for len(j.starts) > 0 && now.Sub(j.starts[0]) > respawnWindow {
		j.starts = j.starts[1:]
	}
	if len(j.starts) >= respawnCount {
		s.sys.say("%s respawns too fast: held back for %v", s.name(j), respawnHold)
		j.starts, j.held = nil, now.Add(respawnHold)
		return
	}
	j.starts = append(j.starts, now)
	s.startJob(j)
}

// startJob starts the process of j; a failure is reported.
func (s *supervisor) startJob(j *job) bool {
	pid, err := s.sys.start(j.Entry, []string{
		"RUNLEVEL=" + string(rune(s.level)), "PREVLEVEL=" + string(rune(s.prev)),
	})
	if err != nil {
		s.sys.say("%s: %s: %v", s.name(j), j.Process, err)
		return false
	}
	j.pid = pid
	return true
}

// name is how messages call j.
func (s *supervisor) name(j *job) string {
	if j.ID == "" {
		return fmt.Sprintf("%s:%d", s.file, j.Line)
	}
	return fmt.Sprintf("%s:%d (%s)", s.file, j.Line, j.ID)
}

// stillLeaving tells whether processes of the old level remain; when their time
// is up they get SIGKILL.
func (s *supervisor) stillLeaving() bool {
	late := !s.sys.now().Before(s.killAt)
	left := false
	for _, j := range s.jobs {
		if j.pid != 0 && !s.belongs(j) {
			left = true
			if late {
				s.killJob(j, unix.SIGKILL)
			}
		}
	}
	if late {
		s.killAt = s.sys.now().Add(killDelay)
	}
	return left
}

// ended notes that the process pid is gone; most are orphans nobody knows.
func (s *supervisor) ended(pid int) {
	for i, j := range s.jobs {
		if j.pid != pid {
			continue
		}
		j.pid = 0
		if s.waiting == j {
			s.waiting = nil
		}
		if j.gone {
			s.jobs = append(s.jobs[:i], s.jobs[i+1:]...)
		}
		return
	}
}

// trigger starts the entries of an action that answers an event.
func (s *supervisor) trigger(a inittab.Action) (any bool) {
	for _, j := range s.jobs {
		if j.gone || j.Action != a || !j.Levels.Has(s.level) && s.level != 'N' {
			continue
		}
		any = true
		if j.pid == 0 {
			s.startJob(j)
		}
	}
	return any
}

// nextTime is when advance has something to do even without an event; zero:
// never.
func (s *supervisor) nextTime() (t time.Time) {
	earlier := func(u time.Time) {
		if !u.IsZero() && (t.IsZero() || u.Before(t)) {
			t = u
		}
	}
	if s.phase == phaseDown {
		earlier(s.down.until)
		return t
	}
	if s.leaving {
		earlier(s.killAt)
	}
	for _, j := range s.jobs {
		if j.pid == 0 && s.belongs(j) {
			earlier(j.held)
		}
	}
	return t
}
