package unixsock

import (
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// names finds sockets by name. Names in the file system stand for their inode.
var names struct {
	mu       sync.Mutex // guards the maps and next
	abstract map[string]*Socket
	inodes   map[*fs.InodeBase]*Socket
	next     uint32 // for autobind
}

func init() {
	names.abstract = make(map[string]*Socket)
	names.inodes = make(map[*fs.InodeBase]*Socket)
}

// Name is the address of a socket: sun_path's bytes. A first byte of zero makes
// it abstract, otherwise it is a path without its NUL.
type Name string

// Bind is bind(2). An empty name asks for an abstract one.
func (s *Socket) Bind(ctx *fs.Context, name Name) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name != nil {
		return unix.EINVAL
	}
	text := strings.Clone(string(name))
	switch {
	case text == "":
		names.mu.Lock()
		defer names.mu.Unlock()
		for range 1 << 20 {
			names.next = (names.next + 1) & 0xfffff
			text = fmt.Sprintf("\x00%05x", names.next)
			if names.abstract[text] == nil {
				names.abstract[text] = s
				s.name = &text
				return nil
			}
		}
		return unix.ENOSPC
	case text[0] == 0:
		names.mu.Lock()
		defer names.mu.Unlock()
		if names.abstract[text] != nil {
			return unix.EADDRINUSE
		}
		names.abstract[text] = s
		s.name = &text
		return nil
	}
	if err := ctx.Mknod(unix.AT_FDCWD, text, unix.S_IFSOCK|0o777, 0); err != nil {
		if err == unix.EEXIST {
			err = unix.EADDRINUSE
		}
		return err
	}
	p, err := ctx.Lookup(unix.AT_FDCWD, text, 0)
	if err != nil {
		return err
	}
	s.bound = p.Inode().Base()
	names.mu.Lock()
	names.inodes[s.bound] = s
	names.mu.Unlock()
	s.name = &text
	return nil
}

// unbind takes a closed socket's name out; a node in the file system stays.
func (s *Socket) unbind() {
	names.mu.Lock()
	defer names.mu.Unlock()
	if s.bound != nil {
		delete(names.inodes, s.bound)
	} else if s.name != nil && names.abstract[*s.name] == s {
		delete(names.abstract, *s.name)
	}
}

// find returns the socket with that name: ECONNREFUSED when there is none, or
// what the path walk says; EPROTOTYPE when it is of another type.
func find(ctx *fs.Context, name Name, typ int) (*Socket, error) {
	var s *Socket
	if name == "" {
		return nil, unix.EINVAL
	}
	if name[0] == 0 {
		names.mu.Lock()
		s = names.abstract[string(name)]
		names.mu.Unlock()
	} else {
		p, err := ctx.Lookup(unix.AT_FDCWD, string(name), fs.LookupFollow)
		if err != nil {
			return nil, err
		}
		b := p.Inode().Base()
		if err := ctx.Permission(b, fs.MayWrite); err != nil {
			return nil, err
		}
		names.mu.Lock()
		s = names.inodes[b]
		names.mu.Unlock()
	}
	if s == nil {
		return nil, unix.ECONNREFUSED
	}
	if s.typ != typ {
		return nil, unix.EPROTOTYPE
	}
	return s, nil
}

// LocalName is getsockname(2)'s answer.
func (s *Socket) LocalName() Name {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name == nil {
		return ""
	}
	return Name(*s.name)
}

// PeerName is getpeername(2)'s answer: ENOTCONN.
func (s *Socket) PeerName() (Name, error) {
	s.mu.Lock()
	peer := s.peer
	s.mu.Unlock()
	if peer == nil {
		return "", unix.ENOTCONN
	}
	return peer.LocalName(), nil
}
