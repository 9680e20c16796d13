// Package pci finds the PCI devices of the machine and gives drivers what is the
// same for all of them: registers in memory, bus mastering, power, interrupts by
// message.
//
// # Finding
//
// [Scan] begins at bus 0 of each segment and follows the bridges that the
// firmware has set up; each bus is read once, so that bridges which lead in a
// circle end. Where bus 0 shows more than one host bridge, the remaining bus
// numbers are tried as well, since without an AML interpreter nothing says which
// of them hang on a host bridge of their own. Bus numbers and addresses are
// the firmware's work and stay as they are; no bridge is set up here.
//
// A scan only reads. In particular the sizes of base address registers, which can
// be learned only by making the device deaf for a moment, are measured for a
// device that a driver takes ([Device.Region]), never for the screen that others
// draw on.
//
// # Reaching configuration space
//
// Through [Access]: by way of ports 0xCF8 and 0xCFC, with TamaGo's package, whose
// assumptions hold for that (one access at a time; the lock is ours); and by way
// of memory, where the MCFG table says, for what the ports do not reach: further
// segments, and the registers behind the first 256 bytes. Its capability walk and its MSI-X
// code are not used: they follow any list, and need device memory mapped one to
// one.
//
// # Interrupts
//
// [Device.EnableMessage] makes a device raise an interrupt by MSI-X or MSI. A
// device with neither would use one of the lines INTA# to INTD#. Which interrupt
// that is stands in the _PRT object, in AML, which this kernel does not
// interpret; the Interrupt Line register holds the number for the old interrupt
// controller, which is off. So such a device's driver has to poll. Hardware with
// a USB 3 controller has MSI: PCI Express demands it.
//
// References are to the PCI Local Bus Specification 3.0 ("PCI"), the PCI Bus
// Power Management Interface Specification 1.2 ("PM") and the PCI Express Base
// Specification ("PCIe").
//
// # Locks
//
// A [Device] belongs to its driver: no two goroutines call its methods at once,
// except for those that only return what the scan found. An Access may be used by
// any goroutine.
package pci
