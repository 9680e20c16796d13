// Package login checks who a user is and starts the shell.
//
//	login [-p] [-f user] [-h host] [[--] name]
//
// It must be started by root. Names are looked up in /etc/passwd, passwords in
// /etc/shadow: an empty field there asks for none, a field of ! or * never
// matches. The hashes known are those of github.com/GehirnInc/crypt (MD5,
// SHA-256, SHA-512; $1$, $5$, $6$), a pure Go library that follows Drepper's
// specification, with tests for it. Debian's own default (yescrypt, $y$) is not
// among them: such a password is refused, with a line in the kernel's log.
//
// A wrong password costs three seconds, whether the name exists or not; after
// five the terminal is given up, and after a minute without a log-in as well.
// /etc/nologin keeps everyone but root out and is shown to them.
//
// The shell gets the terminal, the user's groups, the home directory as its
// working directory, and an environment of HOME SHELL USER LOGNAME PATH TERM (-p
// keeps the old one). -f asks for no password. The shell sees from the dash
// before argv[0] that it is a login shell.
package login
