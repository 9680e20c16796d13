package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mountFlags are the options of fstab(5) that are flags of mount(2); what is
// not here goes to the file system as data.
var mountFlags = map[string]uintptr{
	"ro": unix.MS_RDONLY, "nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC,
	"sync": unix.MS_SYNCHRONOUS, "noatime": unix.MS_NOATIME, "relatime": unix.MS_RELATIME,
	"bind": unix.MS_BIND, "remount": unix.MS_REMOUNT,
	"defaults": 0, "rw": 0, "auto": 0, "nofail": 0, "user": 0, "users": 0,
}

// runMountAll mounts all that fstab lists, in its order, and makes the mount
// points. An entry with nofail may fail without a message (the kernel does not
// know every file system); what is mounted already is left alone.
func runMountAll(args []string) int {
	file := "/etc/fstab"
	if len(args) > 0 {
		file = args[0]
	}
	f, err := os.Open(file)
	if err != nil {
		return fail("mountall", err)
	}
	defer f.Close()
	status := 0
	in := bufio.NewScanner(f)
	for n := 1; in.Scan(); n++ {
		line, _, _ := strings.Cut(in.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 4 {
			fmt.Fprintf(os.Stderr, "mountall: %s:%d: want what, where, type, options\n", file, n)
			status = 1
			continue
		}
		if err := mountOne(fields[0], fields[1], fields[2], fields[3]); err != nil {
			fmt.Fprintf(os.Stderr, "mountall: %s:%d: %v\n", file, n, err)
			status = 1
		}
	}
	return status
}

// mountOne mounts one line of fstab.
func mountOne(what, where, kind, options string) error {
	var flags uintptr
	var data []string
	nofail := false
	for o := range strings.SplitSeq(options, ",") {
		switch fl, known := mountFlags[o]; {
		case o == "noauto":
			return nil
		case known:
			flags |= fl
			nofail = nofail || o == "nofail"
		default:
			data = append(data, o)
		}
	}
	if kind == "swap" || mounted(where, kind) {
		return nil
	}
	if err := os.MkdirAll(where, 0o755); err != nil && !nofail {
		return err
	}
	err := unix.Mount(what, where, kind, flags, strings.Join(data, ","))
	if err != nil && !nofail {
		return fmt.Errorf("%s (%s): %w", where, kind, err)
	}
	return nil
}

// mounted tells whether a file system of that kind is mounted there, as far as
// procfs can say.
func mounted(where, kind string) bool {
	b, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 2 && f[1] == where && f[2] == kind {
			return true
		}
	}
	return false
}
