package qemutest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProfile takes a profile as make profile does, and asks go tool pprof where
// the time went.
func TestProfile(t *testing.T) {
	root := needQEMU(t)
	tamarix(t, root)
	file := filepath.Join(t.TempDir(), "profile.pb.gz")
	run := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = root
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("go", "run", "./scripts/profile", "-row", "pipe_rt", "-icount", "-seconds", "1", "-o", file)
	top := run("go", "tool", "pprof", "-top", "-cum", file)
	for _, want := range []string{"tamarix/proc.(*Task).run", "tamarix/kernel.sysWrite", "tamarix/fs.(*pipeEnd).Read", "user:init"} {
		if !strings.Contains(top, want) {
			t.Errorf("no %s in\n%s", want, top)
		}
	}
	if list := run("go", "tool", "pprof", "-list", `proc\.\(\*Task\)\.run$`, file); !strings.Contains(list, "arch.EnterUser(u)") {
		t.Errorf("no source lines in\n%s", list)
	}
}
