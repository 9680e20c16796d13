package kernel

import (
	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/arch/smbios"
	"tamarix/boot/info"
	"tamarix/fs/sysfs"
)

// dmiAttributes are the files of /sys/class/dmi/id: who made the machine, its board
// and its firmware. Serial numbers are for root.
func dmiAttributes(b *info.Boot) (list []sysfs.Attribute) {
	memory := arch.FirmwareMemory()
	at := smbios.Find(memory, b.SystemTable)
	if at == 0 {
		klog.Debugf("SMBIOS: none")
		return nil
	}
	i, ok := smbios.Read(memory, at)
	if !ok {
		klog.Debugf("SMBIOS: the table at %#x cannot be read", at)
		return nil
	}
	klog.Debugf("SMBIOS %s: %s %s, firmware %s %s %s", i.Version, i.SysVendor, i.ProductName, i.BIOSVendor, i.BIOSVersion, i.BIOSDate)
	const dir = "devices/virtual/dmi/id"
	list = append(list, sysfs.Attribute{Path: "class/dmi/id", Link: "../../" + dir})
	for _, f := range i.Files() {
		mode := uint32(0o444)
		if f.Secret {
			mode = 0o400
		}
		list = append(list, sysfs.Attribute{Path: dir + "/" + f.Name, Mode: mode, Get: func() string { return f.Value }})
	}
	return list
}
