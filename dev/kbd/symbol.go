package kbd

// Symbol is what a key does in one column of the key map, in the form that
// KDGKBENT and KDSKBENT carry: a kind in the upper byte and a value in the lower
// one (UAPI linux/keyboard.h). What looks like a kind from 15 on is no kind: the
// symbol is then a Unicode character, exclusive-or 0xf000.
type Symbol uint16

// Kinds of symbols (KT_*).
const (
	kindLatin  = iota // an 8-bit character
	kindFn            // a string of the table
	kindSpec          // see spec*
	kindPad           // the keypad
	kindDead          // dead accents
	kindCons          // show a terminal
	kindCur           // arrow keys
	kindShift         // modifiers
	kindMeta          // a character with Alt
	kindASCII         // Alt and the keypad: a character by its number
	kindLock          // modifiers that stay
	kindLetter        // a character that Caps Lock acts on
	kindSlock         // modifiers that stay for one key
	kindDead2         // any character as a dead accent
	kindBraille
	kinds // number of them
)

// unicodeMask makes a symbol of a Unicode character and back.
const unicodeMask = 0xf000

func symbol(kind, value int) Symbol { return Symbol(kind<<8 | value) }

func (s Symbol) kind() int  { return int(s >> 8) }
func (s Symbol) value() int { return int(s & 0xff) }

// Values of kindSpec.
const (
	specHole = iota
	specEnter
	specShowRegisters
	specShowMemory
	specShowTasks
	specBreak
	specLastConsole
	specCapsLock
	specNumLock
	specHold
	specScrollForward
	specScrollBack
	specBoot
	specCapsOn
	specCompose
	specSAK
	specPreviousConsole
	specNextConsole
	specSpawnConsole
	specBareNumLock
	specs // number of them

	specAllocated = 126 // in key 0 of a map that KDSKBENT made
	specNoSuchMap = 127 // what KDGKBENT says of key 0 of a map there is not
)

const (
	hole      = Symbol(kindSpec << 8)
	allocated = Symbol(kindSpec<<8 | specAllocated)
	noSuchMap = Symbol(kindSpec<<8 | specNoSuchMap)
	sak       = Symbol(kindSpec<<8 | specSAK)
)

// Values of kindFn that keys other than function keys use.
const (
	fnFind = 20 + iota // Home
	fnInsert
	fnRemove // Delete
	fnSelect // End
	fnPageUp
	fnPageDown
	fnMacro
	fnHelp
	fnDo
	fnPause
)

// Values of kindPad from 10 on; below are the digits.
const (
	padPlus = 10 + iota
	padMinus
	padStar
	padSlash
	padEnter
	padComma
	padDot
	padPlusMinus
	padParenL
	padParenR
	pads // number of them
)

// Values of kindCur.
const (
	curDown = iota
	curLeft
	curRight
	curUp
	curs
)

// Values of kindShift, kindLock and kindSlock: bits of the number of a column.
const (
	modShift = iota
	modAltGr
	modCtrl
	modAlt
	modShiftL
	modShiftR
	modCtrlL
	modCtrlR
	modCapsShift
	mods
)

const (
	deads    = 27 // values of kindDead
	asciis   = 26 // values of kindASCII: ten decimal digits and sixteen hexadecimal ones
	brailles = 11
)

// maxValue is the highest value that each kind has.
var maxValue = [kinds]int{
	kindLatin: 255, kindFn: maxFunctions - 1, kindSpec: specs - 1, kindPad: pads - 1, kindDead: deads - 1,
	kindCons: 255, kindCur: curs - 1, kindShift: mods - 1, kindMeta: 255, kindASCII: asciis - 1,
	kindLock: mods - 1, kindLetter: 255, kindSlock: mods - 1, kindDead2: 255, kindBraille: brailles - 1,
}

// deadAccent is the character a dead key stands for (the values of kindDead in
// their order): what Linux gives for it before a space.
const deadAccent = "`'^~\",_U.*=cki#o!?+-)(:n;$@"

// accent returns the character of a dead key.
func accent(value int) rune {
	if value < len(deadAccent) {
		return rune(deadAccent[value])
	}
	return ' '
}
