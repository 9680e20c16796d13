package main

import "encoding/binary"

// stubAddresses are the physical addresses that the stub refers to.
type stubAddresses struct {
	cpuinit   uint32 // TamaGo's entry, where the stub ends
	registers uint32 // main.bootRegisters: EAX and EBX are kept here
	lowMemory uint32 // main.lowMemory: physical 0-0xcfff is copied here
}

// lowSize is the size of main.lowMemory.
const lowSize = 0xd000

// makeStub assembles the first instructions, which run in 32-bit protected mode
// with flat segments, paging off and interrupts off, as both loaders promise.
// They save what TamaGo's cpuinit destroys (EBX, which points to the boot
// information; its tables at 0x9000-0xcfff; page 0, which it unmaps) and set
// what it relies on: it enables interrupts with no handler in place, so
// nothing may be pending; and it takes PAE or PGE in CR4 for 64-bit mode.
func makeStub(at stubAddresses) []byte {
	var code []byte
	op := func(b ...byte) { code = append(code, b...) }
	op32 := func(v uint32, b ...byte) { code = binary.LittleEndian.AppendUint32(append(code, b...), v) }

	op(0xfa)                         // cli
	op(0xfc)                         // cld
	op32(at.registers, 0xa3)         // mov %eax, registers
	op32(at.registers+4, 0x89, 0x1d) // mov %ebx, registers+4
	op(0xb0, 0xff)                   // mov $0xff, %al
	op(0xe6, 0x21)                   // out %al, $0x21: mask the first 8259
	op(0xe6, 0xa1)                   // out %al, $0xa1: and the second
	op32(0x1b, 0xb9)                 // mov $0x1b, %ecx: IA32_APIC_BASE
	op(0x0f, 0x32)                   // rdmsr
	op32(0x800, 0xa9)                // test $0x800, %eax: local APIC enabled?
	skip := jump(&code, 0x74)        // jz done
	op32(0x400, 0xa9)                // test $0x400, %eax: x2APIC mode?
	mmio := jump(&code, 0x74)        // jz mmio
	op32(0x808, 0xb9)                // mov $0x808, %ecx: IA32_X2APIC_TPR
	op32(0xff, 0xb8)                 // mov $0xff, %eax: above every priority
	op(0x31, 0xd2)                   // xor %edx, %edx
	op(0x0f, 0x30)                   // wrmsr
	x2done := jump(&code, 0xeb)      // jmp done
	mmio()                           // mmio:
	op32(0xfffff000, 0x25)           // and $0xfffff000, %eax: the base address
	op32(0x80, 0xc7, 0x80)           // movl $0xff, 0x80(%eax): task priority
	op32(0xff)                       //   (the operand)
	skip()                           // done:
	x2done()                         //
	op(0x31, 0xc0)                   // xor %eax, %eax
	op(0x0f, 0x22, 0xe0)             // mov %eax, %cr4
	op(0x31, 0xf6)                   // xor %esi, %esi: from physical 0
	op32(at.lowMemory, 0xbf)         // mov $lowMemory, %edi
	op32(lowSize/4, 0xb9)            // mov $lowSize/4, %ecx
	op(0xf3, 0xa5)                   // rep movsl
	op32(at.cpuinit, 0xb8)           // mov $cpuinit, %eax
	op(0xff, 0xe0)                   // jmp *%eax
	return code
}

// jump appends a short jump with the given opcode and returns a function that
// makes it go to where the code ends when it is called.
func jump(code *[]byte, opcode byte) (here func()) {
	*code = append(*code, opcode, 0)
	from := len(*code)
	return func() { (*code)[from-1] = byte(len(*code) - from) }
}
