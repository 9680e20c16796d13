package proc

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// headSize is how much of a program file decides what it is
// (BINPRM_BUF_SIZE, UAPI linux/binfmts.h).
const headSize = 256

// maxInterpreters is how many scripts may stand one behind the other.
const maxInterpreters = 5

// parseScript reads the first line of a script, "#!interpreter [argument]", from
// the first bytes of the file. Everything after the interpreter is one argument
// (execve(2), "Interpreter scripts"). ENOEXEC if there is no interpreter, or if
// its name does not fit.
func parseScript(head []byte) (interp, arg string, err error) {
	if len(head) < 2 || head[0] != '#' || head[1] != '!' {
		return "", "", unix.ENOEXEC
	}
	line := head[2:]
	whole := true
	if n := bytes.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	} else if n := bytes.IndexByte(line, 0); n >= 0 {
		line = line[:n]
	} else {
		whole = len(head) < headSize // the file ends here
	}
	line = bytes.TrimLeft(line, " \t")
	n := bytes.IndexAny(line, " \t\x00")
	if n < 0 {
		if !whole || len(line) == 0 {
			return "", "", unix.ENOEXEC // a name that may be cut off
		}
		return string(line), "", nil
	}
	if n == 0 {
		return "", "", unix.ENOEXEC
	}
	rest := line[n:]
	if z := bytes.IndexByte(rest, 0); z >= 0 {
		rest = rest[:z]
	}
	return string(line[:n]), string(bytes.Trim(rest, " \t")), nil
}
