// Package kbd is the keyboards: it turns the key codes of all keyboard devices
// into what the foreground virtual terminal gets, as Linux does (keyboard(4),
// keymaps(5), ioctl_console(2)).
//
// # The path of a key
//
// A driver attaches a [Device] and calls [Keyboards.Key] with a [Code] (Linux's
// KEY_* of linux/input-event-codes.h) each time a key goes down or up. Key looks
// the code up in the key map, in the column that the modifiers choose, and acts
// on what it finds there: a character or a string goes to the input function of
// the foreground [Terminal], a modifier or lock changes the state, a console key
// goes to the [Sink], Ctrl-Alt-Del and SysRq keys go to the [System].
//
// A device that says that a key is down which already was has repeated it.
// Devices that do not repeat by themselves (all but [Repeater]s) have it done
// here, by one timer that runs only while a key is held.
//
// # What belongs to whom
//
// The key map and the function keys' strings are the machine's. Locks, LEDs and
// modes (raw, medium raw, UTF-8, Latin-1, off; application cursor keys and
// keypad) are each terminal's: see [Terminal]. Which modifiers are held is
// counted over all keyboards together.
//
// # Locks
//
//	Keyboards.order   one key after the other, from look-up to delivery
//	  Keyboards.mu    everything else; never held over a call of Sink, System,
//	                  or a Terminal's input function
//
// [Sink], [System] and input functions are called with order held: they must not
// call Key, Attach or Detach, and must not wait for somebody who does. All else
// here they may call. [Device] methods are called with mu held: they must
// neither block nor call back.
package kbd
