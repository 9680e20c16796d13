package kernel

import (
	"tamarix/arch/klog"
	"tamarix/dev/pci"
)

// pciDevices are the devices on the PCI buses, sorted by address. Written once, by
// findPCI, before process 1 starts; what a scan has found does not change.
var pciDevices []*pci.Device

// findPCI finds the machine's PCI devices.
func findPCI() {
	klog.Infof("PCI: looking for devices")
	access := pci.Machine()
	pciDevices = pci.Scan(access)
	klog.Infof("PCI: %d functions, %s", len(pciDevices), pci.Describe(access))
	for _, d := range pciDevices {
		klog.Debugf("PCI: %v", d)
	}
}
