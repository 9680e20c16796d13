package main

import (
	"io"
	"slices"
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

func TestShowReturnsFailures(t *testing.T) {
	fails := "=== RUN   TestB\n=== RUN   TestB/c\n    b_test.go:1: why\n--- FAIL: TestB\n    --- FAIL: TestB/c\n"
	in := "=== RUN   TestA\n--- PASS: TestA\n" + fails + "=== RUN   TestD\n--- PASS: TestD\nFAIL\n"
	if got := strings.Join(show(io.Discard, strings.NewReader(in)), "\n") + "\n"; got != fails {
		t.Errorf("got %q", got)
	}
	for _, why := range []string{"--- FAIL: TestC\n    c_test.go:1: why\nFAIL\n", "panic: why\n"} { // without -v
		fails := why + "FAIL\ttamarix/b\t0.1s\n"
		in := "ok  \ttamarix/a\t0.1s\n" + fails + strings.Repeat("ok  \ttamarix/c\t0.1s\n", 2*told)
		if got := strings.Join(show(io.Discard, strings.NewReader(in)), "\n") + "\n"; got != fails {
			t.Errorf("got %q", got)
		}
	}
	long := "=== RUN   TestA\n" + strings.Repeat("x\n", 2*told) + "--- FAIL: TestA\n"
	if got := show(io.Discard, strings.NewReader(long)); len(got) != told || got[told-1] != "--- FAIL: TestA" {
		t.Errorf("got %q", got)
	}
}

func TestFuzzTests(t *testing.T) {
	got := fuzzTests([]byte("FuzzA\nFuzzB\nok  \ttamarix/x\t0.1s\n?   \ttamarix/y\t[no test files]\nok  \ttamarix/z\t0.1s\nFuzzA\nok  \ttamarix/w\t(cached)\n"))
	want := []fuzzTest{{"tamarix/x", "FuzzA"}, {"tamarix/x", "FuzzB"}, {"tamarix/w", "FuzzA"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := lastCount([]byte("fuzz: elapsed: 3s, execs: 1\nfuzz: elapsed: 6s, execs: 2\nPASS\n")); got != "fuzz: elapsed: 6s, execs: 2" {
		t.Errorf("got %q", got)
	}
}
