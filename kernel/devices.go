package kernel

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/devfs"
	"tamarix/fs/procfs"
	"tamarix/fs/sysfs"
	"tamarix/fs/tty"
	"tamarix/proc"
)

// terminals holds the machine's terminals; made by registerDevices.
var terminals *tty.Manager

// defaultSpeed is the serial line's speed when the command line names none, in
// bits per second.
const defaultSpeed = 115200

// registerDevices makes the devices and the file systems that show the kernel
// (devtmpfs, devpts, proc, sysfs), and mounts /dev. ctx is the kernel's own.
func registerDevices(ctx *fs.Context) (*fs.SuperBlock, error) {
	findPCI()
	terminals = tty.NewManager(jobControl{})
	serial, virtuals := makeTerminals(terminals, boot.consoles)
	config := devfs.Config{
		Terminals: terminals,
		Serial:    serial,
		Virtual:   virtuals,
		Random:    proc.FillRandom,
	}
	if consoles != nil {
		config.Front = consoles.Foreground
	}
	sb, err := devfs.Register(ctx, config)
	if err != nil {
		return nil, err
	}
	klog.Infof("start-up: files that show the machine")
	attrs := slices.Concat(attributes(), firmwareTables(), addResources(boot.info),
		dmiAttributes(boot.info), pciAttributes(), hardwareAttributes(boot.info))
	procfs.Register(newProcInfo())
	sysfs.Register(attrs)
	startUSB()
	findKeyboards()
	return sb, ctx.Mount("devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "")
}

// consoleDrainTime is how long the end of the machine's run waits for output.
const consoleDrainTime = 2 * time.Second

// drainConsole lets what was written to the console go out, before the machine
// is switched off.
func drainConsole() {
	if terminals == nil {
		return
	}
	if t := terminals.Console(); t != nil {
		t.Drain(wait.Now() + int64(consoleDrainTime))
	}
	if consoles != nil {
		consoles.Flush()
	}
}
