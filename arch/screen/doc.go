// Package screen draws text on the screen of a PC: a grid of character cells on
// a framebuffer, or the cells of VGA's text mode.
//
// It runs in any context. Nothing in it allocates, blocks, takes a lock or needs
// a package initialised, so that the same code shows the first lines of a start
// (before there is a Go runtime), a terminal, and a panic. It never reads video
// memory back, which is slow: who draws keeps what is to be seen.
//
// A [Display] is the grid. The implementations are [Framebuffer], [VGA], and
// [Memory] for tests.
package screen
