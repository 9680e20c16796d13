package main

import (
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The FIFO and its requests are System V's: struct init_request of sysvinit's
// initreq.h, 384 bytes. Only the first four words of it are used.
const (
	controlFIFO   = "/run/initctl"
	requestSize   = 384
	requestMagic  = 0x03091969
	requestChange = 1 // change the runlevel to the character in the third word
)

// A request is one that came through the FIFO.
type request struct {
	level byte // a runlevel, or Q: read the table again, or U: the same
}

// encode is the request as it goes through the FIFO. A write of this size is
// atomic (pipe(7): it is below PIPE_BUF).
func (r request) encode() []byte {
	b := make([]byte, requestSize)
	binary.NativeEndian.PutUint32(b[0:], requestMagic)
	binary.NativeEndian.PutUint32(b[4:], requestChange)
	binary.NativeEndian.PutUint32(b[8:], uint32(r.level))
	return b
}

// decode is the reverse; ok is false for what is not a request.
func decode(b []byte) (r request, ok bool) {
	if len(b) != requestSize || binary.NativeEndian.Uint32(b) != requestMagic ||
		binary.NativeEndian.Uint32(b[4:]) != requestChange {
		return r, false
	}
	level := binary.NativeEndian.Uint32(b[8:])
	return request{level: byte(level)}, level < 128
}

// listen makes the FIFO and hands on what comes through it, for ever. The FIFO
// is opened for writing too, so that it has no end.
func listen(out chan<- request) {
	for {
		os.Remove(controlFIFO)
		if err := unix.Mkfifo(controlFIFO, 0o600); err != nil {
			say("%s: %v (signals still work)", controlFIFO, err)
			return
		}
		fd, err := unix.Open(controlFIFO, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			say("%s: %v (signals still work)", controlFIFO, err)
			return
		}
		buf := make([]byte, requestSize)
		for {
			n, err := unix.Read(fd, buf)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				break
			}
			if r, ok := decode(buf[:n]); ok {
				out <- r
			} else {
				say("%s: %d bytes that are no request", controlFIFO, n)
			}
		}
		unix.Close(fd)
		time.Sleep(time.Second)
	}
}

// request acts on one.
func (s *supervisor) request(r request) {
	switch r.level {
	case 'Q', 'q':
		s.read(false)
	case 'U', 'u':
		s.read(false) // there is nothing to save by executing ourselves again
	case 'H':
		s.goDown(downHalt, "")
	default:
		s.setLevel(r.level)
	}
}
