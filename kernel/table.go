package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// Args are a system call's arguments, in order. They belong to the task and
// stay as they are until its next call.
type Args = [6]uint64

// syscall is one entry of the table. Fn does the call for the task whose
// goroutine it runs on, and returns what the user gets in RAX, or an error: a
// unix.Errno, or one of package wait's restart marks.
type syscall struct {
	Name string
	Fn   func(t *proc.Task, a *Args) (uintptr, error)
}

// tableSize is above every number of asm/unistd_64.h that this kernel knows.
const tableSize = 512

// table holds the system calls by number, sorted. What is not in it is ENOSYS.
// To add a call, add a line here and its function to the file of its subject.
var table = [tableSize]syscall{
	unix.SYS_MMAP:              {"mmap", sysMmap},
	unix.SYS_MPROTECT:          {"mprotect", sysMprotect},
	unix.SYS_MUNMAP:            {"munmap", sysMunmap},
	unix.SYS_BRK:               {"brk", sysBrk},
	unix.SYS_RT_SIGACTION:      {"rt_sigaction", sysRtSigaction},
	unix.SYS_RT_SIGPROCMASK:    {"rt_sigprocmask", sysRtSigprocmask},
	unix.SYS_RT_SIGRETURN:      {"rt_sigreturn", sysRtSigreturn},
	unix.SYS_MREMAP:            {"mremap", sysMremap},
	unix.SYS_MSYNC:             {"msync", sysMsync},
	unix.SYS_MINCORE:           {"mincore", sysMincore},
	unix.SYS_MADVISE:           {"madvise", sysMadvise},
	unix.SYS_PAUSE:             {"pause", sysPause},
	unix.SYS_NANOSLEEP:         {"nanosleep", sysNanosleep},
	unix.SYS_GETITIMER:         {"getitimer", sysGetitimer},
	unix.SYS_ALARM:             {"alarm", sysAlarm},
	unix.SYS_SETITIMER:         {"setitimer", sysSetitimer},
	unix.SYS_GETPID:            {"getpid", sysGetpid},
	unix.SYS_KILL:              {"kill", sysKill},
	unix.SYS_GETTIMEOFDAY:      {"gettimeofday", sysGettimeofday},
	unix.SYS_RT_SIGPENDING:     {"rt_sigpending", sysRtSigpending},
	unix.SYS_RT_SIGTIMEDWAIT:   {"rt_sigtimedwait", sysRtSigtimedwait},
	unix.SYS_RT_SIGQUEUEINFO:   {"rt_sigqueueinfo", sysRtSigqueueinfo},
	unix.SYS_RT_SIGSUSPEND:     {"rt_sigsuspend", sysRtSigsuspend},
	unix.SYS_SIGALTSTACK:       {"sigaltstack", sysSigaltstack},
	unix.SYS_MLOCK:             {"mlock", sysMlock},
	unix.SYS_MUNLOCK:           {"munlock", sysMunlock},
	unix.SYS_MLOCKALL:          {"mlockall", sysMlockall},
	unix.SYS_MUNLOCKALL:        {"munlockall", sysMunlockall},
	unix.SYS_ADJTIMEX:          {"adjtimex", sysAdjtimex},
	unix.SYS_SETTIMEOFDAY:      {"settimeofday", sysSettimeofday},
	unix.SYS_TKILL:             {"tkill", sysTkill},
	unix.SYS_TIME:              {"time", sysTime},
	unix.SYS_RESTART_SYSCALL:   {"restart_syscall", sysRestartSyscall},
	unix.SYS_TIMER_CREATE:      {"timer_create", sysTimerCreate},
	unix.SYS_TIMER_SETTIME:     {"timer_settime", sysTimerSettime},
	unix.SYS_TIMER_GETTIME:     {"timer_gettime", sysTimerGettime},
	unix.SYS_TIMER_GETOVERRUN:  {"timer_getoverrun", sysTimerGetoverrun},
	unix.SYS_TIMER_DELETE:      {"timer_delete", sysTimerDelete},
	unix.SYS_CLOCK_SETTIME:     {"clock_settime", sysClockSettime},
	unix.SYS_CLOCK_GETTIME:     {"clock_gettime", sysClockGettime},
	unix.SYS_CLOCK_GETRES:      {"clock_getres", sysClockGetres},
	unix.SYS_CLOCK_NANOSLEEP:   {"clock_nanosleep", sysClockNanosleep},
	unix.SYS_TGKILL:            {"tgkill", sysTgkill},
	unix.SYS_RT_TGSIGQUEUEINFO: {"rt_tgsigqueueinfo", sysRtTgsigqueueinfo},
	unix.SYS_CLOCK_ADJTIME:     {"clock_adjtime", sysClockAdjtime},
	unix.SYS_PROCESS_VM_READV:  {"process_vm_readv", sysProcessVMReadv},
	unix.SYS_PROCESS_VM_WRITEV: {"process_vm_writev", sysProcessVMWritev},
	unix.SYS_MEMBARRIER:        {"membarrier", sysMembarrier},
	unix.SYS_MLOCK2:            {"mlock2", sysMlock2},
}

// SyscallName returns the name of a system call for messages: "read", or "call
// 999" for one that is not in the table.
func SyscallName(nr uint64) string {
	if nr < tableSize && table[nr].Name != "" {
		return table[nr].Name
	}
	return "call " + utoa(nr)
}
