package proc

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
)

// A Go panic while a task runs (here: a system call that dereferences nil) is
// logged with a traceback and kills the process, not the kernel.
func TestPanicKillsTheProcess(t *testing.T) {
	g := signalGroup(t, 2)
	task := g.threads[0]
	from := klog.Next()
	broken := func() (ended bool) {
		defer func() {
			if r := recover(); r != nil {
				task.oops(r)
			}
		}()
		var nothing *Task
		task.sysNr = unix.SYS_GETPID
		return nothing.TID == 0
	}
	if broken() {
		t.Fatal("it did not panic")
	}
	if g.sig.flags&groupExiting == 0 || unix.WaitStatus(g.sig.exitStatus).Signal() != unix.SIGKILL {
		t.Errorf("process not killed: flags %#x, status %#x", g.sig.flags, g.sig.exitStatus)
	}
	for i, o := range g.threads {
		if !o.Thread.Killed() || o.work.Load()&workSignal == 0 {
			t.Errorf("thread %d was not told to end", i)
		}
	}
	if !task.doWork() {
		t.Error("the task loop would go on")
	}
	var log strings.Builder
	for {
		r, next, ok := klog.Read(from)
		if !ok {
			break
		}
		log.WriteString(r.Text + "\n")
		from = next
	}
	for _, want := range []string{"nil pointer dereference", "system call 39", "TestPanicKillsTheProcess"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, log.String())
		}
	}
}
