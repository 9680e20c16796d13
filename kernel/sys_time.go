package kernel

import (
	"encoding/binary"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/proc"
)

// Clocks and sleeps: time(7), clock_getres(2), nanosleep(2).

// nsMax is the longest time there is, some 292 years.
const nsMax = 1<<63 - 1

// timeToNs converts seconds and a fraction to nanoseconds, nsMax when it is too long.
func timeToNs(sec, ns int64) int64 {
	if sec >= nsMax/1_000_000_000 {
		return nsMax
	}
	return sec*1e9 + ns
}

// after returns the deadline that is ns from now.
func after(ns int64) int64 {
	if d := wait.Now() + ns; d >= 0 {
		return d
	}
	return nsMax
}

// readTimespec reads a struct timespec and returns it in nanoseconds; EINVAL
// if it is negative or not normalized.
func readTimespec(t *proc.Task, addr uint64) (int64, error) {
	var b [16]byte
	if err := t.AS.CopyIn(b[:], addr); err != nil {
		return 0, err
	}
	sec, ns := int64(binary.LittleEndian.Uint64(b[:])), int64(binary.LittleEndian.Uint64(b[8:]))
	if sec < 0 || uint64(ns) >= 1e9 {
		return 0, unix.EINVAL
	}
	return timeToNs(sec, ns), nil
}

// writeTimespec writes ns as a struct timespec.
func writeTimespec(t *proc.Task, addr uint64, ns int64) error {
	return writePair(t, addr, uint64(ns/1e9), uint64(ns%1e9))
}

// writePair writes two words: struct timespec, struct timeval.
func writePair(t *proc.Task, addr, x, y uint64) error {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], x)
	binary.LittleEndian.PutUint64(b[8:], y)
	return t.AS.CopyOut(addr, b[:])
}

// sysClockGettime is clock_gettime(2).
func sysClockGettime(t *proc.Task, a *Args) (uintptr, error) {
	c, err := t.FindClock(int32(a[0]))
	if err != nil {
		return 0, err
	}
	return 0, writeTimespec(t, a[1], c.Now())
}

// sysClockGetres is clock_getres(2).
func sysClockGetres(t *proc.Task, a *Args) (uintptr, error) {
	c, err := t.FindClock(int32(a[0]))
	if err != nil || a[1] == 0 {
		return 0, err
	}
	return 0, writeTimespec(t, a[1], c.Resolution())
}

// sysClockSettime is clock_settime(2): only the wall clock can be set.
func sysClockSettime(t *proc.Task, a *Args) (uintptr, error) {
	if int32(a[0]) != unix.CLOCK_REALTIME {
		return 0, unix.EINVAL
	}
	ns, err := readTimespec(t, a[1])
	if err != nil {
		return 0, err
	}
	return 0, setWall(t, ns)
}

func setWall(t *proc.Task, ns int64) error {
	if !t.Cred().Capable(unix.CAP_SYS_TIME) {
		return unix.EPERM
	}
	// The machine cannot have been started before 1970, nor can time run out soon.
	if ns < wait.Now() || ns > nsMax-30*365*86400*1e9 {
		return unix.EINVAL
	}
	proc.SetWall(ns)
	return nil
}

// sysClockNanosleep is clock_nanosleep(2): clock, flags, request, remain.
func sysClockNanosleep(t *proc.Task, a *Args) (uintptr, error) {
	c, err := t.FindClock(int32(a[0]))
	if err != nil {
		return 0, err
	}
	if !c.CanSleep() || int32(a[0]) == unix.CLOCK_THREAD_CPUTIME_ID {
		return 0, unix.EOPNOTSUPP
	}
	if c.MeasuresThread(t) {
		return 0, unix.EINVAL // it would never advance
	}
	ns, err := readTimespec(t, a[2])
	if err != nil {
		return 0, err
	}
	return 0, t.Sleep(c, ns, a[1]&unix.TIMER_ABSTIME != 0, remainTo(a[3]))
}

// sysNanosleep is nanosleep(2).
func sysNanosleep(t *proc.Task, a *Args) (uintptr, error) {
	ns, err := readTimespec(t, a[0])
	if err != nil {
		return 0, err
	}
	c, err := t.FindClock(unix.CLOCK_MONOTONIC)
	if err != nil {
		return 0, err
	}
	return 0, t.Sleep(c, ns, false, remainTo(a[1]))
}

// remainTo returns what stores the rest of an interrupted sleep at addr, nil
// if the caller does not want it.
func remainTo(addr uint64) func(*proc.Task, int64) error {
	if addr == 0 {
		return nil
	}
	return func(t *proc.Task, ns int64) error { return writeTimespec(t, addr, ns) }
}

// timezone is what settimeofday(2) stores for gettimeofday(2): minutes west
// and kind of daylight saving time, 32 bits each.
var timezone atomic.Uint64

// sysGettimeofday is gettimeofday(2).
func sysGettimeofday(t *proc.Task, a *Args) (uintptr, error) {
	if a[0] != 0 {
		us := proc.Wall() / 1000
		if err := writePair(t, a[0], uint64(us/1e6), uint64(us%1e6)); err != nil {
			return 0, err
		}
	}
	if a[1] != 0 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], timezone.Load())
		return 0, t.AS.CopyOut(a[1], b[:])
	}
	return 0, nil
}

// sysSettimeofday is settimeofday(2).
func sysSettimeofday(t *proc.Task, a *Args) (uintptr, error) {
	var ns int64
	if a[0] != 0 {
		var b [16]byte
		if err := t.AS.CopyIn(b[:], a[0]); err != nil {
			return 0, err
		}
		sec, us := int64(binary.LittleEndian.Uint64(b[:])), int64(binary.LittleEndian.Uint64(b[8:]))
		if sec < 0 || uint64(us) >= 1e6 {
			return 0, unix.EINVAL
		}
		ns = timeToNs(sec, us*1000)
	}
	var tz uint64
	if a[1] != 0 {
		var b [8]byte
		if err := t.AS.CopyIn(b[:], a[1]); err != nil {
			return 0, err
		}
		tz = binary.LittleEndian.Uint64(b[:])
		if west := int32(tz); west > 15*60 || west < -15*60 {
			return 0, unix.EINVAL
		}
	}
	if !t.Cred().Capable(unix.CAP_SYS_TIME) {
		return 0, unix.EPERM
	}
	if a[1] != 0 {
		timezone.Store(tz)
	}
	if a[0] != 0 {
		return 0, setWall(t, ns)
	}
	return 0, nil
}

// sysTime is time(2): of the same clock as time stamps, so that a file made after
// it does not seem older.
func sysTime(t *proc.Task, a *Args) (uintptr, error) {
	sec := uint64(fs.Now() / 1e9)
	if a[0] != 0 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], sec)
		if err := t.AS.CopyOut(a[0], b[:]); err != nil {
			return 0, err
		}
	}
	return uintptr(sec), nil
}

// sysAdjtimex is adjtimex(2): the clock can be asked, but not tuned.
func sysAdjtimex(t *proc.Task, a *Args) (uintptr, error) { return adjtimex(t, a[0]) }

// sysClockAdjtime is clock_adjtime(2).
func sysClockAdjtime(t *proc.Task, a *Args) (uintptr, error) {
	if _, err := t.FindClock(int32(a[0])); err != nil {
		return 0, err
	}
	if int32(a[0]) != unix.CLOCK_REALTIME {
		return 0, unix.EOPNOTSUPP
	}
	return adjtimex(t, a[1])
}

// timexSize is sizeof(struct timex), whose members lie as below (UAPI linux/timex.h).
const timexSize = 208

func adjtimex(t *proc.Task, addr uint64) (uintptr, error) {
	var b [timexSize]byte
	if err := t.AS.CopyIn(b[:], addr); err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	modes := le.Uint32(b[0:])
	if modes != 0 && modes != unix.ADJ_OFFSET_SS_READ {
		if !t.Cred().Capable(unix.CAP_SYS_TIME) {
			return 0, unix.EPERM
		}
		if modes&unix.ADJ_SETOFFSET != 0 {
			sec, frac := int64(le.Uint64(b[72:])), int64(le.Uint64(b[80:]))
			limit := int64(1e6)
			if modes&unix.ADJ_NANO != 0 {
				limit = 1e9
			}
			if frac < 0 || frac >= limit || sec > 1<<33 || sec < -1<<33 {
				return 0, unix.EINVAL
			}
			if err := setWall(t, proc.Wall()+sec*1e9+frac*(1e9/limit)); err != nil {
				return 0, err
			}
		}
	}
	clear(b[:])
	le.PutUint32(b[0:], modes)
	le.PutUint64(b[24:], 16_000_000) // maxerror: NTP_PHASE_LIMIT, microseconds
	le.PutUint64(b[32:], 16_000_000) // esterror
	le.PutUint32(b[40:], unix.STA_UNSYNC)
	le.PutUint64(b[48:], 2)        // time constant
	le.PutUint64(b[56:], 1)        // precision, microseconds
	le.PutUint64(b[64:], 32768000) // tolerance: 500 ppm
	now := proc.Wall()
	le.PutUint64(b[72:], uint64(now/1e9))
	le.PutUint64(b[80:], uint64(now%1e9/1000))
	le.PutUint64(b[88:], 10000) // tick, microseconds
	if err := t.AS.CopyOut(addr, b[:]); err != nil {
		return 0, err
	}
	return unix.TIME_ERROR, nil // not synchronized
}
