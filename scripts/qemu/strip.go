package qemu

// A stripper takes escape sequences and carriage returns out of a terminal's
// output, also where they come in pieces (ECMA-48, 5.4 and 5.6: CSI and OSC).
type stripper struct {
	state byte // 0 text, 1 after ESC, '[' in a CSI, ']' in an OSC, '(' one more byte
}

// append appends what remains of p to dst.
func (s *stripper) append(dst, p []byte) []byte {
	for _, c := range p {
		switch s.state {
		case 0:
			switch c {
			case 0x1b:
				s.state = 1
			case '\r':
			default:
				dst = append(dst, c)
			}
		case 1:
			switch c {
			case '[', ']', '(', ')':
				s.state = c
			default:
				s.state = 0
			}
		case '[':
			if c >= 0x40 && c <= 0x7e {
				s.state = 0
			}
		case ']':
			if c == 7 {
				s.state = 0
			} else if c == 0x1b {
				s.state = '(' // the \ of ESC \ follows
			}
		default:
			s.state = 0
		}
	}
	return dst
}
