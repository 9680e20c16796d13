package proc

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestCheckClone(t *testing.T) {
	const thread = unix.CLONE_THREAD | unix.CLONE_SIGHAND | unix.CLONE_VM
	tests := []struct {
		name  string
		flags uint64
		admin bool
		want  error
	}{
		{"fork", 0, true, nil},
		{"vfork", unix.CLONE_VM | unix.CLONE_VFORK, false, nil},
		{"thread", thread | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SYSVSEM | unix.CLONE_SETTLS |
			unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID, false, nil},
		{"thread without sighand", unix.CLONE_THREAD | unix.CLONE_VM, true, unix.EINVAL},
		{"sighand without vm", unix.CLONE_SIGHAND, true, unix.EINVAL},
		{"thread with sighand, without vm", unix.CLONE_THREAD | unix.CLONE_SIGHAND, true, unix.EINVAL},
		{"newns with fs", unix.CLONE_NEWNS | unix.CLONE_FS, true, unix.EINVAL},
		{"newuser with fs", unix.CLONE_NEWUSER | unix.CLONE_FS, true, unix.EINVAL},
		{"thread in a new pid namespace", thread | unix.CLONE_NEWPID, true, unix.EINVAL},
		{"new namespace, not allowed", unix.CLONE_NEWPID, false, unix.EPERM},
		{"new namespace, not there", unix.CLONE_NEWPID, true, unix.EINVAL},
		{"pidfd of a thread", thread | unix.CLONE_PIDFD, true, unix.EINVAL},
		{"pidfd", unix.CLONE_PIDFD, false, nil},
	}
	for _, tt := range tests {
		if err := checkClone(tt.flags, tt.admin); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestCheckClone3(t *testing.T) {
	tests := []struct {
		name string
		args CloneArgs
		want error
	}{
		{"fork", CloneArgs{ExitSignal: 17}, nil},
		{"exit signal in flags", CloneArgs{Flags: 17}, unix.EINVAL},
		{"detached", CloneArgs{Flags: unix.CLONE_DETACHED}, unix.EINVAL},
		{"unknown flag", CloneArgs{Flags: 1 << 40}, unix.EINVAL},
		{"exit signal of a thread", CloneArgs{Flags: unix.CLONE_THREAD, ExitSignal: 17}, unix.EINVAL},
		{"exit signal with parent", CloneArgs{Flags: unix.CLONE_PARENT, ExitSignal: 17}, unix.EINVAL},
		{"exit signal too high", CloneArgs{ExitSignal: 65}, unix.EINVAL},
		{"clear and share handlers", CloneArgs{Flags: unix.CLONE_CLEAR_SIGHAND | unix.CLONE_SIGHAND | unix.CLONE_VM}, unix.EINVAL},
		{"clear handlers", CloneArgs{Flags: unix.CLONE_CLEAR_SIGHAND, ExitSignal: 17}, nil},
		{"cgroup", CloneArgs{Flags: unix.CLONE_INTO_CGROUP}, unix.EINVAL},
	}
	for _, tt := range tests {
		if err := CheckClone3(&tt.args); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestWaitStatus(t *testing.T) {
	tests := []struct {
		status      int
		code, value int32
	}{
		{0, CLD_EXITED, 0},
		{3 << 8, CLD_EXITED, 3},
		{255 << 8, CLD_EXITED, 255},
		{9, CLD_KILLED, 9},
		{11 | 0x80, CLD_DUMPED, 11},
	}
	for _, tt := range tests {
		if code, value := exitCode(tt.status); code != tt.code || value != tt.value {
			t.Errorf("exitCode(%#x) = %d, %d; want %d, %d", tt.status, code, value, tt.code, tt.value)
		}
	}
}
