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

// consoleList is /proc/consoles: where the log goes. The columns are read, write
// and unblank, then enabled, preferred, in use during boot, and for the kernel's
// messages (Linux, fs/proc/consoles.c).
func consoleList() string {
	var b strings.Builder
	for i := len(boot.consoles.log) - 1; i >= 0; i-- {
		name := boot.consoles.log[i]
		dev, unblank, flags := devfs.SerialDev(0), '-', "E   p a"
		if n, ok := virtual(name); ok {
			dev, unblank, flags = devfs.VirtualDev(n), 'U', "E   p  "
		}
		if name == boot.consoles.console {
			flags = "EC" + flags[2:]
		}
		fmt.Fprintf(&b, "%-20s -W%c (%s) %4d:%d\n", name, unblank, flags, unix.Major(dev), unix.Minor(dev))
	}
	return b.String()
}

func init() { procfs.AddFile("consoles", consoleList) }
