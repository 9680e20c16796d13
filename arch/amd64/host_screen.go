//go:build !tamarix

package amd64

import "tamarix/arch/screen"

// Screen returns the machine's screen: the host gives none.
func Screen() screen.Display { return nil }

// ScreenProblem says why the screen that the loader told of cannot be used.
func ScreenProblem() string { return "" }

// TakeScreen makes the screen that of the machine's last words.
func TakeScreen() {}

// EarlyScreenText returns what the start has written on the screen so far.
func EarlyScreenText() []byte { return nil }

// PanicKernel names the kernel in a report.
var PanicKernel string

// PanicLog copies the end of the kernel log.
var PanicLog func(p []byte) int

// PanicScreen shows why the kernel has stopped.
func PanicScreen(head, message string, stack []byte) {}

// ScreenFooter says what the machine does next.
func ScreenFooter(s string) {}

// Lost reports that the kernel cannot go on.
func Lost(msg string, v uint64) { fatal(msg, v) }
