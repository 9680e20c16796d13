package kernel

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/fs/devfs"
	"tamarix/fs/procfs"
	"tamarix/fs/sysfs"
	"tamarix/fs/tty"
)

// What /sys and /proc show of terminals and consoles.

// machineTerminals are the terminals that makeTerminals has made.
var machineTerminals []*tty.Terminal

// deviceNumber shows a device number as /sys does.
func deviceNumber(dev uint64) string {
	return fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev))
}

// terminalAttributes are the files below /sys/class/tty.
func terminalAttributes() []sysfs.Attribute {
	fixed := func(path, value string) sysfs.Attribute {
		return sysfs.Attribute{Path: "class/tty/" + path, Get: func() string { return value }}
	}
	a := []sysfs.Attribute{
		fixed("tty/dev", "5:0"), fixed("console/dev", "5:1"), fixed("ptmx/dev", "5:2"),
		fixed("console/active", strings.Join(boot.consoles.log, " ")),
	}
	for _, t := range machineTerminals {
		a = append(a, fixed(t.Name()+"/dev", deviceNumber(t.Number())))
	}
	if consoles != nil {
		a = append(a, fixed("tty0/dev", deviceNumber(devfs.VirtualDev(0))),
			sysfs.Attribute{Path: "class/tty/tty0/active", Get: func() string { return consoles.Foreground().Name() }})
	}
	return a
}

// consoleList is /proc/consoles.
func consoleList() string {
	front := devfs.VirtualDev(0)
	if consoles != nil {
		if t := consoles.Foreground(); t != nil {
			front = t.Number()
		}
	}
	return listConsoles(boot.consoles, front)
}

// listConsoles says where the log goes, as /proc/consoles does. The columns are
// read, write and unblank, then enabled, preferred, in use during boot, for the
// kernel's messages and usable on any CPU; the device of tty0 is that of the
// terminal in front (Linux, fs/proc/consoles.c and vt.c, vt_console_device).
func listConsoles(c consoleChoice, front uint64) string {
	var b strings.Builder
	for i := len(c.log) - 1; i >= 0; i-- {
		name := c.log[i]
		dev, unblank, flags := devfs.SerialDev(0), '-', "E   p a"
		if n, ok := virtual(name); ok {
			dev, unblank, flags = devfs.VirtualDev(n), 'U', "E   p  "
			if n == 0 {
				dev = front
			}
		}
		if name == c.console {
			flags = "EC" + flags[2:]
		}
		fmt.Fprintf(&b, "%-20s -W%c (%s) %4d:%d\n", name, unblank, flags, unix.Major(dev), unix.Minor(dev))
	}
	return b.String()
}

func init() { procfs.AddFile("consoles", consoleList) }
