package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// gosh is u-root's shell. It lives in u-root's one binary, which finds its
// command by the exact name it is called by.
const gosh = "/bin/gosh"

// runShell is /bin/sh of the u-root image: it becomes gosh under gosh's own
// name, and drops the options of other shells that gosh does not have and does
// not need (-l: login sets the environment; -i: gosh looks at the terminal).
func runShell(args []string) int {
	argv := []string{"gosh"}
	for i, a := range args {
		switch a {
		case "-l", "-i", "--login":
			continue
		}
		argv = append(argv, args[i:]...)
		break
	}
	return fail("sh", unix.Exec(gosh, argv, os.Environ()))
}
