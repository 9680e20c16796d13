package kernel

import "tamarix/proc"

// sysGetpid is getpid(2): the id of the caller's process, whatever the thread.
func sysGetpid(t *proc.Task, a *Args) (uintptr, error) {
	return uintptr(t.Group.PID), nil
}
