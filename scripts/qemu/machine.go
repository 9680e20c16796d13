package qemu

import (
	"fmt"
	"os"
	"strconv"
)

// How a machine sees the disk image it boots from.
const (
	USB  = "usb"  // a stick on an xHCI controller
	EHCI = "ehci" // a stick on a USB 2 controller
	Disk = "ide"  // IDE on pc, AHCI on q35
	CD   = "cd"   // a CD in an IDE or AHCI drive
)

// OVMF is the UEFI firmware of Debian's package ovmf: code and variables in one
// file, so that nothing is written to it.
const OVMF = "/usr/share/ovmf/OVMF.fd"

// or is the first of the two that says something.
func or(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// args is QEMU's command line for the machine, but for Extra; qmp is the path of
// the monitor's socket.
func (c *Config) args(qmp string) []string {
	accel := "tcg,thread=multi"
	if c.Icount {
		accel = "tcg"
	}
	serial := "stdio"
	if c.NoSerial {
		serial = "none"
	}
	args := []string{
		"-machine", or(c.Machine, "q35"), "-accel", accel, "-cpu", or(c.CPU, "max"),
		"-m", or(c.Mem, "512M"), "-smp", strconv.Itoa(max(c.SMP, 1)),
		"-display", "none", "-vga", "none", "-net", "none", "-no-reboot", "-nodefaults",
		"-serial", serial, "-monitor", "none", "-qmp", "unix:" + qmp + ",server=on,wait=off",
	}
	if c.UEFI {
		args = append(args, "-bios", OVMF)
	}
	if c.Screen != "" {
		args = append(args, "-device", c.Screen)
	}
	if c.Kernel != "" {
		line := c.Append
		if isLinux(c.Kernel) {
			line += linuxOptions
		}
		args = append(args, "-kernel", c.Kernel, "-append", line)
	}
	if c.Initrd != "" {
		args = append(args, "-initrd", c.Initrd)
	}
	if c.Image != "" {
		args = append(args, c.medium()...)
	}
	if c.Icount {
		args = append(args, "-icount", "shift=0,sleep=off")
	}
	return args
}

// linuxOptions keep Linux going, and its prompts whole, on a busy host: it takes the
// ticks that QEMU is late with for a timer that does not work, and panics ("IO-APIC +
// timer doesn't work!"), and it says in the log that it is not content with the clock.
const linuxOptions = " no_timer_check loglevel=1"

// isLinux tells a bzImage by its header (Documentation/arch/x86/boot.rst, "header").
func isLinux(kernel string) bool {
	f, err := os.Open(kernel)
	if err != nil {
		return false // QEMU will say so
	}
	defer f.Close()
	var magic [4]byte
	_, err = f.ReadAt(magic[:], 0x202)
	return err == nil && string(magic[:]) == "HdrS"
}

// medium is the image as the device it is to be. What the machine writes goes to
// a temporary file: the image stays as it is.
func (c *Config) medium() []string {
	drive := fmt.Sprintf("if=none,id=boot,format=raw,snapshot=on,file=%s", c.Image)
	switch c.Medium {
	case USB, "":
		return []string{"-drive", drive, "-device", "qemu-xhci,id=xhci", "-device", "usb-storage,bus=xhci.0,drive=boot,bootindex=0"}
	case EHCI:
		return []string{"-drive", drive, "-device", "usb-ehci,id=ehci", "-device", "usb-storage,bus=ehci.0,drive=boot,bootindex=0"}
	case CD:
		return []string{"-drive", drive + ",media=cdrom", "-device", "ide-cd,bus=ide.0,drive=boot,bootindex=0"}
	}
	return []string{"-drive", drive, "-device", "ide-hd,bus=ide.0,drive=boot,bootindex=0"}
}

// Framebuffer is a value of Config.Screen: QEMU's standard VGA, whose firmware
// offers that size first.
func Framebuffer(width, height int) string {
	return fmt.Sprintf("VGA,xres=%d,yres=%d", width, height)
}
