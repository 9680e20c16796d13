package acpi

// AML opcodes, 20.2 (ACPI Machine Language).
const (
	amlZero    = 0x00
	amlOne     = 0x01
	amlName    = 0x08
	amlByte    = 0x0a
	amlWord    = 0x0b
	amlDWord   = 0x0c
	amlPackage = 0x12
	amlOnes    = 0xff
)

// FindS5 looks in a DSDT or SSDT for the package \_S5, which holds the values
// of SLP_TYP for PM1a and PM1b that mean "soft off" (7.4.2). There is no
// interpreter: the object's name is searched in the byte code, and what follows
// must read as a package of small integers.
func FindS5(table []byte) (a, b uint8, ok bool) {
	for o := headerSize; o+8 <= len(table); o++ {
		if string(table[o:o+4]) != "_S5_" {
			continue
		}
		// NameOp, and possibly the root prefix, stand before the name.
		if table[o-1] != amlName && !(table[o-1] == '\\' && table[o-2] == amlName) {
			continue
		}
		if a, b, ok = sleepPackage(table[o+4:]); ok {
			return a, b, true
		}
	}
	return 0, 0, false
}

// sleepPackage reads PackageOp PkgLength NumElements and two integers.
func sleepPackage(p []byte) (a, b uint8, ok bool) {
	if len(p) < 2 || p[0] != amlPackage {
		return 0, 0, false
	}
	lead := p[1]
	n := 1 + int(lead>>6) // bytes of the package length, 20.2.4
	if len(p) < 1+n+1 || p[1+n] < 1 {
		return 0, 0, false
	}
	count := p[1+n]
	p = p[2+n:]
	if a, p, ok = amlInteger(p); !ok {
		return 0, 0, false
	}
	if count > 1 {
		b, _, ok = amlInteger(p)
	}
	return a, b, ok
}

// amlInteger reads a constant whose low byte is all that matters.
func amlInteger(p []byte) (v uint8, rest []byte, ok bool) {
	if len(p) == 0 {
		return 0, nil, false
	}
	size := 0
	switch p[0] {
	case amlZero, amlOne, amlOnes:
		return p[0], p[1:], true
	case amlByte:
		size = 1
	case amlWord:
		size = 2
	case amlDWord:
		size = 4
	default:
		return 0, nil, false
	}
	if len(p) < 1+size {
		return 0, nil, false
	}
	return p[1], p[1+size:], true
}
