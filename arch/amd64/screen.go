//go:build tamarix

package amd64

import "tamarix/arch/screen"

// Screen returns the machine's screen, or nil if it has none that can be used.
// It is for one user at a time, and for as long as nobody calls [TakeScreen].
func Screen() screen.Display { return nil }

// TakeScreen makes the screen that of the machine's last words: what others draw
// from now on is not shown. It may be called from any context.
func TakeScreen() {}

// EarlyScreenText returns what the start has written on the screen so far, for
// whoever draws on it next to show it again. Lines end with a newline.
func EarlyScreenText() []byte { return nil }
