package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// verify compares what device (or file) begins with, as it is read back now, with
// the file image, and returns how many bytes that is.
func verify(image, device string) (int64, error) {
	want, err := os.Open(image)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s is not there: make usb builds it", image)
	}
	if err != nil {
		return 0, err
	}
	defer want.Close()
	st, err := os.Stat(device)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s: no such device (lsblk lists them)", device)
	}
	if err != nil {
		return 0, err
	}
	switch {
	case st.IsDir():
		return 0, fmt.Errorf("%s is a directory, not a device", device)
	case st.Mode()&fs.ModeCharDevice != 0:
		return 0, fmt.Errorf("%s is a character device: no stick", device)
	case !st.Mode().IsRegular() && st.Mode()&fs.ModeDevice == 0:
		return 0, fmt.Errorf("%s is no block device", device)
	}
	wst, err := want.Stat()
	if err != nil {
		return 0, err
	}
	if os.SameFile(wst, st) {
		return 0, fmt.Errorf("%s is the image itself", device)
	}
	got, err := os.Open(device)
	if err != nil {
		return 0, err
	}
	defer got.Close()
	size, err := got.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", device, err)
	}
	if size < wst.Size() {
		return 0, fmt.Errorf("%s is too small: %d bytes, and the image has %d", device, size, wst.Size())
	}
	if _, err := got.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("%s: %w", device, err)
	}
	dropCache(got)
	return wst.Size(), compare(want, got, wst.Size(), device)
}

// compare reads n bytes of both and tells of the first that differ.
func compare(want, got io.Reader, n int64, device string) error {
	a, b := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < n; {
		k := min(n-at, int64(len(a)))
		if _, err := io.ReadFull(want, a[:k]); err != nil {
			return err
		}
		if _, err := io.ReadFull(got, b[:k]); err != nil {
			return fmt.Errorf("%s: at %d: %w", device, at, err)
		}
		if !bytes.Equal(a[:k], b[:k]) {
			i := int64(0)
			for a[i] == b[i] {
				i++
			}
			return fmt.Errorf("%s differs from the image at byte %d (%#x): %#02x in place of %#02x", device, at+i, at+i, b[i], a[i])
		}
		at += k
	}
	return nil
}
