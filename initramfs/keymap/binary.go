package keymap

import "encoding/binary"

// binaryKeys is how many keys of a column busybox's loadkmap takes.
const binaryKeys = 128

// Binary returns the map in the form that busybox's loadkmap reads and dumpkmap
// writes: "bkeymap", a byte for each column that says whether it follows, and
// the columns, 128 symbols each. It has no strings.
func (m *Map) Binary() []byte {
	b := []byte("bkeymap")
	for _, c := range m.Columns {
		flag := byte(0)
		if c != nil {
			flag = 1
		}
		b = append(b, flag)
	}
	for _, c := range m.Columns {
		if c == nil {
			continue
		}
		for _, s := range c.Symbols[:binaryKeys] {
			b = binary.LittleEndian.AppendUint16(b, uint16(s))
		}
	}
	return b
}
