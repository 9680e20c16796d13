// Package term is a terminal emulator: bytes in, a grid of character cells out.
//
// It is the terminal type "linux" of terminfo(5), whose sequences
// console_codes(4) describes: a subset of ECMA-48 and of the VT102, with 16, 256
// and 24-bit colours, UTF-8, and the palette sequences of the Linux console.
// Beyond that it knows xterm's alternate screen (modes 47, 1047 to 1049), SU and SD,
// CHT and CBT, and REP, since programs send them without asking terminfo.
//
// The package knows nothing of screens, devices and tasks, and takes no lock: a
// [Screen] belongs to its caller.
//
// # The path of a byte
//
// [Screen.Write] runs each byte through a state machine (parse.go). On the ground
// state bytes are decoded from UTF-8 and put into cells (put.go); ESC and CSI
// lead to the functions of escape.go, csi.go, sgr.go and mode.go, which move the
// cursor and edit the grid (edit.go, grid.go). What a sequence wants of the world
// outside (an answer to be typed, a bell, another terminal in front) is noted and
// fetched afterwards by [Screen.TakeEffects].
//
// # Invariants
//
//   - The cursor is always inside the grid: 0 <= x < cols, 0 <= y < rows. That a
//     character has been put into the last column is a flag of its own (wrap).
//   - 0 <= top < bottom <= rows: the scroll region is rows top to bottom-1.
//   - The right half of a wide character stands to the right of its left half, and
//     nowhere else: whoever overwrites one half blanks the other.
//   - The state after some bytes does not depend on how they were divided among
//     calls of Write.
//
// # Lines
//
// A grid keeps its lines, and on the main screen the lines that have scrolled off
// the top, in one ring (grid.go): to scroll the whole screen by a line means to
// advance the ring by one and to blank the line that comes in. No cell moves.
package term
