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
	unix.SYS_GETPID: {"getpid", sysGetpid},
}

// SyscallName returns the name of a system call for messages: "read", or "call
// 999" for one that is not in the table.
func SyscallName(nr uint64) string {
	if nr < tableSize && table[nr].Name != "" {
		return table[nr].Name
	}
	return "call " + utoa(nr)
}
