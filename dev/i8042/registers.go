package i8042

import "time"

// The controller's registers: a status to read and a command to write at port
// 0x64, data both ways at port 0x60.
const (
	dataPort    = 0x60
	commandPort = 0x64
)

// Bits of the status.
const (
	statusOutput    = 1 << 0 // there is a byte to read
	statusInput     = 1 << 1 // the last byte written is not taken yet
	statusAuxiliary = 1 << 5 // the byte to read is of the second port
	statusTimeout   = 1 << 6
	statusParity    = 1 << 7

	noController = 0xff // what an empty bus reads as
)

// Commands to the controller.
const (
	cmdReadConfig    = 0x20
	cmdWriteConfig   = 0x60
	cmdDisableSecond = 0xa7
	cmdEnableSecond  = 0xa8
	cmdTestSecond    = 0xa9
	cmdTest          = 0xaa
	cmdTestFirst     = 0xab
	cmdDisableFirst  = 0xad
	cmdEnableFirst   = 0xae
	cmdToSecond      = 0xd4 // the next byte of data goes to the second port

	testPassed      = 0x55
	interfacePassed = 0x00
)

// Bits of the configuration byte.
const (
	configFirstIRQ  = 1 << 0
	configSecondIRQ = 1 << 1
	configFirstOff  = 1 << 4 // the port's clock is held
	configSecondOff = 1 << 5
	configTranslate = 1 << 6 // the first port's set 2 becomes set 1
)

// Commands to a keyboard, and what it answers.
const (
	kbdSetLEDs    = 0xed
	kbdIdentify   = 0xf2
	kbdSetRepeat  = 0xf3
	kbdEnable     = 0xf4
	kbdDisable    = 0xf5 // and back to defaults: set 2 among them
	kbdReset      = 0xff
	answerAck     = 0xfa
	answerResend  = 0xfe
	answerBATGood = 0xaa
	answerBATBad  = 0xfc
)

// Bounds on waiting. The keyboard's own are IBM's: an answer within 20 ms, the
// test after a reset within 500 ms; real ones and imitations take longer.
const (
	pollInterval  = 50 * time.Microsecond
	inputTime     = 100 * time.Millisecond
	replyTime     = 250 * time.Millisecond // of the controller
	selfTestTime  = 500 * time.Millisecond
	answerTime    = 250 * time.Millisecond // of a device
	identityTime  = 100 * time.Millisecond // for each byte after the first answer
	resetTime     = 1500 * time.Millisecond
	resends       = 3
	flushed       = 64 // bytes thrown away at most: more than any buffer holds
	strayBytes    = 32 // that are passed over while an answer is waited for
	selfTestTries = 3
	configReads   = 5
)
