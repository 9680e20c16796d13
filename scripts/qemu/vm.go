package qemu

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Config says what to boot, and on what machine: a kernel, which QEMU loads
// itself, or a disk image, by the machine's firmware.
type Config struct {
	Kernel string // ELF with a PVH note, or bzImage
	Initrd string
	Append string // the kernel command line

	Image  string // a disk image; it is not changed
	Medium string // what the image is in: USB (also ""), EHCI, Disk, CD
	UEFI   bool   // by OVMF; else by SeaBIOS

	Mem      string        // as QEMU's -m; "" is 512M
	SMP      int           // 0 is 1
	CPU      string        // "" is max
	Machine  string        // "" is q35
	Screen   string        // the display adapter, as -device has it ("VGA"; see Framebuffer); "" is none
	NoSerial bool          // no serial port: Send and Expect are of no use
	Icount   bool          // count instructions instead of time: slow, but exact
	Quiet    time.Duration // how long it may say nothing before it is taken for hung; 0 is 60 s
	Extra    []string

	Dumps string // folder for the pictures that a failed ExpectScreen leaves
	Name  string // what they are called
}

// A VM is a running QEMU. Its methods belong to one goroutine, except Kill.
type VM struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	qmp     string // path of the monitor's socket
	started time.Time
	quiet   time.Duration
	dumps   string // where pictures of the screen go, and
	name    string // what they are called

	mu    sync.Mutex // guards what the reader goroutine writes
	cond  *sync.Cond
	log   []byte // all the machine has said
	text  []byte // the same without escape sequences and carriage returns
	strip stripper
	last  time.Time // when it said the last of it
	eof   bool
	ended chan struct{} // closed when QEMU has ended
	err   error         // how; valid after ended

	seen    int       // how far Expect has read the text
	keysEnd time.Time // when QEMU has done with the keys that it was given, if it is not late
}

// Start boots a machine.
func Start(c Config) (*VM, error) {
	dir, err := os.MkdirTemp("", "qemu-")
	if err != nil {
		return nil, err
	}
	vm := &VM{
		qmp: filepath.Join(dir, "qmp"), ended: make(chan struct{}), started: time.Now(), last: time.Now(), quiet: c.Quiet,
		dumps: c.Dumps, name: or(c.Name, "screen"),
	}
	if vm.quiet == 0 {
		vm.quiet = time.Minute
	}
	vm.cond = sync.NewCond(&vm.mu)
	vm.cmd = exec.Command("qemu-system-x86_64", append(c.args(vm.qmp), c.Extra...)...)
	if vm.in, err = vm.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := vm.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	vm.cmd.Stderr = vm.cmd.Stdout
	if err := vm.cmd.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("%w (scripts/deps.sh installs QEMU)", err)
	}
	go func() {
		vm.read(out)
		vm.err = vm.cmd.Wait()
		os.RemoveAll(dir)
		close(vm.ended)
	}()
	return vm, nil
}

// answers are what a terminal says when asked: a cursor at the lower left, light
// text on a dark ground.
var answers = []struct{ question, answer string }{
	{"\x1b[6n", "\x1b[24;1R"},
	{"\x1b]10;?", "\x1b]10;rgb:ffff/ffff/ffff\x1b\\"},
	{"\x1b]11;?", "\x1b]11;rgb:0000/0000/0000\x1b\\"},
}

// read collects the output until its end and answers the terminal's questions.
func (vm *VM) read(out io.Reader) {
	buf := make([]byte, 4096)
	asked := 0 // questions before this place in the log are answered
	for {
		n, err := out.Read(buf)
		vm.mu.Lock()
		vm.log = append(vm.log, buf[:n]...)
		vm.text = vm.strip.append(vm.text, buf[:n])
		vm.last = time.Now()
		vm.eof = err != nil
		var reply []byte
		for {
			at, which := -1, 0
			for i, a := range answers {
				if j := bytes.Index(vm.log[asked:], []byte(a.question)); j >= 0 && (at < 0 || j < at) {
					at, which = j, i
				}
			}
			if at < 0 {
				break
			}
			asked += at + len(answers[which].question)
			reply = append(reply, answers[which].answer...)
		}
		vm.cond.Broadcast()
		vm.mu.Unlock()
		if len(reply) > 0 {
			vm.in.Write(reply)
		}
		if err != nil {
			return
		}
	}
}

// Text is all the machine has said so far, without escape sequences and
// carriage returns.
func (vm *VM) Text() string {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return string(vm.text)
}

// Tail is the end of the text.
func (vm *VM) Tail(lines int) string {
	l := strings.Split(strings.TrimRight(vm.Text(), "\n"), "\n")
	return strings.Join(l[max(0, len(l)-lines):], "\n")
}

// Send types s.
func (vm *VM) Send(s string) {
	io.WriteString(vm.in, s)
}

// ErrEnded is Expect's error when the machine stops before it says what is
// expected.
var ErrEnded = errors.New("the machine has ended")

// Expect waits until the text since the last Expect matches re, and returns what
// matched (with its groups). A machine that is quiet for too long, or does not say it
// within limit, is dumped into the error, whose last line says why.
func (vm *VM) Expect(re string, limit time.Duration) ([]string, error) {
	r, err := regexp.Compile(re)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(limit)
	wake := time.AfterFunc(0, func() {})
	defer wake.Stop()
	vm.mu.Lock()
	defer vm.mu.Unlock()
	for {
		if m := r.FindSubmatchIndex(vm.text[vm.seen:]); m != nil {
			var groups []string
			for i := 0; i < len(m); i += 2 {
				if m[i] < 0 {
					groups = append(groups, "")
					continue
				}
				groups = append(groups, string(vm.text[vm.seen+m[i]:vm.seen+m[i+1]]))
			}
			vm.seen += m[1]
			return groups, nil
		}
		now := time.Now()
		switch {
		case vm.eof:
			vm.mu.Unlock()
			<-vm.ended
			tail := vm.Tail(40)
			vm.mu.Lock()
			return nil, fmt.Errorf("--- the log's end\n%s\n--- waiting for %q: %w (%v)", tail, re, ErrEnded, vm.err)
		case now.After(deadline), now.Sub(vm.last) > vm.quiet:
			why := fmt.Sprintf("not seen within %v", limit)
			if now.Before(deadline) {
				why = fmt.Sprintf("the machine is quiet for %v", vm.quiet)
			}
			vm.mu.Unlock()
			dump := vm.Dump()
			vm.mu.Lock()
			return nil, fmt.Errorf("%s\n--- waiting for %q: %s", dump, re, why)
		}
		next := min(time.Until(deadline), vm.quiet-now.Sub(vm.last)) + 10*time.Millisecond
		wake.Stop()
		wake = time.AfterFunc(next, func() { vm.mu.Lock(); vm.cond.Broadcast(); vm.mu.Unlock() })
		vm.cond.Wait()
	}
}

// Until waits as Expect does, and returns all the text since the last of either up
// to the end of the match.
func (vm *VM) Until(re string, limit time.Duration) (string, error) {
	vm.mu.Lock()
	from := vm.seen
	vm.mu.Unlock()
	if _, err := vm.Expect(re, limit); err != nil {
		return "", err
	}
	vm.mu.Lock()
	defer vm.mu.Unlock()
	return string(vm.text[from:vm.seen]), nil
}

// Dump is the state of the CPUs and the end of the log, which tells more: whoever
// sees only the last lines shall see it.
func (vm *VM) Dump() string {
	regs, err := vm.Monitor("info registers -a")
	if err != nil {
		regs = err.Error()
	}
	return fmt.Sprintf("--- registers\n%s\n--- the log's end\n%s", summary(regs), vm.Tail(40))
}

// summary keeps the lines of a register dump that say where a CPU is.
func summary(regs string) string {
	var out []string
	for line := range strings.Lines(regs) {
		line = strings.TrimRight(line, "\r\n")
		for _, p := range []string{"CPU#", "RAX", "RSI", "R8", "R12", "RIP", "CR0", "FS", "GS", "CS"} {
			if strings.HasPrefix(line, p) {
				out = append(out, line)
				break
			}
		}
	}
	if len(out) == 0 {
		return regs
	}
	return strings.Join(out, "\n")
}

// Wait waits for QEMU's end and returns its exit status.
func (vm *VM) Wait(limit time.Duration) (status int, err error) {
	select {
	case <-vm.ended:
	case <-time.After(limit):
		return -1, fmt.Errorf("%s\n--- QEMU has not ended within %v", vm.Dump(), limit)
	}
	var exit *exec.ExitError
	if errors.As(vm.err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, vm.err
}

// Kill ends QEMU at once, if it still runs.
func (vm *VM) Kill() {
	vm.cmd.Process.Kill()
	<-vm.ended
}

// Command is QEMU's command line, for a shell, but for the monitor.
func (vm *VM) Command() string {
	var out []string
	args := vm.cmd.Args
	if i := slices.Index(args, "-qmp"); i >= 0 {
		args = slices.Concat(args[:i], args[i+2:])
	}
	for _, a := range args {
		if strings.ContainsAny(a, " \"$`\\*?") || a == "" {
			a = "'" + a + "'"
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}

// Age is the time since the start.
func (vm *VM) Age() time.Duration { return time.Since(vm.started) }

// Version is QEMU's version, "7.2.22" say.
func Version() (string, error) {
	out, err := exec.Command("qemu-system-x86_64", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%w (scripts/deps.sh installs QEMU)", err)
	}
	m := regexp.MustCompile(`version (\d+(?:\.\d+)*)`).FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("qemu-system-x86_64 --version: no version in %q", out)
	}
	return string(m[1]), nil
}
