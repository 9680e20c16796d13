package usb

import (
	"errors"
	"time"
)

// Errors of a [Host]. Others mean that the controller does not work.
var (
	ErrStall   = errors.New("the device refused (stall)")
	ErrIO      = errors.New("no proper answer from the device")
	ErrTimeout = errors.New("no answer in time")
	ErrGone    = errors.New("the device is gone")
)

// Speed is how fast a device talks.
type Speed uint8

// The speeds.
const (
	UnknownSpeed Speed = iota
	Low                // 1.5 Mbit/s
	Full               // 12 Mbit/s
	High               // 480 Mbit/s
	Super              // 5 Gbit/s
	SuperPlus          // 10 Gbit/s and more
)

// String returns the speed in Mbit/s, as sysfs shows it.
func (s Speed) String() string {
	switch s {
	case Low:
		return "1.5"
	case Full:
		return "12"
	case High:
		return "480"
	case Super:
		return "5000"
	case SuperPlus:
		return "10000"
	}
	return "unknown"
}

// PortStatus is the state of a port, of the controller's or a hub's.
type PortStatus struct {
	Connected   bool
	Enabled     bool
	Changed     bool // it was connected or disconnected since the last look
	OverCurrent bool
	Off         bool  // it has no power
	Super       bool  // a port for SuperSpeed: it needs no reset
	Speed       Speed // of the device, valid while enabled
}

// Location says where on a controller a device hangs.
type Location struct {
	Port  int     // of the controller, from 1
	Route []uint8 // ports of the hubs between, from the controller outwards
	Speed Speed

	// TT is the high-speed hub that translates for a device of low or full
	// speed, and TTPort its port on the way to the device; nil: there is none.
	TT     Function
	TTPort int
}

// Host is a host controller. Port methods are called by one goroutine only.
type Host interface {
	// Name is what the log calls the controller.
	Name() string
	// Ports returns how many ports there are; they count from 1.
	Ports() int
	// Port returns the state of a port and clears what it says has changed.
	Port(n int) (PortStatus, error)
	// ResetPort resets the device on a port and returns when that is over. The
	// device then is at address 0.
	ResetPort(n int) error
	// PowerPort switches a port's power on, where it can be switched.
	PowerPort(n int) error
	// Open gives the device that was just reset an address.
	Open(l Location) (Function, error)
}

// Function is a device as the controller knows it. Any goroutine may call its
// methods. Once it is closed, all of them return ErrGone.
type Function interface {
	// SetMaxPacket sets the size of endpoint 0's packets.
	SetMaxPacket(n int) error
	// SetHub says that the device is a hub. thinkTime is what its descriptor
	// says, 0 to 3.
	SetHub(ports, thinkTime int) error
	// Control does one request and returns how many bytes came or went.
	Control(s Setup, data []byte, limit time.Duration) (int, error)
	// Listen has the controller ask an interrupt endpoint for data for as long
	// as the device is open, and calls f with what came: on a goroutine of the
	// controller's, which f must not hold up. data is f's to keep. After an
	// error the controller asks no more, until Resume.
	Listen(e Endpoint, f func(data []byte, err error)) error
	// Resume has the controller ask an endpoint again after an error.
	Resume(e Endpoint) error
	// Close ends all transfers, with ErrGone, and forgets the device.
	Close()
}

// Setup is a request to a device (USB 9.3).
type Setup struct {
	Type    uint8
	Request uint8
	Value   uint16
	Index   uint16
	Length  uint16
}

// In reports whether data comes from the device.
func (s Setup) In() bool { return s.Type&0x80 != 0 }

// Bytes returns the setup packet.
func (s Setup) Bytes() [8]byte {
	return [8]byte{
		s.Type, s.Request, byte(s.Value), byte(s.Value >> 8),
		byte(s.Index), byte(s.Index >> 8), byte(s.Length), byte(s.Length >> 8),
	}
}

// ClearTTBuffer is the request to a high-speed hub to forget what it still has of a
// control transfer with the device of that address, in one direction (USB
// 11.24.2.3). The hub's translator is one for all its ports, as they are used here.
func ClearTTBuffer(address uint8, in bool) Setup {
	v := uint16(address&0x7f) << 4 // endpoint 0, of kind control
	if in {
		v |= 1 << 15
	}
	return Setup{Type: typePortOut, Request: reqClearTTBuffer, Value: v, Index: 1}
}

// Requests (USB 9.4, 11.24.2; HID 7.2) and their types (USB 9.3.1).
const (
	typeDeviceIn      = 0x80
	typeDeviceOut     = 0x00
	typeEndpointOut   = 0x02
	typeHubIn         = 0xa0
	typeHubOut        = 0x20
	typePortIn        = 0xa3
	typePortOut       = 0x23
	typeInterfaceHID  = 0x21
	reqGetStatus      = 0
	reqClearFeature   = 1
	reqSetFeature     = 3
	reqGetDescriptor  = 6
	reqClearTTBuffer  = 8
	reqSetConfig      = 9
	reqSetReport      = 9
	reqSetIdle        = 10
	reqSetProtocol    = 11
	featureEndpoint   = 0 // ENDPOINT_HALT
	reportOutput      = 2 << 8
	protocolBoot      = 0
	controlTime       = time.Second // USB 9.2.6.4 allows 500 ms for data
	configurationTime = 5 * time.Second
)

// maxTransfer is the most data that a control transfer may have here.
const maxTransfer = 4096

// MaxTransfer is the most data that [Function.Control] is asked for.
const MaxTransfer = maxTransfer
