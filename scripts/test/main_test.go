package main

import (
	"strings"
	"testing"
)

func TestAnchored(t *testing.T) {
	if got := anchored("TestGuest/smp2/mm.a+b"); got != `^TestGuest$/^smp2$/^mm\.a\+b$` {
		t.Errorf("got %s", got)
	}
}

func TestShow(t *testing.T) {
	var out strings.Builder
	show(&out, strings.NewReader("=== RUN   TestA\n=== RUN   TestA/b/c\n?   	x	[no test files]\n--- PASS: TestA\n"))
	if got := out.String(); got != "=== RUN   TestA\n--- PASS: TestA\n" {
		t.Errorf("got %q", got)
	}
}
