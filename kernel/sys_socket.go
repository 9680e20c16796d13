package kernel

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/fs/unixsock"
	"tamarix/proc"
)

// sockFlags splits a type argument into the type and its SOCK_NONBLOCK and
// SOCK_CLOEXEC: EINVAL for other flags.
func sockFlags(v uint64) (typ int, nonblock, cloexec bool, err error) {
	const mask = 0xf // SOCK_TYPE_MASK, linux/net.h
	flags := int(int32(v)) &^ mask
	if flags&^(unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC) != 0 {
		err = unix.EINVAL
	}
	return int(int32(v)) & mask, flags&unix.SOCK_NONBLOCK != 0, flags&unix.SOCK_CLOEXEC != 0, err
}

func sysSocket(t *proc.Task, a *Args) (uintptr, error) {
	typ, nonblock, cloexec, err := sockFlags(a[1])
	if err != nil {
		return 0, err
	}
	if int32(a[0]) != unix.AF_UNIX {
		return 0, unix.EAFNOSUPPORT
	}
	ctx := t.FSContext()
	f, err := unixsock.New(ctx, typ, int(int32(a[2])), nonblock)
	if err != nil {
		return 0, err
	}
	return install(ctx, f, cloexec)
}

func sysSocketpair(t *proc.Task, a *Args) (uintptr, error) {
	typ, nonblock, cloexec, err := sockFlags(a[1])
	if err != nil {
		return 0, err
	}
	if int32(a[0]) != unix.AF_UNIX {
		return 0, unix.EAFNOSUPPORT
	}
	ctx := t.FSContext()
	x, y, err := unixsock.Pair(ctx, typ, int(int32(a[2])), nonblock)
	if err != nil {
		return 0, err
	}
	return 0, installPair(ctx, x, y, cloexec, a[3])
}

// socket gets the socket behind a descriptor; f is to be unreferenced.
func socket(ctx *fs.Context, fd uint64) (s *unixsock.Socket, f *fs.File, err error) {
	if f, err = ctx.Files.Get(fdArg(fd)); err != nil {
		return nil, nil, err
	}
	if s, err = unixsock.Of(f); err != nil {
		f.Unref()
		return nil, nil, err
	}
	return s, f, nil
}

// sockaddrMax is sizeof(struct sockaddr_storage).
const sockaddrMax = 128

// sunPathMax is sizeof(sun_path).
const sunPathMax = 108

// nameArg reads a struct sockaddr_un of n bytes. family is AF_UNIX, or
// AF_UNSPEC where that means something.
func nameArg(t *proc.Task, addr, n uint64) (name unixsock.Name, family uint16, err error) {
	size := int32(n)
	if size < 0 || size > sockaddrMax {
		return "", 0, unix.EINVAL
	}
	if size < 2 {
		return "", 0, unix.EINVAL
	}
	var buf [sockaddrMax]byte
	b := buf[:size]
	if err := t.AS.CopyIn(b, addr); err != nil {
		return "", 0, err
	}
	family = binary.LittleEndian.Uint16(b)
	if family == unix.AF_UNSPEC {
		return "", family, nil
	}
	if family != unix.AF_UNIX || size > 2+sunPathMax {
		return "", family, unix.EINVAL
	}
	b = b[2:]
	if len(b) > 0 && b[0] != 0 {
		if z := bytes.IndexByte(b, 0); z >= 0 {
			b = b[:z]
		}
	}
	return unixsock.Name(b), family, nil
}

// putName stores a name in the buffer at addr, whose size is at lenAddr, and
// the full length there.
func putName(t *proc.Task, addr, lenAddr uint64, name unixsock.Name) error {
	if addr == 0 {
		return nil
	}
	room, err := t.AS.Read32(lenAddr)
	if err != nil {
		return err
	}
	if int32(room) < 0 {
		return unix.EINVAL
	}
	b := sockaddr(name)
	if err := t.AS.CopyOut(addr, b[:min(len(b), int(room))]); err != nil {
		return err
	}
	return t.AS.Write32(lenAddr, uint32(len(b)))
}

// sockaddr returns name as a struct sockaddr_un.
func sockaddr(name unixsock.Name) []byte {
	b := binary.LittleEndian.AppendUint16(nil, unix.AF_UNIX)
	b = append(b, name...)
	if name != "" && name[0] != 0 {
		b = append(b, 0)
	}
	return b
}

func sysBind(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	name, family, err := nameArg(t, a[1], a[2])
	if err != nil {
		return 0, err
	}
	if family != unix.AF_UNIX {
		return 0, unix.EINVAL
	}
	return 0, s.Bind(ctx, name)
}

func sysListen(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	return 0, s.Listen(ctx, int(int32(a[1])))
}

func sysConnect(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	name, family, err := nameArg(t, a[1], a[2])
	if err != nil {
		return 0, err
	}
	if family == unix.AF_UNSPEC {
		return 0, s.Disconnect()
	}
	return 0, s.Connect(ctx, name, f.Nonblock())
}

func sysAccept(t *proc.Task, a *Args) (uintptr, error)  { return accept(t, a, 0) }
func sysAccept4(t *proc.Task, a *Args) (uintptr, error) { return accept(t, a, a[3]) }

func accept(t *proc.Task, a *Args, flags uint64) (uintptr, error) {
	if uint32(flags)&^(unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC) != 0 {
		return 0, unix.EINVAL
	}
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	fd, err := ctx.Files.Reserve(ctx.Limits.NoFile.Load())
	if err != nil {
		return 0, err
	}
	nf, n, err := s.Accept(ctx, f.Nonblock(), flags&unix.SOCK_NONBLOCK != 0)
	if err == nil {
		name, _ := n.PeerName()
		if err = putName(t, a[1], a[2], name); err != nil {
			nf.Unref()
		}
	}
	if err != nil {
		ctx.Files.Release(fd)
		return 0, err
	}
	ctx.Files.Fill(fd, nf, flags&unix.SOCK_CLOEXEC != 0)
	return uintptr(fd), nil
}

func sysGetsockname(t *proc.Task, a *Args) (uintptr, error) {
	s, f, err := socket(t.FSContext(), a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	return 0, putName(t, a[1], a[2], s.LocalName())
}

func sysGetpeername(t *proc.Task, a *Args) (uintptr, error) {
	s, f, err := socket(t.FSContext(), a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	name, err := s.PeerName()
	if err != nil {
		return 0, err
	}
	return 0, putName(t, a[1], a[2], name)
}

func sysShutdown(t *proc.Task, a *Args) (uintptr, error) {
	s, f, err := socket(t.FSContext(), a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	return 0, s.Shutdown(int(int32(a[1])))
}

func sysSendto(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if err := userIter(ctx, a[1], a[2]); err != nil {
		return 0, err
	}
	m := unixsock.Sent{Cred: unixsock.CredOf(ctx)}
	if a[4] != 0 {
		if m.To, _, err = nameArg(t, a[4], a[5]); err != nil {
			return 0, err
		}
	}
	flags := int(int32(a[3]))
	n, err := s.Send(ctx, &ctx.Iter, &m, flags, f.Nonblock() || flags&unix.MSG_DONTWAIT != 0)
	return uintptr(n), err
}

func sysRecvfrom(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	if err := userIter(ctx, a[1], a[2]); err != nil {
		return 0, err
	}
	var m unixsock.Received
	flags := int(int32(a[3]))
	n, err := s.Receive(ctx, &ctx.Iter, &m, flags, f.Nonblock() || flags&unix.MSG_DONTWAIT != 0)
	for _, f := range m.Files {
		f.Unref()
	}
	if err == nil && a[4] != 0 {
		if m.From == "" {
			err = t.AS.Write32(a[5], 0)
		} else {
			err = putName(t, a[4], a[5], m.From)
		}
	}
	return uintptr(n), err
}

func sysGetsockopt(t *proc.Task, a *Args) (uintptr, error) {
	s, f, err := socket(t.FSContext(), a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	room, err := t.AS.Read32(a[4])
	if err != nil {
		return 0, err
	}
	if int32(room) < 0 {
		return 0, unix.EINVAL
	}
	if int32(a[1]) != unix.SOL_SOCKET {
		return 0, unix.EOPNOTSUPP
	}
	var out []byte
	switch name := int(int32(a[2])); name {
	case unix.SO_PEERCRED:
		c := s.PeerCred()
		out = structBytes(&c)
	case unix.SO_RCVTIMEO, unix.SO_SNDTIMEO:
		rcv, snd := s.Timeouts()
		if name == unix.SO_SNDTIMEO {
			rcv = snd
		}
		tv := unix.Timeval{Sec: rcv / 1e9, Usec: rcv % 1e9 / 1000}
		out = structBytes(&tv)
	case unix.SO_LINGER:
		var l unix.Linger
		out = structBytes(&l)
	default:
		v, err := s.Option(name)
		if err != nil {
			return 0, err
		}
		out = structBytes(&v)
	}
	out = out[:min(len(out), int(room))]
	if err := t.AS.CopyOut(a[3], out); err != nil {
		return 0, err
	}
	return 0, t.AS.Write32(a[4], uint32(len(out)))
}

func sysSetsockopt(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	size := int32(a[4])
	if size < 0 {
		return 0, unix.EINVAL
	}
	if int32(a[1]) != unix.SOL_SOCKET {
		return 0, unix.EOPNOTSUPP
	}
	switch name := int(int32(a[2])); name {
	case unix.SO_RCVTIMEO, unix.SO_SNDTIMEO:
		var tv unix.Timeval
		if size < int32(len(structBytes(&tv))) {
			return 0, unix.EINVAL
		}
		if err := t.AS.CopyIn(structBytes(&tv), a[3]); err != nil {
			return 0, err
		}
		if tv.Usec < 0 || tv.Usec >= 1e6 {
			return 0, unix.EDOM
		}
		ns := int64(0)
		if tv.Sec >= 0 && tv.Sec < 1<<33 {
			ns = tv.Sec*1e9 + tv.Usec*1000
		}
		if name == unix.SO_RCVTIMEO {
			s.SetReceiveTimeout(ns)
		} else {
			s.SetSendTimeout(ns)
		}
		return 0, nil
	case unix.SO_LINGER:
		return 0, nil
	default:
		if size < 4 {
			return 0, unix.EINVAL
		}
		v, err := t.AS.Read32(a[3])
		if err != nil {
			return 0, err
		}
		return 0, s.SetOption(ctx, name, int32(v))
	}
}
