package kernel

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/pci"
	"tamarix/dev/usb"
	"tamarix/dev/xhci"
	"tamarix/fs/procfs"
	"tamarix/fs/sysfs"
)

// Class codes of USB controllers (PCI Code and ID Assignment Specification 1.11):
// the last two digits say which register interface it has.
const (
	classUSB  = 0x0c03
	classXHCI = 0x0c0330
)

// usbTaken is done when the firmware has let go of all controllers that are driven:
// until then it may imitate a PS/2 keyboard.
var usbTaken sync.WaitGroup

// startUSB starts the drivers of the machine's USB controllers. Each has a
// goroutine of its own: nothing here waits for hardware.
func startUSB() {
	old := map[uint8]string{0x00: "UHCI", 0x10: "OHCI", 0x20: "EHCI"}
	n := 0
	for _, d := range pciDevices {
		switch {
		case d.Class == classXHCI:
			n++
			usbTaken.Add(1)
			go runXHCI(d, n)
		case d.Class>>8 == classUSB && old[uint8(d.Class)] != "":
			klog.Infof("%v: %s controller: not driven; the firmware may show its keyboards as PS/2 ones",
				d.Address, old[uint8(d.Class)])
		}
	}
	if n > 0 {
		procfs.AddHardware("usb", usbText)
	}
}

// runXHCI drives a controller until it is gone or given up.
func runXHCI(d *pci.Device, number int) {
	taken := sync.OnceFunc(usbTaken.Done)
	defer taken()
	name := d.Address.String()
	klog.Infof("%s: xHCI: starting", name)
	if err := d.PowerOn(); err != nil {
		klog.Errorf("%s: xHCI: the controller does not wake up: %v", name, err)
		return
	}
	regs, err := d.Map(0, pci.MapMemory)
	if err != nil {
		klog.Errorf("%s: xHCI: no registers: %v", name, err)
		return
	}
	interrupt, mode := xhciInterrupt(d, name)
	klog.Infof("%s: xHCI: interrupts by %s", name, mode)
	d.SetMaster(true)
	xhci.Run(xhci.Config{
		Name:      name,
		Number:    number,
		Registers: regs,
		Memory:    dma.Frames,
		Keys:      keyboard(),
		Interrupt: interrupt,
		Taken: func() {
			// Not before: the firmware would find devices there.
			if xhci.TakePorts(d, pciDevices) {
				klog.Infof("%s: xHCI: ports taken over from the EHCI controller", name)
			}
			taken()
		},
		Present: d.Present,
		Quiet: func() {
			d.DisableMessage()
			d.SetMaster(false)
		},
		Changed: usbChanged,
	})
}

// xhciInterrupt has the controller raise interrupts by message, and returns where
// they come; nil if it cannot.
func xhciInterrupt(d *pci.Device, name string) (<-chan struct{}, string) {
	const none = "none: polling"
	if fadt, ok := arch.FADT(); ok && fadt.NoMSI {
		klog.Warnf("%s: xHCI: the firmware forbids interrupts by message", name)
		return nil, none
	}
	// A message is an edge: there is nothing to quieten.
	q, err := arch.NewIRQ("xhci_hcd", func(uintptr) bool { return true }, 0)
	if err != nil {
		klog.Warnf("%s: xHCI: no interrupt: %v", name, err)
		return nil, none
	}
	addr, data := q.Message()
	mode, err := d.EnableMessage(pci.Message{Address: addr, Data: data}, pci.MapMemory)
	if err != nil {
		return nil, none
	}
	c := make(chan struct{}, 1)
	go func() {
		for {
			q.Wait()
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}()
	return c, mode
}

// usbDevices is what is connected, in the order in which it was found.
var usbDevices struct {
	sync.Mutex // guards list; a leaf
	list       []usb.Info
}

// usbChanged notes that a device has come or gone, and gives it the files that
// Linux gives it.
func usbChanged(d usb.Info, connected bool) {
	usbDevices.Lock()
	list := slices.DeleteFunc(usbDevices.list, func(o usb.Info) bool { return o.Name == d.Name })
	if connected {
		list = append(list, d)
	}
	usbDevices.list = list
	usbDevices.Unlock()
	dir := "bus/usb/devices/" + d.Name
	if !connected {
		sysfs.Remove(dir)
		return
	}
	file := func(name, format string, a ...any) sysfs.Attribute {
		value := fmt.Sprintf(format, a...)
		return sysfs.Attribute{Path: dir + "/" + name, Get: func() string { return value }}
	}
	files := []sysfs.Attribute{
		file("idVendor", "%04x", d.Vendor),
		file("idProduct", "%04x", d.Product),
		file("bcdDevice", "%04x", d.Release),
		file("version", "%2x.%02x", d.USB>>8, d.USB&0xff),
		file("bDeviceClass", "%02x", d.Class),
		file("bDeviceSubClass", "%02x", d.Subclass),
		file("bDeviceProtocol", "%02x", d.Protocol),
		file("speed", "%v", d.Speed),
		file("bNumInterfaces", "%2d", d.InterfaceCount()),
	}
	for name, text := range map[string]string{"manufacturer": d.Manufacturer, "product": d.Title, "serial": d.SerialNo} {
		if text != "" {
			files = append(files, file(name, "%s", text))
		}
	}
	sysfs.Add(files...)
}

// usbText describes the devices, a line each, for a report on the machine.
func usbText() string {
	usbDevices.Lock()
	defer usbDevices.Unlock()
	var b strings.Builder
	for _, d := range usbDevices.list {
		fmt.Fprintf(&b, "%v (%s)\n", d, d.Kinds())
	}
	return b.String()
}
