package loadkeys

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// modes are the keyboard's modes by their option (K_* of UAPI linux/kd.h).
var modes = []struct {
	option string
	value  uintptr
	name   string
}{
	{"-s", 0, "raw (scan codes)"},
	{"-a", 1, "8-bit"},
	{"-k", 2, "medium raw (key codes)"},
	{"-u", 3, "Unicode (UTF-8)"},
	{"", 4, "off"},
}

// Mode is the command kbd_mode: it says what a virtual terminal gets of the
// keyboard, or sets it. It returns the exit status.
func Mode(args []string) int {
	fail := func(format string, a ...any) int {
		fmt.Fprintf(os.Stderr, "kbd_mode: "+format+"\n", a...)
		return 1
	}
	device, set := "", -1
	for ; len(args) > 0; args = args[1:] {
		if args[0] == "-C" && len(args) > 1 {
			device, args = args[1], args[1:]
			continue
		}
		found := false
		for i, m := range modes {
			if m.option != "" && m.option == args[0] {
				set, found = i, true
			}
		}
		if !found {
			fail("usage: kbd_mode [-C device] [-a | -u | -k | -s]")
			return 2
		}
	}
	tty, err := openTerminal(device)
	if err != nil {
		return fail("%v", err)
	}
	defer tty.Close()
	if set >= 0 {
		if err := unix.IoctlSetInt(int(tty.Fd()), kdskbmode, int(modes[set].value)); err != nil {
			return fail("%v", err)
		}
		return 0
	}
	var v int32
	if err := ioctl(tty, kdgkbmode, unsafe.Pointer(&v)); err != nil {
		return fail("%v", err)
	}
	for _, m := range modes {
		if m.value == uintptr(v) {
			fmt.Printf("The keyboard is in %s mode\n", m.name)
			return 0
		}
	}
	return fail("the keyboard is in the unknown mode %d", v)
}
