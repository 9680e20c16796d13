package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"tamarix/scripts/image"
)

// take boots the kernel with the benchmark as process 1, which stays in one row
// while the kernel profiles itself, and returns what the machine has said.
func take(root string, o *options) ([]byte, error) {
	initrd := filepath.Join(root, "out", "profile", "bench.cpio.gz")
	var m image.Image
	if err := m.Bench(root); err != nil {
		return nil, err
	}
	if err := m.Write(initrd); err != nil {
		return nil, err
	}
	line := fmt.Sprintf("console=ttyS0 quiet ROWS=%s LOOP=%d PROFILE=%d LIMIT=600", o.row, o.seconds, o.rate)
	args := []string{
		"-machine", "q35", "-cpu", "max,-erms,-fsrm", "-smp", fmt.Sprint(o.smp), "-m", o.mem,
		"-display", "none", "-nodefaults", "-no-reboot", "-serial", "stdio",
		"-kernel", filepath.Join(root, "out", "tamarix.elf"), "-initrd", initrd,
	}
	if o.icount {
		args = append(args, "-accel", "tcg", "-icount", "shift=0,sleep=off")
		line += " ICOUNT=1"
	} else {
		args = append(args, "-accel", "tcg,thread=multi")
	}
	fmt.Printf("%s: %d s, %d samples a second ...\n", o.row, o.seconds, o.rate)
	var log bytes.Buffer
	c := exec.Command("qemu-system-x86_64", append(args, "-append", line)...)
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%w (scripts/deps.sh installs QEMU)", err)
	}
	// Twenty times as long is enough for a busy host, and for counted instructions.
	late := time.AfterFunc(time.Minute+20*time.Duration(o.seconds)*time.Second, func() { c.Process.Signal(os.Interrupt) })
	err := c.Wait()
	late.Stop()
	if m := regexp.MustCompile(`(?m)^(FAIL|SKIP) .*`).Find(log.Bytes()); m != nil {
		return nil, fmt.Errorf("%s", bytes.TrimSpace(m))
	}
	if !bytes.Contains(log.Bytes(), []byte("PROFILE END")) {
		return nil, fmt.Errorf("no profile from the machine (%v), which said:\n%s", err, log.Bytes())
	}
	return log.Bytes(), nil
}
