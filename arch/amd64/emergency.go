//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"

	"tamarix/arch/screen"
)

// The machine's last words on the screen. A report is begun once, by whatever
// finds first that the kernel cannot go on: fatal, the text of a crash that the
// Go runtime writes to its standard error, or PanicScreen. It is drawn by code
// that needs nothing but its stack.

// emergency is the report and what it is made of.
var emergency struct {
	begun  uint32 // atomic
	report screen.Report

	// The registers at the last exception, and when it was.
	frame    trapFrame
	cr2, cr3 uint64
	frameAt  int64
	dumped   bool // fatal is about to be called for it

	// What the runtime writes before and after it is known to be a crash.
	line    [512]byte
	n       int
	phase   crashPhase
	logText [8 << 10]byte // the end of the log when the report began
	logLen  int
	values  [len(registerNames)]uint64
}

// crashPhase is how far the runtime's text of a crash has come.
type crashPhase uint8

const (
	noCrash crashPhase = iota
	crashMessage
	crashTrace
)

// PanicKernel names the kernel in a report. Set once at start-up.
var PanicKernel = "Tamarix"

// PanicLog copies the end of the kernel log into p, whole lines of it, and
// returns how many bytes it copied. It is called in any context, whoever may be
// changing the log. Set once at start-up; nil: no log is shown.
var PanicLog func(p []byte) int

// beginReport takes the screen and writes the heading. It reports whether this
// call has begun the report; there is one only.
func beginReport(head string) bool {
	if !console.out.Exists() || !atomic.CompareAndSwapUint32(&emergency.begun, 0, 1) {
		return false
	}
	TakeScreen()
	emergency.report.Begin(head)
	return true
}

// reportFacts writes what there is to say about the machine. The registers are
// those of the exception that fatal has been called for or, if recent is true, of
// one that was not long ago.
func reportFacts(recent bool) {
	e := &emergency
	r := &e.report
	r.Gap()
	c := thisCPU()
	var l line
	l.dec(uint64(c.index)).str(" of ").dec(uint64(NumCPU()))
	if tscMult != 0 {
		now := uint64(Nanotime())
		l.str(", ").dec(now/1e9).str(".").digits(now/1e6%1e3, 10, 3).str(" s after the start")
	}
	if c.user != 0 {
		u := (*UserContext)(unsafe.Pointer(uintptr(c.user)))
		l.str(", last in process ").program(u.label)
	}
	r.Fact("CPU", l.String(), 1)
	r.Fact("Kernel", PanicKernel, 1)
	r.Fact("Options", unsafeString(bootInfo.CommandLine()), 2)
	if e.dumped || recent && e.frameAt != 0 && Nanotime()-e.frameAt < frameAge {
		r.Gap()
		f := &e.frame
		e.values = [...]uint64{
			f.IP, f.SP, f.BP, f.Flags, f.vector, f.errorCode, e.cr2, e.cr3,
			f.AX, f.BX, f.CX, f.DX, f.SI, f.DI, f.R8, f.R9, f.R10, f.R11, f.R12, f.R13, f.R14, f.R15,
		}
		r.Registers(registerNames[:], e.values[:])
	}
	if PanicLog != nil {
		e.logLen = PanicLog(e.logText[:])
	}
	r.Log(unsafeString(e.logText[:e.logLen]), false)
	r.Gap()
}

var registerNames = [...]string{
	"rip", "rsp", "rbp", "flags", "trap", "error", "cr2", "cr3",
	"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
}

// frameAge is how old an exception may be, in nanoseconds, that a report takes for
// its cause. Most exceptions of the kernel end no more than a process.
const frameAge = 5e9

// noteFrame keeps the registers of an exception, in case it is the last one.
func noteFrame(f *trapFrame, cr2 uint64) {
	e := &emergency
	e.frame, e.cr2, e.cr3, e.frameAt = *f, cr2, readCR3(), max(Nanotime(), 1)
}

// PanicScreen shows why the kernel has stopped: a message, and the stack of the
// goroutine that found out, as runtime.Stack writes it. It returns; the machine
// is to be stopped next.
func PanicScreen(head, message string, stack []byte) {
	if !beginReport(head) {
		return
	}
	r := &emergency.report
	r.Message(message)
	reportFacts(true)
	r.Trace(unsafeString(stack))
	ScreenFooter("")
}

// ScreenFooter writes the last row of the report, if there is one: what the
// machine does next. It may be called from any context.
func ScreenFooter(s string) {
	if atomic.LoadUint32(&emergency.begun) != 0 {
		emergency.report.Log(unsafeString(emergency.logText[:emergency.logLen]), true)
		emergency.report.End(s)
	}
}

// crashText looks at what the runtime writes to its standard error. A crash is
// told by the way a line begins; what was written just before belongs to it.
// The caller keeps others out.
func crashText(s string) {
	e := &emergency
	for len(s) > 0 {
		if e.phase == crashTrace {
			e.report.Trace(s)
			return
		}
		n := 0
		for n < len(s) && s[n] != '\n' {
			n++
		}
		for i := 0; i < n && e.n < len(e.line); i++ {
			e.line[e.n] = s[i]
			e.n++
		}
		line := unsafeString(e.line[:e.n])
		if e.phase == noCrash && crashBegins(line) {
			if !beginReport("KERNEL CRASH: the kernel's Go program has failed") {
				return
			}
			e.phase = crashMessage
		}
		if n == len(s) {
			return
		}
		s = s[n+1:]
		if e.phase == crashMessage {
			if hasPrefix(line, "goroutine ") || hasPrefix(line, "runtime stack:") {
				reportFacts(true)
				e.phase = crashTrace
				e.report.Trace(line)
				e.report.Trace("\n")
			} else {
				e.report.Message(line)
			}
		}
		e.n = 0
	}
}

// crashBegins reports whether a line is one with which the runtime begins to
// report that it cannot go on.
func crashBegins(line string) bool {
	return hasPrefix(line, "panic: ") || hasPrefix(line, "fatal error: ") || hasPrefix(line, "runtime: ") ||
		hasPrefix(line, "SIG") || hasPrefix(line, "unexpected fault address ") || hasPrefix(line, "fatal: ")
}

// reportFatal is the report of fatal. It runs on panicStack.
func reportFatal(msg string, v uint64) {
	fatalPrint(msg, v)
	check := emergency.dumped && emergency.frame.vector == vectorMachineCheck
	if check {
		reportChecks(false)
	}
	var l line
	l.str(msg).str(": ").hex(v)
	if beginReport("KERNEL LOST: the machine has been stopped") {
		emergency.report.Message(l.String())
		if check {
			reportChecks(true)
		}
		reportFacts(false)
		traceFatal()
	} else {
		ScreenFooter(l.String())
	}
	exitKernel(2)
}

// traceFatal shows how the kernel came to call fatal, or to the exception that
// made a handler call it.
func traceFatal() {
	e := &emergency
	if e.dumped {
		backtrace(e.frame.IP, e.frame.BP)
		return
	}
	// The innermost frames lie on panicStack.
	bp := framePointer()
	low := uint64(uintptr(unsafe.Pointer(&panicStack)))
	for n := 0; n < 8 && bp >= low && bp < low+panicStackSize; n++ {
		bp = *wordAt(bp)
	}
	backtrace(0, bp)
}

// program appends the name of a program that is kept in two words.
func (l *line) program(words [2]uint64) *line {
	var b [16]byte
	for i := range b {
		b[i] = byte(words[i/8] >> (i % 8 * 8))
		if b[i] == 0 {
			return l.bytes(b[:i])
		}
	}
	return l.bytes(b[:])
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// unsafeString returns p as a string that shares its bytes.
func unsafeString(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	return unsafe.String(&p[0], len(p))
}
