// Package usb is what is the same for every USB host controller: it finds the
// devices on the controller's ports and behind hubs, learns what they are, and
// drives two kinds of them, hubs and keyboards. All others are named in the log and
// left alone, unconfigured.
//
// # The path of a device
//
// A [Bus] has one goroutine, in [Bus.Run], that does all enumeration of its
// controller, one device after the other, as USB demands: only one device may
// answer to address 0. The controller tells it of a changed port by
// [Bus.PortChanged], a hub by its status change endpoint. Then service looks at the
// port: a device that is gone is removed with all behind it; a new one is
// debounced, reset, addressed by the controller ([Host.Open]), asked for its
// descriptors and given to a driver. Each step has a time limit and is tried a
// bounded number of times, so that a broken device costs its neighbours seconds
// at most, and only while it is being tried. Keys of a keyboard that is attached go
// on meanwhile: its reports come on the controller's goroutine and are turned into
// keys on the keyboard's own.
//
// # Keyboards
//
// Interfaces of class HID with the boot interface's subclass and the keyboard's
// protocol are used, in the boot protocol, which needs no report descriptor: eight
// bytes say which modifiers and which six keys are down. A keyboard that says it has
// that protocol and sends other reports all the same, with an id before each, is
// misunderstood: to read those takes its report descriptor. A device may have
// several interfaces, of any kind; those that are keyboards are used. What keys mean,
// repeat and lights are package kbd's.
//
// # Hubs
//
// USB 2.0 hubs, and those of USB 1.1, to the depth that the specification allows.
// The half of a USB 3 hub that is for SuperSpeed devices is left alone: keyboards
// are attached to the other half, which is a hub of its own.
//
// # What a device says is not trusted
//
// Lengths, counts and numbers in descriptors and reports are checked where they
// are parsed (descriptor.go, report.go, hub_descriptor.go), before anything uses them.
//
// References are to the Universal Serial Bus Specification 2.0 ("USB"), the Device
// Class Definition for HID 1.11 ("HID") and the HID Usage Tables 1.12 ("HUT").
//
// # Locks
//
//	Bus.mu      what changed; a leaf
//
// The tree of devices belongs to the Bus's goroutine, a keyboard's state to the
// keyboard's. [Host] and [Function] are called without locks.
package usb
