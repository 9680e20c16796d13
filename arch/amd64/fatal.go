//go:build tamarix

package amd64

import "sync/atomic"

// stopping is set when the machine is being stopped for good. Atomic.
var stopping uint32

// ExitHook, if set, ends the machine when the kernel is lost or exits: it is
// called with the exit code in trap context on the last CPU that runs, and
// does not return. Set once at boot.
var ExitHook func(code int)

// fatal reports that the kernel cannot go on, and stops the machine. It may be
// called from any context.
//
//go:nosplit
func fatal(msg string, v uint64) {
	disableIRQ()
	c := thisCPU()
	if !atomic.CompareAndSwapUint32(&fatalCPU, 0, c.index+1) {
		if fatalCPU == c.index+1 {
			// In the report itself. Serial output needs least.
			serialPrint("\nkernel lost again: ")
			serialPrint(msg)
			serialPrint("\n")
			lostAgain()
		}
		stopCPU(c)
	}
	onPanicStack(msg, v)
}

// Lost reports that the kernel cannot go on, and stops the machine: for what
// leaves no kernel to panic with. It may be called from any context.
func Lost(msg string, v uint64) { fatal(msg, v) }

// fatalCPU is 1 more than the index of the CPU that has called fatal first; 0:
// none has. Atomic.
var fatalCPU uint32

// onPanicStack calls reportFatal with a stack of its own, which is large enough
// whoever has called, and which the Go runtime does not want to grow.
func onPanicStack(msg string, v uint64)

var reportFatalFn = reportFatal

const panicStackSize = 16 << 10

// panicStack is what onPanicStack runs on.
var panicStack [panicStackSize]byte

func fatalPrint(msg string, v uint64) {
	earlyPrint("\nkernel lost: ")
	earlyPrint(msg)
	earlyPrint(": ")
	earlyHex(v)
	earlyPrint("on CPU ")
	earlyHex(uint64(thisCPU().index))
	earlyPrint("\n")
}

// exitKernel stops the other CPUs and ends the machine.
func exitKernel(code int) {
	if !stopOthers() {
		stopCPU(thisCPU())
	}
	ScreenFooter("The machine has been stopped.")
	endMachine(code)
}

// stopOthers stops the other CPUs. It reports false if that has been done before.
func stopOthers() bool {
	if !atomic.CompareAndSwapUint32(&stopping, 0, 1) {
		return false
	}
	me := thisCPU()
	for i := range NumCPU() {
		if c := cpuByIndex(i); c != me {
			sendNMI(c.apicID)
		}
	}
	return true
}

// endMachine does not return.
func endMachine(code int) {
	if ExitHook != nil {
		ExitHook(code)
	}
	earlyPrint("halted\n")
	stopCPU(thisCPU())
}

// fatalAgain is 1 from the time that the report of fatal has failed, too. It is
// touched by the CPU that has called fatal first.
var fatalAgain uint32

// lostAgain ends the machine without a report, as the command line wants it; a
// third time it only stops this CPU.
func lostAgain() {
	if fatalAgain != 0 {
		return
	}
	fatalAgain = 1
	atomic.StoreUint32(&emergency.begun, 0) // it may be the screen that fails
	stopOthers()
	endMachine(2)
}

// stopCPU never returns.
//
//go:nosplit
func stopCPU(c *percpu) {
	for {
		disableIRQ()
		halt()
	}
}

// earlyPrint writes to the first serial port by polling, and to the screen while
// it is not a terminal's, from any context.
func earlyPrint(s string) {
	serialPrint(s)
	screenPrint(s)
}

// serialPrint writes to the first serial port only.
//
//go:nosplit
func serialPrint(s string) {
	for i := range len(s) {
		if s[i] == '\n' {
			earlyPutc('\r')
		}
		earlyPutc(s[i])
	}
}

func earlyHex(v uint64) {
	var l line
	earlyPrint(l.digits(v, 16, 1).str(" ").String())
}

// register prints one name and value.
func register(name string, v uint64) {
	earlyPrint(name)
	earlyPrint("=")
	earlyHex(v)
}

func dumpFrame(f *trapFrame, cr2 uint64) {
	noteFrame(f, cr2)
	emergency.dumped = true
	earlyPrint("\ntrap ")
	register("vector", f.vector)
	register("error", f.errorCode)
	register("cr2", cr2)
	register("cr3", readCR3())
	register("cs", f.CS)
	earlyPrint("\n")
	register("rip", f.IP)
	register("rsp", f.SP)
	register("rflags", f.Flags)
	register("rbp", f.BP)
	earlyPrint("\n")
	register("rax", f.AX)
	register("rbx", f.BX)
	register("rcx", f.CX)
	register("rdx", f.DX)
	register("rsi", f.SI)
	register("rdi", f.DI)
	earlyPrint("\n")
	register("r8", f.R8)
	register("r9", f.R9)
	register("r10", f.R10)
	register("r11", f.R11)
	register("r12", f.R12)
	register("r13", f.R13)
	register("r14", f.R14)
	register("r15", f.R15)
	earlyPrint("\n")
}

func dumpThread(t *kthread, cr2 uint64) {
	f := threadFrame(t)
	dumpFrame(&f, cr2)
}

// threadFrame returns the registers of a thread that a trap has brought here.
func threadFrame(t *kthread) trapFrame {
	return trapFrame{
		AX: t.AX, BX: t.BX, CX: t.CX, DX: t.DX, SI: t.SI, DI: t.DI, BP: t.BP,
		R8: t.R8, R9: t.R9, R10: t.R10, R11: t.R11, R12: t.R12, R13: t.R13, R14: t.R14, R15: t.R15,
		vector: t.vector, errorCode: t.errorCode, IP: t.IP, CS: selKernelCode, Flags: t.Flags, SP: t.SP,
	}
}
