package profile

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"

	arch "tamarix/arch/amd64"
)

// Text returns the profile as text, see the package comment: the last one, or
// what there is of the one that is being taken.
func Text() []byte {
	s := &state
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.ns
	if s.running != nil {
		s.drainLocked()
		ns = arch.Nanotime() - s.began
	}
	return s.text(ns)
}

// text is Text, of a profile that took ns nanoseconds.
//   - s.mu is held.
func (s *profile) text(ns int64) []byte {
	b := fmt.Appendf(nil, "tamarix-profile 1\nrate %d\nns %d\ncpus %d\nlost %d\nlate", s.rate, ns, arch.NumCPU(), s.lost)
	for k, name := range kinds {
		b = fmt.Appendf(b, " %s %d", name, s.late[k]/max(1, s.samples[k]))
	}
	b = append(b, '\n')
	for _, key := range slices.Sorted(maps.Keys(s.stacks)) {
		kind := arch.ProfileKind(key[0])
		b = fmt.Appendf(b, "%s %d", kinds[kind], *s.stacks[key])
		if words := key[1:]; kind == arch.ProfileUser {
			b = append(append(b, ' '), printable(words)...)
		} else {
			for ; len(words) >= 8; words = words[8:] {
				b = append(b, ' ')
				b = strconv.AppendUint(b, binary.NativeEndian.Uint64([]byte(words[:8])), 16)
			}
		}
		b = append(b, '\n')
	}
	return append(b, "end\n"...)
}

// printable returns the label in words up to its padding, with whatever would
// end a line or a word replaced: a program names itself as it likes.
func printable(label string) string {
	b := []byte(label)
	for i, c := range b {
		switch {
		case c == 0:
			return string(b[:i])
		case c <= ' ' || c >= 0x7f:
			b[i] = '?'
		}
	}
	return string(b)
}
