package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// BenchPrograms compiles scripts/bench/guest and returns the directory of the
// binaries.
func BenchPrograms(root string) (string, error) {
	dir := mkdir(filepath.Join(root, "out", "cache", "bench"))
	defer Progress("compiling scripts/bench/guest")()
	return dir, run(root, nil, "sh", "scripts/bench/guest/build.sh", dir)
}

// BenchBoot adds the benchmark program as /init and what it cannot start
// without. Nothing else: what a kernel has taken of the memory when process 1
// begins is then the kernel's own.
func (m *Image) BenchBoot(root string) error {
	dir, err := BenchPrograms(root)
	if err != nil {
		return err
	}
	return m.benchInit(dir)
}

func (m *Image) benchInit(dir string) error {
	for _, d := range []string{"/dev", "/proc", "/bench"} {
		m.Dir(d, 0o755)
	}
	m.Dir("/tmp", 0o777|unix.S_ISVTX)
	m.CharDev("/dev/console", 0o600, 5, 1)
	m.CharDev("/dev/null", 0o666, 1, 3)
	return m.File(filepath.Join(dir, "init"), "/init")
}

// Bench adds the benchmark program as /init and all that its rows use: small
// programs, Debian's busybox, a C library for the dynamic ones, a compiler, and
// an archive of many files.
func (m *Image) Bench(root string) error {
	dir, err := BenchPrograms(root)
	if err != nil {
		return err
	}
	if err := m.benchInit(dir); err != nil {
		return err
	}
	for _, f := range []string{"exit", "dynamic", "source.c"} {
		if err := m.File(filepath.Join(dir, f), "/bench/"+f); err != nil {
			return err
		}
	}
	files, err := manyFiles()
	if err != nil {
		return err
	}
	m.Data("/bench/files.tar.gz", 0o644, files)
	if err := m.libc(root); err != nil {
		return err
	}
	if tcc, err := Deb(root, "tcc"); err != nil {
		fmt.Fprintf(os.Stderr, "no row about a compiler: %v\n", err)
	} else if err := m.File(filepath.Join(tcc, "usr", "bin", "tcc"), "/usr/bin/tcc"); err != nil {
		return err
	}
	return m.Busybox(root)
}

// libc adds Debian's C library with its loader, and its parts that are
// libraries of their own.
func (m *Image) libc(root string) error {
	dir, err := Deb(root, "libc6")
	if err != nil {
		return err
	}
	const libs = "/lib/x86_64-linux-gnu"
	for _, f := range []string{"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"} {
		if err := m.File(filepath.Join(dir, libs, f), libs+"/"+f); err != nil {
			return err
		}
	}
	return m.File(filepath.Join(dir, libs, "ld-linux-x86-64.so.2"), "/lib64/ld-linux-x86-64.so.2")
}

// manyFiles is a gzipped tar of 10,000 files of up to 2 KB in 100 directories,
// the same ones every time.
func manyFiles() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	text := bytes.Repeat([]byte("All work and no play makes a dull benchmark.\n"), 50)
	for i := range 10000 {
		if i%100 == 0 {
			w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: fmt.Sprintf("dir%02d/", i/100), Mode: 0o755, Format: tar.FormatUSTAR})
		}
		size := i * 7919 % 2048
		w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: fmt.Sprintf("dir%02d/file%04d", i/100, i),
			Mode: 0o644, Size: int64(size), Format: tar.FormatUSTAR,
		})
		// A failure is sticky: Close reports it.
		w.Write(text[:size])
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}
