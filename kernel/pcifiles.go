package kernel

import (
	"fmt"
	"strings"

	"tamarix/dev/pci"
	"tamarix/fs/procfs"
	"tamarix/fs/sysfs"
)

// pciAttributes are /sys/devices/pci*, /sys/bus/pci/devices and, beside them,
// /proc/bus/pci/devices: what the machine's PCI devices say of themselves.
func pciAttributes() (list []sysfs.Attribute) {
	procfs.AddFile("bus/pci/devices", pciText)
	list = append(list, sysfs.Attribute{Path: "bus/pci/devices"})
	for _, d := range pciDevices {
		dir := pciPath(d, pciDevices)
		list = append(list, sysfs.Attribute{Path: "bus/pci/devices/" + d.Address.String(), Link: "../../../" + dir})
		list = append(list, sysfs.Attribute{
			Path: dir + "/config", Mode: 0o400, Size: int64(d.ConfigSize()),
			Bin: func() []byte {
				p := make([]byte, d.ConfigSize())
				return p[:d.Config(p, 0)]
			},
		})
		for _, f := range [...][2]string{
			{"vendor", fmt.Sprintf("0x%04x", d.Vendor)},
			{"device", fmt.Sprintf("0x%04x", d.ID)},
			{"subsystem_vendor", fmt.Sprintf("0x%04x", d.SubVendor)},
			{"subsystem_device", fmt.Sprintf("0x%04x", d.SubID)},
			{"class", fmt.Sprintf("0x%06x", d.Class)},
			{"revision", fmt.Sprintf("0x%02x", d.Revision)},
			{"irq", fmt.Sprint(pciLine(d))},
			{"modalias", fmt.Sprintf("pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
				d.Vendor, d.ID, d.SubVendor, d.SubID, d.Class>>16, d.Class>>8&255, d.Class&255)},
			{"uevent", fmt.Sprintf("PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%v",
				d.Class, d.Vendor, d.ID, d.SubVendor, d.SubID, d.Address)},
		} {
			list = append(list, sysfs.Attribute{Path: dir + "/" + f[0], Get: func() string { return f[1] }})
		}
	}
	return list
}

// pciPath returns where a device's directory is below /sys: in that of the bridge
// that leads to it, or of the root bus.
func pciPath(d *pci.Device, all []*pci.Device) string {
	parts := []string{d.Address.String()}
	bus := d.Bus
	for range 256 { // bridges may say anything of themselves, so not for ever
		var up *pci.Device
		for _, b := range all {
			if b.HeaderType != 0 && b.Segment == d.Segment && b.Secondary == bus && b.Bus < bus {
				up = b
				break
			}
		}
		if up == nil {
			break
		}
		parts, bus = append(parts, up.Address.String()), up.Bus
	}
	path := fmt.Sprintf("devices/pci%04x:%02x", d.Segment, bus)
	for i := len(parts) - 1; i >= 0; i-- {
		path += "/" + parts[i]
	}
	return path
}

// pciLine returns what the firmware noted for the device's interrupt; 0: none.
func pciLine(d *pci.Device) uint8 {
	if d.Pin == 0 || d.Line == 0xff {
		return 0
	}
	return d.Line
}

// pciText is /proc/bus/pci/devices: bus and function, identifiers, interrupt, six
// base addresses and the ROM's, seven sizes, which are not known here.
func pciText() string {
	var b strings.Builder
	for _, d := range pciDevices {
		fmt.Fprintf(&b, "%02x%02x\t%04x%04x\t%x", d.Bus, d.Slot<<3|d.Func, d.Vendor, d.ID, pciLine(d))
		for _, r := range d.BARs {
			v := r.Address
			if r.Address != 0 {
				v |= barFlags(r)
			}
			fmt.Fprintf(&b, "\t%16x", v)
		}
		b.WriteString(strings.Repeat(fmt.Sprintf("\t%16x", 0), 8))
		b.WriteString("\t\n")
	}
	return b.String()
}

// barFlags returns the lower bits of a base address register (PCI 6.2.5.1).
func barFlags(r pci.BAR) (f uint64) {
	if r.IO {
		return 1
	}
	if r.Wide {
		f |= 4
	}
	if r.Prefetch {
		f |= 8
	}
	return f
}
