package loadkeys

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"tamarix/initramfs/keymap"
)

// Requests of UAPI linux/kd.h, which x/sys/unix lacks.
const (
	kdgkbtype = 0x4b33
	kdgkbmode = 0x4b44
	kdskbmode = 0x4b45
	kdskbent  = 0x4b47
	kdskbsent = 0x4b49
)

// entry is struct kbentry.
type entry struct {
	table, index uint8
	value        uint16
}

// stringEntry is struct kbsentry.
type stringEntry struct {
	function uint8
	text     [keymap.MaxString + 1]byte
}

func ioctl(fd *os.File, request uintptr, arg unsafe.Pointer) error {
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, fd.Fd(), request, uintptr(arg)); e != 0 {
		return e
	}
	return nil
}

// isConsole reports whether a file is a virtual terminal: others know nothing
// of keyboards.
func isConsole(f *os.File) bool {
	var kind byte
	return ioctl(f, kdgkbtype, unsafe.Pointer(&kind)) == nil
}

// openTerminal opens the terminal to ask on: the one that is named, or the first
// virtual terminal of the usual ones.
func openTerminal(name string) (*os.File, error) {
	open := func(name string) (*os.File, error) {
		return os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if name != "" {
		f, err := open(name)
		if err == nil && !isConsole(f) {
			f.Close()
			err = fmt.Errorf("%s: not a virtual terminal", name)
		}
		return f, err
	}
	if isConsole(os.Stdin) {
		return os.Stdin, nil
	}
	for _, name := range []string{"/dev/tty", "/dev/tty0", "/dev/console"} {
		f, err := open(name)
		if err != nil {
			continue
		}
		if isConsole(f) {
			return f, nil
		}
		f.Close()
	}
	return nil, errors.New("there is no virtual terminal here")
}

// load gives a map to the kernel. It goes on after what the kernel does not
// take, and says what was first.
func load(f *os.File, m *keymap.Map) error {
	var first error
	failed := 0
	note := func(err error, what string, a ...any) {
		if err == nil {
			return
		}
		if failed++; first == nil {
			first = fmt.Errorf("%s: %w", fmt.Sprintf(what, a...), err)
		}
	}
	for table, c := range m.Columns {
		if c == nil {
			continue
		}
		for key, set := range c.Set {
			if set {
				e := entry{uint8(table), uint8(key), uint16(c.Symbols[key])}
				note(ioctl(f, kdskbent, unsafe.Pointer(&e)), "column %d, key %d", table, key)
			}
		}
	}
	for function, text := range m.Strings {
		e := stringEntry{function: function}
		copy(e.text[:keymap.MaxString], text)
		note(ioctl(f, kdskbsent, unsafe.Pointer(&e)), "the string of F%d", int(function)+1)
	}
	if failed > 1 {
		return fmt.Errorf("%w (and %d more)", first, failed-1)
	}
	return first
}
