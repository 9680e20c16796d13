package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"tamarix/scripts/bench/measure"
)

// A progress shows on the terminal what runs, how much of it there is, and when
// it will be through. Where the output is no terminal, it is a line for each step.
type progress struct {
	mu       sync.Mutex
	steps    []step
	current  int
	started  time.Time // of everything
	begun    time.Time // of the current step
	done     float64   // expected cost of the finished steps ...
	took     float64   // ... and what they took, in seconds
	rows     int       // of the boot that spoke last
	row      int
	name     string
	terminal bool
	width    int
}

func newProgress(steps []step) *progress {
	st, err := os.Stderr.Stat()
	return &progress{steps: steps, started: time.Now(), terminal: err == nil && st.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) begin(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.begun, p.row, p.rows, p.name = i, time.Now(), 0, 0, "starting"
	if p.terminal {
		p.draw()
	} else {
		fmt.Fprintln(os.Stderr, p.line())
	}
}

func (p *progress) finish(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += p.steps[i].cost
	p.took += time.Since(p.begun).Seconds()
}

// heard takes in what a machine says.
func (p *progress) heard(s measure.Said) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s.Kind {
	case "BEGIN":
		p.rows, p.row = s.Numbers[0], 0
	case "START":
		p.row, p.name = p.row+1, s.Name
	default:
		return
	}
	if p.terminal {
		p.draw()
	}
}

// say writes a line of its own.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(os.Stderr, "    "+format+"\n", args...)
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.terminal {
		fmt.Fprintf(os.Stderr, "\r%s\r", strings.Repeat(" ", p.width))
	}
}

func (p *progress) draw() {
	p.clear()
	line := p.line()
	p.width = len(line)
	fmt.Fprint(os.Stderr, line)
}

// line is the state in words.
func (p *progress) line() string {
	s := fmt.Sprintf("[%d/%d] %s", p.current+1, len(p.steps), p.steps[p.current].what)
	if p.rows > 0 {
		s += fmt.Sprintf(": %s (%d of %d)", p.name, min(p.row, p.rows), p.rows)
	}
	s += "; " + minutes(time.Since(p.started))
	return s + ", about " + minutes(p.left()) + " left"
}

// left estimates the time to the end: the expected costs of what is to come, at
// the pace of what is done.
func (p *progress) left() time.Duration {
	var rest float64
	for _, s := range p.steps[p.current:] {
		rest += s.cost
	}
	pace := 1.0
	if p.done > 0 {
		pace = p.took / p.done
	}
	left := rest*pace - time.Since(p.begun).Seconds()
	return time.Duration(max(left, 0) * float64(time.Second))
}

func minutes(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
