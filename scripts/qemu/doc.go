// Package qemu boots kernels and disk images in QEMU, reads what they say on the
// serial line and show on the screen, and types at them.
//
// A VM's Send types and its Expect waits for what the machine shows. The VM
// answers the questions that programs ask a terminal (cursor position, colours),
// as a real one would. A machine that says nothing for too long is asked for its
// registers (QMP, info registers -a); those and the end of its log go into the
// error.
//
// The screen is what QEMU's screendump says: a picture. ExpectScreen reads the
// text off it, cell by cell, by the shapes of a font's characters, and so sees what
// a person would: a character drawn wrong is no character. Type and Press send
// keys to the machine's keyboard, whichever it is.
package qemu
