package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/initramfs/inittab"
)

// A world is a system whose processes exist only in the test.
type world struct {
	t     *testing.T
	s     *supervisor
	file  string
	clock time.Time
	next  int
	alive map[int]string  // pid → command
	log   []string        // starts, signals, messages
	deaf  map[string]bool // commands that ignore SIGTERM
	lacks []string        // terminals that there are none of
	gone  downKind
}

func newWorld(t *testing.T, table string) *world {
	w := &world{t: t, file: filepath.Join(t.TempDir(), "inittab"), clock: time.Unix(1e9, 0), next: 10,
		alive: map[int]string{}, deaf: map[string]bool{}}
	w.write(table)
	return w
}

func (w *world) write(table string) {
	if err := os.WriteFile(w.file, []byte(table), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) boot(initial byte) *world {
	w.s = newSupervisor(system{
		start: func(e inittab.Entry, env []string) (int, error) {
			if strings.HasPrefix(e.Process, "/missing") {
				return 0, os.ErrNotExist
			}
			w.next++
			w.alive[w.next] = e.Process
			w.log = append(w.log, "+"+e.Process)
			return w.next, nil
		},
		kill: func(pid int, sig unix.Signal) error {
			var hit []int
			for p := range w.alive {
				if pid == -1 || p == pid || p == -pid {
					hit = append(hit, p)
				}
			}
			if len(hit) == 0 {
				return unix.ESRCH
			}
			slices.Sort(hit)
			for _, p := range hit {
				if sig != unix.SIGCONT && sig != 0 {
					w.log = append(w.log, fmt.Sprintf("%v %s", sig, w.alive[p]))
				}
				if sig == unix.SIGKILL || sig == unix.SIGTERM && !w.deaf[w.alive[p]] {
					delete(w.alive, p)
					w.s.ended(p)
				}
			}
			return nil
		},
		alone: func() bool { return len(w.alive) == 0 },
		now:   func() time.Time { return w.clock },
		say:   func(f string, a ...any) { w.log = append(w.log, "! "+fmt.Sprintf(f, a...)) },
		there: func(id string) bool { return !slices.Contains(w.lacks, id) },
		note:  func(f string, a ...any) { w.log = append(w.log, "~ "+fmt.Sprintf(f, a...)) },
		down:  func(k downKind, restart string) { w.gone = k },
	}, w.file, initial)
	w.s.advance()
	return w
}

// exit ends the process that runs command.
func (w *world) exit(command string) {
	w.t.Helper()
	for pid, c := range w.alive {
		if c == command {
			delete(w.alive, pid)
			w.s.ended(pid)
			w.s.advance()
			return
		}
	}
	w.t.Fatalf("%s does not run; the log: %q", command, w.log)
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.clock = w.clock.Add(d)
	w.s.advance()
}

// wants compares what has happened since the last time, without the messages
// (unless the expectation holds one).
func (w *world) wants(want ...string) {
	w.t.Helper()
	var got []string
	for _, l := range w.log {
		if !strings.HasPrefix(l, "! ") {
			got = append(got, l)
		}
	}
	w.log = nil
	if !slices.Equal(got, want) {
		w.t.Fatalf("got  %q\nwant %q", got, want)
	}
}

const table = `
id:3:initdefault:
a::sysinit:/sys1
b::sysinit:/sys2
c::bootwait:/bootwait
d::boot:/boot
e:23:wait:/wait
f:3:once:/once
g:3:respawn:/respawn3
h:2345:respawn:/respawn2345
i:2:respawn:/respawn2
cad::ctrlaltdel:/cad
pf::powerfail:/pf
sd::shutdown:/sd
od:a:ondemand:/od
`

// booted is a world that has come up to level 3.
func booted(t *testing.T) *world {
	w := newWorld(t, table).boot(0)
	w.exit("/sys1")
	w.exit("/sys2")
	w.exit("/bootwait")
	w.exit("/wait")
	w.log = nil
	return w
}

func TestBootOrder(t *testing.T) {
	w := newWorld(t, table).boot(0)
	w.wants("+/sys1")
	w.exit("/sys1")
	w.wants("+/sys2")
	w.exit("/sys2")
	w.wants("+/bootwait")
	w.exit("/bootwait")
	w.wants("+/boot", "+/wait")
	w.exit("/boot")
	w.wants()
	w.exit("/wait")
	w.wants("+/once", "+/respawn3", "+/respawn2345")
	w.exit("/once")
	w.exit("/respawn3")
	w.wants("+/respawn3")
}

func TestArgumentChoosesLevel(t *testing.T) {
	w := newWorld(t, "a:2:respawn:/two\nb:S:respawn:/single\nid:2:initdefault:\n").boot('S')
	w.wants("+/single")
}

func TestNoDefaultLevel(t *testing.T) {
	newWorld(t, "::respawn:/x\n").boot(0).wants("+/x")
	newWorld(t, "id:0:initdefault:\n::respawn:/x\n").boot(0).wants("+/x")
}

func TestMissingTable(t *testing.T) {
	w := newWorld(t, "")
	os.Remove(w.file)
	w.boot(0).wants("+/bin/sh")
	w = newWorld(t, "nonsense\n").boot(0)
	if w.log[0] != fmt.Sprintf("! %s:1: 1 fields where id:runlevels:action:process are wanted (line skipped)", w.file) {
		t.Errorf("messages: %q", w.log)
	}
	w.wants("+/bin/sh")
}

func TestFailedStartIsSkipped(t *testing.T) {
	w := newWorld(t, "a::sysinit:/missing1\nb:3:wait:/missing2\nc:3:once:/ok\n").boot(0)
	w.wants("+/ok")
}

func TestChangeOfLevel(t *testing.T) {
	w := booted(t)
	w.s.setLevel('2')
	w.s.advance()
	// respawn2345 stays, respawn3 goes, then the level's own come up.
	w.wants("terminated /once", "terminated /respawn3", "+/wait")
	w.exit("/wait")
	w.wants("+/respawn2")
	w.s.setLevel('2')
	w.s.advance()
	w.wants() // already there
}

func TestDeafProcessIsKilled(t *testing.T) {
	w := booted(t)
	w.deaf["/respawn3"] = true
	w.s.setLevel('2')
	w.s.advance()
	w.wants("terminated /once", "terminated /respawn3")
	w.pass(killDelay - time.Millisecond)
	w.wants()
	if got, want := w.s.nextTime(), w.clock.Add(time.Millisecond); !got.Equal(want) {
		t.Errorf("the next time is %v, want %v", got, want)
	}
	w.pass(time.Millisecond)
	w.pass(0)
	w.wants("killed /respawn3", "+/wait")
}

func TestRespawnsTooFast(t *testing.T) {
	w := newWorld(t, "x:3:respawn:/x\n").boot(0)
	for i := 1; i < respawnCount; i++ {
		w.exit("/x")
	}
	if n := len(w.alive); n != 1 {
		t.Fatalf("after %d starts %d run, want 1", respawnCount, n)
	}
	w.log = nil
	w.exit("/x")
	if len(w.alive) != 0 || len(w.log) != 1 || !strings.Contains(w.log[0], "(x) respawns too fast: held back for 5m0s") {
		t.Fatalf("runs %v, log %q", w.alive, w.log)
	}
	w.pass(respawnHold - time.Second)
	if len(w.alive) != 0 {
		t.Error("started while held back")
	}
	w.pass(time.Second)
	if len(w.alive) != 1 {
		t.Error("not started again after the hold")
	}
	// Slow enough is never held back.
	for range 50 {
		w.pass(respawnWindow/respawnCount + time.Second)
		w.exit("/x")
	}
	if len(w.alive) != 1 {
		t.Error("held back though slow")
	}
	// telinit q lets it go at once.
	for len(w.alive) == 1 {
		w.exit("/x")
	}
	w.s.request(request{level: 'Q'})
	w.s.advance()
	if len(w.alive) != 1 {
		t.Error("still held back after telinit q")
	}
}

func TestReadAgain(t *testing.T) {
	w := booted(t)
	w.write(strings.Replace(strings.Replace(table, "/respawn3", "/changed", 1), "f:3:once:/once\n", "new:3:respawn:/new\nonce:3:once:/late\n", 1))
	w.s.signal(unix.SIGHUP)
	w.s.advance()
	w.wants("terminated /once", "terminated /respawn3", "+/new", "+/changed")
	os.Remove(w.file)
	w.s.signal(unix.SIGHUP) // the old table stays
	w.s.advance()
	w.wants()
}

func TestHandlers(t *testing.T) {
	w := booted(t)
	w.s.signal(unix.SIGINT)
	w.s.advance()
	w.s.signal(unix.SIGPWR)
	w.s.request(request{level: 'a'})
	w.s.advance()
	w.wants("+/cad", "+/pf", "+/od")
	if w.s.level != '3' {
		t.Errorf("the on-demand level became the runlevel: %c", w.s.level)
	}
}

func TestWayDown(t *testing.T) {
	for sig, kind := range map[unix.Signal]downKind{unix.SIGUSR1: downHalt, unix.SIGUSR2: downPowerOff, unix.SIGTERM: downReboot} {
		w := booted(t)
		w.alive[999] = "/orphan"
		w.deaf["/orphan"] = true
		w.s.signal(sig)
		w.s.advance()
		w.wants("+/sd")
		w.s.setLevel('2') // too late
		w.s.advance()
		w.exit("/sd")
		w.log = nil
		w.pass(0)
		if w.gone != downNone || len(w.alive) != 1 {
			t.Fatalf("%v: gone %v with %v alive", sig, w.gone, w.alive)
		}
		w.pass(killDelay)
		w.pass(0)
		if w.gone != kind || len(w.alive) != 0 {
			t.Errorf("%v: gone %v, alive %v; want %v", sig, w.gone, w.alive, kind)
		}
	}
}

func TestWayDownDuringBoot(t *testing.T) {
	w := newWorld(t, table).boot(0)
	w.s.signal(unix.SIGUSR2)
	w.s.advance()
	w.exit("/sd")
	w.pass(0)
	if w.gone != downPowerOff {
		t.Errorf("gone %v; log %q", w.gone, w.log)
	}
}

func TestRequests(t *testing.T) {
	for _, c := range "0123456SQUHabc" {
		if r, ok := decode(request{level: byte(c)}.encode()); !ok || r.level != byte(c) {
			t.Errorf("%c: %v, %v", c, r, ok)
		}
	}
	for _, b := range [][]byte{nil, make([]byte, requestSize), make([]byte, 10)} {
		if _, ok := decode(b); ok {
			t.Errorf("%d bytes of nothing are a request", len(b))
		}
	}
}

func TestUntilWhen(t *testing.T) {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for when, want := range map[string]time.Duration{"now": 0, "+0": 0, "+5": 5 * time.Minute, "12:30": 30 * time.Minute, "11:00": 23 * time.Hour} {
		if got, err := untilWhen(when, now); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", when, got, err, want)
		}
	}
	for _, when := range []string{"", "+", "+x", "25:00", "soon", "-5"} {
		if _, err := untilWhen(when, now); err == nil {
			t.Errorf("%q is a time", when)
		}
	}
}

func TestCommand(t *testing.T) {
	for process, want := range map[string]string{
		"/bin/x a  b":       "/bin/x|a|b",
		"/bin/x > /dev/y":   "/bin/sh|-c|/bin/x > /dev/y",
		"/bin/x; /bin/y":    "/bin/sh|-c|/bin/x; /bin/y",
		"/bin/x a-b_c/d,e:": "/bin/x|a-b_c/d,e:",
	} {
		if got := strings.Join(command(inittab.Entry{Process: process}), "|"); got != want {
			t.Errorf("%s: %s, want %s", process, got, want)
		}
	}
}

func TestParseStat(t *testing.T) {
	if pid, ppid := parseStat("12 (a) b (c) S 7 12 0"); pid != 12 || ppid != 7 {
		t.Errorf("got %d, %d", pid, ppid)
	}
	if pid, ppid := parseStat("garbage"); pid != 0 || ppid != 0 {
		t.Errorf("got %d, %d", pid, ppid)
	}
}

func TestEntriesWithoutTheirTerminalAreLeftOut(t *testing.T) {
	w := newWorld(t, `
id:3:initdefault:
ttyS0:3:respawn:/getty0
tty1:3:respawn:/getty1
t1:3:respawn:/other
`)
	w.lacks = []string{"tty1", "t1"}
	w.boot(0)
	w.wants("+/getty0", "~ "+w.file+":4 (tty1): there is no terminal tty1: left out", "+/other")
	w.s.read(false) // the log does not say it again
	w.s.advance()
	w.wants()
	w.exit("/getty0")
	w.wants("+/getty0")
	w.lacks = nil // the terminal has come
	w.s.advance()
	w.wants("+/getty1")
}
