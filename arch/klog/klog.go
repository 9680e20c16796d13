package klog

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Level is a record's importance, with syslog(2)'s numbers.
type Level uint8

const (
	Emerg   Level = iota // the system is unusable
	Alert                // act at once
	Crit                 // critical condition
	Err                  // error
	Warning              // warning
	Notice               // normal but significant
	Info                 // informational
	Debug                // debugging
)

// Facility of a record, as in syslog(3).
const (
	Kernel uint8 = 0
	User   uint8 = 1
)

// Record is one entry of the log.
type Record struct {
	Seq      uint64        // counts up from 0; no number is used twice
	Time     time.Duration // since boot
	Level    Level
	Facility uint8
	Text     string // without a newline at its end
}

// Printf formats one record.
func Printf(l Level, format string, a ...any) { Write(l, fmt.Sprintf(format, a...)) }

// Emergf, Errorf, Warnf, Noticef, Infof and Debugf are Printf with a level.
func Emergf(format string, a ...any)  { Printf(Emerg, format, a...) }
func Errorf(format string, a ...any)  { Printf(Err, format, a...) }
func Warnf(format string, a ...any)   { Printf(Warning, format, a...) }
func Noticef(format string, a ...any) { Printf(Notice, format, a...) }
func Infof(format string, a ...any)   { Printf(Info, format, a...) }
func Debugf(format string, a ...any)  { Printf(Debug, format, a...) }

// Write appends one record as it is. A newline at its end is dropped.
func Write(l Level, msg string) { WriteAs(l, Kernel, msg) }

// WriteAs is Write for another facility: user programs log through /dev/kmsg.
func WriteAs(l Level, facility uint8, msg string) {
	for len(msg) > 0 && msg[len(msg)-1] == '\n' {
		msg = msg[:len(msg)-1]
	}
	log.mu.Lock()
	r := log.append(l&7, facility, msg, now())
	mirror := l < log.threshold() && log.console != nil
	w := log.console
	log.mu.Unlock()

	if mirror {
		printTo(w, r)
	}
	if f := notify.Load(); f != nil {
		(*f)()
	}
}

// WriteEarly appends a record of the kernel from before there was a log, with the
// time since boot that it had. It has been on the console then.
func WriteEarly(l Level, at time.Duration, msg string) {
	log.mu.Lock()
	defer log.mu.Unlock()
	log.append(l&7, Kernel, msg, at)
}

// SetConsole makes w print the records that are important enough, and prints
// those already in the log. w must be safe to call from any goroutine at any
// time. nil: no console.
func SetConsole(w func(p []byte)) {
	log.mu.Lock()
	log.console = w
	level := log.consoleLevel
	first, next := log.first, log.next
	log.mu.Unlock()
	if w == nil {
		return
	}
	for seq := first; seq < next; {
		r, n, ok := Read(seq)
		if !ok {
			break
		}
		if r.Seq < next && r.Level < level {
			printTo(w, r)
		}
		seq = n
	}
}

// SetConsoleLevel sets which records go to the console: those with a level
// below l. It returns the level before.
func SetConsoleLevel(l Level) Level {
	log.mu.Lock()
	defer log.mu.Unlock()
	old := log.consoleLevel
	log.consoleLevel = l
	return old
}

// ConsoleLevel returns what SetConsoleLevel set.
func ConsoleLevel() Level {
	log.mu.Lock()
	defer log.mu.Unlock()
	return log.consoleLevel
}

// Loud prints everything but debugging records to the console, whatever
// SetConsoleLevel says, until the function that it returns is called, once. Several
// may overlap.
func Loud() (end func()) {
	add := func(n int) {
		log.mu.Lock()
		defer log.mu.Unlock()
		log.loud += n
	}
	add(1)
	return func() { add(-1) }
}

// threshold is the level below which records go to the console. Precondition: mu
// held.
func (g *ring) threshold() Level {
	if g.loud > 0 {
		return max(g.consoleLevel, Debug)
	}
	return g.consoleLevel
}

// SetClock gives the log its clock: nanoseconds since boot. Before it is set,
// records carry the time since the program started.
func SetClock(now func() int64) { clock.Store(&now) }

// SetNotify has f called after each append, with no lock held, on the
// goroutine that logged. f must not log and must not block.
func SetNotify(f func()) { notify.Store(&f) }

// Read returns the record with number seq, or the oldest one after it that is
// still there, and the number to read next. ok is false when there is none yet.
func Read(seq uint64) (r Record, next uint64, ok bool) {
	log.mu.Lock()
	defer log.mu.Unlock()
	return log.read(seq)
}

// First returns the number of the oldest record still in the log.
func First() uint64 {
	log.mu.Lock()
	defer log.mu.Unlock()
	return log.first
}

// Next returns the number that the next record will get.
func Next() uint64 {
	log.mu.Lock()
	defer log.mu.Unlock()
	return log.next
}

// Size returns the bytes of text that the log holds at most (syslog(2),
// SYSLOG_ACTION_SIZE_BUFFER).
func Size() int { return textSize }

var (
	clock  atomic.Pointer[func() int64]
	notify atomic.Pointer[func()]
	start  = time.Now()
)

func now() time.Duration {
	if f := clock.Load(); f != nil {
		return time.Duration((*f)())
	}
	return time.Since(start)
}

// printTo writes a record as the console shows it: "[    1.234567] text".
func printTo(w func([]byte), r Record) {
	b := make([]byte, 0, len(r.Text)+20)
	b = AppendPrefix(b, r.Time)
	for i := range len(r.Text) {
		c := r.Text[i]
		if c == '\n' {
			b = append(b, '\r', '\n')
			b = AppendPrefix(b, r.Time)
			continue
		}
		b = append(b, c)
	}
	w(append(b, '\r', '\n'))
}

// AppendPrefix appends a time stamp as dmesg shows it, "[    1.234567] ".
func AppendPrefix(b []byte, t time.Duration) []byte {
	return fmt.Appendf(b, "[%5d.%06d] ", t/time.Second, t%time.Second/time.Microsecond)
}
