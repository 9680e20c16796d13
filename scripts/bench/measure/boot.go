package measure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tamarix/scripts/qemu"
)

// CPU is the processor of all machines: everything QEMU can emulate, but not the
// fast string instructions, which the emulator executes byte by byte and Linux
// would use.
const CPU = "max,-erms,-fsrm"

// A Boot is a machine that runs the benchmark program.
type Boot struct {
	Name   string // the kernel's, in the samples
	Kernel string // file
	Initrd string
	Mode   string
	CPUs   int
	Mem    string        // as QEMU's -m
	Append string        // the program's parameters
	Limit  time.Duration // for the whole boot
	Seed   int           // of QEMU's random numbers, where instructions are counted
}

// A Result is what a boot has given.
type Result struct {
	Samples []Sample
	Ready   time.Duration // from QEMU's start to READY
	Total   int           // memory of the machine by its kernel's account, KiB
	Free    int           // of it, free at process 1's first instruction, KiB
	Took    time.Duration
}

// Run boots the machine and returns when it has powered off. heard, if not nil,
// gets each line that means something, as it comes. What was measured before an
// error is returned with it.
func (b Boot) Run(heard func(Said)) (*Result, error) {
	var extra []string
	if b.Mode == Instructions {
		// Nothing from outside: a boot repeats to the digit.
		extra = []string{"-seed", strconv.Itoa(max(b.Seed, 1)), "-rtc", "base=2026-01-01,clock=vm"}
	}
	vm, err := qemu.Start(qemu.Config{
		Kernel: b.Kernel, Initrd: b.Initrd, Append: "console=ttyS0 quiet " + b.Append,
		Mem: b.Mem, SMP: b.CPUs, CPU: CPU, Icount: b.Mode == Instructions,
		Quiet: b.Limit, Extra: extra,
	})
	if err != nil {
		return nil, err
	}
	defer vm.Kill()
	r := &Result{}
	defer func() { r.Took = vm.Age() }()
	deadline := time.Now().Add(b.Limit)
	for {
		line, err := vm.Expect(`(.*)\n`, time.Until(deadline))
		if err != nil {
			return r, fmt.Errorf("%s, %s, %d CPUs: %w", b.Name, b.Mode, b.CPUs, err)
		}
		said, err := Parse(line[1])
		if err != nil {
			return r, err
		}
		if heard != nil && said.Kind != "" {
			heard(said)
		}
		switch said.Kind {
		case "READY":
			r.Ready = vm.Age()
		case "MEM":
			r.Total, r.Free = said.Numbers[0], said.Numbers[1]
		case "ROW", "SKIP", "FAIL":
			x := said.Sample
			x.Kernel, x.Mode, x.CPUs = b.Name, b.Mode, b.CPUs
			r.Samples = append(r.Samples, x)
		case "DONE":
			_, err := vm.Wait(min(time.Minute, b.Limit))
			return r, err
		}
		if strings.HasPrefix(line[1], "Kernel panic") || strings.HasPrefix(line[1], "panic: ") {
			return r, errors.New(vm.Dump() + "\n--- " + b.Name + ": " + line[1])
		}
	}
}
