package loadkeys

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tamarix/initramfs/keymap"
)

// Where maps are looked for by name.
var (
	dirs = []string{
		"/etc/keymaps", "/usr/share/keymaps", "/usr/share/kbd/keymaps", "/usr/lib/kbd/keymaps",
	}
	commandLine = "/proc/cmdline"
	configured  = "/etc/keymap"
)

// options are the command's.
type options struct {
	quiet, binary, parse, boot bool
	device                     string
	maps                       []string
}

func parseOptions(args []string) (o options, err error) {
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		switch a {
		case "-q", "--quiet":
			o.quiet = true
		case "-b", "--bkeymap":
			o.binary = true
		case "-p", "--parse":
			o.parse = true
		case "-u", "--unicode": // it always is
		case "--boot":
			o.boot = true
		case "-C", "--console":
			if len(args) == 0 {
				return o, errors.New("-C wants a device")
			}
			o.device, args = args[0], args[1:]
		default:
			if len(a) > 1 && a[0] == '-' {
				return o, fmt.Errorf("%s: no such option", a)
			}
			o.maps = append(o.maps, a)
		}
	}
	if len(o.maps) == 0 && !o.boot {
		return o, errors.New("which map?")
	}
	return o, nil
}

// Main runs the command and returns its exit status.
func Main(args []string) int {
	o, err := parseOptions(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "loadkeys: %v\nusage: loadkeys [-q] [-C device] [-b | -p] map... | --boot\n", err)
		return 2
	}
	if o.boot {
		name := bootMap()
		if name == "" {
			return 0
		}
		o.maps = append(o.maps, name)
	}
	status := 0
	for _, name := range o.maps {
		if err := run(&o, name); err != nil {
			fmt.Fprintf(os.Stderr, "loadkeys: %v\n", err)
			status = 1
		}
	}
	return status
}

// bootMap returns the name of the map to load when the system starts; "": none.
func bootMap() string {
	line, _ := os.ReadFile(commandLine)
	for _, w := range strings.Fields(string(line)) {
		if name, ok := strings.CutPrefix(w, "keymap="); ok {
			return name
		}
	}
	text, _ := os.ReadFile(configured)
	for l := range strings.Lines(string(text)) {
		l, _, _ = strings.Cut(l, "#")
		if f := strings.Fields(l); len(f) > 0 {
			return f[0]
		}
	}
	return ""
}

// run does what is wanted with one map. A map with mistakes is not loaded.
func run(o *options, name string) error {
	m, err := read(name)
	if err != nil {
		return err
	}
	switch {
	case o.parse:
		return nil
	case o.binary:
		_, err := os.Stdout.Write(m.Binary())
		return err
	}
	tty, err := openTerminal(o.device)
	if err != nil {
		return err
	}
	defer tty.Close()
	if !o.quiet && !o.boot {
		fmt.Printf("Loading %s\n", name)
	}
	return load(tty, m)
}

// read finds and reads a map.
func read(name string) (*keymap.Map, error) {
	if name == "-" {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, err
		}
		return parse(name, "", string(text))
	}
	path, err := find(name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, filepath.Dir(path), string(text))
}

// parse reads a text and what it includes, which is looked for in dir and in an
// "include" beside or above it, as distributions arrange their maps.
func parse(name, dir, text string) (*keymap.Map, error) {
	return keymap.Parse(name, text, func(include string) (string, error) {
		for _, d := range []string{dir, filepath.Join(dir, "include"), filepath.Join(dir, "..", "include")} {
			for _, suffix := range []string{"", ".inc", ".map"} {
				if b, err := os.ReadFile(filepath.Join(d, include+suffix)); err == nil {
					return string(b), nil
				}
			}
		}
		return "", fmt.Errorf("%s: not found", include)
	})
}

// find returns the file that a map's name stands for.
func find(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
		return name, nil
	}
	for _, d := range dirs {
		found := ""
		filepath.WalkDir(d, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() && (e.Name() == name+".map" || e.Name() == name) {
				found = path
				return filepath.SkipAll
			}
			return nil
		})
		if found != "" {
			return found, nil
		}
	}
	return "", fmt.Errorf("no keyboard map is called %q", name)
}
