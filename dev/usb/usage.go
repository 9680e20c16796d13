package usb

import "tamarix/dev/kbd"

// firstModifier is the usage of the first of the eight modifiers: left Control.
const firstModifier = 0xe0

// usages gives the key code for each usage of the keyboard page (HUT 10), and 0
// where Linux has none. Codes are those of UAPI linux/input-event-codes.h; the
// names in the comments are the key caps of a US keyboard.
var usages = [256]kbd.Code{
	// Letters: A to Z.
	0x04: 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50,
	0x11: 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44,
	// Digits: 1 to 9, 0.
	0x1e: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
	0x28: 28,     // Enter
	0x29: 1,      // Escape
	0x2a: 14,     // Backspace
	0x2b: 15,     // Tab
	0x2c: 57,     // space
	0x2d: 12, 13, // - =
	0x2f: 26, 27, // [ ]
	0x31: 43,     // backslash
	0x32: 43,     // the same key where it has # on it
	0x33: 39, 40, // ; '
	0x35: 41,     // `
	0x36: 51, 52, // , .
	0x38: 53,                                     // /
	0x39: 58,                                     // Caps Lock
	0x3a: 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, // F1 to F10
	0x44: 87, 88, // F11, F12
	0x46: 99,       // Print Screen
	0x47: 70,       // Scroll Lock
	0x48: 119,      // Pause
	0x49: 110,      // Insert
	0x4a: 102, 104, // Home, Page Up
	0x4c: 111,      // Delete
	0x4d: 107, 109, // End, Page Down
	0x4f: 106, 105, 108, 103, // right, left, down, up
	// Keypad.
	0x53: 69,             // Num Lock
	0x54: 98, 55, 74, 78, // / * - +
	0x58: 96,                                     // Enter
	0x59: 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, // 1 to 9, 0
	0x63: 83,                                                         // .
	0x64: 86,                                                         // the key beside the left Shift (102nd)
	0x65: 127,                                                        // Application (menu)
	0x66: 116,                                                        // Power
	0x67: 117,                                                        // keypad =
	0x68: 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, // F13 to F24
	0x74: 134,           // Execute: open
	0x75: 138,           // Help
	0x76: 130,           // Menu: props
	0x77: 132,           // Select: front
	0x78: 128, 129, 131, // Stop, Again, Undo
	0x7b: 137, 133, 135, 136, // Cut, Copy, Paste, Find
	0x7f: 113, 115, 114, // Mute, Volume Up, Volume Down
	0x85: 121, // keypad comma
	// International keys and languages.
	0x87: 89, 93, 124, 92, 94, 95, // Ro, Katakana/Hiragana, Yen, Henkan, Muhenkan, keypad comma (PC-98)
	0x90: 122, 123, 90, 91, 85, // Hangul, Hanja, Katakana, Hiragana, Zenkaku/Hankaku
	0xb6: 179, 180, // keypad ( )
	0xd7: 118, // keypad +/-
	// Modifiers: left Control, Shift, Alt, GUI; the same on the right.
	firstModifier: 29, 42, 56, 125, 97, 54, 100, 126,
}
