package main

import (
	"os"
	"path/filepath"
	"strings"

	"tamarix/initramfs/getty"
	"tamarix/initramfs/hwreport"
	"tamarix/initramfs/loadkeys"
	"tamarix/initramfs/login"
)

func main() {
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "-")
	os.Exit(dispatch(name, os.Args[1:]))
}

// dispatch runs the command of that name and returns its exit status.
func dispatch(name string, args []string) int {
	switch name {
	case "getty":
		return getty.Main(args)
	case "kbd_mode":
		return loadkeys.Mode(args)
	case "loadkeys":
		return loadkeys.Main(args)
	case "login":
		return login.Main(args)
	case "poweroff", "reboot", "halt":
		return runPower(name, args)
	case "shutdown":
		return runShutdown(args)
	case "hwreport":
		return hwreport.Main(args)
	case "mountall":
		return runMountAll(args)
	case "sh":
		return runShell(args)
	case "telinit":
		return runTelinit(args)
	case "tamarix-init":
		// By its own name it takes the command as its first argument.
		if len(args) > 0 && os.Getpid() != 1 {
			return dispatch(filepath.Base(args[0]), args[1:])
		}
	case "askfirst":
		if len(args) == 1 {
			return runAskFirst(args[0])
		}
	}
	if os.Getpid() != 1 {
		return runTelinit(args)
	}
	return runInit(args)
}
