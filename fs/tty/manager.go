package tty

import (
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Manager holds what all terminals of the machine share: who answers for
// processes, which terminal is the console, and the pseudo-terminals.
type Manager struct {
	jobs JobControl // immutable

	mu      sync.Mutex       // guards the rest
	console func() *Terminal // nil: none
	ptys    []*Master        // by number; nil: free
	pts     *ptsFS           // the devpts file system, made at the first mount or open
}

// NewManager returns a Manager without terminals.
func NewManager(jobs JobControl) *Manager { return &Manager{jobs: jobs} }

// SetConsole makes t the terminal behind /dev/console.
func (m *Manager) SetConsole(t *Terminal) { m.SetConsoleFunc(func() *Terminal { return t }) }

// SetConsoleFunc has f say which terminal is behind /dev/console, each time that
// it is opened.
func (m *Manager) SetConsoleFunc(f func() *Terminal) {
	m.mu.Lock()
	m.console = f
	m.mu.Unlock()
}

// Console returns the terminal behind /dev/console, nil if there is none.
func (m *Manager) Console() *Terminal {
	m.mu.Lock()
	f := m.console
	m.mu.Unlock()
	if f == nil {
		return nil
	}
	return f()
}

// OpenConsole opens /dev/console: ENODEV if there is none.
func (m *Manager) OpenConsole(ctx *fs.Context, f *fs.File) (fs.FileOps, error) {
	t := m.Console()
	if t == nil {
		return nil, unix.ENODEV
	}
	return t.OpenConsole(ctx, f)
}

// OpenCurrent opens /dev/tty, the caller's controlling terminal: ENXIO if it has none.
func (m *Manager) OpenCurrent(ctx *fs.Context, f *fs.File) (fs.FileOps, error) {
	t := m.jobs.Caller(ctx).Terminal
	if t == nil {
		return nil, unix.ENXIO
	}
	return t.open(ctx, f, true, false)
}

// HangUpCurrent is vhangup(2): it hangs up the caller's controlling terminal, if any.
func (m *Manager) HangUpCurrent(ctx *fs.Context) {
	if t := m.jobs.Caller(ctx).Terminal; t != nil {
		t.HangUp()
	}
}
