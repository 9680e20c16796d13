package pcspkr

import (
	"fmt"
	"testing"
)

func TestTone(t *testing.T) {
	for _, c := range []struct {
		hertz int
		want  string
	}{
		{750, "43=b6 42=36 42=06 61=07"}, // 1590
		{20, "43=b6 42=0b 42=e9 61=07"},  // 59659
		{0, "61=04"},
		{18, "61=04"},
		{-1, "61=04"},
		{2000000, "61=04"},
	} {
		got := ""
		s := New(Ports{
			In: func(port uint16) uint8 {
				if port != gates {
					t.Errorf("read port %#x", port)
				}
				return 0x37 &^ 3
			},
			Out: func(port uint16, v uint8) { got += fmt.Sprintf(" %02x=%02x", port, v) },
		})
		s.Tone(c.hertz)
		if got != " "+c.want {
			t.Errorf("%d Hz: wrote%s, want %s", c.hertz, got, c.want)
		}
	}
}
