//go:build tamarix

package amd64

// The two 8259 interrupt controllers (Intel 8259A datasheet) are not used. They
// are initialised all the same, with every line masked, because a controller can
// still raise its "spurious" interrupts 7 and 15: those must not come at the
// vectors of exceptions, where the BIOS has the first of them.
const (
	pic1, pic2     = 0x20, 0xa0 // command ports; data at the next
	picInit        = 0x11       // ICW1: two controllers, ICW4 follows
	pic8086        = 0x01       // ICW4
	picCascade     = 2          // the first one's line for the second
	picReadService = 0x0b       // OCW3: the command port reads as in-service lines
	picEOI         = 0x20

	vectorPIC1 = 0x20
	vectorPIC2 = 0x28
)

// initPIC masks both and moves them to vectors of their own.
func initPIC() {
	outb(pic1, picInit)
	outb(pic1+1, vectorPIC1)
	outb(pic1+1, 1<<picCascade)
	outb(pic1+1, pic8086)
	outb(pic2, picInit)
	outb(pic2+1, vectorPIC2)
	outb(pic2+1, picCascade)
	outb(pic2+1, pic8086)
	outb(pic1+1, 0xff)
	outb(pic2+1, 0xff)
}

// picInterrupt takes what should not come: interrupt v of one of the two. A
// spurious one is in service nowhere, but for the first controller's line to the
// second, and wants no acknowledgement.
func picInterrupt(v uint8) {
	first := v < vectorPIC2
	if !first {
		outb(pic2, picReadService)
		if inb(pic2)>>(v-vectorPIC2)&1 != 0 {
			outb(pic2, picEOI)
		}
	}
	outb(pic1, picReadService)
	if s := inb(pic1); first && s>>(v-vectorPIC1)&1 != 0 || !first && s>>picCascade&1 != 0 {
		outb(pic1, picEOI)
	}
}
