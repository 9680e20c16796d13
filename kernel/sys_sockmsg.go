package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/unixsock"
	"tamarix/mm"
	"tamarix/proc"
)

// message is one struct msghdr of the user's, read.
type message struct {
	addr uint64 // where it lies
	unix.Msghdr
	name, control uint64 // addresses
	segs          []mm.Segment
}

func readMessage(t *proc.Task, addr uint64) (m message, err error) {
	var raw struct {
		name    uint64
		namelen uint32
		_       uint32
		iov     uint64
		iovlen  uint64
		control uint64
		ctllen  uint64
		flags   int32
		_       int32
	}
	if err = t.AS.CopyIn(structBytes(&raw), addr); err != nil {
		return
	}
	m.addr = addr
	m.name, m.Namelen = raw.name, raw.namelen
	m.control, m.Controllen, m.Flags = raw.control, raw.ctllen, raw.flags
	if raw.iovlen > maxIovec {
		return m, unix.EMSGSIZE
	}
	m.segs, err = vectors(t.FSContext(), raw.iov, raw.iovlen, nil)
	return
}

// Places in struct msghdr that recvmsg writes.
const (
	msgNamelen    = 8
	msgControllen = 40
	msgFlags      = 48
)

func sysSendmsg(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	n, err := sendMessage(t, s, f, a[1], int(int32(a[2])))
	return uintptr(n), err
}

func sendMessage(t *proc.Task, s *unixsock.Socket, f *fs.File, addr uint64, flags int) (int, error) {
	ctx := t.FSContext()
	h, err := readMessage(t, addr)
	if err != nil {
		return 0, err
	}
	m := unixsock.Sent{Cred: unixsock.CredOf(ctx)}
	if h.name != 0 && h.Namelen != 0 {
		if m.To, _, err = nameArg(t, h.name, uint64(h.Namelen)); err != nil {
			return 0, err
		}
	}
	defer func() {
		for _, f := range m.Files {
			f.Unref()
		}
	}()
	if h.control != 0 && h.Controllen != 0 {
		if err := readControl(t, &m, h.control, h.Controllen); err != nil {
			return 0, err
		}
	}
	ctx.Iter = mm.UserVecIter(ctx.AS, h.segs)
	return s.Send(ctx, &ctx.Iter, &m, flags, f.Nonblock() || flags&unix.MSG_DONTWAIT != 0)
}

const (
	controlMax   = 20480 // net.core.optmem_max
	rightsMax    = 253   // SCM_MAX_FD, net/scm.h
	scmCreds     = unix.SCM_CREDENTIALS
	cmsgHeader   = 16
	ucredSize    = 12
	cmsgLenLimit = 1 << 20
)

// readControl takes the control messages of a send.
func readControl(t *proc.Task, m *unixsock.Sent, addr, n uint64) error {
	if n > controlMax {
		return unix.ENOBUFS
	}
	ctx := t.FSContext()
	b := make([]byte, n)
	if err := ctx.AS.CopyIn(b, addr); err != nil {
		return err
	}
	for len(b) >= cmsgHeader {
		size := binary.LittleEndian.Uint64(b)
		level, typ := int32(binary.LittleEndian.Uint32(b[8:])), int32(binary.LittleEndian.Uint32(b[12:]))
		if size < cmsgHeader || size > uint64(len(b)) {
			return unix.EINVAL
		}
		body := b[cmsgHeader:size]
		if level == unix.SOL_SOCKET {
			switch typ {
			case unix.SCM_RIGHTS:
				for ; len(body) >= 4; body = body[4:] {
					if len(m.Files) >= rightsMax {
						return unix.EINVAL
					}
					f, err := ctx.Files.GetRaw(int32(binary.LittleEndian.Uint32(body)))
					if err != nil {
						return err
					}
					m.Files = append(m.Files, f)
				}
			case scmCreds:
				if len(body) != ucredSize {
					return unix.EINVAL
				}
				c := unixsock.Cred{PID: int32(binary.LittleEndian.Uint32(body)), UID: binary.LittleEndian.Uint32(body[4:]), GID: binary.LittleEndian.Uint32(body[8:])}
				k := ctx.Cred
				if c.PID != ctx.PID && !k.Capable(unix.CAP_SYS_ADMIN) ||
					c.UID != k.UID && c.UID != k.EUID && c.UID != k.SUID && !k.Capable(unix.CAP_SETUID) ||
					c.GID != k.GID && c.GID != k.EGID && c.GID != k.SGID && !k.Capable(unix.CAP_SETGID) {
					return unix.EPERM
				}
				m.Cred = c
			default:
				return unix.EINVAL
			}
		}
		b = b[min(uint64(len(b)), (size+7)&^7):]
	}
	return nil
}

func sysRecvmsg(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	s, f, err := socket(ctx, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	n, err := receiveMessage(t, s, f, a[1], int(int32(a[2])))
	return uintptr(n), err
}

func receiveMessage(t *proc.Task, s *unixsock.Socket, f *fs.File, addr uint64, flags int) (int, error) {
	ctx := t.FSContext()
	h, err := readMessage(t, addr)
	if err != nil {
		return 0, err
	}
	ctx.Iter = mm.UserVecIter(ctx.AS, h.segs)
	var m unixsock.Received
	n, err := s.Receive(ctx, &ctx.Iter, &m, flags, f.Nonblock() || flags&unix.MSG_DONTWAIT != 0)
	defer func() {
		for _, f := range m.Files {
			f.Unref()
		}
	}()
	if err != nil {
		return 0, err
	}
	if h.name != 0 {
		b := []byte{}
		if m.From != "" {
			b = sockaddr(m.From)
		}
		if err := ctx.AS.CopyOut(h.name, b[:min(len(b), int(h.Namelen))]); err != nil {
			return 0, err
		}
		if err := ctx.AS.Write32(addr+msgNamelen, uint32(len(b))); err != nil {
			return 0, err
		}
	}
	out := uint32(m.Flags)
	if flags&unix.MSG_CMSG_CLOEXEC != 0 {
		out |= unix.MSG_CMSG_CLOEXEC
	}
	used, truncated, err := writeControl(t, s, &m, h.control, h.Controllen, flags)
	if err != nil {
		return 0, err
	}
	if truncated {
		out |= unix.MSG_CTRUNC
	}
	if err := ctx.AS.Write64(addr+msgControllen, used); err != nil {
		return 0, err
	}
	return n, ctx.AS.Write32(addr+msgFlags, out)
}

// writeControl gives the receiver credentials, if it wants them, and descriptors.
// Those that do not fit stay in m.Files, to be dropped.
func writeControl(t *proc.Task, s *unixsock.Socket, m *unixsock.Received, addr, room uint64, flags int) (used uint64, truncated bool, err error) {
	ctx := t.FSContext()
	var b []byte
	head := func(n int, typ int32) {
		b = binary.LittleEndian.AppendUint64(b, uint64(cmsgHeader+n))
		b = binary.LittleEndian.AppendUint32(b, unix.SOL_SOCKET)
		b = binary.LittleEndian.AppendUint32(b, uint32(typ))
	}
	room = min(room, cmsgLenLimit)
	if s.PassesCreds() && m.Have {
		if room < cmsgHeader+ucredSize {
			truncated = true
		} else {
			head(ucredSize, scmCreds)
			b = binary.LittleEndian.AppendUint32(b, uint32(m.Cred.PID))
			b = binary.LittleEndian.AppendUint32(b, m.Cred.UID)
			b = binary.LittleEndian.AppendUint32(b, m.Cred.GID)
			b = append(b, 0, 0, 0, 0)
		}
	}
	if len(m.Files) > 0 {
		n := 0
		if left := int64(room) - int64(len(b)) - cmsgHeader; left >= 4 {
			n = min(len(m.Files), int(left/4))
		}
		var fds []int32
		for range n {
			fd, err := ctx.Files.Install(m.Files[0], 0, flags&unix.MSG_CMSG_CLOEXEC != 0, ctx.Limits.NoFile.Load())
			if err != nil {
				break
			}
			fds = append(fds, fd)
			m.Files = m.Files[1:]
		}
		if len(fds) > 0 {
			head(4*len(fds), unix.SCM_RIGHTS)
			for _, fd := range fds {
				b = binary.LittleEndian.AppendUint32(b, uint32(fd))
			}
			if len(fds)%2 != 0 && uint64(len(b)+4) <= room {
				b = append(b, 0, 0, 0, 0)
			}
		}
		truncated = truncated || len(m.Files) > 0
	}
	if len(b) == 0 {
		return 0, truncated, nil
	}
	b = b[:min(len(b), int(room))]
	return uint64(len(b)), truncated, ctx.AS.CopyOut(addr, b)
}

// mmsghdrSize is sizeof(struct mmsghdr): a msghdr and the length.
const (
	mmsghdrSize = 64
	mmsgLen     = 56
)

func sysSendmmsg(t *proc.Task, a *Args) (uintptr, error) {
	return messages(t, a, maxIovec, func(s *unixsock.Socket, f *fs.File, addr uint64, i int) (int, error) {
		return sendMessage(t, s, f, addr, int(int32(a[3])))
	})
}

func sysRecvmmsg(t *proc.Task, a *Args) (uintptr, error) {
	deadline, err := timespecArg(t, a[4])
	if err != nil {
		return 0, err
	}
	flags := int(int32(a[3]))
	return messages(t, a, maxIovec, func(s *unixsock.Socket, f *fs.File, addr uint64, i int) (int, error) {
		fl := flags &^ unix.MSG_WAITFORONE
		if i > 0 && (flags&unix.MSG_WAITFORONE != 0 || deadline >= 0 && deadline <= wait.Now()) {
			fl |= unix.MSG_DONTWAIT
		}
		return receiveMessage(t, s, f, addr, fl)
	})
}

// messages does one call per struct mmsghdr at a[1], up to a[2] of them.
func messages(t *proc.Task, a *Args, limit uint64, do func(s *unixsock.Socket, f *fs.File, addr uint64, i int) (int, error)) (uintptr, error) {
	s, f, err := socket(t.FSContext(), a[0])
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	count := min(uint64(uint32(a[2])), limit)
	for i := uint64(0); i < count; i++ {
		addr := a[1] + i*mmsghdrSize
		n, err := do(s, f, addr, int(i))
		if err == nil {
			err = t.AS.Write32(addr+mmsgLen, uint32(n))
		}
		if err != nil {
			if i > 0 {
				return uintptr(i), nil
			}
			return 0, err
		}
	}
	return uintptr(count), nil
}
