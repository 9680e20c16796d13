// Package vt is the virtual terminals: four terminals of the type "linux" that
// share one screen and the keyboards (console_codes(4), ioctl_console(2)).
//
// # The path of a character
//
// What programs write to /dev/tty1 goes through the line discipline of fs/tty to
// [console.Write], which runs it through the terminal's emulator (package
// dev/vt/term). Nothing is drawn there: the drawer is told that something has
// changed. It is one goroutine (draw.go); it copies the rows that have changed,
// compares them with what it has drawn before, and has the [screen.Display] draw
// the cells that differ. After that it rests for a while, so that a program that
// writes a lot is not held up by the screen; and while nothing changes, it sleeps.
//
// The other way round, package dev/kbd calls the input function of the terminal
// in the foreground, which hands the characters to the line discipline, and
// [Consoles] as a [kbd.Sink] for the keys that switch terminals.
//
// The kernel log comes in by [Consoles.Log]: it is put where the cursor of a
// terminal is, without a way through its parser or its line discipline.
//
// # Numbers
//
// Terminals count from 1 to [Count]. 0 is the one in the foreground.
//
// # Locks
//
//	drawer.mu       what the display shows; one draws at a time
//	  Consoles.mu   everything else here, the emulators too; never held over a
//	                call of fs/tty, of a process, or of the display
//	    those of dev/kbd, which are leaves to this package
//
// fs/tty calls [console.Flow] with a terminal locked: it takes those of dev/kbd
// only.
//
// Nothing here may log with one of these held: a log line ends in Consoles.Log.
package vt
