package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"testing"
)

func TestManyFiles(t *testing.T) {
	a, err := manyFiles()
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := manyFiles(); !bytes.Equal(a, b) {
		t.Error("two archives differ")
	}
	z, err := gzip.NewReader(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			files++
		}
	}
	if files != 10000 {
		t.Errorf("%d files, want 10000", files)
	}
}
