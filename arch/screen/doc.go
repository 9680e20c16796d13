// Package screen draws text on the screen of a PC: a grid of character cells on
// a framebuffer, or the cells of VGA's text mode.
//
// It runs in any context. Nothing in it allocates, blocks, takes a lock or needs
// a package initialised, so that the same code shows the first lines of a start
// (before there is a Go runtime), a terminal, and a panic. It never reads video
// memory back, which is slow: who draws keeps what is to be seen, and a
// [Framebuffer] that is to show a cursor keeps a copy of its cells ([Framebuffer.Keep]).
//
// # What draws, and on what
//
// A [Display] is the grid. The implementations are [Framebuffer], [VGA], and
// [Memory] for tests; [Output] is any one of them, for code in which an interface
// would make the compiler put cells on the heap. A [Printer] prints lines as a
// teletype does, and keeps them; a [Report] is the last screen of a machine.
// None of them takes a lock: each has one user at a time, and package arch/amd64
// says whose turn it is.
//
// # The path of a character
//
// [Framebuffer.Draw] is given cells. For each it finds the glyph (font.go), two
// bits for each of 8 x 16 pixels, and makes of every line of it words of pixels in
// the layout of the screen (framebuffer.go, layout.go). The colours of the four
// levels, and of all pairs of pixels, are computed once for a run of cells of the
// same colours; so a line of a cell is four loads and four stores of eight bytes
// where a pixel has 32 bits. On large screens a pixel of the font is several of
// the screen's, as [Scale] says; other rules there are none.
//
// # The font
//
// Letters are Go Mono's and Go Mono Bold's: Latin, Greek, Cyrillic, some symbols.
// Line drawing, blocks and Braille are drawn by the generator, so that they join
// (genfont). Both are in glyphs.bin, which the linker puts among the constants.
// A character that the font lacks is a box. VGA's own font has the characters of
// code page 437, and others are shown by what is most like them (cp437.go).
package screen
