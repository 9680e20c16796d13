// Mkinitramfs makes the initial RAM file system.
//
//	go run ./scripts/mkinitramfs [-userland uroot|busybox|bash] [-add host-file:target]... [-o out/initramfs.cpio.gz]
//
// -add may be given several times, and one -add may name several files
// separated by spaces, so that make's ADD variable can be passed as it is.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"tamarix/scripts/image"
)

func main() {
	userland := flag.String("userland", "uroot", "the commands: uroot, busybox, or bash (busybox with bash as login shell)")
	out := flag.String("o", "out/initramfs.cpio.gz", "the archive to write")
	var add []string
	flag.Func("add", "host-file:target, also several with spaces between", func(s string) error {
		add = append(add, strings.Fields(s)...)
		return nil
	})
	flag.Parse()
	if err := build(*userland, *out, add); err != nil {
		fmt.Fprintln(os.Stderr, "mkinitramfs:", err)
		os.Exit(1)
	}
}

func build(userland, out string, add []string) error {
	root, err := image.Root()
	if err != nil {
		return err
	}
	var m image.Image
	if err := m.Userland(root, userland); err != nil {
		return err
	}
	for _, a := range add {
		host, target, ok := strings.Cut(a, ":")
		if !ok || host == "" || !strings.HasPrefix(target, "/") {
			return fmt.Errorf("-add %s: want host-file:/absolute/target", a)
		}
		if err := m.File(host, target); err != nil {
			return fmt.Errorf("-add %s: %w", a, err)
		}
	}
	if err := m.Write(out); err != nil {
		return err
	}
	st, err := os.Stat(out)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s, %.1f MB, %.1f MB unpacked\n", out, userland, float64(st.Size())/1e6, float64(m.Size())/1e6)
	return nil
}
