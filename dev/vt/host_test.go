package vt

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/screen"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tty"
	"tamarix/mm"
)

func TestMain(m *testing.M) {
	arch.InitHost(64 << 20)
	os.Exit(m.Run())
}

// jobs is the processes of the test: one task, whose controlling terminal is on.
type jobs struct{ on *tty.Terminal }

func (j *jobs) Caller(*fs.Context) tty.Caller {
	return tty.Caller{SID: 1, PGID: 1, Leader: true, Terminal: j.on}
}
func (*jobs) SetTerminal(int32, *tty.Terminal)      {}
func (*jobs) LeaveTerminal(*fs.Context)             {}
func (*jobs) SignalGroup(_, _ int32, _ unix.Signal) {}
func (*jobs) SignalLeader(int32, unix.Signal)       {}
func (*jobs) GroupSession(int32) (int32, bool)      { return 1, true }
func (*jobs) Orphaned(int32) bool                   { return false }
func (*jobs) Ignores(*fs.Context, unix.Signal) bool { return false }

// fakeProcess is one that owns a terminal.
type fakeProcess struct {
	mu   sync.Mutex
	sent []unix.Signal
	gone bool
}

func (p *fakeProcess) Signal(sig unix.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return unix.ESRCH
	}
	p.sent = append(p.sent, sig)
	return nil
}

func (p *fakeProcess) take() []unix.Signal {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sent
	p.sent = nil
	return s
}

// pc is a machine with a screen of 20 columns and 5 rows.
type pc struct {
	t       *testing.T
	display *screen.Memory
	c       *Consoles
	tty     []*tty.Terminal
	jobs    *jobs
	ctx     *fs.Context
	addr    uint64 // of a page of the caller's
	process *fakeProcess
}

func newPC(t *testing.T) *pc {
	t.Helper()
	as, err := mm.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(as.Unref)
	l := as.Layout()
	l.MmapBase = 0x7fff00000000
	as.SetLayout(l)
	m := &pc{t: t, display: screen.NewMemory(20, 5), jobs: &jobs{}, process: &fakeProcess{}}
	m.addr, err = as.Mmap(mm.MmapRequest{Len: 4096, Prot: unix.PROT_READ | unix.PROT_WRITE, Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS})
	if err != nil {
		t.Fatal(err)
	}
	m.ctx = &fs.Context{Cred: fs.RootCred(), Thread: new(wait.Thread), AS: as}
	m.ctx.Thread.Bind()
	m.c = New(m.display)
	m.tty = m.c.Attach(Config{
		Terminals: tty.NewManager(m.jobs),
		Dev:       func(n int) uint64 { return unix.Mkdev(4, uint32(n)) },
		Caller:    func(*fs.Context) Process { return m.process },
	})
	return m
}

// lines is what the display shows.
func (m *pc) lines() string {
	m.t.Helper()
	m.c.Flush()
	m.c.drawer.mu.Lock()
	defer m.c.drawer.mu.Unlock()
	var s []string
	for y := range m.display.Cells {
		s = append(s, m.display.Line(y))
	}
	return strings.TrimRight(strings.Join(s, "|"), "|")
}

func (m *pc) wants(want string) {
	m.t.Helper()
	if got := m.lines(); got != want {
		m.t.Errorf("the screen shows %q, want %q", got, want)
	}
}

// write writes to terminal n as its driver gets it.
func (m *pc) write(n int, s string) { m.c.vts[n-1].Write([]byte(s)) }

// ioctl is a request on terminal n; in is put where arg points first, if not nil.
func (m *pc) ioctl(n int, cmd uint32, in []byte) (uintptr, error) {
	m.t.Helper()
	if err := m.ctx.AS.CopyOut(m.addr, in); err != nil {
		m.t.Fatal(err)
	}
	return m.c.vts[n-1].Ioctl(m.ctx, cmd, m.addr)
}

// value is a request whose argument is no address.
func (m *pc) value(n int, cmd uint32, arg uint64) error {
	_, err := m.c.vts[n-1].Ioctl(m.ctx, cmd, arg)
	return err
}

// got returns n bytes from where arg of ioctl points.
func (m *pc) got(n int) []byte {
	m.t.Helper()
	b := make([]byte, n)
	if err := m.ctx.AS.CopyIn(b, m.addr); err != nil {
		m.t.Fatal(err)
	}
	return b
}

// open opens terminal n.
func (m *pc) open(n int) (fs.FileOps, *fs.File) {
	m.t.Helper()
	f := new(fs.File)
	f.SetFlags(unix.O_RDWR | unix.O_NOCTTY | unix.O_NONBLOCK)
	f.AddMode(fs.ModeRead | fs.ModeWrite)
	ops, err := m.tty[n-1].Open(m.ctx, f)
	if err != nil {
		m.t.Fatal(err)
	}
	return ops, f
}

// sent waits until what was written to terminal n has come to its driver.
func (m *pc) sent(n int) {
	m.t.Helper()
	m.tty[n-1].Drain(wait.Now() + int64(time.Minute))
}
