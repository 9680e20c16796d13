package vt

import (
	"testing"

	"tamarix/arch/screen"
)

func TestLogIsDrawn(t *testing.T) {
	d := screen.NewMemory(40, 5)
	c := New(d)
	c.Log(0, []byte("[    0.000000] one\r\n[    0.000001] two\r\n"))
	c.Flush()
	c.drawer.mu.Lock()
	defer c.drawer.mu.Unlock()
	if d.Line(0) != "[    0.000000] one" || d.Line(1) != "[    0.000001] two" || d.Row != 2 || !d.Shown {
		t.Errorf("%q %q, cursor in row %d, shown %v", d.Line(0), d.Line(1), d.Row, d.Shown)
	}
}
