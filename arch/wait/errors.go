package wait

import "golang.org/x/sys/unix"

// Results of an interrupted system call that user space never sees: proc turns
// them into EINTR or restarts the call (Linux include/linux/errno.h).
var (
	// ErrRestartSys restarts the call when the handler has SA_RESTART, or when no handler runs.
	ErrRestartSys error = unix.Errno(512)
	// ErrRestartNoIntr always restarts the call.
	ErrRestartNoIntr error = unix.Errno(513)
	// ErrRestartNoHand restarts the call only when no handler runs.
	ErrRestartNoHand error = unix.Errno(514)
	// ErrRestartBlock goes on by restart_syscall(2) when no handler runs: for relative time-outs.
	ErrRestartBlock error = unix.Errno(516)
)
