package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A fuzzTest is a fuzz test of a package.
type fuzzTest struct{ pkg, name string }

// fuzz runs each fuzz test whose package or name holds the given text for as long as
// is said. What a test finds it leaves below its package's testdata, as go test
// does, so that go test tries it from then on.
func fuzz(each time.Duration, text string) error {
	out, err := exec.Command("go", "test", "-list", "^Fuzz", "./...").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test -list: %w\n%s", err, out)
	}
	var chosen []fuzzTest
	for _, t := range fuzzTests(out) {
		if strings.Contains(t.pkg+"."+t.name, text) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no fuzz test is called %q", text)
	}
	fmt.Printf("%d fuzz tests, %v in all\n", len(chosen), each*time.Duration(len(chosen)))
	var errs []error
	for i, t := range chosen {
		fmt.Printf("%d/%d %s.%s ...\n", i+1, len(chosen), t.pkg, t.name)
		out, err := exec.Command("go", "test", t.pkg, "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+each.String()).CombinedOutput()
		if err != nil {
			os.Stdout.Write(out)
			errs = append(errs, fmt.Errorf("%s.%s: %w", t.pkg, t.name, err))
			continue
		}
		fmt.Println("   ", lastCount(out))
	}
	return errors.Join(errs...)
}

// fuzzTests reads what go test -list prints: the names of a package's tests, and
// then its own.
func fuzzTests(out []byte) (list []fuzzTest) {
	var names []string
	for in := bufio.NewScanner(bytes.NewReader(out)); in.Scan(); {
		switch f := strings.Fields(in.Text()); {
		case len(f) == 1 && strings.HasPrefix(f[0], "Fuzz"):
			names = append(names, f[0])
		case len(f) > 1 && f[0] == "ok":
			for _, n := range names {
				list = append(list, fuzzTest{f[1], n})
			}
			names = nil
		}
	}
	return list
}

// lastCount returns the last of go test's lines that say how much has been tried.
func lastCount(out []byte) (last string) {
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "fuzz: elapsed") {
			last = strings.TrimSpace(line)
		}
	}
	return last
}
