package kernel

import (
	"fmt"
	"strings"

	arch "tamarix/arch/amd64"
	"tamarix/boot/info"
	"tamarix/fs/procfs"
	"tamarix/fs/sysfs"
)

// hardwareAttributes makes the parts of /proc/tamarix/hardware that no driver
// makes, and what says below /sys that the machine has UEFI.
func hardwareAttributes(b *info.Boot) (list []sysfs.Attribute) {
	procfs.AddHardware("boot", func() string { return bootText(b) })
	procfs.AddHardware("screen", func() string { return screenText(b) })
	procfs.AddHardware("keyboards", keyboardText)
	procfs.AddHardware("interrupts", interruptText)
	if b.UEFI || b.SystemTable != 0 {
		list = append(list, sysfs.Attribute{Path: "firmware/efi/fw_platform_size", Get: func() string { return "64" }})
	}
	return list
}

// bootText says who started the kernel.
func bootText(b *info.Boot) string {
	var t strings.Builder
	fmt.Fprintf(&t, "loader: %s\n", strings.TrimSpace(b.Loader+" "+string(b.LoaderName())))
	for _, m := range b.Modules() {
		fmt.Fprintf(&t, "module: %d KiB\n", (m.End-m.Start)>>10)
	}
	for _, p := range b.Problems() {
		fmt.Fprintf(&t, "problem: %s: %#x-%#x\n", p.Text, p.Start, p.End)
	}
	return t.String()
}

// screenText says which screen the loader gave, and which is used.
func screenText(b *info.Boot) string {
	var t strings.Builder
	if f := &b.Framebuffer; f.Kind != info.NoFramebuffer {
		fmt.Fprintf(&t, "from the loader: %s %dx%d, %d bits, %d bytes a line\n", f.Kind, f.Width, f.Height, f.BitsPerPixel, f.Pitch)
	}
	d := arch.Screen()
	if d == nil {
		return t.String() + "none\n"
	}
	cols, rows := d.Size()
	fmt.Fprintf(&t, "used: %s, %d columns, %d rows\n", d.Name(), cols, rows)
	return t.String()
}

// interruptText says how interrupts are delivered, and which CPUs do not run.
func interruptText() string {
	var t strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&t, format+"\n", a...) }
	arch.InterruptReport(line, line)
	return t.String()
}

// keyboardText names the keyboards that are attached.
func keyboardText() string {
	names := keyboard().Names()
	if len(names) == 0 {
		return "none\n"
	}
	return strings.Join(names, "\n") + "\n"
}
