// Genfont makes the font of package screen: glyphs.bin and ranges.go, in the
// current directory.
//
// Letters are those of Go Mono and Go Mono Bold, drawn once and for all at the
// size of a cell: the kernel needs them before it could draw outlines. What must
// join with its neighbours without a gap, line drawing and blocks, is drawn
// here, pixel by pixel.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"tamarix/arch/screen/genfont/font"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("genfont: ")
	dir := flag.String("o", ".", "where to write the files")
	flag.Parse()
	f, err := font.Make()
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range map[string][]byte{"glyphs.bin": f.Glyphs, "ranges.go": f.Ranges} {
		if err := os.WriteFile(filepath.Join(*dir, name), content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%d characters, %d of them in bold too, %d bytes\n", f.Count, f.Bold, len(f.Glyphs))
}
