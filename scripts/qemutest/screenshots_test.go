package qemutest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// TestScreenshots makes the pictures of the README, in scripts/screens: those of a
// person who boots the USB image, logs in, edits a file, and makes the kernel
// panic.
func TestScreenshots(t *testing.T) {
	root := needQEMU(t)
	if os.Getenv("TAMARIX_SCREENSHOTS") == "" {
		t.Skip("writes pictures: make screenshots")
	}
	p := sitDown(t, qemu.Config{Screen: qemu.Framebuffer(800, 600), SMP: 4})
	save := func(name string, s *qemu.Screen) {
		if err := qemu.SavePNG(filepath.Join(root, "scripts", "screens", name+".png"), s.Picture); err != nil {
			t.Fatal(err)
		}
	}
	p.logsIn()
	p.types("uname -a; ls /\r")
	save("login", p.sees(`Tamarix(.*\n)+.*proc(.*\n)+.*`+p.prompt+bottom, 20*time.Second))
	p.types("vi /etc/inittab\r")
	p.sees(`- /etc/inittab`, 20*time.Second)
	p.types("/respawn\rOhello, world")
	save("vi", p.sees(`(?s)hello, world.*I /etc/inittab`, 10*time.Second))
	p.types("\x1b:q!\r")
	p.sees(p.prompt+bottom, 10*time.Second)
	save("panic", p.crashes())
}
