package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"io"
	"sort"
)

// symbols tells what stands at the kernel's addresses.
type symbols struct {
	low, high uint64 // its code
	funcs     []function
	lines     []line
	frames    []frameRule
	code      []byte // from low on
}

// function is a function, and what is inlined into it.
type function struct {
	low, high uint64
	name      string
	inlined   []inlined // outer ones before what is inlined into them
}

// inlined is a call that the compiler has replaced by the function's body.
type inlined struct {
	ranges [][2]uint64
	name   string
	file   string // of the call
	line   int
}

// line says where the code from an address on comes from; no file: nowhere.
type line struct {
	addr uint64
	file string
	line int
}

// frame is a function at a line.
type frame struct {
	name, file string
	line       int
}

// readSymbols reads a kernel with its debugging information.
func readSymbols(path string) (*symbols, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &symbols{}
	text := f.Section(".text")
	if text == nil {
		return nil, fmt.Errorf("%s: no code", path)
	}
	s.low, s.high = text.Addr, text.Addr+text.Size
	if s.code, err = text.Data(); err != nil {
		return nil, err
	}
	d, err := f.DWARF()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.readUnits(d); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.readFrames(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.addUnknown(f)
	sort.Slice(s.funcs, func(i, j int) bool { return s.funcs[i].low < s.funcs[j].low })
	sort.SliceStable(s.lines, func(i, j int) bool { return s.lines[i].addr < s.lines[j].addr })
	return s, nil
}

// readUnits reads the functions and lines of all compilation units.
func (s *symbols) readUnits(d *dwarf.Data) error {
	names, err := functionNames(d)
	if err != nil {
		return err
	}
	r := d.Reader()
	var files []*dwarf.LineFile
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return err
		}
		switch e.Tag {
		case dwarf.TagCompileUnit:
			if files, err = s.readLines(d, e); err != nil {
				return err
			}
		case dwarf.TagSubprogram:
			ranges, err := d.Ranges(e)
			if err != nil {
				return err
			}
			if len(ranges) == 0 { // what is only ever inlined
				r.SkipChildren()
				continue
			}
			fn := function{low: ranges[0][0], high: ranges[0][1], name: nameOf(e, names)}
			if e.Children {
				if err := fn.readInlined(d, r, files, names); err != nil {
					return err
				}
			}
			s.funcs = append(s.funcs, fn)
		default:
			if e.Tag != 0 {
				r.SkipChildren()
			}
		}
	}
}

// functionNames returns the names of the functions that others refer to.
func functionNames(d *dwarf.Data) (map[dwarf.Offset]string, error) {
	names := map[dwarf.Offset]string{}
	r := d.Reader()
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return names, err
		}
		if e.Tag == dwarf.TagSubprogram {
			if name, ok := e.Val(dwarf.AttrName).(string); ok {
				names[e.Offset] = name
			}
		}
		if e.Tag != dwarf.TagCompileUnit && e.Tag != 0 {
			r.SkipChildren()
		}
	}
}

// nameOf returns a function's name, which may stand with its abstract origin.
func nameOf(e *dwarf.Entry, names map[dwarf.Offset]string) string {
	if name, ok := e.Val(dwarf.AttrName).(string); ok {
		return name
	}
	if at, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset); ok {
		return names[at]
	}
	return "?"
}

// readInlined reads what is below a function: variables, blocks, inlined calls.
func (fn *function) readInlined(d *dwarf.Data, r *dwarf.Reader, files []*dwarf.LineFile, names map[dwarf.Offset]string) error {
	for depth := 1; depth > 0; {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if e == nil {
			return io.ErrUnexpectedEOF
		}
		if e.Tag == 0 {
			depth--
			continue
		}
		if e.Tag == dwarf.TagInlinedSubroutine {
			ranges, err := d.Ranges(e)
			if err != nil {
				return err
			}
			in := inlined{ranges: ranges, name: nameOf(e, names)}
			if i, ok := e.Val(dwarf.AttrCallFile).(int64); ok && int(i) < len(files) && files[i] != nil {
				in.file = files[i].Name
			}
			if n, ok := e.Val(dwarf.AttrCallLine).(int64); ok {
				in.line = int(n)
			}
			fn.inlined = append(fn.inlined, in)
		}
		if e.Children {
			depth++
		}
	}
	return nil
}

// readLines reads the line table of a compilation unit.
func (s *symbols) readLines(d *dwarf.Data, unit *dwarf.Entry) ([]*dwarf.LineFile, error) {
	r, err := d.LineReader(unit)
	if err != nil || r == nil {
		return nil, err
	}
	var e dwarf.LineEntry
	for {
		if err := r.Next(&e); err == io.EOF {
			return r.Files(), nil
		} else if err != nil {
			return nil, err
		}
		l := line{addr: e.Address}
		if !e.EndSequence && e.File != nil {
			l.file, l.line = e.File.Name, e.Line
		}
		s.lines = append(s.lines, l)
	}
}

// addUnknown adds the functions of the symbol table that DWARF does not have.
func (s *symbols) addUnknown(f *elf.File) {
	known := map[uint64]bool{}
	for i := range s.funcs {
		known[s.funcs[i].low] = true
	}
	list, _ := f.Symbols()
	for _, y := range list {
		if elf.ST_TYPE(y.Info) == elf.STT_FUNC && y.Size > 0 && !known[y.Value] {
			s.funcs = append(s.funcs, function{low: y.Value, high: y.Value + y.Size, name: y.Name})
		}
	}
}

// find returns the function that pc lies in, nil if it lies in none.
func (s *symbols) find(pc uint64) *function {
	i := sort.Search(len(s.funcs), func(i int) bool { return s.funcs[i].low > pc }) - 1
	if i < 0 || pc >= s.funcs[i].high {
		return nil
	}
	return &s.funcs[i]
}

// at returns the frames at pc: the innermost inlined call first, the function
// that has the code last. It is empty where there is no code.
func (s *symbols) at(pc uint64) []frame {
	fn := s.find(pc)
	if fn == nil {
		return nil
	}
	var here line
	if i := sort.Search(len(s.lines), func(i int) bool { return s.lines[i].addr > pc }) - 1; i >= 0 {
		here = s.lines[i]
	}
	chain := []frame{{name: fn.name}}
	for i := range fn.inlined {
		in := &fn.inlined[i]
		for _, r := range in.ranges {
			if pc >= r[0] && pc < r[1] {
				outer := &chain[len(chain)-1]
				outer.file, outer.line = in.file, in.line
				chain = append(chain, frame{name: in.name})
				break
			}
		}
	}
	inner := &chain[len(chain)-1]
	inner.file, inner.line = here.file, here.line
	for i, j := 0, len(chain)-1; i < j; i, j = i+1, j-1 {
		chain[i], chain[j] = chain[j], chain[i]
	}
	return chain
}
