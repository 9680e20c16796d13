package tty

import (
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// MaxPTYs bounds the pseudo-terminals of the machine (/proc/sys/kernel/pty/max):
// each holds some 30 KiB of kernel memory.
const MaxPTYs = 256

// slaveMajor is the device major of the slaves (UNIX98_PTY_SLAVE_MAJOR, linux/major.h).
const slaveMajor = 136

// Master is the master side of a pseudo-terminal: what is written to it the
// slave receives as typed, what the slave writes is read from it. It is the
// FileOps of the one open file it has.
type Master struct {
	fs.BaseOps
	manager *Manager
	t       *Terminal // the slave
	index   int
	node    fs.Inode // of the slave in devpts

	// Guarded by t.mu.
	locked bool // TIOCSPTLCK: the slave cannot be opened yet
	used   bool // the slave has been open
	closed bool // the master is closed: the slave cannot be opened any more
	packet bool // TIOCPKT

	status    atomic.Uint32 // TIOCPKT_* events that the master has not read
	readWait  wait.Queue    // the slave wrote or was closed
	writeWait wait.Queue    // the slave read
}

// OpenMaster opens /dev/ptmx: a new pseudo-terminal. ENOSPC when there are too
// many, ENOMEM when the kernel has no memory to spare.
func (m *Manager) OpenMaster(ctx *fs.Context, f *fs.File) (fs.FileOps, error) {
	if !mm.Admit() {
		return nil, unix.ENOMEM
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i := 0
	for i < len(m.ptys) && m.ptys[i] != nil {
		i++
	}
	if i == MaxPTYs {
		return nil, unix.ENOSPC
	}
	if i == len(m.ptys) {
		m.ptys = append(m.ptys, nil)
	}
	p := newPTY(m, i)
	p.node = m.ptsLocked().newSlave(p, ctx.Cred)
	m.ptys[i] = p
	f.AddMode(fs.ModeStream | fs.ModePoll)
	return p, nil
}

func newPTY(m *Manager, index int) *Master {
	p := &Master{manager: m, index: index, locked: true}
	t := &Terminal{
		name: "pts/" + strconv.Itoa(index), dev: unix.Mkdev(slaveMajor, uint32(index)),
		master: p, jobs: m.jobs,
		initial: defaultTermios(unix.B38400 | unix.CS8 | unix.CREAD),
		rows:    defaultRows, cols: defaultCols,
	}
	t.tio = t.initial
	t.out = newByteQueue(ptyOutputSize)
	t.keepOutput, t.holdRoom = inputSize-1, true
	t.backlog = lazyQueue(ptyBacklogSize)
	p.t = t
	return p
}

// PTYs returns the number of pseudo-terminals (/proc/sys/kernel/pty/nr).
func (m *Manager) PTYs() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, p := range m.ptys {
		if p != nil {
			n++
		}
	}
	return n
}

// Slave returns the slave side's terminal.
func (p *Master) Slave() *Terminal { return p.t }

// slave finds a pseudo-terminal by number.
func (m *Manager) slave(i int) *Master {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i < 0 || i >= len(m.ptys) {
		return nil
	}
	return m.ptys[i]
}

// OpenSlave opens the slave device with the given minor number: EIO if there is
// none or it is locked.
func (m *Manager) OpenSlave(ctx *fs.Context, f *fs.File, minor int) (fs.FileOps, error) {
	p := m.slave(minor)
	if p == nil {
		return nil, unix.EIO
	}
	return p.t.Open(ctx, f)
}

// openSlaveLocked reports whether the slave may be opened. Precondition: t.mu held.
func (p *Master) openSlaveLocked() bool {
	if p.locked || p.closed {
		return false
	}
	p.used = true
	return true
}

// slaveClosed is called when the slave's last file is closed.
func (p *Master) slaveClosed() {
	p.readWait.WakeAll(evAny)
	p.writeWait.WakeAll(evAny)
}

// hungUpLocked reports whether the slave was opened and closed again.
// Precondition: t.mu held.
func (p *Master) hungUpLocked() bool { return p.used && p.t.opens == 0 }

// Release implements fs.FileOps: the pseudo-terminal is gone, the slave hung up.
func (p *Master) Release(*fs.File) {
	p.t.mu.Lock()
	p.closed = true
	p.t.mu.Unlock()
	p.t.HangUp()
	p.manager.mu.Lock()
	p.manager.ptys[p.index] = nil
	p.manager.mu.Unlock()
}

// noteStatus records an event for a master in packet mode.
func (p *Master) noteStatus(event byte) {
	p.t.mu.Lock()
	packet := p.packet
	p.t.mu.Unlock()
	if packet && event != 0 {
		p.status.Or(uint32(event))
		p.readWait.Wake(evPri | evIn)
	}
}

// noteTermios records what of a change of settings a master in packet mode wants
// to know: whether ^S and ^Q stop and start output, and under EXTPROC any change.
func (p *Master) noteTermios(old, tio *Termios) {
	usual := func(t *Termios) bool {
		return t.Iflag&unix.IXON != 0 && t.Cc[unix.VSTOP] == 'S'&0x1f && t.Cc[unix.VSTART] == 'Q'&0x1f
	}
	if usual(old) != usual(tio) {
		event := byte(unix.TIOCPKT_NOSTOP)
		if usual(tio) {
			event = unix.TIOCPKT_DOSTOP
		}
		p.status.And(^uint32(unix.TIOCPKT_DOSTOP | unix.TIOCPKT_NOSTOP))
		p.noteStatus(event)
	}
	if (old.Lflag|tio.Lflag)&unix.EXTPROC != 0 {
		p.noteStatus(unix.TIOCPKT_IOCTL)
	}
}

// readableLocked returns how many bytes the master can read: what was written
// before output was stopped, or everything. Precondition: mu held.
func (t *Terminal) readableLocked() int {
	if !t.stopped {
		return t.out.len()
	}
	return max(int(min(t.stoppedAt, t.out.head)-t.out.tail), 0)
}

// Read implements fs.FileOps: what the slave wrote. EIO once the slave is closed
// and everything read.
func (p *Master) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	var chunk [512]byte
	t := p.t
	if it.Len() == 0 {
		return 0, nil
	}
	total := 0
	for it.Len() > 0 {
		t.mu.Lock()
		packet := p.packet
		if packet && total == 0 {
			if ev := p.status.Swap(0); ev != 0 {
				t.mu.Unlock()
				return it.CopyTo([]byte{byte(ev)})
			}
		}
		n := 0
		if readable := t.readableLocked(); readable > 0 {
			at := 0
			if packet && total == 0 {
				chunk[0] = unix.TIOCPKT_DATA
				at = 1
			}
			if n = copy(chunk[at:min(it.Len(), len(chunk))], t.out.peek(min(readable, len(chunk)))); n > 0 {
				t.out.drop(n)
				n += at
			} else if at == 1 {
				n = 1 // room for the status byte only
			}
		}
		gone := p.hungUpLocked()
		wake := t.out.len() < wakeupChars
		t.mu.Unlock()
		if n == 0 {
			switch {
			case total > 0:
				return total, nil
			case gone:
				return 0, unix.EIO
			case f.Nonblock():
				return 0, unix.EAGAIN
			}
			err := p.readWait.Wait(ctx.Thread, wait.Never, func() bool {
				t.mu.Lock()
				defer t.mu.Unlock()
				return t.readableLocked() > 0 || p.hungUpLocked() || p.status.Load() != 0
			})
			if err != nil {
				return 0, err
			}
			continue
		}
		if wake {
			t.wakeWriters()
		}
		done, err := it.CopyTo(chunk[:n])
		total += done
		if err != nil {
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
	}
	return total, nil
}

// Write implements fs.FileOps: the slave receives it as typed.
func (p *Master) Write(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	var chunk [512]byte
	t := p.t
	total := 0
	for it.Len() > 0 {
		n, err := it.CopyFrom(chunk[:])
		left := chunk[:n]
		for len(left) > 0 && err == nil {
			t.mu.Lock()
			k := t.takeLocked(left, Normal)
			t.afterInput() // unlocks
			total += k
			left = left[k:]
			if len(left) == 0 {
				break
			}
			if f.Nonblock() {
				err = unix.EAGAIN
				break
			}
			err = p.writeWait.Wait(ctx.Thread, wait.Never, func() bool {
				t.mu.Lock()
				defer t.mu.Unlock()
				return t.backlog.len() < t.backlog.size
			})
		}
		if err != nil {
			it.Revert(len(left))
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
	}
	return total, nil
}

// Poll implements fs.FileOps.
func (p *Master) Poll(_ *fs.File, pt *wait.PollTable) uint32 {
	pt.Add(&p.readWait, evIn|evPri|evHup)
	pt.Add(&p.writeWait, evOut|evHup)
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	ev := uint32(0)
	if t.readableLocked() > 0 {
		ev |= evIn
	}
	if p.packet && p.status.Load() != 0 {
		ev |= evPri | evIn
	}
	if p.hungUpLocked() {
		ev |= evHup
	}
	if t.backlog.len() < t.backlog.size {
		ev |= evOut
	}
	return ev
}
