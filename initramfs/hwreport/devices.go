package hwreport

import (
	"strings"
)

// pci lists the PCI devices.
func (r *report) pci() {
	r.section("PCI devices")
	const dir = "sys/bus/pci/devices"
	names, err := r.list(dir)
	if err != nil {
		r.missing("devices", err)
		return
	}
	if len(names) == 0 {
		r.line("none")
	}
	for _, n := range names {
		p := dir + "/" + n + "/"
		hex := func(file string) string { return or(strings.TrimPrefix(r.value(p+file), "0x"), "?") }
		class := hex("class")
		l := n + " " + hex("vendor") + ":" + hex("device") + " class " + class
		if name := className(class); name != "" {
			l += " (" + name + ")"
		}
		if v, d := hex("subsystem_vendor"), hex("subsystem_device"); v != "0000" && v != "?" {
			l += ", subsystem " + v + ":" + d
		}
		l += ", revision " + hex("revision")
		if irq := r.value(p + "irq"); irq != "" && irq != "0" {
			l += ", irq " + irq
		}
		r.line("%s", clean(l))
	}
}

// classNames names classes of PCI devices, by their first four digits or their
// first two (PCI Code and ID Assignment Specification 1.11, chapter 1).
var classNames = map[string]string{
	"0100": "SCSI", "0101": "IDE", "0104": "RAID", "0106": "SATA", "0107": "SAS", "0108": "NVMe",
	"01": "storage", "0200": "Ethernet", "0280": "network", "02": "network",
	"0300": "VGA", "0302": "3D controller", "03": "display",
	"0401": "audio", "0403": "HD audio", "04": "multimedia", "05": "memory",
	"0600": "host bridge", "0601": "ISA bridge", "0604": "PCI bridge", "06": "bridge",
	"0700": "serial port", "07": "communication", "0805": "SD card", "08": "system device",
	"09": "input", "0c03": "USB", "0c05": "SMBus", "0c": "serial bus", "0d": "wireless", "11": "signal processing",
	"13": "instrumentation", "ff": "without class",
}

// usbNames names the register interfaces of USB controllers.
var usbNames = map[string]string{"00": "UHCI", "10": "OHCI", "20": "EHCI", "30": "xHCI", "40": "USB4", "fe": "device"}

func className(class string) string {
	if len(class) != 6 {
		return ""
	}
	if class[:4] == "0c03" {
		return strings.TrimSpace("USB " + usbNames[class[4:]])
	}
	return or(classNames[class[:4]], classNames[class[:2]])
}

// usb lists the USB devices.
func (r *report) usb() {
	r.section("USB devices")
	if t := r.hardware("usb"); t != "" {
		r.text(t)
		return
	}
	const dir = "sys/bus/usb/devices"
	names, err := r.list(dir)
	if err != nil {
		r.missing("devices", err)
		return
	}
	n := 0
	for _, name := range names {
		p := dir + "/" + name + "/"
		id := r.value(p + "idVendor")
		if id == "" {
			continue // an interface
		}
		n++
		r.line("%s", clean(name+" "+id+":"+r.value(p+"idProduct")+" class "+or(r.value(p+"bDeviceClass"), "?")+
			", "+or(r.value(p+"speed"), "?")+" Mbit/s "+r.value(p+"manufacturer")+" "+r.value(p+"product")))
	}
	if n == 0 {
		r.line("none")
	}
}

// devices says which screens and keyboards there are.
func (r *report) devices() {
	r.section("screens and keyboards")
	said := false
	for _, section := range []string{"screen", "keyboards"} {
		if t := r.hardware(section); t != "" {
			said = true
			r.line("%s:", section)
			r.text(t)
		}
	}
	if active := r.value("sys/class/tty/console/active"); active != "" {
		r.line("console: %s", active)
	}
	if said {
		return
	}
	for _, f := range []struct{ what, path string }{{"framebuffers", "proc/fb"}, {"input devices", "proc/bus/input/devices"}} {
		if s, err := r.read(f.path); err != nil {
			r.missing(f.what, err)
		} else if s == "" {
			r.line("%s: none", f.what)
		} else {
			r.line("%s:", f.what)
			r.text(s)
		}
	}
}
