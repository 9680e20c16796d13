package qemutest

import (
	"fmt"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// TestClockSources runs the cases about clocks with each of the chipset's counters
// as the clock, chosen by the command line or because there is nothing better, and
// with a machine that has but one of them to measure with.
func TestClockSources(t *testing.T) {
	root := needQEMU(t)
	for _, c := range []struct {
		name, option string
		extra        []string
		log          string
	}{
		{"hpet", "clocksource=hpet", nil, "the clock is hpet: the command line wants it"},
		{"acpi_pm", "clocksource=acpi_pm tsc=unstable", nil, "the clock is acpi_pm: the command line wants it"},
		{"unstable_without_hpet", "tsc=unstable", []string{"-machine", "hpet=off"}, "the clock is acpi_pm: the time stamp counter is no good"},
		{"nothing_but_the_pit", "acpi=off", nil, "the clock is tsc: not invariant, and there is nothing to compare it with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			vm := boot(t, qemu.Config{
				Kernel: tamarix(t, root), Initrd: guest(t, root), SMP: 2, Extra: c.extra,
				Append: "console=ttyS0 SLOW=3 RUN=clocks " + c.option,
			})
			if _, err := vm.Expect("clocks: "+c.log, time.Minute); err != nil {
				t.Fatal(err)
			}
			for n := 0; ; n++ {
				m, err := vm.Expect(`(?m)^(ok|FAIL|skip) (\S+)(.*)\n|^DONE .*`, 3*time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				if m[1] == "" {
					if n < 10 {
						t.Errorf("only %d cases ran", n)
					}
					break
				}
				if m[1] == "FAIL" {
					t.Error(fmt.Sprint(m[2], m[3]))
				}
			}
		})
	}
}
