package qemu

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

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

func TestKernelOptions(t *testing.T) {
	for _, tt := range []struct{ magic, want string }{{"HdrS", "quiet" + linuxOptions}, {"none", "quiet"}} {
		path := filepath.Join(t.TempDir(), "kernel")
		if err := os.WriteFile(path, append(make([]byte, 0x202), tt.magic...), 0o600); err != nil {
			t.Fatal(err)
		}
		c := Config{Kernel: path, Append: "quiet"}
		if args := c.args("qmp"); !slices.Contains(args, tt.want) {
			t.Errorf("%s: no %q in %q", tt.magic, tt.want, args)
		}
	}
}
