package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestTableIsInOrder checks what the compiler does not: that each line of the
// table names the call whose number it has, and that the lines stand in the
// order of the numbers.
func TestTableIsInOrder(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	ast.Inspect(file, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, ok := kv.Key.(*ast.SelectorExpr)
		value, ok2 := kv.Value.(*ast.CompositeLit)
		if !ok || !ok2 || len(value.Elts) < 2 {
			return true
		}
		name := strings.Trim(value.Elts[0].(*ast.BasicLit).Value, `"`)
		if want := strings.ToLower(strings.TrimPrefix(key.Sel.Name, "SYS_")); name != want {
			t.Errorf("unix.%s is called %q", key.Sel.Name, name)
		}
		lines = append(lines, name)
		return false
	})
	n := 0
	for nr, e := range table {
		if (e.Name == "") != (e.Fn == nil) {
			t.Errorf("call %d is half there: %q", nr, e.Name)
		}
		if e.Name == "" {
			continue
		}
		if n >= len(lines) || lines[n] != e.Name {
			t.Fatalf("%s (%d) stands in the wrong place", e.Name, nr)
		}
		n++
	}
	if n != len(lines) || n < 200 {
		t.Errorf("%d calls in %d lines", n, len(lines))
	}
}

func TestUnknownCallsAreLoggedOnce(t *testing.T) {
	clear(unknown.seen) // of an earlier run (-count)
	before := len(unknown.seen)
	for range 3 {
		logUnknown(9999, "a")
		logUnknown(9999, "b")
	}
	if n := len(unknown.seen) - before; n != 2 {
		t.Errorf("%d notes of two programs' unknown call", n)
	}
	for i := range uint64(2 * maxUnknown) {
		logUnknown(10000+i, "hostile")
	}
	if n := len(unknown.seen); n > maxUnknown {
		t.Errorf("%d remembered", n)
	}
}
