// Package inittab reads /etc/inittab in the form of System V's init(8), with
// the actions of busybox's init besides:
//
//	id:runlevels:action:process
//
// A line that begins with # (after blanks) is a comment. The process field is
// the rest of the line and may hold colons. A line that makes no sense is
// reported with file and line number and skipped; the others count.
//
//	id         names the entry in messages. Where it names a terminal under
//	           /dev, the process gets that terminal; an empty id means the
//	           console.
//	runlevels  the characters 0-9, S (single user) and a, b, c (on demand).
//	           Empty: every numbered level.
//	action     see the Action constants.
//	process    the command. A leading + (System V: no utmp entry) is dropped; a
//	           leading - (busybox) makes it a login shell: argv[0] gets a dash.
package inittab
