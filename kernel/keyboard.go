package kernel

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/dev/kbd"
	"tamarix/proc"
)

// keyboard returns the machine's keyboards. They are made at the first call, by
// the screen or by a driver: a machine with neither does without.
var keyboard = sync.OnceValue(func() *kbd.Keyboards { return kbd.New(keyboardSystem{}) })

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
