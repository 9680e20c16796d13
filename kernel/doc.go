// Package kernel is the top: the order of start-up, the table of system calls,
// the command line, the hand-over to process 1, and what happens when nothing
// goes any further.
//
// # Start-up
//
// [Main] runs as the Go program's main function. In this order: the log gets its
// clock and its consoles, the screen's virtual terminals among them
// (consoles.go); the machine is reported; the wall clock is set; a tmpfs becomes
// the root and the loader's cpio archives are unpacked into it (root.go);
// devices and the file systems that show the kernel are registered (devices.go);
// process 1 gets /dev/console as descriptors 0, 1 and 2 and executes the first
// program there is of those that the command line names and the usual ones
// (init.go). From then on everything happens on the goroutines of tasks.
//
// The last thing before process 1 is the pace of the garbage collector (gcpace.go):
// as far as the machine's memory allows, so much may be allocated between two of
// its cycles that they take no more than a few percent of the kernel's time.
// /proc/tamarix/gostat shows what they take.
//
// # The path of a system call
//
// arch/amd64's entry stores the registers; the task's loop (proc/run.go) looks
// the number up in table (table.go) and calls the function there with the task
// and its six arguments. The functions stand in one file for each subject,
// sys_read.go to sys_xattr.go. Each is a thin layer: take the arguments apart,
// copy from and to user memory, call the subsystem, translate the result. It
// returns a unix.Errno, or one of package wait's marks for a call that a signal
// has interrupted. A number that is not in the table is ENOSYS, and logged once
// for each program (dispatch.go).
//
// To add a call: one line in table.go, and its function.
//
// # Adapters
//
// Packages below that need to know about processes declare an interface, which
// is implemented here over package proc: terminals' job control (jobcontrol.go)
// and /proc (procinfo.go).
//
// # The keyboard
//
// keyboard.go makes the machine's keyboards (package dev/kbd) when a screen or a
// driver first asks for them, starts the driver of the PS/2 ones, and says what
// keys do to the machine. sysrq.go has the commands of Alt-SysRq, which
// /proc/sysrq-trigger takes too.
//
// # The end
//
// [Panic] is for what leaves nothing to go on with: no program for process 1, or
// its death. The command line's panic= says what comes after. A Go panic in a
// system call is not one of these: it ends the process (proc/run.go). If the Go
// runtime itself gives up, arch/amd64 stops the other CPUs and calls lost.
//
// # Locks
//
// The package has few of its own, all of them leaves: unknown.mu here, and those
// of the host name and of syslog(2) in their files.
package kernel
