package qemu

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// pollScreen is the time between two looks at the screen: the machine that draws
// it needs the host's CPUs more than we do.
const pollScreen = 300 * time.Millisecond

// fonts are those that the machine may show: the kernel's, and a VGA's.
var fonts = sync.OnceValues(func() ([]*Font, error) {
	vga, err := VGAFont()
	if err != nil {
		return nil, err
	}
	return []*Font{vga, KernelFont()}, nil
})

// Screen reads what the machine's screen shows.
func (vm *VM) Screen() (*Screen, error) {
	f, err := fonts()
	if err != nil {
		return nil, err
	}
	p, err := vm.Picture()
	if err != nil {
		return nil, err
	}
	return Read(p, f...), nil
}

// ExpectScreen waits until the text on the screen matches re, all of it with a
// newline after each line, and returns the screen. If it does not within limit,
// or the machine ends, the picture is left in the folder for dumps, and the error
// has the text and the end of the serial log.
func (vm *VM) ExpectScreen(re string, limit time.Duration) (*Screen, error) {
	r, err := regexp.Compile(re)
	if err != nil {
		return nil, err
	}
	var last *Screen
	for deadline := time.Now().Add(limit); ; {
		s, err := vm.Screen()
		switch {
		case err == nil:
			last = s
			if r.MatchString(s.Text()) {
				return s, nil
			}
		case vm.over():
			return last, fmt.Errorf("waiting for %q on the screen: %w (%v)\n%s", re, ErrEnded, vm.err, vm.report(last))
		}
		if time.Now().After(deadline) {
			if err != nil {
				return last, fmt.Errorf("waiting for %q on the screen: %w\n%s", re, err, vm.report(last))
			}
			return last, fmt.Errorf("waiting for %q on the screen: not seen within %v\n%s", re, limit, vm.report(last))
		}
		select {
		case <-time.After(pollScreen):
		case <-vm.ended:
		}
	}
}

// over is whether QEMU has ended.
func (vm *VM) over() bool {
	select {
	case <-vm.ended:
		return true
	default:
		return false
	}
}

// report is the text of a screen and where its picture is, and what Dump says.
func (vm *VM) report(s *Screen) string {
	text := "no screen was seen"
	if s != nil {
		where := ""
		if vm.dumps != "" {
			path := filepath.Join(vm.dumps, vm.name+".png")
			where = ", " + path
			if err := SavePNG(path, s.Picture); err != nil {
				where = ", " + err.Error()
			}
		}
		text = fmt.Sprintf("--- the screen, %d×%d%s\n%s", s.Picture.Rect.Dx(), s.Picture.Rect.Dy(), where, strings.TrimRight(s.Text(), "\n"))
	}
	return fmt.Sprintf("%s\n%s\n--- QEMU\n%s", text, vm.Dump(), vm.Command())
}
