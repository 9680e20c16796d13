// Package i8042 drives the PC's keyboard controller and the PS/2 keyboards on
// its two ports.
//
// The specifications are IBM's: Personal System/2 Hardware Interface Technical
// Reference, "Keyboard and Auxiliary Device Controller" and "Keyboard"; the
// second port's interface test and enabling are the same document's auxiliary
// device commands.
//
// # Start
//
// [Controller.Start] looks for the controller: it flushes it, tests it, sets its
// configuration byte and finds out whether it has a second port. Then it asks on
// each port what is there. A keyboard is set up and attached to package kbd; a
// mouse is left switched off. All this is done by polling, with the controller's
// interrupts off and a bound on every wait: a controller that is missing (its
// ports read as ones), half there (a BIOS that imitates it for USB keyboards) or
// broken costs a second or two of one goroutine, and no more. Then interrupts
// are switched on.
//
// The keyboard's scan codes are of set 2, which the controller translates into
// set 1, as every PC's does from the start and as imitations expect. Where it
// does not translate (the second port never does), set 2 is decoded as it is.
//
// The first port is listened to even if nobody answered there: the keyboard is
// attached when its first byte comes, so one that is plugged in later works.
//
// # The path of a byte
//
// The interrupt handler ([Machine], machine.go) takes bytes from the controller
// into a ring and wakes one goroutine, which calls [Controller.Receive]. An
// answer to a command goes to who waits for it. All else goes through the port's
// [Decoder] to kbd.Key.
//
// Commands (lights, repeat rate) are sent by one goroutine of the port, which
// sleeps otherwise: kbd asks for them with its lock held.
//
// # Locks
//
//	Controller.mu   one command to the controller or a device at a time; held
//	                while its answer is waited for
//	  port.mu       what kbd wants of the device
package i8042
