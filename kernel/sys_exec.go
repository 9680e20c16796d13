package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// Executing programs: execve(2), execveat(2).

func sysExecve(t *proc.Task, a *Args) (uintptr, error) {
	return exec(t, unix.AT_FDCWD, a[0], a[1], a[2], 0)
}

func sysExecveat(t *proc.Task, a *Args) (uintptr, error) {
	return exec(t, fdArg(a[0]), a[1], a[2], a[3], a[4])
}

func exec(t *proc.Task, dirfd int32, path, argv, envp, flags uint64) (uintptr, error) {
	if flags&^(unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW) != 0 {
		return 0, unix.EINVAL
	}
	name, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	if name == "" && flags&unix.AT_EMPTY_PATH == 0 {
		return 0, unix.ENOENT
	}
	return 0, t.Exec(&proc.ExecArgs{DirFD: dirfd, Path: name, Flags: int(flags), Argv: argv, Envp: envp})
}
