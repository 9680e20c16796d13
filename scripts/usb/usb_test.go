package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{"  quiet\tinit=/bin/sh ", []string{"quiet", "init=/bin/sh"}},
		{`GREETING="hello there" x=""`, []string{"GREETING=hello there", "x="}},
		{`it's`, []string{"it's"}},
	} {
		got, err := split(c.line)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v, want %q", c.line, got, err, c.want)
		}
	}
	for _, line := range []string{`a="b`, "a\nb", `a\b`, "a\x00"} {
		if got, err := split(line); err == nil {
			t.Errorf("%q: %q, want an error", line, got)
		}
	}
}

// TestMenu: what the user adds cannot break out of its words.
func TestMenu(t *testing.T) {
	cfg, err := menu(`quiet A="it's $b; reboot" }`)
	if err != nil {
		t.Fatal(err)
	}
	want := ` 'quiet' 'A=it'\''s $b; reboot' '}'`
	if n := strings.Count(cfg, want+"\n"); n != len(entries) {
		t.Errorf("%d entries of %d have the words:\n%s", n, len(entries), cfg)
	}
	if n := strings.Count(cfg, "gfxpayload=text"); n != 1 {
		t.Errorf("%d entries in text mode", n)
	}
}

// inputs makes a kernel and an initramfs in name only.
func inputs(t *testing.T, kernel string) contents {
	t.Helper()
	dir := t.TempDir()
	c := contents{kernel: filepath.Join(dir, "kernel"), initrd: filepath.Join(dir, "initrd")}
	for name, text := range map[string]string{c.kernel: kernel, c.initrd: strings.Repeat("initramfs ", 1000)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// made builds an image and returns its bytes.
func made(t *testing.T, c contents) []byte {
	t.Helper()
	for _, tool := range []string{"grub-mkimage", "xorriso", "mformat", grubDir + "/i386-pc/boot_hybrid.img"} {
		if _, err := os.Stat(tool); err == nil {
			continue
		}
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s: scripts/deps.sh usb installs it", tool)
		}
	}
	out := filepath.Join(t.TempDir(), "image")
	if err := build(c, out); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSameBytes builds one image under two sets of circumstances.
func TestSameBytes(t *testing.T) {
	a := made(t, inputs(t, "kernel"))
	// Time stamps of FAT count in steps of two seconds.
	time.Sleep(2100 * time.Millisecond)
	t.Setenv("TZ", "Asia/Tokyo")
	t.Setenv("LANG", "de_DE.UTF-8")
	t.Setenv("TMPDIR", t.TempDir())
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("MTOOLS_FAT_COMPATIBILITY", "1")
	for name, text := range map[string]string{
		".xorrisorc": "-padding 3m\n-joliet on\n",
		".mtoolsrc":  "drive z: file=\"/dev/null\"\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	b := made(t, inputs(t, "kernel"))
	if !bytes.Equal(a, b) {
		i := 0
		for i < min(len(a), len(b)) && a[i] == b[i] {
			i++
		}
		t.Errorf("%d and %d bytes, different from byte %#x on", len(a), len(b), i)
	}
	if c := made(t, inputs(t, "another kernel")); bytes.Equal(c[512:1024], b[512:1024]) {
		t.Error("another kernel's image has the same disk GUID")
	}
}

// TestLayout looks at the image as firmware does.
func TestLayout(t *testing.T) {
	const sector = 512
	img := made(t, inputs(t, "the kernel"))
	le := binary.LittleEndian
	if len(img)%sector != 0 {
		t.Fatalf("%d bytes are no whole sectors", len(img))
	}

	// MBR: boot code, a protective entry, one active entry.
	if img[510] != 0x55 || img[511] != 0xaa || bytes.Equal(img[:16], make([]byte, 16)) {
		t.Error("no boot sector")
	}
	kinds, active := "", 0
	for e := img[446:510]; len(e) > 0; e = e[16:] {
		kinds += string("0123456789abcdef"[e[4]>>4]) + string("0123456789abcdef"[e[4]&15]) + " "
		if e[0] == 0x80 {
			active++
		}
	}
	if !strings.Contains(kinds, "ee") || active != 1 {
		t.Errorf("partition types %s, %d active", kinds, active)
	}

	// GPT: both headers good, an EFI system partition in the table.
	last := uint64(len(img)/sector - 1)
	table := func(at uint64) []byte {
		h := bytes.Clone(img[at*sector:][:92])
		sum := le.Uint32(h[16:])
		copy(h[16:20], make([]byte, 4))
		if string(h[:8]) != "EFI PART" || crc32.ChecksumIEEE(h) != sum || le.Uint64(h[24:]) != at {
			t.Fatalf("the GPT header in sector %d is bad", at)
		}
		p := img[le.Uint64(h[72:])*sector:][:le.Uint32(h[80:])*le.Uint32(h[84:])]
		if crc32.ChecksumIEEE(p) != le.Uint32(h[88:]) {
			t.Fatalf("the partition table of the GPT in sector %d is bad", at)
		}
		return p
	}
	parts := table(1)
	if !bytes.Equal(parts, table(last)) {
		t.Error("the two partition tables differ")
	}
	// C12A7328-F81F-11D2-BA4B-00A0C93EC93B, UEFI specification 2.10, table 5.7.
	system := []byte{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}
	i := bytes.Index(parts, system)
	if i < 0 || i%128 != 0 {
		t.Fatal("no EFI system partition")
	}
	first, end := le.Uint64(parts[i+32:]), le.Uint64(parts[i+40:])
	if first < 34 || end < first || end >= last {
		t.Fatalf("system partition in sectors %d-%d of %d", first, end, last)
	}
	esp := filepath.Join(t.TempDir(), "esp")
	if err := os.WriteFile(esp, img[first*sector:(end+1)*sector], 0o600); err != nil {
		t.Fatal(err)
	}
	efi, err := exec.Command("mcopy", "-i", esp, "::/EFI/BOOT/BOOTX64.EFI", "-").Output()
	if err != nil || !bytes.HasPrefix(efi, []byte("MZ")) {
		t.Errorf("EFI/BOOT/BOOTX64.EFI: %d bytes, %v", len(efi), err)
	}

	// CD: volume descriptor and El Torito's catalogue, for both firmwares.
	if string(img[0x8001:0x8006]) != "CD001" || string(img[0x8807:0x8807+23]) != "EL TORITO SPECIFICATION" {
		t.Fatal("no CD that boots")
	}
	catalogue := img[uint64(le.Uint32(img[0x8847:]))*2048:][:2048]
	if catalogue[0] != 1 || catalogue[1] != 0 || catalogue[32] != 0x88 || !bytes.Contains(catalogue[64:128], []byte{0x91, 0xef}) {
		t.Errorf("El Torito's catalogue: % x", catalogue[:128])
	}
	if !bytes.Contains(img, []byte("the kernel")) {
		t.Error("no kernel")
	}
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // more than one read
	image := file("image", want)
	changed := bytes.Clone(want)
	changed[2_000_003] ^= 1
	os.Symlink(image, filepath.Join(dir, "link"))
	for _, c := range []struct{ name, device, err string }{
		{"the same", file("same", want), ""},
		{"a larger stick", file("large", append(bytes.Clone(want), 1, 2, 3)), ""},
		{"a byte differs", file("changed", changed), "differs from the image at byte 2000003 (0x1e8483): 0x32 in place of 0x33"},
		{"too small", file("small", want[:len(want)-1]), "too small"},
		{"not there", filepath.Join(dir, "sdz"), "no such device"},
		{"a directory", dir, "is a directory"},
		{"a terminal", "/dev/null", "character device"},
		{"itself", filepath.Join(dir, "link"), "the image itself"},
	} {
		n, err := verify(image, c.device)
		if c.err == "" && (err != nil || n != int64(len(want))) {
			t.Errorf("%s: %d, %v", c.name, n, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.err)
		}
	}
	if _, err := verify(filepath.Join(dir, "none"), image); err == nil || !strings.Contains(err.Error(), "make usb builds it") {
		t.Errorf("no image: %v", err)
	}
}
