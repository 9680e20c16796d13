package kbd

// The keys that this package, its drivers or their tests call by name (UAPI
// linux/input-event-codes.h).
const (
	KeyEsc        Code = 1
	Key1          Code = 2
	Key0          Code = 11
	KeyBackspace  Code = 14
	KeyTab        Code = 15
	KeyQ          Code = 16
	KeyEnter      Code = 28
	KeyLeftCtrl   Code = 29
	KeyA          Code = 30
	KeyC          Code = 46
	KeyB          Code = 48
	KeyLeftShift  Code = 42
	KeyBackslash  Code = 43
	KeyRightShift Code = 54
	KeyKPAsterisk Code = 55
	KeyLeftAlt    Code = 56
	KeySpace      Code = 57
	KeyCapsLock   Code = 58
	KeyF1         Code = 59
	KeyF2         Code = 60
	KeyF10        Code = 68
	KeyNumLock    Code = 69
	KeyScrollLock Code = 70
	KeyKP7        Code = 71
	KeyKPMinus    Code = 74
	KeyKP4        Code = 75
	KeyKP5        Code = 76
	KeyKP6        Code = 77
	KeyKPPlus     Code = 78
	KeyKP1        Code = 79
	KeyKP0        Code = 82
	KeyKPDot      Code = 83
	Key102nd      Code = 86
	KeyF11        Code = 87
	KeyF12        Code = 88
	KeyKPEnter    Code = 96
	KeyRightCtrl  Code = 97
	KeyKPSlash    Code = 98
	KeySysRq      Code = 99
	KeyRightAlt   Code = 100
	KeyLinefeed   Code = 101
	KeyHome       Code = 102
	KeyUp         Code = 103
	KeyPageUp     Code = 104
	KeyLeft       Code = 105
	KeyRight      Code = 106
	KeyEnd        Code = 107
	KeyDown       Code = 108
	KeyPageDown   Code = 109
	KeyInsert     Code = 110
	KeyDelete     Code = 111
	KeyPause      Code = 119
	KeyLeftMeta   Code = 125
	KeyRightMeta  Code = 126
	KeyCompose    Code = 127
)

// maxCode is the highest code that a key can have (KEY_MAX).
const maxCode = 0x2ff

// keys is the number of keys in a key map (NR_KEYS): higher codes do nothing.
const keys = 256
