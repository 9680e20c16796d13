package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// builder makes a pprof profile; functions and locations are made once.
type builder struct {
	symbols   *symbols
	sources   *sources
	profile   *profile.Profile
	kernel    *profile.Mapping
	functions map[[2]string]*profile.Function // by name and file
	places    map[uint64]*profile.Location    // by address
	named     map[string]*profile.Location    // user, idle
}

// convert makes a pprof profile of s.
func convert(s *samples, y *symbols, kernel string, src *sources) *profile.Profile {
	if abs, err := filepath.Abs(kernel); err == nil {
		kernel = abs
	}
	period := 1_000_000_000 / max(1, s.rate)
	b := &builder{
		symbols: y,
		sources: src,
		kernel: &profile.Mapping{
			ID: 1, Start: y.low, Limit: y.high, File: kernel,
			HasFunctions: true, HasFilenames: true, HasLineNumbers: true, HasInlineFrames: true,
		},
		functions: map[[2]string]*profile.Function{},
		places:    map[uint64]*profile.Location{},
		named:     map[string]*profile.Location{},
	}
	b.profile = &profile.Profile{
		SampleType:        []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		DefaultSampleType: "cpu",
		PeriodType:        &profile.ValueType{Type: "cpu", Unit: "nanoseconds"},
		Period:            period,
		TimeNanos:         time.Now().UnixNano(),
		DurationNanos:     s.ns,
		Mapping:           []*profile.Mapping{b.kernel},
		Comments: []string{
			fmt.Sprintf("Tamarix kernel, %d CPU(s), %d samples a second each; lost: %d", s.cpus, s.rate, s.lost),
			"mean delay of the samples in ns: " + s.late,
		},
	}
	if s.heap {
		b.heap(s)
		return b.profile
	}
	for _, k := range s.stacks {
		sample := &profile.Sample{Value: []int64{k.count, k.count * period}}
		switch k.kind {
		case "user":
			if k.comm != "" {
				sample.Location = append(sample.Location, b.name("user:"+k.comm))
				sample.Label = map[string][]string{"program": {k.comm}}
			}
			sample.Location = append(sample.Location, b.name("user"))
		case "kernel":
			for i, pc := range y.chain(k.words) {
				if i > 0 && y.find(pc) == nil {
					continue // no return address, though it looked like one
				}
				sample.Location = append(sample.Location, b.location(pc))
			}
			if len(sample.Location) == 0 {
				sample.Location = append(sample.Location, b.name("kernel: stack not kept"))
			}
		default:
			sample.Location = append(sample.Location, b.name(k.kind))
		}
		b.profile.Sample = append(b.profile.Sample, sample)
	}
	return b.profile
}

// heap makes the profile one of allocations. The runtime has noted inlined calls
// as calls: of each address, only the innermost frame counts.
func (b *builder) heap(s *samples) {
	p := b.profile
	p.SampleType = []*profile.ValueType{
		{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"},
		{Type: "inuse_objects", Unit: "count"}, {Type: "inuse_space", Unit: "bytes"},
	}
	p.DefaultSampleType = "alloc_space"
	p.PeriodType, p.Period = &profile.ValueType{Type: "space", Unit: "bytes"}, s.rate
	p.Comments = p.Comments[:0]
	for _, k := range s.stacks {
		h := k.heap
		if s.rate > 1 && h[0] > 0 {
			// What was noted stands for what was not: an object is noted with
			// probability 1 - exp(-size/rate).
			size := float64(h[1]) / float64(h[0])
			scale := 1 / (1 - math.Exp(-size/float64(s.rate)))
			for i := range h {
				h[i] = int64(float64(h[i]) * scale)
			}
		}
		sample := &profile.Sample{Value: []int64{h[0], h[1], h[0] - h[2], h[1] - h[3]}}
		if len(k.words) == 0 {
			continue
		}
		for _, ret := range k.words {
			l := b.location(ret - 1)
			l.Line = l.Line[:min(1, len(l.Line))]
			if len(sample.Location) == 0 && len(l.Line) > 0 && strings.HasPrefix(l.Line[0].Function.Name, "runtime.") {
				continue // how it allocates: of no interest
			}
			sample.Location = append(sample.Location, l)
		}
		p.Sample = append(p.Sample, sample)
	}
}

// name returns the place of what is no code of the kernel's.
func (b *builder) name(n string) *profile.Location {
	l := b.named[n]
	if l == nil {
		l = &profile.Location{Line: []profile.Line{{Function: b.function(frame{name: n})}}}
		b.named[n] = l
		b.add(l)
	}
	return l
}

// location returns the place of an address.
func (b *builder) location(pc uint64) *profile.Location {
	l := b.places[pc]
	if l != nil {
		return l
	}
	l = &profile.Location{Address: pc, Mapping: b.kernel}
	for _, f := range b.symbols.at(pc) {
		l.Line = append(l.Line, profile.Line{Function: b.function(f), Line: int64(f.line)})
	}
	b.places[pc] = l
	b.add(l)
	return l
}

func (b *builder) add(l *profile.Location) {
	b.profile.Location = append(b.profile.Location, l)
	l.ID = uint64(len(b.profile.Location))
}

func (b *builder) function(f frame) *profile.Function {
	key := [2]string{f.name, f.file}
	fn := b.functions[key]
	if fn == nil {
		fn = &profile.Function{Name: f.name, SystemName: f.name, Filename: b.sources.find(f.file)}
		b.functions[key] = fn
		b.profile.Function = append(b.profile.Function, fn)
		fn.ID = uint64(len(b.profile.Function))
	}
	return fn
}

// sources knows where the files are that the kernel, built with -trimpath, names
// by their packages.
type sources struct {
	root, goroot, modules string
	found                 map[string]string
}

// find returns where a source file is, or its name as it was if it is nowhere.
func (s *sources) find(name string) string {
	if path, ok := s.found[name]; ok || name == "" {
		return path
	}
	path := name
	candidates := []string{filepath.Join(s.goroot, "src", name), filepath.Join(s.modules, name)}
	if rest, ok := strings.CutPrefix(name, "tamarix/"); ok {
		candidates = []string{filepath.Join(s.root, rest)}
	}
	for _, c := range candidates {
		if _, err := os.Stat(c); err == nil {
			path = c
			break
		}
	}
	s.found[name] = path
	return path
}
