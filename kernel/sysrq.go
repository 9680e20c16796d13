package kernel

import (
	"bytes"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/fs"
	"tamarix/proc"
)

// SysRq: what a person at the machine can do when nothing else answers, by Alt,
// SysRq and a key, or by writing the key to /proc/sysrq-trigger (Linux
// Documentation/admin-guide/sysrq.rst). It has those of Linux's commands that
// mean something here; there is no disk to remount read-only.

// Bits of /proc/sys/kernel/sysrq: which commands may be typed. 1 is all of them,
// 0 none.
const (
	sysrqAll      = 1
	sysrqLogLevel = 2
	sysrqKeyboard = 4
	sysrqDump     = 8
	sysrqSync     = 16
	sysrqSignal   = 64
	sysrqBoot     = 128
)

// sysrqMask is /proc/sys/kernel/sysrq.
var sysrqMask atomic.Int32

func init() { sysrqMask.Store(sysrqAll) }

// sysrqCommand is one key.
type sysrqCommand struct {
	key    byte
	help   string // with the key in brackets, as Linux's help has it
	action string // for the log, before it is done
	mask   int32
	do     func()
}

// sysrqCommands is filled by init, since help shows it.
var sysrqCommands []sysrqCommand

func init() {
	sysrqCommands = []sysrqCommand{
		{'b', "reboot(b)", "Resetting", sysrqBoot, arch.Reboot},
		{'c', "crash(c)", "Trigger a crash", sysrqDump, crash},
		{'e', "terminate-all-tasks(e)", "Terminate All Tasks", sysrqSignal, func() { signalAll(unix.SIGTERM) }},
		{'f', "memory-full-oom-kill(f)", "Manual OOM execution", sysrqSignal, func() {
			if !proc.OOMKill() {
				klog.Infof("sysrq: no process can be killed")
			}
		}},
		{'i', "kill-all-tasks(i)", "Kill All Tasks", sysrqSignal, func() { signalAll(unix.SIGKILL) }},
		{'k', "sak(k)", "SAK", sysrqKeyboard, secureAttention},
		{'l', "show-backtrace-all-goroutines(l)", "Show backtrace of all goroutines", sysrqDump, showGoroutines},
		{'m', "show-memory-usage(m)", "Show Memory", sysrqDump, showMemory},
		{'o', "poweroff(o)", "Power Off", sysrqBoot, func() { stopMachine("Power down", powerOff) }},
		{'r', "unraw(r)", "Keyboard mode set to system default", sysrqKeyboard, func() { keyboard().Foreground().Unraw() }},
		{'s', "sync(s)", "Emergency Sync", sysrqSync, func() {
			fs.SyncAll()
			klog.Infof("Emergency Sync complete")
		}},
		{'t', "show-task-states(t)", "Show State", sysrqDump, showTasks},
	}
}

// sysrqTyped is a key of a keyboard: it does what the mask permits, on a
// goroutine of its own, since the keyboard goes on meanwhile: the next command
// does not wait for one that hangs.
func sysrqTyped(key byte) {
	allowed := sysrqMask.Load()
	if allowed != sysrqAll {
		mask := int32(sysrqLogLevel)
		if c := findSysrq(key); c != nil {
			mask = c.mask
		} else if key < '0' || key > '9' {
			mask = -1 // help
		}
		if allowed&mask == 0 {
			klog.Errorf("sysrq: This sysrq operation is disabled.")
			return
		}
	}
	go sysrq(key)
}

// sysrq does what a key does, whoever wants it.
func sysrq(key byte) {
	// What it says is for the eyes of whoever is in need of it.
	defer klog.Loud()()
	if key >= '0' && key <= '9' {
		klog.Infof("sysrq: Changing Loglevel")
		klog.Infof("sysrq: Loglevel set to %c", key)
		klog.SetConsoleLevel(klog.Level(key - '0'))
		return
	}
	c := findSysrq(key)
	if c == nil {
		var b strings.Builder
		for _, c := range sysrqCommands {
			b.WriteString(c.help)
			b.WriteByte(' ')
		}
		klog.Infof("sysrq: HELP : loglevel(0-9) %s", strings.TrimSpace(b.String()))
		return
	}
	klog.Infof("sysrq: %s", c.action)
	c.do()
}

func findSysrq(key byte) *sysrqCommand {
	for i := range sysrqCommands {
		if sysrqCommands[i].key == key {
			return &sysrqCommands[i]
		}
	}
	return nil
}

// crash is a bug on purpose, so that one can see what such a bug does: in a
// system call (a write to /proc/sysrq-trigger) it ends the process, typed on a
// keyboard it ends the kernel.
func crash() {
	var nowhere *int
	*nowhere = 1
}

// signalAll sends a signal to every process but the first.
func signalAll(sig unix.Signal) {
	for g := proc.NextGroup(2); g != nil; g = proc.NextGroup(g.PID + 1) {
		info := proc.KernelInfo(sig)
		proc.SendGroup(g, &info)
	}
}

// secureAttention ends all processes of the session on the terminal in front,
// and hangs the terminal up, so that none that still has it open can read from
// it or write to it.
func secureAttention() {
	if consoles == nil {
		return
	}
	t := consoles.Foreground()
	if t == nil {
		return
	}
	for g := proc.NextGroup(2); g != nil; g = proc.NextGroup(g.PID + 1) {
		if g.Leader.Snapshot(true).TTY == proc.ControllingTerminal(t) {
			klog.Infof("SAK: killed process %d (%s): its terminal is %s", g.PID, g.Leader.Comm(), t.Name())
			info := proc.KernelInfo(unix.SIGKILL)
			proc.SendGroup(g, &info)
		}
	}
	t.HangUp()
}

// showMemory writes what memory is used for to the log.
func showMemory() {
	f := arch.ReadFrameStats()
	const k = arch.PageSize >> 10
	klog.Infof("Mem-Info: total %d KiB, free %d, anonymous %d, page cache %d, page tables %d, kernel %d",
		f.Total*k, f.Free*k, f.Anon*k, f.Cache*k, f.PageTable*k, f.Kernel*k)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	klog.Infof("Go heap: %d KiB in use of %d, stacks %d, %d collections, %d goroutines",
		m.HeapInuse>>10, m.HeapSys>>10, m.StackInuse>>10, m.NumGC, runtime.NumGoroutine())
}

// showTasks writes a line for each thread to the log.
func showTasks() {
	klog.Infof("    PID    TID   PPID S  time/ms command")
	for g := proc.NextGroup(1); g != nil; g = proc.NextGroup(g.PID + 1) {
		for _, tid := range g.ThreadIDs() {
			t := proc.FindTask(tid)
			if t == nil {
				continue
			}
			s := t.Snapshot(false)
			klog.Infof("%7d%7d%7d %c%9d %s", g.PID, tid, s.PPID, s.State, (s.User+s.System)/1e6, t.Comm())
		}
	}
}

// maxBacktrace bounds what a backtrace writes to the log, in bytes.
const maxBacktrace = 32 << 10

// showGoroutines writes to the log where every goroutine is: those that run on a
// CPU among them, which Linux shows by interrupting it.
func showGoroutines() {
	buf := make([]byte, maxBacktrace)
	buf = buf[:runtime.Stack(buf, true)]
	for line := range bytes.Lines(buf) {
		klog.Infof("%s", bytes.TrimRight(line, "\n"))
	}
	if len(buf) == maxBacktrace {
		klog.Infof("(and more)")
	}
	klog.Infof("%d goroutines in all", runtime.NumGoroutine())
}
