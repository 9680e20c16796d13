package tty

import "golang.org/x/sys/unix"

// The poll(2) events of terminals. Readable, writable and priority data as
// x/sys/unix has them for epoll, whose bits are those of poll (linux/eventpoll.h).
const (
	evIn  = unix.EPOLLIN | unix.EPOLLRDNORM
	evOut = unix.EPOLLOUT | unix.EPOLLWRNORM
	evPri = unix.EPOLLPRI
	evErr = unix.EPOLLERR
	evHup = unix.EPOLLHUP
	evAny = ^uint32(0)
)
