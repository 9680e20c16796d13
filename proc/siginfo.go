package proc

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Values of si_code (UAPI asm-generic/siginfo.h; sigaction(2)). Positive ones
// come from the kernel, the others can be made by users.
const (
	SI_USER    = 0
	SI_KERNEL  = 0x80
	SI_QUEUE   = -1
	SI_TIMER   = -2
	SI_MESGQ   = -3
	SI_ASYNCIO = -4
	SI_SIGIO   = -5
	SI_TKILL   = -6

	CLD_EXITED    = 1
	CLD_KILLED    = 2
	CLD_DUMPED    = 3
	CLD_TRAPPED   = 4
	CLD_STOPPED   = 5
	CLD_CONTINUED = 6

	SEGV_MAPERR = 1
	SEGV_ACCERR = 2
)

// SigInfoSize is the size of siginfo_t in user memory; the kernel keeps the
// first 48 bytes, which hold every layout (asm-generic/siginfo.h: SI_MAX_SIZE).
const SigInfoSize = 128

// SigInfo is what is known about one instance of a signal: siginfo_t of
// sigaction(2) for x86-64. Which of the overlapping fields are valid follows
// from Signo and Code.
type SigInfo struct {
	Signo, Errno, Code int32
	_                  int32
	// fields is the union _sifields, as little-endian words:
	//	kill, rt    [0] = pid | uid<<32        [1] = sigval
	//	timer       [0] = tid | overrun<<32    [1] = sigval
	//	SIGCHLD     [0] = pid | uid<<32        [1] = status [2] = utime [3] = stime
	//	faults      [0] = address
	//	SIGIO       [0] = band                 [1] = fd
	//	SIGSYS      [0] = call address         [1] = nr | arch<<32
	fields [4]uint64
}

func pair(lo, hi uint32) uint64 { return uint64(lo) | uint64(hi)<<32 }

// Pid and UID are valid for signals sent by a process and for SIGCHLD.
func (i *SigInfo) Pid() int32     { return int32(i.fields[0]) }
func (i *SigInfo) UID() uint32    { return uint32(i.fields[0] >> 32) }
func (i *SigInfo) Value() uint64  { return i.fields[1] }
func (i *SigInfo) Addr() uint64   { return i.fields[0] }
func (i *SigInfo) Status() int32  { return int32(i.fields[1]) }
func (i *SigInfo) TimerID() int32 { return int32(i.fields[0]) }
func (i *SigInfo) Overrun() int32 { return int32(i.fields[0] >> 32) }
func (i *SigInfo) Band() int64    { return int64(i.fields[0]) }
func (i *SigInfo) FD() int32      { return int32(i.fields[1]) }

// Signal returns the signal's number in Go's type.
func (i *SigInfo) Signal() unix.Signal { return unix.Signal(i.Signo) }

// UserInfo describes a signal sent by kill(2) (code SI_USER) or tgkill(2) (SI_TKILL).
func UserInfo(sig unix.Signal, code int32, pid int32, uid uint32) SigInfo {
	return SigInfo{Signo: int32(sig), Code: code, fields: [4]uint64{pair(uint32(pid), uid)}}
}

// KernelInfo describes a signal that the kernel sends without saying more.
func KernelInfo(sig unix.Signal) SigInfo { return SigInfo{Signo: int32(sig), Code: SI_KERNEL} }

// FaultInfo describes a signal raised by an instruction; addr is si_addr.
func FaultInfo(sig unix.Signal, code int32, addr uint64) SigInfo {
	return SigInfo{Signo: int32(sig), Code: code, fields: [4]uint64{addr}}
}

// ChildInfo describes a change of state of child pid: code is one of CLD_*,
// status its exit code or signal, the times are in clock ticks of 1/100 s.
func ChildInfo(sig unix.Signal, code int32, pid int32, uid uint32, status int32, utime, stime uint64) SigInfo {
	return SigInfo{Signo: int32(sig), Code: code,
		fields: [4]uint64{pair(uint32(pid), uid), uint64(uint32(status)), utime, stime}}
}

// Put writes the 128 bytes of siginfo_t to p.
func (i *SigInfo) Put(p *[SigInfoSize]byte) {
	clear(p[:])
	le := binary.LittleEndian
	le.PutUint32(p[0:], uint32(i.Signo))
	le.PutUint32(p[4:], uint32(i.Errno))
	le.PutUint32(p[8:], uint32(i.Code))
	for n, v := range i.fields {
		le.PutUint64(p[16+8*n:], v)
	}
}

// ParseSigInfo reads a siginfo_t made by a user (rt_sigqueueinfo(2)). What does
// not fit into the kernel's part must be zero: E2BIG otherwise.
func ParseSigInfo(p *[SigInfoSize]byte) (SigInfo, error) {
	le := binary.LittleEndian
	i := SigInfo{
		Signo: int32(le.Uint32(p[0:])),
		Errno: int32(le.Uint32(p[4:])),
		Code:  int32(le.Uint32(p[8:])),
	}
	for n := range i.fields {
		i.fields[n] = le.Uint64(p[16+8*n:])
	}
	for _, b := range p[48:] {
		if b != 0 {
			return i, unix.E2BIG
		}
	}
	return i, nil
}
