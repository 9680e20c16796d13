package proc

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/arch/wait"
)

// Syscall does one system call for the task on whose goroutine it runs. It
// returns what the user gets in RAX, or an error: a unix.Errno, or one of package
// wait's restart marks. The arguments are the user's registers: they are not to
// be written, nor read after those have changed.
type Syscall func(t *Task, a *[6]uint64) (uintptr, error)

// NumSyscalls is above every system call number there is.
const NumSyscalls = 512

// syscalls are the system calls by number, and failed what makes a result of an
// error, or, with a nil error, of a call that does not exist; see Init.
var (
	syscalls [NumSyscalls]Syscall
	failed   func(t *Task, nr uint64, err error) uintptr
)

// Init tells proc the system calls: call returns the one with a number, nil if
// there is none. failure turns an error into the result that the user sees; it
// is called with a nil error for a call that does not exist.
func Init(call func(nr int) Syscall, failure func(t *Task, nr uint64, err error) uintptr) {
	for nr := range syscalls {
		if syscalls[nr] = call(nr); syscalls[nr] == nil {
			syscalls[nr] = unknownCall
		}
	}
	failed = failure
	wait.SetTickRate(arch.TSCHz())
	if clocks, _ := arch.ClockSources(); !slices.Contains(clocks, "tsc") && !slices.Contains(clocks, "host") {
		wait.CountByClock()
	}
}

// Results that never reach user space: the negatives of wait.ErrRestart*, as an
// unsigned word (see errors.go of arch/wait).
const (
	restartFirst = ^uint64(516 - 1)
	restartCount = 516 - 512
)

// main is the life of a task's goroutine.
func (t *Task) main() {
	t.Thread.Bind()
	t.Thread.StartClock()
	if t.childSetTID != 0 {
		t.AS.Write32(t.childSetTID, uint32(t.TID)) // a bad address concerns the child only
	}
	for !t.runUntilPanic() && t.panics < maxPanics {
	}
	t.exit()
}

// runUntilPanic runs the task until it ends (true), or until the kernel's own
// code panicked on its behalf (false). There is one frame with a deferred
// recover for any number of system calls.
func (t *Task) runUntilPanic() (ended bool) {
	defer func() {
		if r := recover(); r != nil {
			t.oops(r)
		}
	}()
	t.run()
	return true
}

// unknownCall stands for every system call that does not exist.
func unknownCall(t *Task, a *[6]uint64) (uintptr, error) {
	return failed(t, uint64(t.sysNr), nil), nil
}

// run is the task loop: into ring 3, and back with a reason, until the task
// has to end. Everything a user thread does to the kernel passes through here.
func (t *Task) run() {
	u := t.Ctx
	for {
		if t.work.Load() != 0 && t.doWork() {
			return
		}
		r := arch.EnterUser(u)
		if r != arch.ReasonSyscall {
			t.trapped(r)
			continue
		}
		nr := u.SyscallNr()
		t.sysNr = int64(nr)
		fn := Syscall(unknownCall)
		if nr < NumSyscalls {
			fn = syscalls[nr]
		}
		ret, err := fn(t, u.Args())
		if err != nil {
			ret = t.failedCall(nr, err)
		}
		u.SetReturn(uint64(ret))
	}
}

// failedCall returns what the user sees of err, the result of call nr.
func (t *Task) failedCall(nr uint32, err error) uintptr {
	ret := failed(t, uint64(nr), err)
	if uint64(ret)-restartFirst <= restartCount && t.sysNr >= 0 {
		// Interrupted: restart it, or make it EINTR, even if the signal
		// that did it has been taken by another thread meanwhile.
		t.work.Or(workSignal)
	}
	return ret
}

// trapped handles every return from ring 3 that is no system call.
func (t *Task) trapped(r arch.Reason) {
	t.sysNr = -1
	u := t.Ctx
	switch r {
	case arch.ReasonPageFault:
		t.fault()
	case arch.ReasonInterrupt, arch.ReasonKick:
		t.userTime.Store(u.UserTime())
		if t.Group.cpuLimited.Load() {
			t.checkCPULimit()
		}
		if t.work.Load() == 0 {
			u.ClearKick()
			t.preempted.Add(1)
			t.yield()
		}
	default:
		if u.Settle(r) {
			return
		}
		sig, code, addr := u.Exception(r)
		info := FaultInfo(sig, code, addr)
		ForceFault(t, &info)
	}
}

// doWork does what others have asked of t; true: the task ends.
func (t *Task) doWork() (exit bool) {
	t.Ctx.ClearKick() // first: what is asked from here on kicks again
	w := t.work.Load()
	if w&workExit != 0 {
		return true
	}
	return w&workSignal != 0 && t.handleSignals(t.sysNr)
}

// fault answers a page fault in ring 3.
func (t *Task) fault() {
	addr, access := t.Ctx.Fault()
	e := t.AS.Fault(addr, access, &t.usage)
	if e == nil {
		return
	}
	if e.OOM {
		// The killer found nobody whose end would help: this one goes.
		klog.Errorf("out of memory in a page fault of %s (pid %d): killed", t.Comm(), t.Group.PID)
		t.killGroup(unix.SIGKILL)
		return
	}
	info := FaultInfo(e.Signal, e.Code, addr)
	ForceFault(t, &info)
}

// yield lets other goroutines run: the end of a time slice, or sched_yield(2).
func (t *Task) yield() {
	t.Thread.StopClock()
	runtime.Gosched()
	t.Thread.StartClock()
}

// Yield is sched_yield(2). Owner only.
func (t *Task) Yield() { t.yield() }

// killGroup ends t's process as an unhandled signal would.
func (t *Task) killGroup(sig unix.Signal) {
	g := t.Group
	g.sig.mu.Lock()
	g.exitLocked(int(sig), nil)
	g.sig.mu.Unlock()
}

// maxPanics is how often a task may run into a Go panic on its way out of the
// loop, before it goes without handling its signals.
const maxPanics = 3

// oops handles a Go panic in kernel code that ran for t: log it, and kill the
// process. Deferred unlocks have run; other locks that the code held stay held,
// and if the process's own is among them the kernel cannot go on.
func (t *Task) oops(r any) {
	t.logOops(r)
	t.sysNr = -1
	g := t.Group
	for n := 0; !g.sig.mu.TryLock(); n++ {
		if n == oopsPatience {
			Panic(fmt.Sprintf("task %d (%s) left its process locked: %v", t.TID, t.Comm(), r))
		}
		time.Sleep(time.Millisecond)
	}
	g.exitLocked(int(unix.SIGKILL), nil)
	g.sig.mu.Unlock()
}

// oopsPatience is how many milliseconds an oops waits for a lock that others
// hold for microseconds.
const oopsPatience = 5000

// logOops writes a Go panic and its traceback to the log.
func (t *Task) logOops(r any) {
	t.panics++
	klog.Errorf("kernel oops: %v", r)
	klog.Errorf("task %d (%s), system call %d, ip %#x", t.TID, t.Comm(), t.sysNr, t.Ctx.GetIP())
	for line := range lines(debug.Stack()) {
		klog.Errorf("%s", line)
	}
}

// lines yields the lines of p.
func lines(p []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(p) > 0 {
			n := 0
			for n < len(p) && p[n] != '\n' {
				n++
			}
			if !yield(string(p[:n])) {
				return
			}
			p = p[min(n+1, len(p)):]
		}
	}
}

// Panic stops the machine with a message. Package kernel replaces it by the one
// that knows the panic policy.
var Panic = func(msg string) { panic(msg) }
