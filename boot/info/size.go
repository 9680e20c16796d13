package info

// ParseSize reads a number with a unit, as "512M" or "0x100000". It accepts
// what the command line of Linux does (lib/cmdline.c, memparse).
func ParseSize(s []byte) (v uint64, ok bool) {
	base := uint64(10)
	if len(s) > 1 && s[0] == '0' {
		if base, s = 8, s[1:]; s[0] == 'x' || s[0] == 'X' {
			base, s = 16, s[1:]
		}
	}
	i := 0
	for ; i < len(s); i++ {
		var d uint64
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			d = uint64(c - '0')
		case 'a' <= c && c <= 'f':
			d = uint64(c-'a') + 10
		case 'A' <= c && c <= 'F':
			d = uint64(c-'A') + 10
		default:
			d = base
		}
		if d >= base {
			break
		}
		if v > (^uint64(0)-d)/base {
			return 0, false
		}
		v = v*base + d
	}
	if i == 0 && base != 8 {
		return 0, false
	}
	shift := 0
	if i < len(s) {
		switch s[i] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		case 't', 'T':
			shift = 40
		default:
			return 0, false
		}
		i++
	}
	if i != len(s) || v > ^uint64(0)>>shift {
		return 0, false
	}
	return v << shift, true
}
