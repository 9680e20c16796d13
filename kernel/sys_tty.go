package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// sysVhangup is vhangup(2): the caller's terminal is hung up.
func sysVhangup(t *proc.Task, a *Args) (uintptr, error) {
	if !t.Cred().Capable(unix.CAP_SYS_TTY_CONFIG) {
		return 0, unix.EPERM
	}
	terminals.HangUpCurrent(t.FSContext())
	return 0, nil
}
