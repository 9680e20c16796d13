// Package tty is the terminals: the N_TTY line discipline, termios, job control,
// hang-up, and pseudo-terminals, with Linux's behaviour (termios(3),
// tty_ioctl(4), pts(4)).
//
// # The path of a character
//
// A driver calls [Terminal.Receive] with what came over the line. Under the
// terminal's lock each character runs through the discipline (input.go): it may
// stop or start output, become a signal, edit the line (edit.go), or be stored on
// the input queue; its echo goes to the output queue (output.go). Then, the lock
// released, signals are sent, readers are woken and the transmitter is started.
// Receive never waits: what the input queue has no room for is kept in a backlog
// until a reader makes room, so nothing typed is lost while programs are busy or
// output scrolls.
//
// A reader takes whole lines (canonical mode) or what VMIN and VTIME say
// (read.go). A writer holds the terminal's write turn for its whole call, so that
// output of several writers mixes by calls and not by bytes, and puts its data
// through output processing onto the output queue, waiting for room (write.go).
// Each real terminal has one transmitter goroutine that hands the output queue
// to the driver; a pseudo-terminal's output queue is read by its master (pty.go).
//
// # Job control
//
// A terminal knows the session that it controls and its foreground process group
// by number. What processes, groups and sessions are is package proc's business,
// reached through [JobControl]. Numbers are always paired with the session's, so
// that a number used again by a stranger is not signalled.
//
// Every open file remembers how often the terminal had been hung up when it was
// opened: an older file reads end-of-file and cannot write (file.go).
//
// # Lock order
//
//	Manager.mu        table of pseudo-terminals
//	  Terminal.mu     discipline, queues, settings, session; never held over a call
//	                  of JobControl, a driver, or a copy to or from user memory
//	    wait.Queue
package tty
