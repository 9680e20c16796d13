package qemu

import "testing"

func TestStrip(t *testing.T) {
	const in = "a\x1b[31mred\x1b[0m\r\n\x1b]0;title\x07b\x1b]10;?\x1b\\c\x1b(Bd\x1b=e"
	const want = "ared\nbcde"
	for step := 1; step < len(in); step++ {
		var s stripper
		var got []byte
		for i := 0; i < len(in); i += step {
			got = s.append(got, []byte(in[i:min(i+step, len(in))]))
		}
		if string(got) != want {
			t.Errorf("in pieces of %d: %q, want %q", step, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	const regs = "CPU#0\r\nRAX=1 RBX=2\r\nXMM00=5\r\nRIP=77\r\n"
	if got := summary(regs); got != "CPU#0\nRAX=1 RBX=2\nRIP=77" {
		t.Errorf("got %q", got)
	}
}
