package xhci

import "tamarix/dev/pci"

// On Intel's chipsets of the 7, 8 and 9 series, which have EHCI controllers too,
// each USB 2 port belongs to one of the two, and after a reset to EHCI. Four
// registers in the configuration space of the xHCI controller say which (datasheet
// of the 7 Series chipset, registers of the xHCI controller): the ports it may have,
// and those that it has.
const (
	vendorIntel = 0x8086
	classEHCI   = 0x0c0320

	intelPorts      = 0xd0 // XUSB2PR
	intelPortsMask  = 0xd4 // XUSB2PRM
	intelSuper      = 0xd8 // USB3_PSSEN
	intelSuperMask  = 0xdc // USB3PRM
	intelAbsent     = 0xffff_ffff
	intelPortsLimit = 0x7fff // there are fifteen at most
)

// TakePorts gives a controller all ports that it shares with another one, and
// reports whether there were any. devices are those of the machine.
func TakePorts(d *pci.Device, devices []*pci.Device) bool {
	if d.Vendor != vendorIntel {
		return false
	}
	shared := false
	for _, o := range devices {
		shared = shared || o.Vendor == vendorIntel && o.Class == classEHCI && o.Segment == d.Segment && o.Bus == d.Bus
	}
	mask, super := d.ReadConfig(intelPortsMask), d.ReadConfig(intelSuperMask)
	if !shared || mask == intelAbsent || mask&intelPortsLimit == 0 {
		return false
	}
	// SuperSpeed first, so that its devices are not seen at high speed in between.
	if super != intelAbsent {
		d.WriteConfig(intelSuper, super)
	}
	d.WriteConfig(intelPorts, mask)
	return true
}
