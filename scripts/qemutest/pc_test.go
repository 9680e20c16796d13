package qemutest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// A pcCase is a PC, and what a person does with it.
type pcCase struct {
	name string
	qemu.Config
	quick bool                               // in make test too, not only in make test-pc
	setup func(t *testing.T, c *qemu.Config) // makes what the machine needs, or nil
	do    func(p *person)
}

// xhci is a USB controller for machines that do not boot from one.
var xhci = []string{"-device", "qemu-xhci,id=xhci"}

// matrix is the boots of the image that there are: by each firmware, from each
// medium, on each kind of machine, small and large.
func matrix() (cases []pcCase) {
	for _, uefi := range []bool{false, true} {
		for _, medium := range []string{qemu.USB, qemu.Disk, qemu.CD} {
			for _, machine := range []string{"pc", "q35"} {
				for _, cpus := range []int{1, 4} {
					for _, mem := range []string{"128M", "8G"} {
						firmware := "bios"
						if uefi {
							firmware = "uefi"
						}
						cases = append(cases, pcCase{
							name: fmt.Sprintf("%s-%s-%s-%d-%s", firmware, medium, machine, cpus, mem),
							Config: qemu.Config{
								Medium: medium, UEFI: uefi, Machine: machine, SMP: cpus, Mem: mem, Screen: "VGA",
							},
							do: ordinary,
						})
					}
				}
			}
		}
	}
	return cases
}

// ordinary is a person who logs in, tries the usual things and powers off. The
// serial port tells the same story.
func ordinary(p *person) {
	p.logsIn()
	p.everyday()
	p.powersOff()
}

// TestPC is a person at PCs of many kinds, which boot the USB image. make test
// takes the quick ones, make test-pc all; those whose names begin so:
//
//	make test-pc RUN=uefi-cd
func TestPC(t *testing.T) {
	needQEMU(t)
	chosen := os.Getenv("TAMARIX_PC") // "all", the beginning of a name, or nothing
	found := false
	for _, c := range slices.Concat(matrix(), others(), sticks()) {
		if chosen == "" && !c.quick || chosen != "all" && !strings.HasPrefix(c.name, chosen) {
			continue
		}
		found = true
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			if c.setup != nil {
				c.setup(t, &c.Config)
			}
			c.do(sitDown(t, c.Config))
			t.Logf("%s: %.0f s", c.name, time.Since(start).Seconds())
		})
	}
	if !found {
		t.Errorf("no PC's name begins with %q", chosen)
	}
}
