package qemutest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// cases boots the guest image and makes a subtest of each case it reports. only
// is a comma-separated list of the groups to run; empty runs all.
func cases(t *testing.T, c qemu.Config, only string) {
	t.Helper()
	if r := os.Getenv("GUEST_RUN"); r != "" {
		only = r
	}
	slow := os.Getenv("TAMARIX_SLOW")
	if slow == "" {
		slow = "3" // a case's limit is for an idle machine
	}
	c.Append = "console=ttyS0 quiet SLOW=" + slow + " " + c.Append
	if only != "" {
		c.Append += " RUN=" + only
	}
	if c.Quiet == 0 {
		c.Quiet = 5 * time.Minute // a case says nothing before its end
	}
	vm := boot(t, c)
	if _, err := vm.Expect(`BEGIN \d+ cases`, time.Minute); err != nil {
		t.Fatal(err)
	}
	ended := map[string]bool{}
	for {
		// A case has a time limit of its own, which is less.
		m, err := vm.Expect(`(?m)^(ok|FAIL|skip|#) (\S+)(.*)\n|^DONE .*`, 20*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if m[1] == "" {
			break
		}
		if m[1] == "#" { // a remark: a figure, progress
			t.Log(m[2] + m[3])
			continue
		}
		name := strings.ReplaceAll(m[2], "/", ".")
		if ended[name] {
			t.Errorf("%s is reported twice", name)
		}
		ended[name] = true
		t.Run(name, func(t *testing.T) {
			why := strings.TrimSpace(m[3])
			switch m[1] {
			case "FAIL":
				t.Errorf("%s\nalone: make test RUN=%s", why, m[2])
			case "skip":
				t.Skip(why)
			}
		})
	}
	if len(ended) == 0 {
		t.Errorf("no case ran (RUN=%s)", only)
	}
	if status, err := vm.Wait(2 * time.Minute); err != nil || status != 0 {
		t.Errorf("power off: QEMU's exit status %d, %v", status, err)
	}
}

// TestLinux proves that what the cases expect is what Linux does.
func TestLinux(t *testing.T) {
	root := needQEMU(t)
	cases(t, qemu.Config{Kernel: linux(t, root), Initrd: guest(t, root), SMP: 2}, everything)
}

// TestGuest runs the cases on Tamarix.
func TestGuest(t *testing.T) {
	root := needQEMU(t)
	for _, c := range []struct {
		smp  int
		only string
	}{
		{2, everything},
		// What the number of CPUs can change.
		{1, "process,clone,memory,cow,signals,threads,pipes,xstate"},
		{4, "process,clone,memory,cow,signals,threads,pipes,xstate,hostile"},
	} {
		t.Run(fmt.Sprintf("smp%d", c.smp), func(t *testing.T) {
			cases(t, qemu.Config{Kernel: tamarix(t, root), Initrd: guest(t, root), SMP: c.smp}, c.only)
		})
	}
}

// TestStress is load of every kind at once: briefly here, for ten minutes with
// make stress (STRESS_SECONDS).
func TestStress(t *testing.T) {
	root := needQEMU(t)
	seconds := os.Getenv("STRESS_SECONDS")
	if seconds == "" {
		seconds = "15"
	}
	cases(t, qemu.Config{
		Kernel: tamarix(t, root), Initrd: guest(t, root), SMP: 4, Mem: "256M",
		Append: "STRESS_SECONDS=" + seconds, Quiet: 15 * time.Minute,
	}, "stress")
}

// everything is all groups but the one with a test of its own.
const everything = "-stress"
