package usb

import (
	"fmt"
	"strings"

	"tamarix/arch/klog"
)

// Info describes a connected device. It does not change.
type Info struct {
	Name                          string // "1-4.2": controller 1, port 4, a hub's port 2
	Vendor, Product, Release      uint16
	USB                           uint16 // version, binary coded
	Class, Subclass, Protocol     uint8
	Speed                         Speed
	Manufacturer, Title, SerialNo string // what the device calls itself, may be empty
	Interfaces                    []Interface
	Driver                        string // "hub", "keyboard", or empty
}

// String returns one line about the device.
func (i Info) String() string {
	s := fmt.Sprintf("usb %s: %04x:%04x class %02x/%02x/%02x %s Mbit/s", i.Name, i.Vendor, i.Product,
		i.Class, i.Subclass, i.Protocol, i.Speed)
	if i.Driver != "" {
		s += " " + i.Driver
	}
	if t := strings.TrimSpace(i.Manufacturer + " " + i.Title); t != "" {
		s += ": " + t
	}
	return s
}

// driver is what drives a device, or an interface of it.
type driver interface {
	start()
	// stop ends it. The device is closed right after.
	stop()
}

// device is a device that has an address. It belongs to the Bus's goroutine.
type device struct {
	b       *Bus
	name    string
	at      Location
	depth   int // hubs between it and the controller
	fn      Function
	desc    DeviceDescriptor
	config  Config
	info    Info
	drivers []driver
}

// enumerate learns what the device is that was just reset, and chooses its drivers.
func (b *Bus) enumerate(h hub, n int, st PortStatus) (*device, error) {
	d := &device{b: b, name: h.name(n), at: h.locate(n, st.Speed), depth: h.depth()}
	fn, err := b.host.Open(d.at)
	if err != nil {
		return nil, fmt.Errorf("no address: %w", err)
	}
	d.fn = fn
	if err := d.identify(); err != nil {
		fn.Close()
		return nil, err
	}
	return d, nil
}

// identify reads the descriptors and sets the device up for its drivers.
func (d *device) identify() error {
	if err := d.readDescriptors(); err != nil {
		return err
	}
	lang := d.language()
	d.info = Info{
		Name: strings.TrimPrefix(d.name, "usb "), Vendor: d.desc.Vendor, Product: d.desc.Product, Release: d.desc.Release,
		USB: d.desc.USB, Class: d.desc.Class, Subclass: d.desc.Subclass, Protocol: d.desc.Protocol,
		Speed:        d.at.Speed,
		Manufacturer: d.text(lang, d.desc.manufacturer), Title: d.text(lang, d.desc.product),
		SerialNo:   d.text(lang, d.desc.serialNumber),
		Interfaces: d.config.Interfaces,
	}
	var err error
	if d.desc.Class == ClassHub {
		d.info.Driver, err = d.useHub()
	} else {
		d.info.Driver, err = d.useKeyboards()
	}
	if err != nil {
		return err
	}
	if d.info.Driver != "" {
		klog.Infof("%v", d.info)
	} else {
		klog.Infof("%v; not driven (%s)", d.info, d.info.Kinds())
	}
	return nil
}

// readDescriptors reads the device's and its first configuration's.
func (d *device) readDescriptors() error {
	// The size of endpoint 0's packets is in the first eight bytes, which fit
	// into the smallest packet there is.
	buf := make([]byte, maxTransfer)
	n, err := d.descriptor(descDevice, 0, 0, buf[:8])
	if err != nil {
		return fmt.Errorf("device descriptor: %w", err)
	}
	size, err := maxPacketOf(buf[:n], d.at.Speed)
	if err != nil {
		return fmt.Errorf("device descriptor: %w", err)
	}
	if err := d.fn.SetMaxPacket(size); err != nil {
		return fmt.Errorf("packet size %d: %w", size, err)
	}
	if n, err = d.descriptor(descDevice, 0, 0, buf[:18]); err != nil {
		return fmt.Errorf("device descriptor: %w", err)
	}
	if d.desc, err = parseDevice(buf[:n], d.at.Speed); err != nil {
		return fmt.Errorf("device descriptor: %w", err)
	}
	if n, err = d.descriptor(descConfig, 0, 0, buf[:9]); err != nil {
		return fmt.Errorf("configuration descriptor: %w", err)
	}
	if n, err = configLength(buf[:n]); err != nil {
		return fmt.Errorf("configuration descriptor: %w", err)
	}
	if n, err = d.descriptor(descConfig, 0, 0, buf[:n]); err != nil {
		return fmt.Errorf("configuration descriptor: %w", err)
	}
	if d.config, err = parseConfig(buf[:n], d.at.Speed); err != nil {
		return fmt.Errorf("configuration descriptor: %w", err)
	}
	return nil
}

// descriptor reads a descriptor into p and returns how much of it came.
func (d *device) descriptor(kind, index uint8, lang uint16, p []byte) (int, error) {
	return d.fn.Control(Setup{
		Type: typeDeviceIn, Request: reqGetDescriptor,
		Value: uint16(kind)<<8 | uint16(index), Index: lang, Length: uint16(len(p)),
	}, p, controlTime)
}

// language returns the first language that the device has strings in, 0 for none.
func (d *device) language() uint16 {
	if d.desc.manufacturer|d.desc.product|d.desc.serialNumber == 0 {
		return 0
	}
	var p [255]byte // some devices answer to no other length
	if n, err := d.descriptor(descString, 0, 0, p[:]); err != nil || n < 4 || p[1] != descString {
		return 0
	}
	return le16(p[2:])
}

// text reads a string of the device. What it calls itself is nothing that it
// could be refused for.
func (d *device) text(lang uint16, index uint8) string {
	if lang == 0 || index == 0 {
		return ""
	}
	var p [255]byte
	n, err := d.descriptor(descString, index, lang, p[:])
	if err != nil {
		return ""
	}
	return parseString(p[:n])
}

// set is a request without data.
func (d *device) set(kind, request uint8, value, index uint16) error {
	limit := controlTime
	if kind == typeDeviceOut {
		limit = configurationTime
	}
	_, err := d.fn.Control(Setup{Type: kind, Request: request, Value: value, Index: index}, nil, limit)
	return err
}

// configure chooses the configuration that was read.
func (d *device) configure() error {
	if err := d.set(typeDeviceOut, reqSetConfig, uint16(d.config.Value), 0); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// Kinds names the device's interfaces: "input, mouse".
func (d Info) Kinds() string {
	names := map[uint8]string{
		1: "audio", 2: "communications", ClassHID: "input", 6: "camera", 7: "printer", ClassStorage: "storage",
		ClassHub: "hub", 0xa: "data", 0xb: "smart card", 0xe: "video", 0xe0: "wireless", 0xff: "vendor's own",
	}
	var list []string
	for _, i := range d.Interfaces {
		name := names[i.Class]
		switch {
		case name == "":
			name = fmt.Sprintf("class %02x", i.Class)
		case i.Class == ClassHID && i.Subclass == bootInterface && i.Protocol == 2:
			name = "mouse"
		}
		if i.Alternate == 0 {
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
}

// InterfaceCount returns how many interfaces there are, whatever their settings.
func (d Info) InterfaceCount() (n int) {
	for _, i := range d.Interfaces {
		if i.Alternate == 0 {
			n++
		}
	}
	return n
}

func (d *device) start() {
	for _, v := range d.drivers {
		v.start()
	}
}

// stop ends the device's drivers and closes it: a hub after all that is behind it,
// since the controller reaches those devices through it.
func (d *device) stop() {
	for _, v := range d.drivers {
		v.stop()
	}
	d.fn.Close()
}

// interruptIn returns the first interrupt endpoint of an interface that gives data.
func interruptIn(i Interface) (Endpoint, bool) {
	for _, e := range i.Endpoints {
		if e.Kind == EndpointInterrupt && e.In() {
			return e, true
		}
	}
	return Endpoint{}, false
}
