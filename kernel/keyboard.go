package kernel

import (
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/dev/i8042"
	"tamarix/dev/kbd"
	"tamarix/dev/pcspkr"
	"tamarix/proc"
)

// keyboard returns the machine's keyboards. They are made at the first call, by
// the screen or by a driver: a machine with neither does without.
var keyboard = sync.OnceValue(func() *kbd.Keyboards {
	k := kbd.New(keyboardSystem{})
	if f, ok := arch.FADT(); !ok || f.LegacyDevices {
		k.SetSpeaker(pcspkr.New(pcspkr.Ports{In: arch.In8, Out: arch.Out8}))
	}
	return k
})

// findKeyboards starts the driver of the keyboard controller, if the firmware
// does not say that there is none. It does not wait for what it finds: devices
// that do not answer take their time. startUSB comes before it: a firmware that
// imitates the controller for USB keyboards gets in the way of whoever looks for a
// real one, and what it imitates is gone a moment later.
func findKeyboards() {
	o, ignoreFirmware := i8042Options(boot.options.line)
	if f, ok := arch.FADT(); ok && !f.Has8042 && !ignoreFirmware {
		klog.Debugf("i8042: the firmware says that there is no keyboard controller")
		return
	}
	go func() {
		usbTaken.Wait()
		klog.Infof("i8042: looking for a keyboard controller")
		err := i8042.Start(keyboard, o, func() {
			if m := sysrqMask.Load(); m == sysrqAll || m&sysrqBoot != 0 {
				arch.Reboot()
			}
		})
		if err != nil {
			klog.Infof("i8042: %v", err)
		}
	}()
}

// i8042Options returns what the command line says of the keyboard controller
// (Linux Documentation/admin-guide/kernel-parameters.txt, "i8042."): nokbd,
// noaux, reset, direct, and nopnp, which is not to ask the firmware.
func i8042Options(line string) (o i8042.Options, ignoreFirmware bool) {
	for _, w := range strings.Fields(line) {
		name, ok := strings.CutPrefix(w, "i8042.")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(name, "=")
		on := value != "0" && value != "n"
		switch name {
		case "nokbd":
			o.NoKeyboard = on
		case "noaux":
			o.NoAuxiliary = on
		case "direct":
			o.Direct = on
		case "nopnp":
			ignoreFirmware = on
		case "reset":
			o.Reset, o.NoTest = on, !on
		}
	}
	return o, ignoreFirmware
}

// ctrlAltDelReboots says what Ctrl-Alt-Del does: reboot at once, or SIGINT to
// process 1, if that has asked for it by reboot(2).
var ctrlAltDelReboots atomic.Bool

func init() { ctrlAltDelReboots.Store(true) }

// keyboardSystem is what keys can do to the machine.
type keyboardSystem struct{}

// CtrlAltDel implements [kbd.System].
func (keyboardSystem) CtrlAltDel() {
	if ctrlAltDelReboots.Load() {
		// Not on the goroutine of the keyboard's driver: the message needs time.
		go stopMachine("Restarting system", arch.Reboot)
		return
	}
	signalGroup(1, unix.SIGINT)
}

// SysRqEnabled implements [kbd.System].
func (keyboardSystem) SysRqEnabled() bool { return sysrqMask.Load() != 0 }

// SysRq implements [kbd.System].
func (keyboardSystem) SysRq(key byte) { sysrqTyped(key) }

// Show implements [kbd.System].
func (keyboardSystem) Show(key byte) {
	if key == 'p' { // Linux shows registers: no CPU stands still here
		key = 'l'
	}
	go sysrq(key)
}

// SecureAttention implements [kbd.System].
func (keyboardSystem) SecureAttention() { go sysrq('k') }

// Signal implements [kbd.System].
func (keyboardSystem) Signal(pid int32, sig unix.Signal) error { return signalGroup(pid, sig) }

// signalGroup sends a signal of the kernel's to a process: ESRCH without one.
func signalGroup(pid int32, sig unix.Signal) error {
	g := proc.FindGroup(pid)
	if g == nil {
		return unix.ESRCH
	}
	info := proc.KernelInfo(sig)
	return proc.SendGroup(g, &info)
}
