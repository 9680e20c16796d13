// Init is process 1 and, under other names, the commands that talk to it.
//
// One binary, which goes by the name it is called by (the last element of
// argv[0], without a leading dash):
//
//	init                          process 1; elsewhere the same as telinit
//	telinit [0-6 S a b c q u]     asks init for a runlevel, or to read the table again
//	poweroff reboot halt [-f]     the way down; -f calls the kernel at once
//	shutdown [-h|-P|-r|-H|-c] when  the same with a delay and a warning
//	getty, login, loadkeys, hwreport   packages of these names
//	kbd_mode                      package loadkeys
//	mountall [fstab]              mounts what fstab lists
//	sh                            u-root images: starts gosh as sh is started
//
// # What init does
//
// It reads /etc/inittab (package inittab). At boot the sysinit entries run, one
// after the other; then boot and bootwait; then the runlevel of initdefault (3
// without one, or the level, S or single given as an argument) is entered: its
// wait, once and respawn entries start in the file's order. Without an inittab
// there is one entry: a shell on the console.
//
// A process is started in a new session. Where its id names a terminal (a file
// of that name below /dev that is one) it gets that as its controlling terminal
// and as descriptors 0 to 2; an empty id means /dev/console. Others write to the
// console without being controlled by it. An entry whose id begins with tty and
// names no terminal of this machine is left out, with a line in the kernel log. A command with characters that mean
// something to a shell is run by /bin/sh -c; others are executed directly.
//
// A respawn entry that was started 10 times within two minutes is held back for
// five, with a message; telinit q lets it go at once.
//
// # Talking to init
//
// The FIFO /run/initctl takes System V's struct init_request (sysvinit,
// initreq.h), so sysvinit's telinit works too. Signals, as busybox's init has
// them: SIGHUP reads the table again, SIGUSR1 halts, SIGUSR2 powers off, SIGTERM
// reboots, SIGINT runs the ctrlaltdel entries, SIGWINCH the kbrequest ones,
// SIGPWR the powerfail ones, SIGQUIT stops all and executes the restart entry.
// (sysvinit's SIGUSR1, which opens the FIFO again, has no use here.)
//
// # Changing the runlevel, and the way down
//
// Processes that do not belong to the new level get SIGTERM and five seconds
// later SIGKILL; then the new level's entries start. Level 0 (power off), 6
// (reboot) and a halt run the level's own entries and those with action shutdown,
// then every process gets SIGTERM, SIGKILL after the same delay, and after a
// sync(2) the kernel gets its reboot(2).
//
// # Structure
//
// All state belongs to one goroutine, supervisor.run: it waits for signals,
// requests and times, reaps, and then calls advance, which starts whatever may
// be started now. It never blocks on a process: "wait" means that advance stops
// at that entry until the reaper has seen it end. So init answers while it
// boots.
package main
