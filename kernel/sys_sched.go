package kernel

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/proc"
)

// Scheduling: sched(7).

func sysSchedYield(t *proc.Task, a *Args) (uintptr, error) {
	t.Yield()
	return 0, nil
}

// sysGetpriority is getpriority(2): 20 - nice, so that it is never negative.
func sysGetpriority(t *proc.Task, a *Args) (uintptr, error) {
	best := 0
	err := t.EachPriorityTarget(int(int32(a[0])), int32(a[1]), func(o *proc.Task) {
		best = max(best, 20-o.Nice())
	})
	if err == nil && best == 0 {
		err = unix.ESRCH
	}
	return uintptr(best), err
}

// sysSetpriority is setpriority(2).
func sysSetpriority(t *proc.Task, a *Args) (uintptr, error) {
	var result error = unix.ESRCH
	err := t.EachPriorityTarget(int(int32(a[0])), int32(a[1]), func(o *proc.Task) {
		e := t.SetNice(o, int(int32(a[2])))
		if result == nil || result == unix.ESRCH {
			result = e
		} else if e != nil {
			result = e
		}
	})
	if err != nil {
		return 0, err
	}
	return 0, result
}

// sysSchedGetscheduler is sched_getscheduler(2).
func sysSchedGetscheduler(t *proc.Task, a *Args) (uintptr, error) {
	o, err := t.SchedTask(int32(a[0]))
	if err != nil {
		return 0, err
	}
	policy, _ := o.Scheduler()
	return uintptr(policy), nil
}

// sysSchedSetscheduler is sched_setscheduler(2).
func sysSchedSetscheduler(t *proc.Task, a *Args) (uintptr, error) {
	policy := int(int32(a[1]))
	if policy < 0 {
		return 0, unix.EINVAL
	}
	return setScheduler(t, a[0], policy, a[2])
}

// sysSchedSetparam is sched_setparam(2).
func sysSchedSetparam(t *proc.Task, a *Args) (uintptr, error) { return setScheduler(t, a[0], -1, a[1]) }

func setScheduler(t *proc.Task, tid uint64, policy int, param uint64) (uintptr, error) {
	if param == 0 || int32(tid) < 0 {
		return 0, unix.EINVAL
	}
	priority, err := t.AS.Read32(param)
	if err != nil {
		return 0, err
	}
	o, err := t.SchedTask(int32(tid))
	if err != nil {
		return 0, err
	}
	return 0, t.SetScheduler(o, policy, int(int32(priority)), nil)
}

// sysSchedGetparam is sched_getparam(2).
func sysSchedGetparam(t *proc.Task, a *Args) (uintptr, error) {
	if a[1] == 0 {
		return 0, unix.EINVAL
	}
	o, err := t.SchedTask(int32(a[0]))
	if err != nil {
		return 0, err
	}
	_, priority := o.Scheduler()
	return 0, t.AS.Write32(a[1], uint32(priority))
}

// schedAttrSize is the first size of struct sched_attr (UAPI linux/sched/types.h);
// schedAttrMax the present one.
const (
	schedAttrSize = 48
	schedAttrMax  = 56
)

// sysSchedGetattr is sched_getattr(2).
func sysSchedGetattr(t *proc.Task, a *Args) (uintptr, error) {
	size := uint32(a[2])
	if a[1] == 0 || int32(a[0]) < 0 || size > arch.PageSize || size < schedAttrSize || uint32(a[3]) != 0 {
		return 0, unix.EINVAL
	}
	o, err := t.SchedTask(int32(a[0]))
	if err != nil {
		return 0, err
	}
	policy, priority := o.Scheduler()
	n := min(size, schedAttrMax)
	var b [schedAttrMax]byte
	put32(b[:], 0, n)
	put32(b[:], 4, uint32(policy&^proc.SchedResetOnFork))
	if policy&proc.SchedResetOnFork != 0 {
		put64(b[:], 8, 1) // SCHED_FLAG_RESET_ON_FORK
	}
	put32(b[:], 16, uint32(int32(o.Nice())))
	put32(b[:], 20, uint32(priority))
	return 0, t.AS.CopyOut(a[1], b[:n])
}

// sysSchedSetattr is sched_setattr(2).
func sysSchedSetattr(t *proc.Task, a *Args) (uintptr, error) {
	if a[1] == 0 || int32(a[0]) < 0 || uint32(a[2]) != 0 {
		return 0, unix.EINVAL
	}
	size, err := t.AS.Read32(a[1])
	if err != nil {
		return 0, err
	}
	if size == 0 {
		size = schedAttrSize
	}
	if size < schedAttrSize || size > arch.PageSize {
		t.AS.Write32(a[1], schedAttrMax)
		return 0, unix.E2BIG
	}
	var b [schedAttrMax]byte
	if err := copyStruct(t, b[:], a[1], uint64(size)); err != nil {
		return 0, err
	}
	policy, flags := int(int32(get32(b[:], 4))), get64(b[:], 8)
	if policy < 0 || flags&^1 != 0 {
		return 0, unix.EINVAL
	}
	if flags&1 != 0 {
		policy |= proc.SchedResetOnFork
	}
	o, err := t.SchedTask(int32(a[0]))
	if err != nil {
		return 0, err
	}
	nice := int(int32(get32(b[:], 16)))
	return 0, t.SetScheduler(o, policy, int(int32(get32(b[:], 20))), &nice)
}

func sysSchedGetPriorityMax(t *proc.Task, a *Args) (uintptr, error) {
	_, hi, err := proc.PriorityRange(int(int32(a[0])))
	return uintptr(hi), err
}

func sysSchedGetPriorityMin(t *proc.Task, a *Args) (uintptr, error) {
	lo, _, err := proc.PriorityRange(int(int32(a[0])))
	return uintptr(lo), err
}

// timeSlice is what sched_rr_get_interval(2) reports: the Go scheduler's.
const timeSlice = 10_000_000

func sysSchedRRGetInterval(t *proc.Task, a *Args) (uintptr, error) {
	o, err := t.SchedTask(int32(a[0]))
	if err != nil {
		return 0, err
	}
	ns := int64(timeSlice)
	if policy, _ := o.Scheduler(); policy&^proc.SchedResetOnFork == proc.SchedFIFO {
		ns = 0
	}
	return 0, writeTimespec(t, a[1], ns)
}

// sysSchedGetaffinity is sched_getaffinity(2): it returns the size of the mask.
func sysSchedGetaffinity(t *proc.Task, a *Args) (uintptr, error) {
	size := uint32(a[1])
	if size*8 < uint32(arch.NumCPU()) || size&7 != 0 {
		return 0, unix.EINVAL
	}
	o, err := t.SchedTask(int32(a[0]))
	if err != nil {
		return 0, err
	}
	mask := o.Affinity()
	n := min(int(size)/8, len(mask))
	for i := range n {
		if err := t.AS.Write64(a[2]+8*uint64(i), mask[i]); err != nil {
			return 0, err
		}
	}
	return uintptr(8 * n), nil
}

// sysSchedSetaffinity is sched_setaffinity(2).
func sysSchedSetaffinity(t *proc.Task, a *Args) (uintptr, error) {
	n := min(uint32(a[1]), 1024/8)
	b := make([]byte, (n+7)&^7)
	if err := t.AS.CopyIn(b[:n], a[2]); err != nil {
		return 0, err
	}
	o, err := t.SchedTask(int32(a[0]))
	if err != nil {
		return 0, err
	}
	mask := make([]uint64, len(b)/8)
	for i := range mask {
		mask[i] = get64(b, 8*i)
	}
	return 0, t.SetAffinity(o, mask)
}

// sysGetcpu is getcpu(2).
func sysGetcpu(t *proc.Task, a *Args) (uintptr, error) {
	if a[0] != 0 {
		if err := t.AS.Write32(a[0], uint32(arch.CurrentCPU())); err != nil {
			return 0, err
		}
	}
	if a[1] != 0 {
		return 0, t.AS.Write32(a[1], 0)
	}
	return 0, nil
}

// Kinds of target of ioprio_get(2), and the classes (UAPI linux/ioprio.h).
const (
	ioprioProcess = 1
	ioprioGroup   = 2
	ioprioUser    = 3
	ioprioShift   = 13
	ioprioRT      = 1
	ioprioBE      = 2
	ioprioIdle    = 3
)

func sysIoprioGet(t *proc.Task, a *Args) (uintptr, error) {
	which := int(int32(a[0])) - ioprioProcess
	best := -1
	err := t.EachPriorityTarget(which, int32(a[1]), func(o *proc.Task) {
		if p := o.IOPriority(); best < 0 || p != 0 && p < best {
			best = p
		}
	})
	if err == nil && best < 0 {
		err = unix.ESRCH
	}
	return uintptr(max(best, 0)), err
}

func sysIoprioSet(t *proc.Task, a *Args) (uintptr, error) {
	prio := int(int32(a[2]))
	switch class, level := prio>>ioprioShift, prio&(1<<ioprioShift-1); {
	case class == ioprioRT && !t.Cred().Capable(unix.CAP_SYS_ADMIN) && !t.Cred().Capable(unix.CAP_SYS_NICE):
		return 0, unix.EPERM
	case class == ioprioRT || class == ioprioBE:
		if level >= 8 {
			return 0, unix.EINVAL
		}
	case class == ioprioIdle:
	case class != 0 || level != 0:
		return 0, unix.EINVAL
	}
	found := false
	err := t.EachPriorityTarget(int(int32(a[0]))-ioprioProcess, int32(a[1]), func(o *proc.Task) {
		found = true
		o.SetIOPriority(prio)
	})
	if err == nil && !found {
		err = unix.ESRCH
	}
	return 0, err
}
