//go:build tamarix

package amd64

import "unsafe"

// The runtime's host: the Linux system calls that the kernel's own Go runtime
// makes, in ring 0. Numbers and structures are those of linux/amd64.

const (
	enosys = 38
	einval = 22
	ebadf  = 9
	eagain = 11
	enoent = 2
	eperm  = 1
	esrch  = 3
	enomem = 12
)

// resultLater is what hostSyscall returns when t.AX holds the result already,
// or will: a thread that was blocked or yielded may run on another CPU by now,
// and must not be touched any more.
const resultLater = 1<<63 | 0x1a7e

// hostSyscall carries out the system call of thread t and returns the result.
func hostSyscall(c *percpu, t *kthread) uint64 {
	switch t.AX {
	case 0: // read
		return readEvent(t.DI, t.SI, t.DX)
	case 1: // write
		return hostWrite(t.DI, t.SI, t.DX)
	case 9: // mmap
		return heapMap(t.DI, t.SI, t.R10)
	case 10: // mprotect
		return 0
	case 11: // munmap
		heapUnmap(t.DI, t.SI)
		return 0
	case 28: // madvise
		if t.DX == 4 || t.DX == 8 { // MADV_DONTNEED, MADV_FREE
			heapUnmap(t.DI, t.SI)
		}
		return 0
	case 13: // rt_sigaction
		return signalAction(t.DI, t.SI, t.DX)
	case 14: // rt_sigprocmask
		return signalMask(t)
	case 15: // rt_sigreturn
		return signalReturn(t)
	case 131: // sigaltstack
		return signalStack(t)
	case 200: // tkill
		return signalThread(c, t.DI, t.SI)
	case 234: // tgkill
		return signalThread(c, t.SI, t.DX)
	case 62: // kill
		return signalThread(c, t.tid(), t.SI)
	case 24: // sched_yield
		t.AX = 0
		yield(c)
		return resultLater
	case 35: // nanosleep
		return hostSleep(c, t)
	case 39: // getpid
		return 1
	case 186: // gettid
		return t.tid()
	case 56: // clone
		return hostClone(c, t)
	case 60: // exit
		exitThread(c, t)
		return resultLater
	case 231: // exit_group
		programExited()
		exitKernel(int(t.DI))
		return 0
	case 158: // arch_prctl
		if t.DI == 0x1002 { // ARCH_SET_FS
			t.FS = t.SI
			return 0
		}
		return negErrno(einval)
	case 202: // futex
		switch t.SI &^ 128 { // FUTEX_PRIVATE_FLAG
		case 0: // FUTEX_WAIT
			timeout := int64(-1)
			if t.R10 != 0 {
				timeout = timespec(t.R10)
			}
			return futexWait(c, t, t.DI, uint32(t.DX), timeout)
		case 1: // FUTEX_WAKE
			return futexWake(c, t.DI, t.DX)
		}
		return negErrno(enosys)
	case 204: // sched_getaffinity
		n := uint64(NumCPU()+63) / 64 * 8
		if t.SI < n {
			return negErrno(einval)
		}
		for i := range n {
			*(*byte)(unsafe.Pointer(uintptr(t.DX + i))) = 0
		}
		for i := range NumCPU() {
			*(*byte)(unsafe.Pointer(uintptr(t.DX) + uintptr(i/8))) |= 1 << (i & 7)
		}
		return n
	case 228: // clock_gettime
		now := Nanotime()
		if t.DI == 0 {
			now += wallOffset.Load()
		}
		*wordAt(t.SI) = uint64(now / 1e9)
		*wordAt(t.SI + 8) = uint64(now % 1e9)
		return 0
	case 290: // eventfd2
		return newEvent()
	case 291: // epoll_create1
		return pollFD
	case 233: // epoll_ctl
		return pollControl(t.SI, t.DX, t.R10)
	case 281: // epoll_pwait
		return pollWait(c, t)
	case 318: // getrandom
		return hostRandom(t.DI, t.SI)
	case 72: // fcntl
		return hostFcntl(t.DI, t.SI)
	case 3: // close
		return closeEvent(t.DI)
	case 157, 302, 27: // prctl, prlimit64, mincore
		return negErrno(einval)
	case 257, 2, 262, 5: // openat, open, newfstatat, fstat
		return negErrno(enoent)
	}
	return negErrno(enosys)
}

func wordAt(a uint64) *uint64 { return (*uint64)(unsafe.Pointer(uintptr(a))) }
func halfAt(a uint64) *uint32 { return (*uint32)(unsafe.Pointer(uintptr(a))) }

// timespec reads a struct timespec as nanoseconds.
func timespec(a uint64) int64 { return int64(*wordAt(a))*1e9 + int64(*wordAt(a + 8)) }

// sleepSlack is the shortest sleep: the runtime's monitor asks for 20 µs,
// forever, and would keep a CPU busy.
const sleepSlack = 1e6

func hostSleep(c *percpu, t *kthread) uint64 {
	ns := timespec(t.DI)
	t.AX = 0
	if ns < 10_000 {
		yield(c)
		return resultLater
	}
	lock(&sched.lock)
	block(c, t, threadSleep, Nanotime()+max(ns, sleepSlack))
	unlock(&sched.lock)
	return resultLater
}

// hostClone starts a thread: all registers are the caller's but for the stack
// and the thread pointer.
func hostClone(c *percpu, t *kthread) uint64 {
	n := newThread()
	if n == nil {
		return negErrno(eagain)
	}
	n.BX, n.CX, n.DX, n.SI, n.DI, n.BP = t.BX, t.CX, t.DX, t.SI, t.DI, t.BP
	n.R8, n.R9, n.R10, n.R11, n.R12, n.R13, n.R14, n.R15 = t.R8, t.R9, t.R10, t.R11, t.R12, t.R13, t.R14, t.R15
	n.IP, n.Flags = t.IP, t.Flags
	n.SP = t.SI
	n.FS = t.FS
	if t.DI&0x00080000 != 0 { // CLONE_SETTLS
		n.FS = t.R8
	}
	n.mask = t.mask
	lock(&sched.lock)
	wake(c, n, false)
	unlock(&sched.lock)
	return n.tid()
}

// programExited says that the runtime has ended the program, which on the screen
// is news only if the runtime has not said why.
func programExited() {
	const exited = "fatal: the kernel's Go program has exited\n"
	lock(&printLock)
	serialPrint(exited)
	if emergency.phase == noCrash {
		crashText(exited)
	}
	unlock(&printLock)
}

// printLock keeps the output of two threads apart.
var printLock spinlock

func hostWrite(fd, p, n uint64) uint64 {
	if fd == 1 || fd == 2 {
		lock(&printLock)
		s := unsafe.String((*byte)(unsafe.Pointer(uintptr(p))), int(n))
		earlyPrint(s)
		crashText(s)
		unlock(&printLock)
		return n
	}
	return writeEvent(fd, p, n)
}

// hostRandom feeds the runtime's seeds: RDRAND where there is one, mixed with
// the time stamp counter.
func hostRandom(p, n uint64) uint64 {
	for i := uint64(0); i < n; i += 8 {
		w := seedWord()
		for k := i; k < min(n, i+8); k++ {
			*(*byte)(unsafe.Pointer(uintptr(p + k))) = byte(w)
			w >>= 8
		}
	}
	return n
}

var seedState uint64

// seedWord returns 64 bits that are hard to guess where the CPU has RDRAND,
// and merely different each time where it has not.
func seedWord() uint64 {
	seedState += 0x9e3779b97f4a7c15 ^ rdtsc()<<7
	z := seedState ^ hardwareRandom()
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
