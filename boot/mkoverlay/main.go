// Mkoverlay writes the overlay file (see "go help build", -overlay) with which
// TamaGo's packages build under the stock Go toolchain.
//
//	mkoverlay DIR > overlay.json
//
// DIR is boot/goroot.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mkoverlay:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: mkoverlay DIR")
	}
	dir, err := filepath.Abs(os.Args[1])
	if err != nil {
		return err
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	src := filepath.Join(strings.TrimSpace(string(out)), "src")
	replace := map[string]string{}
	for name, target := range map[string]string{
		"goos.go.txt":    "runtime/goos/goos.go",
		"runtime.go.txt": "runtime/tamago.go",
		"signal.go.txt":  "os/signal/tamago.go",
	} {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); err != nil {
			return err
		}
		target = filepath.Join(src, filepath.FromSlash(target))
		if _, err := os.Stat(target); err == nil {
			return fmt.Errorf("%s exists: this Go distribution is not a stock one", target)
		}
		replace[target] = file
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "\t")
	return e.Encode(map[string]any{"Replace": replace})
}
