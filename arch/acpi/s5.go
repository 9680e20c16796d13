package acpi

// AML opcodes, 20.2 (ACPI Machine Language).
const (
	amlZero    = 0x00
	amlOne     = 0x01
	amlName    = 0x08
	amlByte    = 0x0a
	amlWord    = 0x0b
	amlDWord   = 0x0c
	amlQWord   = 0x0e
	amlPackage = 0x12
)

// FindS5 looks in a DSDT or SSDT for the package \_S5, which holds the values
// of SLP_TYP for PM1a and PM1b that mean "soft off" (7.4.2). There is no
// interpreter: the object's name is searched in the byte code, and what follows
// must read as a package of small integers. Both values are below 8.
func FindS5(table []byte) (a, b uint8, ok bool) {
	for o := headerSize; o+8 <= len(table); o++ {
		if table[o] != '_' || string(table[o:o+4]) != "_S5_" {
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

// sleepPackage reads PackageOp PkgLength NumElements and two integers, or one with
// the two values in its lowest bytes, as the table of 7.4.2 has it.
func sleepPackage(p []byte) (a, b uint8, ok bool) {
	if len(p) < 2 || p[0] != amlPackage {
		return 0, 0, false
	}
	// The length (20.2.4) counts its own bytes. The two upper bits of the
	// first say how many follow: with none, six bits are the length, else
	// four are its lowest.
	p = p[1:]
	more := int(p[0] >> 6)
	if len(p) < 1+more {
		return 0, 0, false
	}
	n := int(p[0] & 0x3f)
	if more > 0 {
		n = int(p[0] & 0xf)
	}
	for i := range more {
		n |= int(p[1+i]) << (4 + 8*i)
	}
	if n < 1+more+1 || n > len(p) {
		return 0, 0, false
	}
	count := p[1+more]
	p = p[2+more : n]
	if count < 1 {
		return 0, 0, false
	}
	v, p, ok := constant(p)
	if !ok {
		return 0, 0, false
	}
	w := v >> 8
	if count > 1 {
		if w, _, ok = constant(p); !ok {
			return 0, 0, false
		}
	} else {
		v &= 0xff
	}
	if v > 7 || w > 7 {
		return 0, 0, false
	}
	return uint8(v), uint8(w), true
}

// constant reads an integer constant (20.2.3).
func constant(p []byte) (v uint64, rest []byte, ok bool) {
	if len(p) == 0 {
		return 0, nil, false
	}
	size := 0
	switch p[0] {
	case amlZero, amlOne:
		return uint64(p[0]), p[1:], true
	case amlByte:
		size = 1
	case amlWord:
		size = 2
	case amlDWord:
		size = 4
	case amlQWord:
		size = 8
	default:
		return 0, nil, false
	}
	if len(p) < 1+size {
		return 0, nil, false
	}
	for i := range size {
		v |= uint64(p[1+i]) << (8 * i)
	}
	return v, p[1+size:], true
}
