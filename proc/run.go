package proc

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
)

// dispatch answers the system call that t's registers hold; see Init.
var dispatch func(t *Task)

// Init tells proc how system calls are answered: f reads number and arguments
// from t.Ctx and stores the result there, a negative errno for an error.
func Init(f func(t *Task)) { dispatch = f }

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
	for !t.runUntilPanic() {
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

// run is the task loop: into ring 3, and back with a reason, until the task
// has to end. Everything a user thread does to the kernel passes through here.
func (t *Task) run() {
	u := t.Ctx
	for {
		if t.work.Load() != 0 && t.doWork() {
			return
		}
		switch r := arch.EnterUser(u); r {
		case arch.ReasonSyscall:
			t.sysNr = int64(u.SyscallNr())
			dispatch(t)
			if u.Return()-restartFirst <= restartCount && t.sysNr >= 0 {
				// Interrupted: restart it, or make it EINTR, even if the signal
				// that did it has been taken by another thread meanwhile.
				t.work.Or(workSignal)
			}
		case arch.ReasonPageFault:
			t.sysNr = -1
			t.fault()
		case arch.ReasonInterrupt, arch.ReasonKick:
			t.sysNr = -1
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
			t.sysNr = -1
			sig, code, addr := u.Exception(r)
			info := FaultInfo(sig, code, addr)
			ForceFault(t, &info)
		}
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

// maxPanics is how often a task may run into a Go panic before its goroutine is
// given up without the orderly end.
const maxPanics = 3

// oops handles a Go panic in kernel code that ran for t: log it, and kill the
// process. Locks that the panicking code held stay held; deferred unlocks have
// run.
func (t *Task) oops(r any) {
	t.panics++
	klog.Errorf("kernel oops: %v", r)
	klog.Errorf("task %d (%s), system call %d, ip %#x", t.TID, t.Comm(), t.sysNr, t.Ctx.GetIP())
	for line := range lines(debug.Stack()) {
		klog.Errorf("%s", line)
	}
	if t.panics >= maxPanics {
		Panic(fmt.Sprintf("task %d (%s) cannot end: %v", t.TID, t.Comm(), r))
	}
	t.sysNr = -1
	t.killGroup(unix.SIGKILL)
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
