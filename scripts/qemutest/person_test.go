package qemutest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// A person sits at the machine's screen and keyboard.
type person struct {
	*testing.T
	vm      *qemu.VM
	prompt  string // a regular expression for the end of the screen
	usbOnly bool   // the keyboard is a USB keyboard
}

// usbPrompt is what bash of the USB image shows root.
const usbPrompt = `root@tamarix:[^\n]*#`

// makeUSB builds the image for a stick once in a run.
var makeUSB = sync.OnceValue(func() error {
	out, err := exec.Command("make", "-s", "-C", "../..", "usb").CombinedOutput()
	if err != nil {
		return fmt.Errorf("make usb: %w\n%s", err, out)
	}
	return nil
})

// usbImage is the image for a stick.
func usbImage(t *testing.T, root string) string {
	t.Helper()
	if err := makeUSB(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "out", "tamarix-usb.img")
}

// sitDown boots a machine and sits at it. It boots the USB image if c does not
// say otherwise.
func sitDown(t *testing.T, c qemu.Config) *person {
	t.Helper()
	root := needQEMU(t)
	if c.Kernel == "" && c.Image == "" {
		c.Image = usbImage(t, root)
	}
	c.Dumps, c.Name = filepath.Join(root, "out", "test"), strings.NewReplacer("/", "-").Replace(t.Name())
	p := &person{t, boot(t, c), usbPrompt, strings.Contains(c.Machine, "i8042=off")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("QEMU was: %s", p.vm.Command())
		}
	})
	return p
}

// sees waits until the screen shows re.
func (p *person) sees(re string, limit time.Duration) *qemu.Screen {
	p.Helper()
	s, err := p.vm.ExpectScreen(re, 3*limit) // limit is for an idle host
	if err != nil {
		p.Fatal(err)
	}
	return s
}

// types presses the keys that make s.
func (p *person) types(s string) {
	p.Helper()
	if err := p.vm.Type(s); err != nil {
		p.Fatal(err)
	}
}

// presses presses combinations of keys.
func (p *person) presses(combinations ...string) {
	p.Helper()
	if err := p.vm.Press(combinations...); err != nil {
		p.Fatal(err)
	}
}

// bottom is the last line that is not empty.
const bottom = ` *\n*$`

// atLogin matches a screen that asks for a name.
var atLogin = regexp.MustCompile(`login:` + bottom)

// logsIn waits for the prompt and logs in as root. The log may go on after the
// prompt, with a USB device that is found late: then Enter brings a new prompt. A
// keyboard that is the only one must have been found.
func (p *person) logsIn() {
	p.Helper()
	if p.usbOnly {
		p.sees(keyboardCame, 90*time.Second)
	}
	if s := p.sees(`login:`, 90*time.Second); !atLogin.MatchString(s.Text()) {
		p.types("\r")
		p.sees(atLogin.String(), 20*time.Second)
	}
	p.types("root\r")
	p.sees(p.prompt+bottom, 20*time.Second)
}

// runs types a command on a cleared screen, and waits for the texts in this order
// and the prompt after them. The command is on the screen too: what it holds is
// found in it, unless the text begins with a newline.
func (p *person) runs(command string, texts ...string) *qemu.Screen {
	p.Helper()
	p.types("\x0c")
	p.sees(`^`+p.prompt+bottom, 10*time.Second)
	p.types(command + "\r")
	re := `(?s)^[^\n]*#`
	for _, text := range texts {
		re += `.*` + regexp.QuoteMeta(text)
	}
	return p.sees(re+`.*`+p.prompt+bottom, 20*time.Second)
}

// everyday is what anyone tries first: ls, vi, top.
func (p *person) everyday() {
	p.Helper()
	p.runs("ls /", "bin", "proc")
	p.runs("echo $((6*7)) `tty`", "42 /dev/tty1")

	p.types("vi /tmp/note\r")
	p.sees(`- /tmp/note .*`+bottom, 20*time.Second)
	p.types("ione line\rand another")
	p.sees(`^one line\nand another\n~\n(.*\n)*I /tmp/note`, 10*time.Second)
	p.types("\x1b")
	p.sees(`- /tmp/note`, 10*time.Second)
	p.types(":wq\r")
	p.sees(p.prompt+bottom, 10*time.Second)
	p.runs("cat /tmp/note", "\none line\nand another\n")

	p.types("top\r")
	p.sees(`(?s)^Mem: .*CPU: .*PID +PPID .*\d+ +\d+ +root .*top`, 20*time.Second)
	p.types("q")
	p.sees(p.prompt+bottom, 10*time.Second)
}

// powersOff ends the machine from the shell; QEMU must end with status 0.
func (p *person) powersOff() {
	p.Helper()
	p.types("poweroff\r")
	if status, err := p.vm.Wait(time.Minute); err != nil || status != 0 {
		p.Errorf("poweroff: QEMU's exit status %d, %v\n%s", status, err, p.vm.Tail(30))
	}
}
