// Package kernel is the top: the order of start-up, the table of system calls,
// the command line, the hand-over to process 1, and what happens when nothing
// goes any further (panic).
package kernel
