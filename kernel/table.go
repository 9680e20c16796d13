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
	unix.SYS_READ:              {"read", sysRead},
	unix.SYS_WRITE:             {"write", sysWrite},
	unix.SYS_OPEN:              {"open", sysOpen},
	unix.SYS_CLOSE:             {"close", sysClose},
	unix.SYS_STAT:              {"stat", sysStat},
	unix.SYS_FSTAT:             {"fstat", sysFstat},
	unix.SYS_LSTAT:             {"lstat", sysLstat},
	unix.SYS_LSEEK:             {"lseek", sysLseek},
	unix.SYS_MMAP:              {"mmap", sysMmap},
	unix.SYS_MPROTECT:          {"mprotect", sysMprotect},
	unix.SYS_MUNMAP:            {"munmap", sysMunmap},
	unix.SYS_BRK:               {"brk", sysBrk},
	unix.SYS_RT_SIGACTION:      {"rt_sigaction", sysRtSigaction},
	unix.SYS_RT_SIGPROCMASK:    {"rt_sigprocmask", sysRtSigprocmask},
	unix.SYS_RT_SIGRETURN:      {"rt_sigreturn", sysRtSigreturn},
	unix.SYS_IOCTL:             {"ioctl", sysIoctl},
	unix.SYS_PREAD64:           {"pread64", sysPread64},
	unix.SYS_PWRITE64:          {"pwrite64", sysPwrite64},
	unix.SYS_READV:             {"readv", sysReadv},
	unix.SYS_WRITEV:            {"writev", sysWritev},
	unix.SYS_ACCESS:            {"access", sysAccess},
	unix.SYS_MREMAP:            {"mremap", sysMremap},
	unix.SYS_MSYNC:             {"msync", sysMsync},
	unix.SYS_MINCORE:           {"mincore", sysMincore},
	unix.SYS_MADVISE:           {"madvise", sysMadvise},
	unix.SYS_DUP:               {"dup", sysDup},
	unix.SYS_DUP2:              {"dup2", sysDup2},
	unix.SYS_PAUSE:             {"pause", sysPause},
	unix.SYS_NANOSLEEP:         {"nanosleep", sysNanosleep},
	unix.SYS_GETITIMER:         {"getitimer", sysGetitimer},
	unix.SYS_ALARM:             {"alarm", sysAlarm},
	unix.SYS_SETITIMER:         {"setitimer", sysSetitimer},
	unix.SYS_GETPID:            {"getpid", sysGetpid},
	unix.SYS_KILL:              {"kill", sysKill},
	unix.SYS_FCNTL:             {"fcntl", sysFcntl},
	unix.SYS_FLOCK:             {"flock", sysFlock},
	unix.SYS_FSYNC:             {"fsync", sysFsync},
	unix.SYS_FDATASYNC:         {"fdatasync", sysFdatasync},
	unix.SYS_TRUNCATE:          {"truncate", sysTruncate},
	unix.SYS_FTRUNCATE:         {"ftruncate", sysFtruncate},
	unix.SYS_GETDENTS:          {"getdents", sysGetdents},
	unix.SYS_GETCWD:            {"getcwd", sysGetcwd},
	unix.SYS_CHDIR:             {"chdir", sysChdir},
	unix.SYS_FCHDIR:            {"fchdir", sysFchdir},
	unix.SYS_RENAME:            {"rename", sysRename},
	unix.SYS_MKDIR:             {"mkdir", sysMkdir},
	unix.SYS_RMDIR:             {"rmdir", sysRmdir},
	unix.SYS_CREAT:             {"creat", sysCreat},
	unix.SYS_LINK:              {"link", sysLink},
	unix.SYS_UNLINK:            {"unlink", sysUnlink},
	unix.SYS_SYMLINK:           {"symlink", sysSymlink},
	unix.SYS_READLINK:          {"readlink", sysReadlink},
	unix.SYS_CHMOD:             {"chmod", sysChmod},
	unix.SYS_FCHMOD:            {"fchmod", sysFchmod},
	unix.SYS_CHOWN:             {"chown", sysChown},
	unix.SYS_FCHOWN:            {"fchown", sysFchown},
	unix.SYS_LCHOWN:            {"lchown", sysLchown},
	unix.SYS_UMASK:             {"umask", sysUmask},
	unix.SYS_GETTIMEOFDAY:      {"gettimeofday", sysGettimeofday},
	unix.SYS_RT_SIGPENDING:     {"rt_sigpending", sysRtSigpending},
	unix.SYS_RT_SIGTIMEDWAIT:   {"rt_sigtimedwait", sysRtSigtimedwait},
	unix.SYS_RT_SIGQUEUEINFO:   {"rt_sigqueueinfo", sysRtSigqueueinfo},
	unix.SYS_RT_SIGSUSPEND:     {"rt_sigsuspend", sysRtSigsuspend},
	unix.SYS_SIGALTSTACK:       {"sigaltstack", sysSigaltstack},
	unix.SYS_UTIME:             {"utime", sysUtime},
	unix.SYS_MKNOD:             {"mknod", sysMknod},
	unix.SYS_STATFS:            {"statfs", sysStatfs},
	unix.SYS_FSTATFS:           {"fstatfs", sysFstatfs},
	unix.SYS_MLOCK:             {"mlock", sysMlock},
	unix.SYS_MUNLOCK:           {"munlock", sysMunlock},
	unix.SYS_MLOCKALL:          {"mlockall", sysMlockall},
	unix.SYS_MUNLOCKALL:        {"munlockall", sysMunlockall},
	unix.SYS_PIVOT_ROOT:        {"pivot_root", sysPivotRoot},
	unix.SYS_ADJTIMEX:          {"adjtimex", sysAdjtimex},
	unix.SYS_CHROOT:            {"chroot", sysChroot},
	unix.SYS_SYNC:              {"sync", sysSync},
	unix.SYS_SETTIMEOFDAY:      {"settimeofday", sysSettimeofday},
	unix.SYS_MOUNT:             {"mount", sysMount},
	unix.SYS_UMOUNT2:           {"umount2", sysUmount2},
	unix.SYS_READAHEAD:         {"readahead", sysReadahead},
	unix.SYS_TKILL:             {"tkill", sysTkill},
	unix.SYS_TIME:              {"time", sysTime},
	unix.SYS_GETDENTS64:        {"getdents64", sysGetdents64},
	unix.SYS_RESTART_SYSCALL:   {"restart_syscall", sysRestartSyscall},
	unix.SYS_FADVISE64:         {"fadvise64", sysFadvise64},
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
	unix.SYS_UTIMES:            {"utimes", sysUtimes},
	unix.SYS_OPENAT:            {"openat", sysOpenat},
	unix.SYS_MKDIRAT:           {"mkdirat", sysMkdirat},
	unix.SYS_MKNODAT:           {"mknodat", sysMknodat},
	unix.SYS_FCHOWNAT:          {"fchownat", sysFchownat},
	unix.SYS_FUTIMESAT:         {"futimesat", sysFutimesat},
	unix.SYS_NEWFSTATAT:        {"newfstatat", sysNewfstatat},
	unix.SYS_UNLINKAT:          {"unlinkat", sysUnlinkat},
	unix.SYS_RENAMEAT:          {"renameat", sysRenameat},
	unix.SYS_LINKAT:            {"linkat", sysLinkat},
	unix.SYS_SYMLINKAT:         {"symlinkat", sysSymlinkat},
	unix.SYS_READLINKAT:        {"readlinkat", sysReadlinkat},
	unix.SYS_FCHMODAT:          {"fchmodat", sysFchmodat},
	unix.SYS_FACCESSAT:         {"faccessat", sysFaccessat},
	unix.SYS_SYNC_FILE_RANGE:   {"sync_file_range", sysSyncFileRange},
	unix.SYS_UTIMENSAT:         {"utimensat", sysUtimensat},
	unix.SYS_SIGNALFD:          {"signalfd", sysSignalfd},
	unix.SYS_TIMERFD_CREATE:    {"timerfd_create", sysTimerfdCreate},
	unix.SYS_FALLOCATE:         {"fallocate", sysFallocate},
	unix.SYS_TIMERFD_SETTIME:   {"timerfd_settime", sysTimerfdSettime},
	unix.SYS_TIMERFD_GETTIME:   {"timerfd_gettime", sysTimerfdGettime},
	unix.SYS_SIGNALFD4:         {"signalfd4", sysSignalfd4},
	unix.SYS_DUP3:              {"dup3", sysDup3},
	unix.SYS_PREADV:            {"preadv", sysPreadv},
	unix.SYS_PWRITEV:           {"pwritev", sysPwritev},
	unix.SYS_RT_TGSIGQUEUEINFO: {"rt_tgsigqueueinfo", sysRtTgsigqueueinfo},
	unix.SYS_CLOCK_ADJTIME:     {"clock_adjtime", sysClockAdjtime},
	unix.SYS_SYNCFS:            {"syncfs", sysSyncfs},
	unix.SYS_PROCESS_VM_READV:  {"process_vm_readv", sysProcessVMReadv},
	unix.SYS_PROCESS_VM_WRITEV: {"process_vm_writev", sysProcessVMWritev},
	unix.SYS_RENAMEAT2:         {"renameat2", sysRenameat2},
	unix.SYS_MEMBARRIER:        {"membarrier", sysMembarrier},
	unix.SYS_MLOCK2:            {"mlock2", sysMlock2},
	unix.SYS_PREADV2:           {"preadv2", sysPreadv2},
	unix.SYS_PWRITEV2:          {"pwritev2", sysPwritev2},
	unix.SYS_STATX:             {"statx", sysStatx},
	unix.SYS_PIDFD_SEND_SIGNAL: {"pidfd_send_signal", sysPidfdSendSignal},
	unix.SYS_CLOSE_RANGE:       {"close_range", sysCloseRange},
	unix.SYS_OPENAT2:           {"openat2", sysOpenat2},
	unix.SYS_FACCESSAT2:        {"faccessat2", sysFaccessat2},
	unix.SYS_FCHMODAT2:         {"fchmodat2", sysFchmodat2},
}

// SyscallName returns the name of a system call for messages: "read", or "call
// 999" for one that is not in the table.
func SyscallName(nr uint64) string {
	if nr < tableSize && table[nr].Name != "" {
		return table[nr].Name
	}
	return "call " + utoa(nr)
}
