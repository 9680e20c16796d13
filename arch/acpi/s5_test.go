package acpi

import "testing"

func TestS5(t *testing.T) {
	for _, c := range []struct {
		name string
		aml  []byte
		a, b uint8
		ok   bool
	}{
		{"QEMU", []byte("\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), 0, 0, true},
		{"byte prefix", []byte("\x08\\_S5_\x12\x08\x04\x0a\x05\x0a\x07\x00\x00"), 5, 7, true},
		{"long package length", []byte("\x08_S5_\x12\x46\x00\x02\x01\x0a\x03"), 1, 3, true},
		{"one element", []byte("\x08_S5_\x12\x04\x01\x0a\x06\x00\x00"), 6, 0, true},
		{"words", []byte("\x08_S5_\x12\x0c\x04\x0b\x05\x00\x0c\x07\x00\x00\x00\x00\x00"), 5, 7, true},
		{"64 bits", []byte("\x08_S5_\x12\x0b\x01\x0e\x05\x00\x00\x00\x00\x00\x00\x00"), 5, 0, true},
		{"the second one is good", []byte("\x08_S5_\x00\x08_S5_\x12\x04\x02\x01\x00"), 1, 0, true},
		{"too large", []byte("\x08_S5_\x12\x06\x02\x0a\x08\x00\x00"), 0, 0, false},
		{"both in one element", []byte("\x08_S5_\x12\x06\x01\x0b\x05\x07\x00"), 5, 7, true},
		{"both in one element of 32 bits", []byte("\x08_S5_\x12\x07\x01\x0c\x05\x06\x00\x00"), 5, 6, true},
		{"one element, the second byte too large", []byte("\x08_S5_\x12\x06\x01\x0b\x05\x08\x00"), 0, 0, false},
		{"one element, a third byte", []byte("\x08_S5_\x12\x07\x01\x0c\x05\x01\x01\x00"), 0, 0, false},
		{"too large by its high byte", []byte("\x08_S5_\x12\x07\x02\x0b\x05\x01\x01"), 0, 0, false},
		{"ones", []byte("\x08_S5_\x12\x04\x02\xff\xff"), 0, 0, false},
		{"no elements", []byte("\x08_S5_\x12\x04\x00\x00\x00"), 0, 0, false},
		{"element beyond the package", []byte("\x08_S5_\x12\x03\x02\x01\x01\x01"), 0, 0, false},
		{"package beyond the table", []byte("\x08_S5_\x12\x3f\x02\x01\x01\x01"), 0, 0, false},
		{"truncated", []byte("\x08_S5_\x12\x06\x04\x0a"), 0, 0, false},
		{"no package", []byte("\x08_S5_\x0a\x06\x04\x0a"), 0, 0, false},
		{"a method", []byte("\x14\x0c_S5_\x00\xa4\x12\x04\x02\x01\x01"), 0, 0, false},
		{"no name operator", []byte("\x10_S5_\x12\x06\x04\x00\x00"), 0, 0, false},
		{"nothing", nil, 0, 0, false},
	} {
		a, b, ok := FindS5(build("DSDT", c.aml))
		if a != c.a || b != c.b || ok != c.ok {
			t.Errorf("%s: %d, %d, %v; want %d, %d, %v", c.name, a, b, ok, c.a, c.b, c.ok)
		}
	}
}
