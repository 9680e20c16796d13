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
	fatalPrint(msg, v)
	exitKernel(2)
}

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
	if !atomic.CompareAndSwapUint32(&stopping, 0, 1) {
		stopCPU(thisCPU())
	}
	me := thisCPU()
	for i := range NumCPU() {
		if c := cpuByIndex(i); c != me {
			sendNMI(c.apicID)
		}
	}
	if ExitHook != nil {
		ExitHook(code)
	}
	earlyPrint("halted\n")
	stopCPU(me)
}

// stopCPU never returns.
func stopCPU(c *percpu) {
	for {
		disableIRQ()
		halt()
	}
}

// earlyPrint writes to the first serial port by polling, from any context.
func earlyPrint(s string) {
	for i := range len(s) {
		if s[i] == '\n' {
			earlyPutc('\r')
		}
		earlyPutc(s[i])
	}
}

func earlyHex(v uint64) {
	const digits = "0123456789abcdef"
	for i := 60; i >= 0; i -= 4 {
		if v>>i != 0 || i == 0 {
			earlyPutc(digits[v>>i&15])
		}
	}
	earlyPutc(' ')
}

// register prints one name and value.
func register(name string, v uint64) {
	earlyPrint(name)
	earlyPutc('=')
	earlyHex(v)
}

func dumpFrame(f *trapFrame, cr2 uint64) {
	earlyPrint("\ntrap ")
	register("vector", f.vector)
	register("error", f.errorCode)
	register("cr2", cr2)
	register("cr3", readCR3())
	register("cs", f.CS)
	earlyPutc('\n')
	register("rip", f.IP)
	register("rsp", f.SP)
	register("rflags", f.Flags)
	register("rbp", f.BP)
	earlyPutc('\n')
	register("rax", f.AX)
	register("rbx", f.BX)
	register("rcx", f.CX)
	register("rdx", f.DX)
	register("rsi", f.SI)
	register("rdi", f.DI)
	earlyPutc('\n')
	register("r8", f.R8)
	register("r9", f.R9)
	register("r10", f.R10)
	register("r11", f.R11)
	register("r12", f.R12)
	register("r13", f.R13)
	register("r14", f.R14)
	register("r15", f.R15)
	earlyPutc('\n')
}

func dumpThread(t *kthread, cr2 uint64) {
	dumpFrame(&trapFrame{
		AX: t.AX, BX: t.BX, CX: t.CX, DX: t.DX, SI: t.SI, DI: t.DI, BP: t.BP,
		R8: t.R8, R9: t.R9, R10: t.R10, R11: t.R11, R12: t.R12, R13: t.R13, R14: t.R14, R15: t.R15,
		vector: t.vector, errorCode: t.errorCode, IP: t.IP, CS: selKernelCode, Flags: t.Flags, SP: t.SP,
	}, cr2)
}
