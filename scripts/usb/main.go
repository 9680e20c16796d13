package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "usb:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: usb build|verify ... (see scripts/usb/doc.go)")
	}
	f := flag.NewFlagSet("usb "+args[0], flag.ContinueOnError)
	switch args[0] {
	case "build":
		var c contents
		f.StringVar(&c.kernel, "kernel", "out/tamarix.elf", "the bootable kernel")
		f.StringVar(&c.initrd, "initrd", "out/usb-initramfs.cpio.gz", "the initramfs")
		f.StringVar(&c.append, "append", "", "words for the end of each entry's kernel command line")
		out := f.String("o", "out/tamarix-usb.img", "the image to write")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		if err := build(c, *out); err != nil {
			return err
		}
		return report(*out)
	case "verify":
		image := f.String("image", "out/tamarix-usb.img", "what the stick ought to hold")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		if f.NArg() != 1 {
			return fmt.Errorf("which device? make usb-verify DEV=/dev/sdX")
		}
		n, err := verify(*image, f.Arg(0))
		if err != nil {
			return err
		}
		fmt.Printf("%s holds %s: %d bytes are the same\n", f.Arg(0), *image, n)
		return nil
	}
	return fmt.Errorf("%s: want build or verify", args[0])
}

// report says what was built and how it gets onto a stick.
func report(image string) error {
	b, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes (%.1f MB)\nsha256 %x\n", image, len(b), float64(len(b))/1e6, sha256.Sum256(b))
	fmt.Printf("To a stick, all of whose contents are lost (lsblk shows which device it is):\n"+
		"  sudo dd if=%s of=/dev/sdX bs=4M conv=fsync status=progress\n  make usb-verify DEV=/dev/sdX\n", filepath.ToSlash(image))
	return nil
}
