//go:build tamarix

package amd64

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Vectors. Exceptions have 0 to 31; the legacy PICs' spurious ones may come at
// 32 to 47 however well they are masked; drivers get what lies between.
const (
	vectorFirstIRQ = 0x30
	vectorLastIRQ  = 0xef
	vectorTimer    = 0xf0
	vectorRequest  = 0xf1 // look at percpu.requests
	vectorError    = 0xfe
	vectorSpurious = 0xff

	vectorSyscall = 256 // a ring-0 system call, in kthread.vector
)

// For the assembly code.
const (
	sysClockGettime = unix.SYS_CLOCK_GETTIME
	clockStoreLen   = 4 // the stores of clockStore begin in its first bytes
)

// The handlers, by way of variables: assembly calls them with Go's register
// calling convention.
var (
	trapFn   = trap
	nestedFn = nestedTrap
	fatalFn  = fatalTrap
)

// hasFSGSBASE and hasSMAP are read by the assembly code. Set once at boot.
var (
	hasFSGSBASE bool
	hasSMAP     bool

	kernelMXCSR uint32 = defaultMXCSR
)

// trap handles whatever brought thread t into the kernel, but for system calls
// and exceptions of user code. It runs on the handler stack with interrupts
// off. What it calls must not allocate, grow a stack or write Go pointers.
func trap(t *kthread) {
	c := thisCPU()
	v := t.vector
	switch {
	case v == vectorSyscall:
		if r := hostSyscall(c, t); r != resultLater {
			t.AX = r
		}
	case v >= 32:
		interrupt(c, t, uint8(v))
	default:
		exception(c, t)
	}
	leave(c)
}

// leave does what is due before a thread goes on.
func leave(c *percpu) {
	serveRequests(c)
	if c.thread().Flags&flagIF == 0 {
		return // a fault inside a pinned section goes on at once
	}
	if c.preempt != 0 || c.current == c.idle {
		c.preempt = 0
		yield(c)
	}
	if t := c.thread(); atomic.LoadUint64(&t.pending)&^t.mask != 0 {
		deliverPending(t)
	}
}

// interrupt handles vectors from 32 on.
func interrupt(c *percpu, t *kthread, v uint8) {
	c.counts[v]++
	user := t.fromUser != 0
	t.fromUser = 0
	switch v {
	case vectorTimer:
		endOfInterrupt()
		if c.sampleAt == 0 || profileTick(c, t, user) {
			tick(c, t, user)
			if c.sampleAt != 0 {
				programTimer(c, Nanotime())
			}
		}
	case vectorRequest:
		endOfInterrupt()
	case vectorError:
		apicWrite(apicErrors, 0) // so that the next one is told
		endOfInterrupt()
	case vectorSpurious:
		endSpurious(v)
	default:
		if v < vectorFirstIRQ {
			picInterrupt(v)
			endSpurious(v)
			return
		}
		deviceInterrupt(c, v)
		endOfInterrupt()
	}
}

// exception handles a fault of ring 0: a demand for kernel heap, a user copy
// that hit a hole, or a bug, which the Go runtime makes a panic of.
func exception(c *percpu, t *kthread) {
	c.counts[t.vector]++
	addr := uint64(0)
	if t.vector == 14 {
		addr = readCR2()
		if t.errorCode&1 == 0 && inHeap(addr) {
			demandHeap(addr)
			return
		}
	}
	// A page fault in a user copy, or a frame that XRSTOR does not like.
	if (t.vector == 14 || t.vector == 13) && addr < 1<<47 && t.IP >= userCopyLow && t.IP < userCopyHigh {
		t.IP = userCopyExit
		return
	}
	sig, code := uint64(0), uint64(0)
	switch t.vector {
	case 0, 16, 19:
		sig, code = 8, 1 // SIGFPE, FPE_INTDIV
	case 1, 3:
		sig, code = 5, 1 // SIGTRAP
	case 6:
		sig, code = 4, 2 // SIGILL
	case 12, 13:
		sig, code = 11, 0x80 // SIGSEGV, SI_KERNEL
	case 14:
		sig, code = 11, 1 // SIGSEGV, SEGV_MAPERR
	}
	if sig == 0 || t.isIdle != 0 || t.altStack == 0 || t.IP < directMapBase || signals[sig].handler <= 1 || t.mask>>(sig-1)&1 != 0 {
		dumpThread(t, addr)
		fatal("unexpected exception in the kernel", t.vector)
	}
	f := threadFrame(t)
	noteFrame(&f, addr) // the runtime may make a crash of it
	sendSignal(t, sig, code, addr)
}

// trapFrame is what nested and fatal entries leave on the stack.
type trapFrame struct {
	AX, BX, CX, DX, SI, DI, BP, R8, R9, R10, R11, R12, R13, R14, R15 uint64
	xmm                                                              [16][2]uint64
	vector, errorCode, IP, CS, Flags, SP, SS                         uint64
}

// nestedTrap is a fault of a handler: it may want kernel heap, nothing else.
func nestedTrap(f *trapFrame) {
	addr := readCR2()
	if f.vector == 14 && f.errorCode&1 == 0 && inHeap(addr) && thisCPU().depth == 2 {
		demandHeap(addr)
		return
	}
	dumpFrame(f, addr)
	fatal("exception in a handler", f.vector)
}

// fatalTrap takes NMI, double fault and machine check.
func fatalTrap(f *trapFrame) {
	c := thisCPU()
	c.counts[f.vector&255]++
	if f.vector == 2 && atomic.LoadUint32(&stopping) != 0 {
		stopCPU(c)
	}
	if f.vector == 2 {
		unknownNMI(c, f)
		return
	}
	dumpFrame(f, readCR2())
	switch f.vector {
	case 8:
		fatal("double fault", f.errorCode)
	case vectorMachineCheck:
		fatal("machine check", rdmsr(msrMCGStatus))
	}
	fatal("exception", f.vector)
}
