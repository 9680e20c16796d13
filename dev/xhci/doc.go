// Package xhci drives USB host controllers of the kind that every PC of the last
// decade has: the eXtensible Host Controller Interface, to which all ports of the
// machine are wired. Package usb says what is connected to them; this package
// moves the data.
//
// # The path of a request
//
// The controller and the driver talk through rings in memory, whose entries (TRBs)
// carry a cycle bit that says whose turn it is. The driver puts commands (give
// me a slot, address the device) on the command ring and transfers on a ring
// per endpoint, and rings a doorbell register; the controller puts what became of
// them on the event ring and raises an interrupt. The goroutine in [Run] empties
// the event ring: it wakes whoever waits for a command or a control transfer, hands
// on what interrupt endpoints say, and tells the Bus of ports that changed.
//
// # Life of a controller
//
// [Run] takes it from the firmware (handoff.go), resets it, gives it memory and
// starts it (start.go). When it fails (an error of its own, a command that is never
// answered), all its devices are removed, it is reset, and everything begins again:
// a bounded number of times, then it is left halted.
//
// If interrupts do not come though there are events, or the device has no way
// to raise one, the event ring is looked at periodically instead (pollTime), and
// the log says so. A controller that says nothing is looked at now and then
// (watchTime): so one that died in silence is found out.
//
// # Memory
//
// The controller gets pages that nothing else uses; they are given back once it
// cannot write to them any more: a device's after Disable Slot, all after a halt. A
// controller that does not halt keeps them for ever.
//
// References are to the eXtensible Host Controller Interface Specification 1.2.
//
// # Locks
//
//	commandMutex      one command at a time; held while waiting for it
//	slot.control      one control transfer of a device at a time; before that of the
//	                  hub that translates for it, and before commandMutex
//	slot.mu           the state of a device's endpoints and rings
//	  controller.mu   table of slots, the command under way
//
// The event ring belongs to the goroutine in Run.
package xhci
