package qemutest

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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

// TestCollector holds the garbage collector to its share of the kernel's time
// while a shell forks, by the samples of a profile.
func TestCollector(t *testing.T) {
	root := needQEMU(t)
	tamarix(t, root)
	c := exec.Command("go", "run", "./scripts/profile", "-row", "shell_loop", "-icount", "-seconds", "2", "-o", filepath.Join(t.TempDir(), "profile.pb.gz"))
	c.Dir = root
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := regexp.MustCompile(`Garbage collector: ([0-9.]+) %.*`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("nothing about the garbage collector in\n%s", out)
	}
	t.Logf("%s", m[0])
	if share, _ := strconv.ParseFloat(string(m[1]), 64); share > 3 {
		t.Errorf("the garbage collector takes %.2f %% of the kernel's time; 3 %% are the bound", share)
	}
}
