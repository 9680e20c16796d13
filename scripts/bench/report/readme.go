package report

import (
	"fmt"
	"os"
	"strings"

	"tamarix/scripts/bench/measure"
)

// The README's table stands between these lines.
const (
	readmeBegin = "<!-- make bench README=1 writes what follows -->"
	readmeEnd   = "<!-- up to here -->"
)

// UpdateReadme writes the table into the README, between its two marks.
func UpdateReadme(file string, set *measure.Set) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := replaceTable(string(b), readmeTable(set))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// replaceTable puts table between the marks of text.
func replaceTable(text, table string) (string, error) {
	before, rest, ok := strings.Cut(text, readmeBegin)
	_, after, ok2 := strings.Cut(rest, readmeEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("no lines %q and %q", readmeBegin, readmeEnd)
	}
	return before + readmeBegin + "\n\n" + table + "\n" + readmeEnd + after, nil
}

// readmeTable is the table in Markdown, with what it needs to be understood.
func readmeTable(set *measure.Set) string {
	var b strings.Builder
	lines := Lines(set)
	met, all := Count(lines)
	date, _, _ := strings.Cut(set.Fact("Date"), " ")
	fmt.Fprintf(&b, "Measured on %s at commit %s, against %s (Debian's) in the same QEMU %s, software emulation,\n"+
		"one CPU, on a host with %s. Wall times are medians over %s boots of each kernel, in turn.\n"+
		"%d of %d targets are met; a figure in **bold** misses its own.\n",
		date, set.Fact("Commit"), linuxVersion(set), qemuVersion(set), strings.TrimSpace(set.Fact("Host CPU")), set.Fact("Boots for wall time"), met, all)
	if void := set.Void(); len(void) > 0 {
		fmt.Fprintf(&b, "\n**This run is void:** %s.\n", strings.Join(void, "; "))
	}
	b.WriteString("\n| | instructions: Linux | Tamarix | ratio | time: Linux | Tamarix | ratio | at most |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, l := range lines {
		if l.Group == "" {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", l.Title,
			empty(Instructions(l.Instructions.Linux)), empty(Instructions(l.Instructions.Tamarix)),
			bold(l.Factor(l.Instructions), !l.HasInstructions || l.MetInstructions()),
			empty(Amount(l.Name, l.Wall.Linux)), empty(Amount(l.Name, l.Wall.Tamarix)),
			bold(l.Factor(l.Wall), !l.HasWall || l.MetWall()), Target(l.Target))
	}
	if scales := Scales(set); len(scales) > 0 {
		fmt.Fprintf(&b, "\nFour processes at once, throughput on several CPUs, one CPU being 1 (the host has %s cores):\n\n"+
			"| | Linux, 2 CPUs | 4 CPUs | Tamarix, 2 CPUs | 4 CPUs |\n|---|--:|--:|--:|--:|\n", set.Fact("Host cores"))
		for _, s := range scales {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", s.Title, Factor(s.Linux[1]), Factor(s.Linux[2]), Factor(s.Tamarix[1]), Factor(s.Tamarix[2]))
		}
		if why := Uneven(scales); why != "" {
			fmt.Fprintf(&b, "\n%s\n", why)
		}
	}
	return b.String()
}

// empty leaves out the sign for a missing figure.
func empty(s string) string { return strings.TrimPrefix(s, "–") }

func bold(s string, met bool) string {
	s = empty(s)
	if met || s == "" {
		return s
	}
	return "**" + s + "**"
}

// qemuVersion is the number alone.
func qemuVersion(set *measure.Set) string {
	v, _, _ := strings.Cut(set.Fact("QEMU"), " ")
	return v
}
