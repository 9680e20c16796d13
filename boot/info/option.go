package info

// Option returns the value of the last "name=value" on the command line, or an
// empty value for the bare word, before a word "--". It serves the code that
// runs before there is a heap; the whole command line is read in package kernel.
func (b *Boot) Option(name string) (value []byte, ok bool) {
	line := b.CommandLine()
	for i := 0; i < len(line); {
		for i < len(line) && line[i] == ' ' {
			i++
		}
		j := i
		for j < len(line) && line[j] != ' ' {
			j++
		}
		w := line[i:j]
		i = j
		if string(w) == "--" {
			break
		}
		if len(w) < len(name) || string(w[:len(name)]) != name {
			continue
		}
		if len(w) == len(name) {
			value, ok = w[len(w):], true
		} else if w[len(name)] == '=' {
			value, ok = w[len(name)+1:], true
		}
	}
	return value, ok
}
