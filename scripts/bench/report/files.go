package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tamarix/scripts/bench/measure"
)

// Files writes table.tsv, scaling.tsv and report.html into dir.
func Files(dir string, set *measure.Set) error {
	var b strings.Builder
	fmt.Fprintln(&b, "row\ttitle\tat most\tinstructions Linux\tinstructions Tamarix\tinstructions ratio\twall Linux\twall Tamarix\twall ratio\twall ratio low\twall ratio high\tverdict\tnote")
	for _, l := range Lines(set) {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%.2f\t%.2f\t%.4f\t%.2f\t%.2f\t%.4f\t%.4f\t%.4f\t%s\t%s\n", l.Name, l.Title, Target(l.Target),
			l.Instructions.Linux, l.Instructions.Tamarix, l.Instructions.Value,
			l.Wall.Linux, l.Wall.Tamarix, l.Wall.Value, l.Wall.Spread.Low, l.Wall.Spread.High, l.Verdict(), l.Note)
	}
	if err := write(dir, "table.tsv", b.String()); err != nil {
		return err
	}
	b.Reset()
	fmt.Fprintln(&b, "row\tcpus\tLinux ns\tTamarix ns\tLinux throughput\tTamarix throughput")
	for _, s := range Scales(set) {
		for i, cpus := range s.CPUs {
			fmt.Fprintf(&b, "%s\t%d\t%.2f\t%.2f\t%.3f\t%.3f\n", s.Name, cpus, s.LinuxTime[i], s.TamarixTime[i], s.Linux[i], s.Tamarix[i])
		}
	}
	if err := write(dir, "scaling.tsv", b.String()); err != nil {
		return err
	}
	page, err := HTML(set)
	if err != nil {
		return err
	}
	return write(dir, "report.html", page)
}

// write replaces NaN by nothing: a missing figure is an empty field.
func write(dir, name, content string) error {
	if strings.HasSuffix(name, ".tsv") {
		content = strings.ReplaceAll(content, "NaN", "")
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)
}
