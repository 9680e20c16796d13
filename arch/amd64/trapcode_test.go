//go:build !tamarix

package amd64

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kernelFile is the kernel with symbols, as "make kernel" leaves it.
const kernelFile = "../../out/tamarix.debug"

// What code in trap context may call of the Go runtime: things that move no
// stack, allocate nothing and know no write barrier. The prologue's morestack
// is never taken there, because the handlers' g has no stack bound; nor should
// a failed check be, which ends in a fault that is reported.
var trapMayCall = regexp.MustCompile(`^runtime\.(panic(Bounds|divide|shift|unsafeslice|unsafestring|mem)\w*|goPanic\w+|mem(move|clrNoHeapPointers|equal)\w*|duff(zero|copy)|morestack\w*|decoderune)`)

// The same for code that is pinned to its CPU on a goroutine's own stack: it
// must not grow it either.
var pinnedMayCall = regexp.MustCompile(`^runtime\.(panic(Bounds|divide|overflow|shift)\w*|mem(move|clrNoHeapPointers|equal)\w*|duff(zero|copy))`)

// TestTrapCode follows the calls of the kernel's trap handlers and of pinned
// code, in the machine code, and reports what must not be there.
func TestTrapCode(t *testing.T) {
	if _, err := os.Stat(kernelFile); err != nil {
		t.Skip("no kernel to look at: make kernel")
	}
	calls := callGraph(t)
	const pkg = "tamarix/arch/amd64."
	for _, c := range []struct {
		name  string
		roots []string
		stop  []string // ends of the machine: not followed
		may   *regexp.Regexp
	}{
		{"trap", []string{"trap", "nestedTrap", "fatalTrap", "apMain", "serialInterrupt", "reportFatal", "tamarix/arch/klog.Tail", "tamarix/dev/i8042.interrupt", "tamarix/dev/i8042.watch"}, nil, trapMayCall},
		{
			"pinned",
			[]string{"AllocFrame", "AllocZeroFrame", "AllocPages", "AllocPagesBelow", "Frame.Unref", "flushRange", "serveRequestsNoSplit", "sendIPIAnywhere", "lock", "unlock", "(*clockState).use"},
			[]string{"fatal"},
			pinnedMayCall,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := map[string]bool{}
			var follow func(name string, path []string)
			follow = func(name string, path []string) {
				if done[name] {
					return
				}
				done[name] = true
				path = append(slices.Clone(path), strings.TrimPrefix(name, pkg))
				for _, callee := range calls[name] {
					switch {
					case strings.HasPrefix(callee, "runtime.") || strings.HasPrefix(callee, "internal/"):
						if !c.may.MatchString(callee) {
							t.Errorf("%s calls %s", strings.Join(path, " > "), callee)
						}
					case !slices.Contains(c.stop, strings.TrimPrefix(callee, pkg)):
						follow(callee, path)
					}
				}
			}
			found := 0
			for _, r := range c.roots {
				if !strings.Contains(r, "/") {
					r = pkg + r
				}
				if _, ok := calls[r]; ok {
					found++
				}
				follow(r, nil)
			}
			if found < len(c.roots)/2 {
				t.Errorf("only %d of %d roots are in the kernel: have they been renamed?", found, len(c.roots))
			}
		})
	}
}

// callGraph disassembles the kernel's own packages and returns whom each
// function calls or jumps to.
func callGraph(t *testing.T) map[string][]string {
	cmd := exec.Command("go", "tool", "objdump", "-s", `^tamarix/`, kernelFile)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	calls := map[string][]string{}
	target := regexp.MustCompile(`\t(?:CALL|JMP) (\S+)\(SB\)`)
	name := ""
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		if rest, ok := strings.CutPrefix(line, "TEXT "); ok {
			name, _, _ = strings.Cut(rest, "(SB)")
			name = strings.TrimSuffix(name, ".abi0")
			calls[name] = append(calls[name], []string{}...)
		} else if m := target.FindStringSubmatch(line); m != nil {
			callee := strings.TrimSuffix(m[1], ".abi0")
			if callee != name && !slices.Contains(calls[name], callee) {
				calls[name] = append(calls[name], callee)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return calls
}
