package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tamarix/scripts/bench/measure"
)

// Text writes the tables for a terminal.
func Text(w io.Writer, set *measure.Set) error {
	var b strings.Builder
	void := set.Void()
	warn(&b, void)
	lines := Lines(set)
	n := set.Fact("Boots for wall time")
	fmt.Fprintf(&b, "\n%s and Tamarix (%s) in QEMU %s, %s.\nWall time: medians over the boots, in turn, %s of each kernel; spread: least and greatest ratio of two boots in turn.\n\n",
		linuxVersion(set), set.Fact("Commit"), set.Fact("QEMU"), set.Fact("Date"), n)
	rows := [][]string{{"", "instructions:", "", "", "wall time:", "", "", "", "", ""},
		{"", "Linux", "Tamarix", "ratio", "Linux", "Tamarix", "ratio", "spread", "at most", ""}}
	group := ""
	for _, l := range lines {
		if l.Group != group {
			group = l.Group
			rows = append(rows, nil)
		}
		r := []string{l.Title, Instructions(l.Instructions.Linux), Instructions(l.Instructions.Tamarix), l.Factor(l.Instructions),
			Amount(l.Name, l.Wall.Linux), Amount(l.Name, l.Wall.Tamarix), l.Factor(l.Wall), Spread(l.Wall),
			Target(l.Target), l.Verdict()}
		if l.Note != "" {
			r[9] = strings.TrimSpace(r[9] + "  " + l.Note)
		}
		rows = append(rows, r)
	}
	align(&b, rows)
	met, all := Count(lines)
	fmt.Fprintf(&b, "\n%d of %d targets are met.\n", met, all)

	if scales := Scales(set); len(scales) > 0 {
		fmt.Fprintf(&b, "\nFour processes: what they get done, one CPU being 1 (the host has %s cores)\n\n", set.Fact("Host cores"))
		rows := [][]string{{"", "Linux 2 CPUs", "4 CPUs", "Tamarix 2 CPUs", "4 CPUs", ""}}
		for _, s := range scales {
			rows = append(rows, []string{s.Title, Factor(s.Linux[1]), Factor(s.Linux[2]), Factor(s.Tamarix[1]), Factor(s.Tamarix[2]), s.Verdict()})
		}
		align(&b, rows)
		if why := Uneven(scales); why != "" {
			fmt.Fprintf(&b, "\n%s\n", why)
		}
	}
	warn(&b, void)
	_, err := io.WriteString(w, b.String())
	return err
}

// Verdict puts NoWorse into words.
func (s Scale) Verdict() string {
	switch {
	case s.Control():
		return ""
	case s.NoWorse():
		return "no worse than Linux"
	}
	return "worse than Linux"
}

// warn says loudly that a run is void.
func warn(b *strings.Builder, void []string) {
	if len(void) == 0 {
		return
	}
	bar := strings.Repeat("!", 78)
	fmt.Fprintf(b, "\n%s\nTHIS RUN IS VOID: the machine was not the same for both kernels.\n", bar)
	for _, why := range void {
		fmt.Fprintf(b, "  %s\n", why)
	}
	fmt.Fprintf(b, "Measure again on a host that does nothing else.\n%s\n", bar)
}

// align writes columns: the first and the last flush left, the others right.
func align(b *strings.Builder, rows [][]string) {
	var width []int
	for _, r := range rows {
		for i, c := range r {
			if i >= len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, c := range r {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			switch {
			case i == 0:
				line.WriteString(c + pad)
			case i == len(r)-1:
				line.WriteString("  " + c)
			default:
				line.WriteString("  " + pad + c)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// linuxVersion is the Linux kernel's name and version without its builder's.
func linuxVersion(set *measure.Set) string {
	v, _, _ := strings.Cut(set.Fact("Linux"), " ")
	return strings.TrimSpace("Linux " + v)
}
