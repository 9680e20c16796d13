// Package loadkeys is the command that gives the kernel a keyboard map, as
// kbd's of the same name does.
//
//	loadkeys [-q] [-C device] map...   loads maps (package keymap, keymaps(5))
//	loadkeys -b map...                 writes them for busybox's loadkmap instead
//	loadkeys -p map...                 only reads them, and says what is wrong
//	loadkeys --boot                    loads the map that "keymap=" on the kernel's
//	                                   command line names, else the one that
//	                                   /etc/keymap names, else none
//
// A map is a file's name, or a name like "de": that is looked for as
// /etc/keymaps/de.map, then below the places where Linux distributions keep
// theirs. "-" is standard input. The keys of a map's columns change; columns it
// does not have stay as they are.
//
// The map is the kernel's, the same for all its virtual terminals; changing it
// takes CAP_SYS_TTY_CONFIG and any virtual terminal to ask it on: the device, or
// standard input, or the first there is.
//
//	kbd_mode [-C device] [-a | -u | -k | -s]   says what a virtual terminal gets of
//	                                   the keyboard, or sets it: 8-bit characters,
//	                                   UTF-8, key codes, scan codes
package loadkeys
