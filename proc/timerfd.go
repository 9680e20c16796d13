package proc

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// TimerFile is an open timerfd, timerfd_create(2).
type TimerFile struct {
	fs.BaseOps
	ready wait.Queue // woken when it expires or is cancelled

	mu        sync.Mutex // guards everything below
	alarm     alarm
	interval  int64
	ticks     uint64 // expirations nobody has read
	expired   bool   // periodic, and not armed again since it expired
	cancelOn  bool   // TFD_TIMER_CANCEL_ON_SET
	seen      uint64 // wallGeneration when it was set
	listening wait.Entry
}

// NewTimerFile implements timerfd_create(2) but for the descriptor.
func (t *Task) NewTimerFile(clock int32, flags int) (*fs.File, error) {
	switch clock {
	case unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC, unix.CLOCK_BOOTTIME:
	case unix.CLOCK_REALTIME_ALARM, unix.CLOCK_BOOTTIME_ALARM:
		if !t.Cred().Capable(unix.CAP_WAKE_ALARM) {
			return nil, unix.EPERM
		}
	default:
		return nil, unix.EINVAL
	}
	c, err := t.FindClock(clock)
	if err != nil {
		return nil, err
	}
	tf := new(TimerFile)
	tf.alarm.clock, tf.alarm.fn = c, tf.expire
	// Whoever waits has to hear of a clock that was set.
	tf.listening.Func = func(*wait.Entry, uint32) { tf.ready.WakeAll(^uint32(0)) }
	f, err := t.fsctx.NewAnonFile("anon_inode:[timerfd]", tf, unix.O_RDWR|flags)
	if err != nil {
		return nil, err
	}
	wallSet.AddFunc(&tf.listening)
	return f, nil
}

// expire runs when the time has come.
func (tf *TimerFile) expire() {
	tf.mu.Lock()
	defer tf.mu.Unlock()
	if !tf.alarm.expired() {
		return
	}
	tf.ticks++
	tf.expired = tf.interval != 0
	tf.ready.WakeAll(unix.POLLIN)
}

// goOn arms an expired periodic timer again. tf.mu is held.
func (tf *TimerFile) goOn() {
	if tf.expired {
		tf.expired = false
		tf.ticks += uint64(tf.alarm.forward(tf.interval) - 1)
		tf.alarm.arm()
	}
}

// cancelled reports whether the clock has been set under a timer that minds. tf.mu is held.
func (tf *TimerFile) cancelled() bool { return tf.cancelOn && wallGeneration() != tf.seen }

// TimerFileOf returns what timerfd_settime and timerfd_gettime work on; EINVAL
// if f is no timerfd.
func TimerFileOf(f *fs.File) (*TimerFile, error) {
	if tf, ok := f.Ops().(*TimerFile); ok {
		return tf, nil
	}
	return nil, unix.EINVAL
}

// Set implements timerfd_settime(2) and returns the old setting.
func (tf *TimerFile) Set(it Itimer, flags int) (Itimer, error) {
	if flags&^(unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET) != 0 {
		return Itimer{}, unix.EINVAL
	}
	tf.mu.Lock()
	defer tf.mu.Unlock()
	tf.goOn()
	old := tf.setting()
	tf.alarm.stop()
	tf.ticks, tf.expired = 0, false
	tf.interval = it.Interval
	abs := flags&unix.TFD_TIMER_ABSTIME != 0
	tf.cancelOn = abs && flags&unix.TFD_TIMER_CANCEL_ON_SET != 0 && tf.alarm.clock.isWall()
	tf.seen = wallGeneration()
	if it.Value != 0 {
		when := it.Value
		if !abs {
			when = addTime(tf.alarm.clock.Now(), it.Value)
		}
		tf.alarm.set(when, abs)
	}
	return old, nil
}

// Get implements timerfd_gettime(2).
func (tf *TimerFile) Get() Itimer {
	tf.mu.Lock()
	defer tf.mu.Unlock()
	tf.goOn()
	return tf.setting()
}

func (tf *TimerFile) setting() Itimer {
	it := Itimer{Interval: tf.interval}
	if tf.alarm.armed {
		it.Value = max(tf.alarm.left(), 1)
	}
	return it
}

// Read returns the number of expirations since the last one, 8 bytes.
func (tf *TimerFile) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, pos *int64) (int, error) {
	if it.Len() < 8 {
		return 0, unix.EINVAL
	}
	var n uint64
	var failed error
	take := func() bool {
		tf.mu.Lock()
		defer tf.mu.Unlock()
		if tf.cancelled() {
			tf.seen, tf.ticks = wallGeneration(), 0
			failed = unix.ECANCELED
			return true
		}
		if tf.ticks == 0 {
			return false
		}
		tf.goOn()
		n, tf.ticks = tf.ticks, 0
		return true
	}
	switch {
	case f.Nonblock():
		if !take() {
			return 0, unix.EAGAIN
		}
	default:
		if err := tf.ready.Wait(ctx.Thread, wait.Never, take); err != nil {
			return 0, err
		}
	}
	if failed != nil {
		return 0, failed
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	return it.CopyTo(b[:])
}

// Poll implements fs.FileOps.
func (tf *TimerFile) Poll(f *fs.File, pt *wait.PollTable) uint32 {
	pt.Add(&tf.ready, unix.POLLIN)
	tf.mu.Lock()
	defer tf.mu.Unlock()
	if tf.ticks != 0 || tf.cancelled() {
		return unix.POLLIN
	}
	return 0
}

// Release implements fs.FileOps.
func (tf *TimerFile) Release(f *fs.File) {
	wallSet.Remove(&tf.listening)
	tf.mu.Lock()
	defer tf.mu.Unlock()
	tf.alarm.stop()
	tf.interval = 0
}
