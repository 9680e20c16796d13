package keymap

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mapsDir has the maps of the image.
const mapsDir = "../etc/keymaps"

// open reads a file that a map of mapsDir includes.
func open(name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(mapsDir, filepath.Base(name)))
	return string(b), err
}

func load(t *testing.T, name string) *Map {
	t.Helper()
	text, err := open(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(name, text, open)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mapFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(mapsDir, "*.map"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d maps in %s: %v", len(files), mapsDir, err)
	}
	return files
}

// Every map of the image is without errors, and nobody is locked in with it:
// all letters, figures and signs of ASCII can be typed, and the keys that end,
// scroll and switch are there.
func TestOurMaps(t *testing.T) {
	for _, f := range mapFiles(t) {
		t.Run(filepath.Base(f), func(t *testing.T) {
			m := load(t, filepath.Base(f))
			can := map[byte]bool{}
			for column, c := range m.Columns {
				if c == nil {
					continue
				}
				if column < 4 {
					for _, s := range c.Symbols {
						if s.kind() == kindLatin || s.kind() == kindLetter {
							can[s.value()] = true
						}
					}
				}
				for key, name := range map[int]string{29: "Control", 42: "Shift", 54: "Shift", 56: "Alt"} {
					if c.Symbols[key] != symbols[name] {
						t.Errorf("column %d: key %d is %#x, want %s everywhere", column, key, c.Symbols[key], name)
					}
				}
				if s := c.Symbols[100]; s != symbols["Alt"] && s != symbols["AltGr"] {
					t.Errorf("column %d: key 100 is %#x", column, s)
				}
			}
			for b := byte(0x20); b < 0x7f; b++ {
				if !can[b] {
					t.Errorf("%q cannot be typed", b)
				}
			}
			for b := byte('a'); b <= 'z'; b++ {
				if !has(m.Columns[4], symbol(kindLatin, b&0x1f)) {
					t.Errorf("Control_%c cannot be typed", b)
				}
				if !has(m.Columns[8], symbol(kindMeta, b)) {
					t.Errorf("Meta_%c cannot be typed", b)
				}
			}
			if m.Columns[12].Symbols[111] != symbols["Boot"] || m.Columns[8].Symbols[60] != symbols["Console_2"] {
				t.Error("no Ctrl-Alt-Del, or no Alt-F2")
			}
		})
	}
}

func has(c *Column, s Symbol) bool {
	for _, o := range c.Symbols {
		if o == s {
			return true
		}
	}
	return false
}

func TestParse(t *testing.T) {
	type want struct {
		column, key int
		symbol      string
	}
	for _, c := range []struct {
		name, text string
		want       []want
	}{
		{"letter alone", "keymaps 0-2,4-5,8,12\nkeycode 30 = a", []want{
			{0, 30, "a"}, {1, 30, "A"}, {2, 30, "a"}, {4, 30, "Control_a"}, {5, 30, "Control_a"}, {8, 30, "Meta_a"}, {12, 30, "Meta_Control_a"}}},
		{"other symbol alone", "keymaps 0-1,4\nkeycode 28 = Return", []want{{0, 28, "Return"}, {1, 28, "Return"}, {4, 28, "Return"}}},
		{"columns that are left out", "keymaps 0-2\nkeycode 2 = one exclam", []want{{0, 2, "one"}, {1, 2, "exclam"}, {2, 2, "VoidSymbol"}}},
		{"without keymaps", "keycode 2 = one exclam", []want{{0, 2, "one"}, {1, 2, "exclam"}}},
		{"one column", "keymaps 0-1\nkeycode 2 = one\nshift keycode 2 = at", []want{{0, 2, "one"}, {1, 2, "at"}}},
		{"one column first", "keymaps 0-1\nshift keycode 2 = at\nkeycode 2 = one", []want{{0, 2, "one"}, {1, 2, "at"}}},
		{"modifiers", "keymaps 0,12\nControl ALT keycode 0x53 = Boot", []want{{12, 83, "Boot"}}},
		{"alt is meta", "keymaps 0,8\nalt_is_meta\nkeycode 2 = one", []want{{8, 2, "Meta_one"}}},
		{"continued", "keymaps 0-1\nkeycode 2 = \\\n one \\\n exclam # and so on", []want{{0, 2, "one"}, {1, 2, "exclam"}}},
		{"numbers", "keymaps 0-2\nkeycode 02 = 0x61 0141 97", []want{{0, 2, "0x61"}, {1, 2, "0x61"}, {2, 2, "0x61"}}},
		{"caps lock", "keymaps 0\nkeycode 39 = +odiaeresis", []want{{0, 39, "0x0bf6"}}},
		{"unicode", "keymaps 0-1\nkeycode 18 = U+20ac U+00e9", []want{{0, 18, "0xd0ac"}, {1, 18, "eacute"}}},
		{"synonym", "keymaps 0\nkeycode 102 = Home", []want{{0, 102, "Find"}}},
		{"later line wins", "keymaps 0-1\nkeycode 2 = one exclam\nkeycode 2 = two", []want{{0, 2, "two"}}},
		{"include", "keymaps 0-1,4-5,8-9,12\ninclude \"pc.inc\"", []want{{0, 28, "Return"}, {12, 111, "Boot"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Parse("map", c.text, open)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range c.want {
				s, ok := parseSymbol(w.symbol)
				if !ok {
					t.Fatalf("%q is no symbol", w.symbol)
				}
				if c := m.Columns[w.column]; c == nil || c.Symbols[w.key] != s {
					t.Errorf("column %d, key %d: not %s (%#x): %#x", w.column, w.key, w.symbol, s, c.Symbols[w.key])
				}
			}
		})
	}
}

func TestStrings(t *testing.T) {
	m, err := Parse("map", `string F1 = "a\033[\\\"\n" # comment`+"\nstring F100 = \"!#\"\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Strings[0]; got != "a\x1b[\\\"\n" {
		t.Errorf("F1 is %q", got)
	}
	if got := m.Strings[109]; got != "!#" {
		t.Errorf("F100 is %q: %q", got, m.Strings)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"keycode 30 = nonsense", `map:1: no symbol is called "nonsense"`},
		{"\nkeycode 300 = a", `map:2: "300" is no key's number`},
		{"keycode 0 = a", `map:1: "0" is no key's number`},
		{"keycode a", "map:1: a key is"},
		{"keymaps 5-2", `map:1: "5-2" is no range`},
		{"keymaps 0-256", `map:1: "0-256" is no range`},
		{"string F1 = \"x", "map:1: a quote"},
		{`string F1 = "\777"`, "map:1: a \\"},
		{`string F1 = "\0"`, "map:1: the string"},
		{"string Up = \"x\"", `map:1: "Up" is no function key`},
		{"hyper keycode 2 = one", `map:1: "hyper" means nothing`},
		{"shift keycode 2 = one two", "map:1: one column has one symbol"},
		{"keymaps 0\nkeycode 2 = one two", "map:2: 2 symbols for 1 columns"},
		{"keymaps 0\naltgr keycode 2 = one", "map:2: column 2 is not"},
		{"keymaps 0\nkeycode 2 = U+f123", `map:2: no symbol is called "U+f123"`},
		{"include \"nowhere\"", "map:1: open ../etc/keymaps/nowhere"},
		{"include x", "map:1: include wants"},
	} {
		_, err := Parse("map", c.text, open)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
	_, err := Parse("loop", "include \"loop\"", func(string) (string, error) { return "include \"loop\"", nil })
	if err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("a file that includes itself: %v", err)
	}
}

// What our parser makes of our maps is what kbd's loadkeys makes of them, where
// that is installed.
func TestLikeLoadkeys(t *testing.T) {
	if _, err := exec.LookPath("loadkeys"); err != nil {
		t.Skip("no loadkeys here")
	}
	for _, f := range mapFiles(t) {
		full, err := filepath.Abs(f)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("loadkeys", "-u", "-b", full) // writes a file, loads nothing
		cmd.Dir = "/"
		theirs, err := cmd.Output()
		if err != nil {
			t.Fatalf("loadkeys %s: %v", f, err)
		}
		ours := load(t, filepath.Base(f)).Binary()
		if len(ours) != len(theirs) {
			t.Errorf("%s: %d bytes, loadkeys has %d", f, len(ours), len(theirs))
			continue
		}
		const head = 7 + Columns
		if string(ours[:head]) != string(theirs[:head]) {
			t.Errorf("%s: other columns than loadkeys has", f)
			continue
		}
		var columns []int
		for i := range Columns {
			if ours[7+i] != 0 {
				columns = append(columns, i)
			}
		}
		for i := head; i < len(ours); i += 2 {
			a, b := binary.LittleEndian.Uint16(ours[i:]), binary.LittleEndian.Uint16(theirs[i:])
			// Theirs has Latin-1 as Unicode, which is the same to a kernel.
			if b^0xf000 >= 0x80 && b^0xf000 < 0x100 {
				b ^= 0xf000
			}
			if a != b {
				n := (i - head) / 2
				t.Errorf("%s: column %d, key %d: %#04x, loadkeys has %#04x", f, columns[n/binaryKeys], n%binaryKeys, a, b)
			}
		}
	}
}

// FuzzParse: any text ends in a map whose symbols a kernel takes, or in errors;
// what is not wrong is not lost.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"us.map", "de.map", "pc.inc"} {
		text, err := open(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add("string F1 = \"\\033\\\"\\n\\\\\"\nkeycode 1 = \\\n U+20ac +a 0x0b61 !\n")
	f.Add("include \"x\"\nkeymaps 0-255\nstrings as usual\nalt_is_meta\nkeycode 255 = z")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("map", text, func(name string) (string, error) { return text, nil })
		if err != nil && len(err.(Errors)) == 0 {
			t.Fatal("an error without a line")
		}
		for column, c := range m.Columns {
			if c == nil {
				continue
			}
			for key, s := range c.Symbols {
				if !c.Set[key] && s != Void {
					t.Fatalf("column %d, key %d: %#x, and not set", column, key, s)
				}
			}
			if c.Set[0] {
				t.Fatal("key 0 is set")
			}
		}
		for _, s := range m.Strings {
			if len(s) > MaxString || strings.IndexByte(s, 0) >= 0 {
				t.Fatalf("a string of %d bytes: %q", len(s), s)
			}
		}
		const line = "\n\nkeymaps 0\nkeycode 200 = q\n"
		again, _ := Parse("map", text+line, func(name string) (string, error) { return "", nil })
		if len(text) < maxText/2 && !again.Columns[0].Set[200] {
			t.Fatal("the last line is lost")
		}
	})
}
