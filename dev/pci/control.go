package pci

import (
	"time"

	"golang.org/x/sys/unix"

	"tamarix/dev/mmio"
)

// setCommand sets and clears bits of the command register, and writes 0 to those
// of the status register, which leaves them alone.
func (d *Device) setCommand(set, clear uint32) {
	d.write(regCommand, d.read(regCommand)&commandMask&^clear|set)
}

// EnableMemory lets the device answer at its memory addresses.
func (d *Device) EnableMemory() { d.setCommand(commandMemory, 0) }

// SetMaster lets the device read and write memory, and send interrupts by
// message, or keeps it from that.
func (d *Device) SetMaster(on bool) {
	if on {
		d.setCommand(commandMaster, 0)
	} else {
		d.setCommand(0, commandMaster)
	}
}

// pmState and friends: the control and status register of the power management
// capability, 4 bytes into it (PM 3.2.4).
const (
	pmStateMask = 3
	pmKeepsBARs = 1 << 3 // No_Soft_Reset
	pmEnablePME = 1 << 8

	// pmWait is how long the way from D3 takes at most (PM 5.6.1).
	pmWait = 10 * time.Millisecond
)

// PowerOn brings the device to its full power state, D0, with its base addresses
// as they were. It may wait 10 ms. A device that cannot be switched is at full
// power always.
func (d *Device) PowerOn() error {
	c, ok := d.Find(CapPower)
	if !ok || c.Offset > 0xf8 {
		return nil
	}
	reg := uint16(c.Offset) + 4
	v := d.read(reg)
	if v&pmStateMask == 0 {
		return nil
	}
	var bars [6]uint32
	for i := range bars {
		bars[i] = d.read(regBAR0 + uint16(i)*4)
	}
	command := d.read(regCommand) & commandMask
	d.write(reg, v&0xffff&^(pmStateMask|pmEnablePME))
	time.Sleep(pmWait)
	if d.read(reg)&pmStateMask != 0 {
		return unix.EIO
	}
	if v&pmKeepsBARs == 0 && d.HeaderType == headerDevice {
		for i := range bars {
			d.write(regBAR0+uint16(i)*4, bars[i])
		}
		d.write(regCommand, command)
	}
	return nil
}

// maxRegion is the most of a device's memory that is mapped for a driver.
const maxRegion = 16 << 20

// Region returns where the memory of base address register i is, and its size,
// which it measures: meanwhile the device does not answer. ENXIO: there is no
// such memory, or the firmware has given it no address.
func (d *Device) Region(i int) (phys uint64, size uint64, err error) {
	if i < 0 || i >= len(d.BARs) || d.HeaderType != headerDevice {
		return 0, 0, unix.ENXIO
	}
	b := d.BARs[i]
	if b.IO || b.Address == 0 {
		return 0, 0, unix.ENXIO
	}
	reg := regBAR0 + uint16(i)*4
	low, high := d.read(reg), uint32(0)
	command := d.read(regCommand) & commandMask
	d.write(regCommand, command&^(commandMemory|commandIO))
	d.write(reg, 0xffff_ffff)
	mask := uint64(d.read(reg)&^15) | 0xffff_ffff<<32
	d.write(reg, low)
	if b.Wide {
		high = d.read(reg + 4)
		d.write(reg+4, 0xffff_ffff)
		mask = mask&0xffff_ffff | uint64(d.read(reg+4))<<32
		d.write(reg+4, high)
	}
	d.write(regCommand, command)
	// The writable bits are the upper ones: their lowest is the size.
	size = mask & -mask
	if uint32(mask) == 0 && !b.Wide || size == 0 || b.Address&(size-1) != 0 {
		return 0, 0, unix.ENXIO
	}
	return b.Address, size, nil
}

// Mapper makes device memory reachable, as mmio.Map does on the machine.
type Mapper func(phys uint64, size uint32) (mmio.Registers, error)

// Map makes the registers of base address register i reachable, at most 16 MiB
// of them, and lets the device answer there.
func (d *Device) Map(i int, m Mapper) (mmio.Registers, error) {
	phys, size, err := d.Region(i)
	if err != nil {
		return nil, err
	}
	d.EnableMemory()
	return m(phys, uint32(min(size, maxRegion)))
}
