// Package getty makes a terminal ready, asks who is there and hands over to
// login.
//
//	getty [-n] [-a user] [-l program] terminal|- [speed] [type]
//
// The terminal (a name below /dev, or - for standard input) becomes the
// controlling terminal of a new session unless init has done that already. Its
// settings are made sane; a window size of 0×0, as serial lines report it,
// becomes 80×24, since programs divide by it. Input that is typed early is kept:
// nothing is flushed. For the name console the line behind it is opened (ttyS0),
// since a shell on /dev/console itself has no whole job control.
//
// TERM is what the command line says; on a virtual terminal it is linux, if it says
// nothing, and on other lines what getty was started with.
// A virtual terminal is also made fresh: modes and attributes that a program left
// behind are undone, the text stays.
//
// -a logs a user in without asking, -n starts the program without asking for a
// name, -l starts another program than /bin/login.
package getty
