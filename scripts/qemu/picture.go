package qemu

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
)

// Picture is what the machine's screen shows now.
func (vm *VM) Picture() (*image.Paletted, error) {
	f, err := os.CreateTemp("", "screen-*.ppm")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := vm.execute(request{"screendump", map[string]any{"filename": f.Name()}}); err != nil {
		return nil, err
	}
	return decodePPM(f)
}

// decodePPM reads a picture in the form that QEMU's screendump writes: P6, the
// size, 255, and three bytes a pixel (ppm(5)).
func decodePPM(r io.Reader) (*image.Paletted, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	var width, height, depth int
	if _, err := fmt.Fscanf(in, "P6\n%d %d\n%d\n", &width, &height, &depth); err != nil {
		return nil, fmt.Errorf("PPM: %w", err)
	}
	if depth != 255 || width <= 0 || height <= 0 || width > 1<<14 || height > 1<<14 {
		return nil, fmt.Errorf("PPM: %d×%d, %d", width, height, depth)
	}
	data := make([]byte, 3*width*height)
	if _, err := io.ReadFull(in, data); err != nil {
		return nil, fmt.Errorf("PPM: %w", err)
	}
	p := image.NewPaletted(image.Rect(0, 0, width, height), nil)
	index := map[[3]byte]uint8{}
	var last [3]byte
	var at uint8
	for i := range p.Pix {
		c := [3]byte(data[3*i:])
		if c != last || i == 0 {
			n, ok := index[c]
			if !ok {
				if len(p.Palette) < 256 {
					n = uint8(len(p.Palette))
					p.Palette = append(p.Palette, color.RGBA{c[0], c[1], c[2], 255})
				} else { // a photograph: what is left over takes the nearest
					n = uint8(p.Palette.Index(color.RGBA{c[0], c[1], c[2], 255}))
				}
				index[c] = n
			}
			last, at = c, n
		}
		p.Pix[i] = at
	}
	return p, nil
}

// SavePNG writes a picture to a file, as small as PNG makes it.
func SavePNG(path string, p *image.Paletted) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(f, p); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
