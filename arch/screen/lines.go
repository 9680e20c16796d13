package screen

import "unsafe"

// assembler puts lines together from pieces. What does not fit is cut off.
type assembler struct {
	n    int
	line [512]byte
}

// next takes the beginning of s. ok says that a line is complete; it is valid
// until the next call, before which the caller sets n to 0.
func (a *assembler) next(s string) (line, rest string, ok bool) {
	n := lineLength(s)
	a.n += copy(a.line[a.n:], s[:n])
	if n == len(s) {
		return "", "", false
	}
	return text(a.line[:a.n]), s[n+1:], true
}

// text returns p as a string that shares its bytes.
func text(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	return unsafe.String(&p[0], len(p))
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// registerLine reports whether s is a line like "rax    0x12", of which the
// runtime prints two dozen.
func registerLine(s string) bool {
	n := 0
	for n < len(s) && n < 7 && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n < 2 || n == 7 {
		return false
	}
	i := n
	for i < len(s) && s[i] == ' ' {
		i++
	}
	return i > n && i+2 <= len(s) && s[i] == '0' && s[i+1] == 'x'
}

// arguments returns where in "pkg.(*T).f(0x1, {0x2})" the arguments begin.
func arguments(s string) int {
	depth := 0
	for i := len(s) - 1; i >= 0; i-- {
		switch s[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s)
}

// short leaves out what all names of the kernel begin with.
func short(s string) string {
	const module = "tamarix/"
	if hasPrefix(s, module) {
		return s[len(module):]
	}
	return s
}

// decimal returns v in digits, written to p.
func decimal(p *[20]byte, v uint64) string {
	i := len(p)
	for {
		i--
		p[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			return text(p[i:])
		}
	}
}
