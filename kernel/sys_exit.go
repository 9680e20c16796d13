package kernel

import "tamarix/proc"

// sysExit is _exit(2) of one thread.
func sysExit(t *proc.Task, a *Args) (uintptr, error) {
	t.Exit(int(a[0]))
	return 0, nil
}

// sysExitGroup is exit_group(2).
func sysExitGroup(t *proc.Task, a *Args) (uintptr, error) {
	t.ExitGroup(int(a[0]))
	return 0, nil
}
