package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// send brings a request to process 1: through the FIFO, or, where nobody reads
// it (another init, an early moment of the boot), by the signal that means the
// same. sig 0: there is none.
func send(level byte, sig unix.Signal) error {
	fd, err := unix.Open(controlFIFO, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		_, err = unix.Write(fd, request{level: level}.encode())
		if err == nil {
			return nil
		}
	}
	if sig == 0 {
		return fmt.Errorf("%s: %w", controlFIFO, err)
	}
	return unix.Kill(1, sig)
}

// fail prints an error under the command's name and returns status 1.
func fail(name string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	return 1
}

// levelSignal is the signal that stands for a level, where one does.
var levelSignal = map[byte]unix.Signal{'0': unix.SIGUSR2, '6': unix.SIGTERM, 'Q': unix.SIGHUP, 'U': unix.SIGHUP, 'H': unix.SIGUSR1}

// runTelinit is telinit, and init run by somebody who is not process 1.
func runTelinit(args []string) int {
	if len(args) != 1 || len(args[0]) != 1 || !strings.Contains("0123456789SsQqUuabcABC", args[0]) {
		fmt.Fprintln(os.Stderr, "usage: telinit 0-9|S|a|b|c|q|u")
		return 2
	}
	level := strings.ToUpper(args[0])[0]
	if level >= 'A' && level <= 'C' {
		level += 'a' - 'A'
	}
	if err := send(level, levelSignal[level]); err != nil {
		return fail("telinit", err)
	}
	return 0
}

// power is what a command asks for: the level for init, the command for the
// kernel.
type power struct {
	level byte
	cmd   int
}

var powers = map[string]power{
	"poweroff": {'0', unix.LINUX_REBOOT_CMD_POWER_OFF},
	"reboot":   {'6', unix.LINUX_REBOOT_CMD_RESTART},
	"halt":     {'H', unix.LINUX_REBOOT_CMD_HALT},
}

// runPower is poweroff, reboot and halt. -f calls the kernel instead of init,
// -n leaves the sync(2) out, -p makes a halt switch off.
func runPower(name string, args []string) int {
	force, sync := false, true
	for _, a := range args {
		for _, c := range strings.TrimPrefix(a, "-") {
			switch {
			case !strings.HasPrefix(a, "-") || !strings.ContainsRune("fnpwdih", c):
				fmt.Fprintf(os.Stderr, "usage: %s [-f] [-n] [-p]\n", name)
				return 2
			case c == 'f':
				force = true
			case c == 'n':
				sync = false
			case c == 'p':
				name = "poweroff"
			}
		}
	}
	p := powers[name]
	if force {
		if sync {
			unix.Sync()
		}
		return fail(name, unix.Reboot(p.cmd)) // it returns only to say why not
	}
	if err := send(p.level, levelSignal[p.level]); err != nil {
		return fail(name, err)
	}
	return 0
}

// shutdownPID names the shutdown that waits for its time, for shutdown -c.
const shutdownPID = "/run/shutdown.pid"

// runShutdown is shutdown [-h|-P|-H|-r] TIME [MESSAGE] and shutdown -c. TIME is
// now, +MINUTES or HH:MM; without it, now.
func runShutdown(args []string) int {
	name, when, cancel, message := "poweroff", "now", false, ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-h", "-P", "-hP", "-ah":
			name = "poweroff"
		case "-H":
			name = "halt"
		case "-r", "-ar":
			name = "reboot"
		case "-c":
			cancel = true
		case "-a": // System V: only for those in /etc/shutdown.allow; we ask for root
		default:
			fmt.Fprintln(os.Stderr, "usage: shutdown [-h|-P|-H|-r] [now|+MINUTES|HH:MM] [MESSAGE], or shutdown -c")
			return 2
		}
		args = args[1:]
	}
	if cancel {
		return cancelShutdown()
	}
	if len(args) > 0 {
		when, message = args[0], strings.Join(args[1:], " ")
	}
	delay, err := untilWhen(when, time.Now())
	if err != nil {
		return fail("shutdown", err)
	}
	if delay > 0 {
		os.WriteFile(shutdownPID, []byte(strconv.Itoa(os.Getpid())), 0o644)
		defer os.Remove(shutdownPID)
		warn(fmt.Sprintf("The system goes down (%s) in %v. %s", name, delay.Round(time.Second), message))
		time.Sleep(delay)
	}
	warn(fmt.Sprintf("The system goes down NOW (%s). %s", name, message))
	return runPower(name, nil)
}

// cancelShutdown ends the shutdown that waits.
func cancelShutdown() int {
	b, err := os.ReadFile(shutdownPID)
	if err != nil {
		return fail("shutdown", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 {
		return fail("shutdown", fmt.Errorf("%s holds no process number", shutdownPID))
	}
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		return fail("shutdown", err)
	}
	os.Remove(shutdownPID)
	warn("The shutdown is cancelled.")
	return 0
}

// untilWhen is how long it is from now to the time given.
func untilWhen(when string, now time.Time) (time.Duration, error) {
	if when == "now" {
		return 0, nil
	}
	if m, ok := strings.CutPrefix(when, "+"); ok {
		n, err := strconv.ParseUint(m, 10, 20)
		if err != nil {
			return 0, fmt.Errorf("time %q: want +MINUTES", when)
		}
		return time.Duration(n) * time.Minute, nil
	}
	t, err := time.ParseInLocation("15:04", when, now.Location())
	if err != nil {
		return 0, fmt.Errorf("time %q: want now, +MINUTES or HH:MM", when)
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
	if at.Before(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at.Sub(now), nil
}

// warn tells those at the console. (There is no utmp to find others by.)
func warn(message string) {
	fd, err := unix.Open("/dev/console", unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	unix.Write(fd, []byte("\n"+strings.TrimSpace(message)+"\n"))
}
