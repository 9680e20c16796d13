package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// Timers: alarm(2), setitimer(2), timer_create(2).

// sysAlarm is alarm(2): it returns the seconds that were left, rounded.
func sysAlarm(t *proc.Task, a *Args) (uintptr, error) {
	old, err := t.Group.SetItimer(unix.ITIMER_REAL, proc.Itimer{Value: int64(uint32(a[0])) * 1e9})
	if err != nil {
		return 0, err
	}
	sec, ns := old.Value/1e9, old.Value%1e9
	if sec == 0 && ns != 0 || ns >= 5e8 {
		sec++
	}
	return uintptr(sec), nil
}

// sysGetitimer is getitimer(2).
func sysGetitimer(t *proc.Task, a *Args) (uintptr, error) {
	it, err := t.Group.GetItimer(int(int32(a[0])))
	if err != nil {
		return 0, err
	}
	return 0, writeItimerval(t, a[1], it)
}

// sysSetitimer is setitimer(2). A null value disarms, as it always has on Linux.
func sysSetitimer(t *proc.Task, a *Args) (uintptr, error) {
	var it proc.Itimer
	if a[1] != 0 {
		var b [32]byte
		if err := t.AS.CopyIn(b[:], a[1]); err != nil {
			return 0, err
		}
		var err error
		if it.Interval, err = timevalNs(b[0:]); err != nil {
			return 0, err
		}
		if it.Value, err = timevalNs(b[16:]); err != nil {
			return 0, err
		}
	}
	old, err := t.Group.SetItimer(int(int32(a[0])), it)
	if err != nil || a[2] == 0 {
		return 0, err
	}
	return 0, writeItimerval(t, a[2], old)
}

// timevalNs converts a struct timeval; EINVAL if it is negative or not normalized.
func timevalNs(b []byte) (int64, error) {
	sec, us := int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))
	if sec < 0 || uint64(us) >= 1e6 {
		return 0, unix.EINVAL
	}
	return timeToNs(sec, us*1000), nil
}

func writeItimerval(t *proc.Task, addr uint64, it proc.Itimer) error {
	var b [32]byte
	le := binary.LittleEndian
	le.PutUint64(b[0:], uint64(it.Interval/1e9))
	le.PutUint64(b[8:], uint64(it.Interval%1e9/1000))
	le.PutUint64(b[16:], uint64(it.Value/1e9))
	le.PutUint64(b[24:], uint64(it.Value%1e9/1000))
	return t.AS.CopyOut(addr, b[:])
}

// sysTimerCreate is timer_create(2): clock, sigevent, where the id goes.
func sysTimerCreate(t *proc.Task, a *Args) (uintptr, error) {
	c, err := t.FindClock(int32(a[0]))
	if err != nil {
		return 0, err
	}
	ev := proc.SigEvent{Notify: proc.SIGEV_SIGNAL, Signo: int32(unix.SIGALRM)}
	if a[1] != 0 {
		var b [64]byte // struct sigevent, asm-generic/siginfo.h
		if err := t.AS.CopyIn(b[:], a[1]); err != nil {
			return 0, err
		}
		le := binary.LittleEndian
		ev = proc.SigEvent{
			Value:  le.Uint64(b[0:]),
			Signo:  int32(le.Uint32(b[8:])),
			Notify: int32(le.Uint32(b[12:])),
			TID:    int32(le.Uint32(b[16:])),
		}
	}
	id, err := t.CreateTimer(c, ev)
	if err != nil {
		return 0, err
	}
	if a[1] == 0 {
		t.Group.SetTimerValue(id)
	}
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(id))
	if err := t.AS.CopyOut(a[2], b[:]); err != nil {
		t.Group.DeleteTimer(id)
		return 0, err
	}
	return 0, nil
}

// readItimerspec reads a struct itimerspec.
func readItimerspec(t *proc.Task, addr uint64) (it proc.Itimer, err error) {
	if it.Interval, err = readTimespec(t, addr); err != nil {
		return it, err
	}
	it.Value, err = readTimespec(t, addr+16)
	return it, err
}

func writeItimerspec(t *proc.Task, addr uint64, it proc.Itimer) error {
	if err := writeTimespec(t, addr, it.Interval); err != nil {
		return err
	}
	return writeTimespec(t, addr+16, it.Value)
}

// sysTimerSettime is timer_settime(2): id, flags, new, old.
func sysTimerSettime(t *proc.Task, a *Args) (uintptr, error) {
	if a[2] == 0 {
		return 0, unix.EINVAL
	}
	it, err := readItimerspec(t, a[2])
	if err != nil {
		return 0, err
	}
	old, err := t.Group.SetTimer(int32(a[0]), it, a[1]&unix.TIMER_ABSTIME != 0)
	if err != nil || a[3] == 0 {
		return 0, err
	}
	return 0, writeItimerspec(t, a[3], old)
}

// sysTimerGettime is timer_gettime(2).
func sysTimerGettime(t *proc.Task, a *Args) (uintptr, error) {
	it, err := t.Group.GetTimer(int32(a[0]))
	if err != nil {
		return 0, err
	}
	return 0, writeItimerspec(t, a[1], it)
}

// sysTimerGetoverrun is timer_getoverrun(2).
func sysTimerGetoverrun(t *proc.Task, a *Args) (uintptr, error) {
	n, err := t.Group.TimerOverrun(int32(a[0]))
	return uintptr(n), err
}

// sysTimerDelete is timer_delete(2).
func sysTimerDelete(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.Group.DeleteTimer(int32(a[0]))
}

// sysTimerfdCreate is timerfd_create(2).
func sysTimerfdCreate(t *proc.Task, a *Args) (uintptr, error) {
	flags := int(int32(a[1]))
	if flags&^(unix.TFD_CLOEXEC|unix.TFD_NONBLOCK) != 0 {
		return 0, unix.EINVAL
	}
	f, err := t.NewTimerFile(int32(a[0]), flags&unix.TFD_NONBLOCK)
	if err != nil {
		return 0, err
	}
	return installNew(t, f, flags&unix.TFD_CLOEXEC != 0)
}

// sysTimerfdSettime is timerfd_settime(2): descriptor, flags, new, old.
func sysTimerfdSettime(t *proc.Task, a *Args) (uintptr, error) {
	it, err := readItimerspec(t, a[2])
	if err != nil {
		return 0, err
	}
	f, err := t.FSContext().Files.Get(int32(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	tf, err := proc.TimerFileOf(f)
	if err != nil {
		return 0, err
	}
	old, err := tf.Set(it, int(int32(a[1])))
	if err != nil || a[3] == 0 {
		return 0, err
	}
	return 0, writeItimerspec(t, a[3], old)
}

// sysTimerfdGettime is timerfd_gettime(2).
func sysTimerfdGettime(t *proc.Task, a *Args) (uintptr, error) {
	f, err := t.FSContext().Files.Get(int32(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	tf, err := proc.TimerFileOf(f)
	if err != nil {
		return 0, err
	}
	return 0, writeItimerspec(t, a[1], tf.Get())
}
