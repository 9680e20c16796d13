package pci

import (
	"tamarix/dev/mmio"

	"golang.org/x/sys/unix"
)

// fakeFunction is one function's configuration space. Base address registers
// keep the bits that mask has; the others of the header are as they were set.
type fakeFunction struct {
	space [64]uint32
	mask  [6]uint32
	power uint16 // register that the state of which resets base addresses; 0: none
}

// fakeMachine is configuration space, and memory of devices behind it.
type fakeMachine struct {
	functions map[Address]*fakeFunction
	roots     []Root
	reads     int
	memory    map[uint64]fakeRegisters
}

func newFake() *fakeMachine {
	return &fakeMachine{functions: map[Address]*fakeFunction{}, roots: []Root{{}}, memory: map[uint64]fakeRegisters{}}
}

func (m *fakeMachine) add(a Address, id, class uint32, header uint8) *fakeFunction {
	f := &fakeFunction{}
	f.space[regID/4] = id
	f.space[regClass/4] = class << 8
	f.space[regHeader/4] = uint32(header) << 16
	m.functions[a] = f
	return f
}

func (m *fakeMachine) Roots() []Root    { return m.roots }
func (m *fakeMachine) Size(Address) int { return 256 }

func (m *fakeMachine) Read(a Address, off uint16) uint32 {
	m.reads++
	if f := m.functions[a]; f != nil && off < 256 && off&3 == 0 {
		return f.space[off/4]
	}
	return 0xffff_ffff
}

func (m *fakeMachine) Write(a Address, off uint16, v uint32) {
	f := m.functions[a]
	if f == nil || off >= 256 || off&3 != 0 {
		return
	}
	switch {
	case off >= regBAR0 && off < regBAR0+24 && f.space[regHeader/4]>>16&0x7f == headerDevice:
		i := (off - regBAR0) / 4
		f.space[off/4] = v&f.mask[i] | f.space[off/4]&15&^f.mask[i]
	case off == regCommand:
		f.space[off/4] = f.space[off/4]&^0xffff&^(v&^0xffff) | v&0xffff
	case f.power != 0 && off == f.power:
		if f.space[off/4]&3 == 3 && v&3 == 0 {
			for i := range 6 {
				f.space[regBAR0/4+i] &= 15
			}
			f.space[regCommand/4] &^= 0xffff
		}
		f.space[off/4] = v
	default:
		f.space[off/4] = v
	}
}

type fakeRegisters []uint32

func (r fakeRegisters) Size() uint32             { return uint32(len(r)) * 4 }
func (r fakeRegisters) Read32(off uint32) uint32 { return r[off/4] }
func (r fakeRegisters) Write32(off, v uint32)    { r[off/4] = v }

func (m *fakeMachine) mapper(phys uint64, size uint32) (mmio.Registers, error) {
	if r := m.memory[phys]; r != nil && r.Size() >= size {
		return r, nil
	}
	return nil, unix.EINVAL
}
