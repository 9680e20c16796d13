// Package keymap reads keyboard maps in the language of keymaps(5), as far as
// the maps of PC keyboards use it.
//
//	keymaps 0-2,4-5,8,12        which columns the lines below fill
//	keycode 16 = q Q at         a key's symbols, column by column
//	keycode 1 = Escape          one symbol: for all columns; a letter stands for
//	                            itself, its capital, Control and Meta with it
//	shift control keycode 3 = nul   one column alone ("plain" for the first)
//	string F1 = "\033[[A"       what a function key sends
//	strings as usual            what all of them send
//	alt_is_meta                 Alt with a character is Meta with it, if the
//	                            file does not say otherwise
//	include "pc.inc"            another file, looked for beside this one
//	charset "iso-8859-1"        taken note of: it is what names mean anyway
//	# and ! begin comments; a \ at a line's end joins the next one to it
//
// Symbols are names (the ones dumpkeys -l lists for ASCII, ISO 8859-1 and the
// keyboard's own), numbers, and Unicode characters as U+20ac; a + before one
// makes Caps Lock act on it. Columns are numbered by their modifiers: 1 Shift, 2
// AltGr, 4 Control, 8 Alt, and so on.
//
// Not in it: compose lines (they are accepted and do nothing, and the kernel has
// no compose tables), other character sets, and names of letters beyond ISO
// 8859-1, for which there is the Unicode notation.
//
// A map is what [Parse] makes of a text; package loadkeys gives it to a kernel.
package keymap
