package devfs

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/fs/tmpfs"
	"tamarix/fs/tty"
)

// Numbers of the terminal devices (linux/major.h).
const (
	ttyMajor    = 4   // TTY_MAJOR; the serial lines from minor 64 on
	ttyAuxMajor = 5   // TTYAUX_MAJOR: tty, console, ptmx
	ptsMajor    = 136 // UNIX98_PTY_SLAVE_MAJOR

	serialMinor  = 64
	ttyMinor     = 0
	consoleMinor = 1
	ptmxMinor    = 2
)

// SerialDev returns the device number of serial line n.
func SerialDev(n int) uint64 { return unix.Mkdev(ttyMajor, serialMinor+uint32(n)) }

// VirtualDev returns the device number of virtual terminal n; 0 is the one in the
// foreground.
func VirtualDev(n int) uint64 { return unix.Mkdev(ttyMajor, uint32(n)) }

// Config says what the devices are made of.
type Config struct {
	Terminals *tty.Manager
	Serial    []*tty.Terminal      // ttyS0 and on; nil: no such line
	Virtual   []*tty.Terminal      // tty1 and on; none: no tty0 either
	Front     func() *tty.Terminal // which of them is in the foreground
	Random    func([]byte)         // fills a slice with unpredictable bytes
}

// node is an entry of /dev.
type node struct {
	name string
	mode uint32 // with the type bits
	dev  uint64
	to   string // of a symbolic link
}

// Register makes the devices known by their numbers, and "devtmpfs", "devfs" and
// "devpts" to mount(2). It returns the file system for /dev with its nodes in
// place. ctx is the kernel's own context.
func Register(ctx *fs.Context, c Config) (*fs.SuperBlock, error) {
	mem := map[uint32]fs.FileOps{
		nullMinor: new(null), zeroMinor: new(zero), fullMinor: new(full),
		randomMinor: &random{fill: c.Random}, urandomMinor: &random{fill: c.Random},
	}
	fs.RegisterCharDevice(memMajor, 0, 255, "mem", func(ctx *fs.Context, f *fs.File, dev uint64) (fs.FileOps, error) {
		if unix.Minor(dev) == kmsgMinor {
			return openKmsg(ctx, f, dev)
		}
		ops := mem[unix.Minor(dev)]
		if ops == nil {
			return nil, unix.ENXIO
		}
		f.AddMode(fs.ModeNoPos)
		return ops, nil
	})
	m := c.Terminals
	fs.RegisterCharDevice(ttyAuxMajor, ttyMinor, ttyMinor, "/dev/tty", func(ctx *fs.Context, f *fs.File, _ uint64) (fs.FileOps, error) {
		return m.OpenCurrent(ctx, f)
	})
	fs.RegisterCharDevice(ttyAuxMajor, consoleMinor, consoleMinor, "/dev/console", func(ctx *fs.Context, f *fs.File, _ uint64) (fs.FileOps, error) {
		return m.OpenConsole(ctx, f)
	})
	fs.RegisterCharDevice(ttyAuxMajor, ptmxMinor, ptmxMinor, "/dev/ptmx", func(ctx *fs.Context, f *fs.File, _ uint64) (fs.FileOps, error) {
		return m.OpenMaster(ctx, f)
	})
	fs.RegisterCharDevice(ptsMajor, 0, 255, "pts", func(ctx *fs.Context, f *fs.File, dev uint64) (fs.FileOps, error) {
		return m.OpenSlave(ctx, f, int(unix.Minor(dev)))
	})
	serial := c.Serial
	fs.RegisterCharDevice(ttyMajor, serialMinor, 255, "ttyS", func(ctx *fs.Context, f *fs.File, dev uint64) (fs.FileOps, error) {
		n := int(unix.Minor(dev)) - serialMinor
		if n >= len(serial) || serial[n] == nil {
			return nil, unix.EIO
		}
		return serial[n].Open(ctx, f)
	})
	if len(c.Virtual) > 0 {
		fs.RegisterCharDevice(ttyMajor, 0, serialMinor-1, "tty", func(ctx *fs.Context, f *fs.File, dev uint64) (fs.FileOps, error) {
			n := int(unix.Minor(dev))
			switch {
			case n == 0:
				// It never becomes a controlling terminal (tty_io.c, tty_open).
				return c.Front().OpenQuietly(ctx, f)
			case n > len(c.Virtual):
				return nil, unix.ENXIO
			}
			return c.Virtual[n-1].Open(ctx, f)
		})
	}
	m.RegisterPTS()
	return newSuper(ctx, c)
}

// newSuper makes the instance and its nodes.
func newSuper(ctx *fs.Context, c Config) (*fs.SuperBlock, error) {
	sb, err := tmpfs.New("devtmpfs", "mode=755")
	if err != nil {
		return nil, err
	}
	sb.KeepAlive()
	for _, name := range []string{"devtmpfs", "devfs"} {
		fs.RegisterFileSystem(&fs.FileSystem{Name: name, Mount: func(*fs.Context, string, uint64, string) (*fs.SuperBlock, error) {
			return sb, nil
		}})
	}
	const chr = unix.S_IFCHR
	nodes := []node{
		{name: "null", mode: chr | 0o666, dev: unix.Mkdev(memMajor, nullMinor)},
		{name: "zero", mode: chr | 0o666, dev: unix.Mkdev(memMajor, zeroMinor)},
		{name: "full", mode: chr | 0o666, dev: unix.Mkdev(memMajor, fullMinor)},
		{name: "random", mode: chr | 0o666, dev: unix.Mkdev(memMajor, randomMinor)},
		{name: "urandom", mode: chr | 0o666, dev: unix.Mkdev(memMajor, urandomMinor)},
		{name: "kmsg", mode: chr | 0o644, dev: unix.Mkdev(memMajor, kmsgMinor)},
		{name: "tty", mode: chr | 0o666, dev: unix.Mkdev(ttyAuxMajor, ttyMinor)},
		{name: "console", mode: chr | 0o600, dev: unix.Mkdev(ttyAuxMajor, consoleMinor)},
		{name: "ptmx", mode: chr | 0o666, dev: unix.Mkdev(ttyAuxMajor, ptmxMinor)},
		{name: "pts", mode: unix.S_IFDIR | 0o755},
		{name: "shm", mode: unix.S_IFDIR | unix.S_ISVTX | 0o777},
		{name: "fd", to: "/proc/self/fd"},
		{name: "stdin", to: "/proc/self/fd/0"},
		{name: "stdout", to: "/proc/self/fd/1"},
		{name: "stderr", to: "/proc/self/fd/2"},
	}
	for i, t := range c.Serial {
		if t != nil {
			nodes = append(nodes, node{name: t.Name(), mode: chr | 0o600, dev: SerialDev(i)})
		}
	}
	if len(c.Virtual) > 0 {
		nodes = append(nodes, node{name: "tty0", mode: chr | 0o600, dev: VirtualDev(0)})
	}
	for i, t := range c.Virtual {
		nodes = append(nodes, node{name: t.Name(), mode: chr | 0o600, dev: VirtualDev(i + 1)})
	}
	root := sb.Root().Inode()
	root.Base().Lock()
	defer root.Base().Unlock()
	for _, n := range nodes {
		if err := n.make(ctx, root); err != nil {
			return nil, err
		}
	}
	return sb, nil
}

// make puts n into directory dir, whose lock is held.
func (n *node) make(ctx *fs.Context, dir fs.Inode) (err error) {
	var ino fs.Inode
	switch {
	case n.to != "":
		_, err = dir.Symlink(ctx, n.name, n.to)
		return err
	case n.mode&unix.S_IFMT == unix.S_IFDIR:
		ino, err = dir.Mkdir(ctx, n.name, n.mode)
	default:
		ino, err = dir.Mknod(ctx, n.name, n.mode, n.dev)
	}
	if err == nil {
		ino.Base().SetOwner(n.mode, 0, 0) // whatever the umask is
	}
	return err
}
