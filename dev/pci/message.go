package pci

import "golang.org/x/sys/unix"

// Message is what a device writes, and where, to raise an interrupt.
type Message struct {
	Address uint64
	Data    uint32
}

// The MSI capability (PCI 6.8.1): control in the upper half of the first word,
// then the address, its upper half if control says 64-bit, and the data.
const (
	msiEnable   = 1 << 16
	msiMultiple = 7 << 20 // how many vectors are enabled, as a power of two
	msiWide     = 1 << 23
	msiMaskable = 1 << 24

	// The MSI-X capability (PCI 6.8.2): control likewise, then where the table is.
	msixSizeMask = 0x7ff << 16
	msixMaskAll  = 1 << 30
	msixEnable   = 1 << 31
	msixBIR      = 7
	msixEntry    = 16 // bytes: address, upper address, data, control
	msixMasked   = 1
)

// Interrupt modes that EnableMessage can choose.
const (
	ModeMSIX = "MSI-X"
	ModeMSI  = "MSI"
)

// EnableMessage makes the device raise its first interrupt by writing msg, by
// MSI-X if it can, else by MSI, and turns its interrupt line off. It returns which
// of them it is. ENODEV: the device has neither.
func (d *Device) EnableMessage(msg Message, m Mapper) (mode string, err error) {
	if c, ok := d.Find(CapMSIX); ok && c.Offset <= 0xf4 {
		if d.enableMSIX(uint16(c.Offset), msg, m) == nil {
			d.disableMSI()
			d.setCommand(commandNoINTx, 0)
			return ModeMSIX, nil
		}
	}
	if c, ok := d.Find(CapMSI); ok {
		if err := d.enableMSI(uint16(c.Offset), msg); err == nil {
			d.setCommand(commandNoINTx, 0)
			return ModeMSI, nil
		}
	}
	return "", unix.ENODEV
}

// DisableMessage undoes EnableMessage; the line stays off too.
func (d *Device) DisableMessage() {
	d.setCommand(commandNoINTx, 0)
	if c, ok := d.Find(CapMSIX); ok {
		d.write(uint16(c.Offset), d.read(uint16(c.Offset))&^msixEnable)
	}
	d.disableMSI()
}

func (d *Device) disableMSI() {
	if c, ok := d.Find(CapMSI); ok {
		d.write(uint16(c.Offset), d.read(uint16(c.Offset))&^msiEnable)
	}
}

func (d *Device) enableMSI(off uint16, msg Message) error {
	control := d.read(off)
	size := uint16(12)
	if control&msiWide != 0 {
		size = 16
	}
	if off+size > 256 || msg.Address>>32 != 0 && control&msiWide == 0 || msg.Data>>16 != 0 {
		return unix.EINVAL
	}
	d.write(off, control&^(msiEnable|msiMultiple))
	d.write(off+4, uint32(msg.Address))
	data := off + 8
	if control&msiWide != 0 {
		d.write(off+8, uint32(msg.Address>>32))
		data = off + 12
	}
	// The upper half of the data's word belongs to others.
	d.write(data, d.read(data)&^0xffff|msg.Data)
	if mask := data + 4; control&msiMaskable != 0 && mask+4 <= 256 {
		d.write(mask, d.read(mask)&^1)
	}
	d.write(off, control&^msiMultiple|msiEnable)
	return nil
}

// enableMSIX writes the first entry of the table and masks all others.
func (d *Device) enableMSIX(off uint16, msg Message, m Mapper) error {
	control := d.read(off)
	table := d.read(off + 4)
	n := control&msixSizeMask>>16 + 1
	phys, size, err := d.Region(int(table & msixBIR))
	if err != nil {
		return err
	}
	at := uint64(table &^ msixBIR)
	if at+uint64(n)*msixEntry > size {
		return unix.EINVAL
	}
	d.EnableMemory()
	r, err := m(phys+at, n*msixEntry)
	if err != nil {
		return err
	}
	// The table can be written once the capability is enabled; the mask keeps
	// half-written entries from being used.
	d.write(off, control|msixEnable|msixMaskAll)
	for i := uint32(1); i < n; i++ {
		r.Write32(i*msixEntry+12, msixMasked)
	}
	r.Write32(0, uint32(msg.Address))
	r.Write32(4, uint32(msg.Address>>32))
	r.Write32(8, msg.Data)
	r.Write32(12, 0)
	d.write(off, control&^msixMaskAll|msixEnable)
	return nil
}
