package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// contents is what goes into an image besides GRUB.
type contents struct {
	kernel, initrd string // files
	append         string // words for each entry's kernel command line
}

// defaultEpoch stands for the time of everything in the image, in seconds since
// 1970, where SOURCE_DATE_EPOCH does not say another: the first of January 2026.
const defaultEpoch = 1767225600

// A maker makes one image, in a directory of its own.
type maker struct {
	dir   string // for the parts; removed at the end
	epoch int64
	id    string // hex digits of the hash of all contents
}

// build writes the image for c to out, by way of a file next to it.
func build(c contents, out string) error {
	m := maker{epoch: defaultEpoch}
	if s := os.Getenv("SOURCE_DATE_EPOCH"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		// The FAT's clock starts in 1980.
		if err != nil || n < 315532800 || n > 1<<32 {
			return fmt.Errorf("SOURCE_DATE_EPOCH=%s: not a usable time", s)
		}
		m.epoch = n
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tamarix-usb-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m.dir = dir

	cfg, err := menu(c.append)
	if err != nil {
		return err
	}
	kernel, err := os.ReadFile(c.kernel)
	if err != nil {
		return err
	}
	initrd, err := os.ReadFile(c.initrd)
	if err != nil {
		return err
	}
	h := sha256.New()
	for _, p := range [][]byte{kernel, initrd, []byte(cfg)} {
		fmt.Fprintf(h, "%d\n", len(p))
		h.Write(p)
	}
	m.id = fmt.Sprintf("%x", h.Sum(nil))

	bios, err := m.grub("i386-pc", modulesBIOS)
	if err != nil {
		return err
	}
	cdboot, err := os.ReadFile(filepath.Join(grubDir, "i386-pc", "cdboot.img"))
	if err != nil {
		return err
	}
	efi, err := m.grub("x86_64-efi", modulesUEFI)
	if err != nil {
		return err
	}
	esp, err := m.systemPartition(efi)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"boot/tamarix.elf":            kernel,
		"boot/initramfs.cpio.gz":      initrd,
		"boot/grub/grub.cfg":          []byte(cfg),
		"boot/bios.img":               append(cdboot, bios...),
		"boot/" + m.shortID() + ".id": []byte(m.id + "\n"),
	} {
		if err := m.write(filepath.Join("iso", name), data); err != nil {
			return err
		}
	}
	return m.iso(esp, out)
}

// shortID is enough of the hash for a file name.
func (m *maker) shortID() string { return m.id[:16] }

// guid makes a GUID of the hash; which says for what.
func (m *maker) guid(which string) string {
	h := sha256.Sum256([]byte(which + m.id))
	h[6] = h[6]&0x0f | 0x40 // version and variant of a random one, RFC 4122, 4.4
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// grub returns GRUB for a platform, with its modules in it.
func (m *maker) grub(platform, modules1 string) ([]byte, error) {
	dir := filepath.Join(grubDir, platform)
	if _, err := os.Stat(filepath.Join(dir, "moddep.lst")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: scripts/deps.sh usb installs it", dir)
	}
	script := filepath.Join(m.dir, platform+".cfg")
	if err := os.WriteFile(script, []byte(firstScript(m.shortID())), 0o644); err != nil {
		return nil, err
	}
	out := filepath.Join(m.dir, platform+".img")
	args := []string{"-O", platform, "-d", dir, "-p", "/boot/grub", "-c", script, "-o", out}
	for _, list := range []string{modules1, modules} {
		for w := range bytes.FieldsSeq([]byte(list)) {
			args = append(args, string(w))
		}
	}
	if err := m.tool("grub-mkimage", args...); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// systemPartition makes the EFI system partition and returns its file. Like the
// ones on installation media it is a FAT of a 2.88 MB diskette.
func (m *maker) systemPartition(efi []byte) (string, error) {
	if err := m.write("BOOTX64.EFI", efi); err != nil {
		return "", err
	}
	img := filepath.Join(m.dir, "esp.img")
	for _, c := range [][]string{
		{"mformat", "-i", img, "-C", "-f", "2880", "-L", "16", "-N", m.id[:8], "-v", "TAMARIX", "::"},
		{"mmd", "-i", img, "::/EFI", "::/EFI/BOOT"},
		{"mcopy", "-m", "-i", img, filepath.Join(m.dir, "BOOTX64.EFI"), "::/EFI/BOOT/BOOTX64.EFI"},
	} {
		if err := m.tool(c[0], c[1:]...); err != nil {
			return "", err
		}
	}
	return img, nil
}

// iso puts everything together. Most of the options are those of xorriso's
// manual for an image that GRUB boots as CD and as disk.
func (m *maker) iso(esp, out string) error {
	tmp := filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+".new")
	defer os.Remove(tmp)
	os.Remove(tmp) // xorriso would add to it
	err := m.tool("xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-r", "-V", "TAMARIX", "-o", tmp,
		"--gpt_disk_guid", m.guid("disk"),
		// As a CD, under a BIOS and under UEFI.
		"-b", "boot/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
		"-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
		// As a disk. Some BIOSes want to see an active partition.
		"--grub2-mbr", filepath.Join(grubDir, "i386-pc", "boot_hybrid.img"),
		"--protective-msdos-label", "--mbr-force-bootable",
		"-append_partition", "2", "0xef", esp, "-appended_part_as_gpt",
		filepath.Join(m.dir, "iso"))
	if err != nil {
		return err
	}
	return os.Rename(tmp, out)
}

// write makes a file below the maker's directory; it and the directories above
// it get the image's time.
func (m *maker) write(name string, data []byte) error {
	file := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return err
	}
	t := time.Unix(m.epoch, 0)
	for p := file; p != m.dir; p = filepath.Dir(p) {
		if err := os.Chtimes(p, t, t); err != nil {
			return err
		}
	}
	return nil
}

// tool runs a program of the host; its output becomes part of the error. What the
// user has set up for these programs, in the environment or below the home
// directory, does not count: the image would depend on it.
func (m *maker) tool(name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Env = []string{"SOURCE_DATE_EPOCH=" + strconv.FormatInt(m.epoch, 10), "TZ=UTC", "LC_ALL=C",
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + m.dir, "HOME=" + m.dir}
	out, err := c.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("there is no command %s: scripts/deps.sh usb installs it", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, bytes.TrimSpace(out))
	}
	return nil
}
