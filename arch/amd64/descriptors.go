//go:build tamarix

package amd64

import "unsafe"

// Segment selectors: Linux's, because programs can see them.
const (
	selKernelCode = 0x10
	selKernelData = 0x18
	selUser32     = 0x23 // SYSRET counts from here
	selUserData   = 0x2b
	selUserCode   = 0x33
	selTSS        = 0x40
)

// Interrupt stack table entries. All gates leave their stack at once, but for
// those that may come at any moment, which each have one of their own.
const (
	istCommon = 1
	istNMI    = 2
	istDouble = 3
	istCheck  = 4
)

const (
	handlerStackSize = 32 << 10
	istStackSize     = 8 << 10
)

// pseudo is the operand of LGDT and LIDT.
type pseudo struct {
	_     [3]uint16
	limit uint16
	base  uint64
}

var (
	idt    [256][2]uint64
	idtPtr pseudo
	gdtPtr [MaxCPUs]pseudo
)

// A stub is 32 bytes, the last 8 of which hold the entry's address.
const (
	stubSize = 32
	stubSlot = 24
)

// stubInit writes the 256 gate stubs: push 0 where the CPU pushes no error
// code, push the vector, jump to the entry by way of a slot behind the stub.
// They lie in a window of their own, executable and read-only.
func stubInit() {
	const pages = 256 * stubSize / PageSize
	base := newWindow(pages * PageSize)
	for v := range 256 {
		if v*stubSize%PageSize == 0 {
			f, ok := AllocZeroFrame(UseKernel)
			if !ok || !mapKernel(base+uint64(v*stubSize), PTE(f)|ptePresent|pteAccessed) {
				fatal("no memory for gate stubs", uint64(v))
			}
		}
		at := base + uint64(v*stubSize)
		page := LoadPTE(kernelPTE(at)).Frame().Page()
		p := page[v*stubSize%PageSize:][:stubSize]
		n := 0
		switch v {
		case 8, 10, 11, 12, 13, 14, 17, 21, 29, 30: // the CPU pushes an error code
		default:
			p[0], p[1] = 0x6a, 0 // PUSH 0
			n = 2
		}
		p[n], p[n+1] = 0x68, byte(v) // PUSH imm32
		n += 5
		p[n], p[n+1], p[n+2] = 0xff, 0x25, byte(stubSlot-n-6) // JMP [RIP+disp32]
		target, ist, dpl := pcTrapEntry(), uint64(istCommon), uint64(0)
		switch v {
		case 2:
			target, ist = pcFatalEntry(), istNMI
		case 8:
			target, ist = pcFatalEntry(), istDouble
		case 18:
			target, ist = pcFatalEntry(), istCheck
		case 3, 4: // INT3 and INTO are for users
			dpl = 3
		}
		*(*uint64)(unsafe.Pointer(&p[stubSlot])) = target
		gate(v, at, ist, dpl)
	}
	idtPtr = pseudo{limit: uint16(unsafe.Sizeof(idt) - 1), base: uint64(uintptr(unsafe.Pointer(&idt)))}
}

// gate makes an interrupt gate: interrupts go off. dpl is who may INT there.
func gate(v int, target uint64, ist, dpl uint64) {
	idt[v][0] = target&0xffff | selKernelCode<<16 | ist<<32 | 0x8e<<40 | dpl<<45 | target>>16&0xffff<<48
	idt[v][1] = target >> 32
}

// areaInit fills in a CPU's area and its descriptor tables.
func areaInit(c *percpu, index, apic uint32) {
	c.self = uint64(uintptr(unsafe.Pointer(c)))
	c.index, c.apicID = index, apic
	c.stack = newStack(handlerStackSize) - 64
	c.fakeG = uint64(uintptr(unsafe.Pointer(&c.fake)))
	c.fakeFS = uint64(uintptr(unsafe.Pointer(&c.tls))) + 32
	*(*uint64)(unsafe.Pointer(uintptr(c.fakeFS - 8))) = c.fakeG
	c.xsaveTemp = uint64(uintptr(newArea(0)))
	c.root = uint64(kernelRoot)

	idle := newThread()
	if idle == nil {
		fatal("no memory for an idle thread", uint64(index))
	}
	idle.isIdle = 1
	idle.FS = c.fakeFS
	idle.SP = c.stack
	c.idle = idle.addr()

	put := func(at int, v uint64) { *(*[8]byte)(c.tss[at:]) = *(*[8]byte)(unsafe.Pointer(&v)) }
	put(4, c.stack)
	for i := range 4 {
		top := newStack(istStackSize) - 64
		*wordAt(top) = c.self // for fatalEntry
		put(36+8*i, top)
	}
	put(96, 104<<48) // no I/O permission map

	tss := uint64(uintptr(unsafe.Pointer(&c.tss)))
	c.gdt = [10]uint64{
		selKernelCode / 8: 0x00af9b000000ffff,
		selKernelData / 8: 0x00cf93000000ffff,
		// No 32-bit code: selUser32 stays empty. SYSRET does not look at it, and
		// a SYSCALL from compatibility mode would enter by another door.
		selUserData / 8: 0x00cff3000000ffff,
		selUserCode / 8: 0x00affb000000ffff,
		selTSS / 8:      103 | tss&0xffffff<<16 | 0x89<<40 | tss>>24&0xff<<56,
		selTSS/8 + 1:    tss >> 32,
	}
	gdtPtr[index] = pseudo{limit: uint16(unsafe.Sizeof(c.gdt) - 1), base: uint64(uintptr(unsafe.Pointer(&c.gdt)))}
	cpuTable[index] = uintptr(unsafe.Pointer(c))
}

// operand returns the address of what LGDT wants: 16 bits, then 64.
func (p *pseudo) operand() unsafe.Pointer { return unsafe.Pointer(&p.limit) }
