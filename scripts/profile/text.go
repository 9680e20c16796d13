package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// samples is what the kernel's text says, see package arch/profile.
type samples struct {
	heap                 bool // of allocations, not of time
	rate, ns, cpus, lost int64
	late                 string
	stacks               []stack
}

// stack is a line of it that stands for samples.
type stack struct {
	kind  string // "user", "kernel", "idle"
	count int64
	comm  string   // of a user stack
	words []uint64 // of a kernel stack: IP, two words on top of the stack, return addresses; of an allocation: return addresses
	heap  [4]int64 // of an allocation: objects and bytes allocated, objects and bytes free again
}

// parse finds the last complete profile in a text, which may be a whole log.
func parse(r io.Reader) (*samples, error) {
	var last, s *samples
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		f := strings.Fields(in.Text())
		if len(f) == 0 {
			continue
		}
		if f[0] == "tamarix-profile" || f[0] == "tamarix-heap" {
			if len(f) != 2 || f[1] != "1" {
				return nil, fmt.Errorf("line %d: %s: another format than this program reads", n, in.Text())
			}
			s = &samples{heap: f[0] == "tamarix-heap"}
			continue
		}
		if s == nil {
			continue
		}
		if f[0] == "end" {
			last, s = s, nil
			continue
		}
		if err := s.line(f); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n, in.Text(), err)
		}
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if last == nil {
		return nil, fmt.Errorf("no complete profile (tamarix-profile ... end) in it")
	}
	return last, nil
}

// line takes one line. Those that are none of a profile's are passed over: the
// kernel may have logged something in between.
func (s *samples) line(f []string) (err error) {
	number := func(p *int64) {
		if len(f) < 2 {
			err = fmt.Errorf("no number")
			return
		}
		*p, err = strconv.ParseInt(f[1], 10, 64)
	}
	switch f[0] {
	case "rate":
		number(&s.rate)
	case "ns":
		number(&s.ns)
	case "cpus":
		number(&s.cpus)
	case "lost":
		number(&s.lost)
	case "late":
		s.late = strings.Join(f[1:], " ")
	case "user", "kernel", "idle":
		k := stack{kind: f[0]}
		number(&k.count)
		if k.kind == "user" && len(f) > 2 {
			k.comm = f[2]
		}
		if k.kind == "kernel" && err == nil {
			k.words, err = addresses(f[2:])
		}
		s.stacks = append(s.stacks, k)
	case "alloc":
		k := stack{kind: f[0]}
		for i := range k.heap {
			if len(f) < 2 {
				return fmt.Errorf("no number")
			}
			number(&k.heap[i])
			f = f[1:]
		}
		if err == nil {
			k.words, err = addresses(f[1:])
		}
		s.stacks = append(s.stacks, k)
	}
	return err
}

func addresses(words []string) (list []uint64, err error) {
	for _, w := range words {
		v, err := strconv.ParseUint(w, 16, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
