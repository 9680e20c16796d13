//go:build tamarix

package amd64

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"tamarix/arch/screen"
	"tamarix/boot/info"
)

// The screen has three users, one after the other: the start, which prints on it
// as on a teletype (earlyPrint); whoever calls Screen, which is the virtual
// terminals; and, should it come to that, the report of what ended the machine
// (emergency.go). Each has a display of its own on the same memory, so that none
// finds the other's state half changed.

// console is the screen as the start and the emergency use it: without a heap, a
// lock, a goroutine.
var console struct {
	out     screen.Output // what there is; set by ScreenInit and screenMap
	fb      screen.Framebuffer
	vga     screen.VGA
	probed  bool   // no loader told of it
	problem string // why what the loader told of cannot be used
	printer screen.Printer
	printed uint32 // the printer has been started; atomic
	busy    uint32 // somebody prints; atomic
}

// The state of the hand-over; atomic.
var (
	screenHanded uint32 // Screen has been called: the start prints no more
	screenTaken  uint32 // for the report: others draw no more
	screenDraws  uint32 // a machineScreen is drawing
)

var vgaPorts = screen.Ports{In: inb, Out: outb}

// ScreenInit finds the screen that the loader left. base is where the physical
// address 0 is mapped; what is not mapped from there, reach bytes long, is not
// used until screenMap. It runs before there is anything, and needs nothing.
func ScreenInit(b *info.Boot, base uintptr, reach uint64) {
	symbolsInit()
	f := &b.Framebuffer
	switch f.Kind {
	case info.RGB:
		reach = min(reach, physicalLimit())
		if n := f.Size(); n <= reach && f.Address <= reach-n {
			framebufferInit(f, unsafe.Pointer(base+uintptr(f.Address)))
		}
	case info.EGAText:
		if f.Address == screen.VGATextAddress && console.vga.Init(vgaPorts, vgaMemory(base), int(f.Width), int(f.Height)) {
			console.out.VGA = &console.vga
		} else {
			console.problem = "a text mode that is not VGA's"
		}
	case info.Indexed:
		console.problem = "its pixels are numbers of a palette"
	case info.NoFramebuffer:
		if console.vga.Probe(vgaPorts, vgaMemory(base)) {
			console.out.VGA = &console.vga
			console.probed = true
		}
	}
	useConsole()
}

// useConsole makes those that draw without a terminal draw on the console.
func useConsole() {
	console.printer.Use(console.out)
	emergency.report.Use(console.out)
}

func vgaMemory(base uintptr) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(base+screen.VGATextAddress)), screen.VGATextSize)
}

// framebufferInit makes the console draw on a framebuffer that is mapped at p.
func framebufferInit(f *info.Framebuffer, p unsafe.Pointer) {
	switch err := console.fb.Init(screenLayout(f), unsafe.Slice((*byte)(p), f.Size())).(type) {
	case nil:
		console.out.Framebuffer = &console.fb
	case screen.Error:
		console.problem = string(err)
	}
}

func screenLayout(f *info.Framebuffer) screen.Layout {
	return screen.Layout{
		Width: int(f.Width), Height: int(f.Height), Pitch: int(f.Pitch), BitsPerPixel: int(f.BitsPerPixel),
		Red:   screen.Field{Pos: f.RedPos, Size: f.RedSize},
		Green: screen.Field{Pos: f.GreenPos, Size: f.GreenSize},
		Blue:  screen.Field{Pos: f.BluePos, Size: f.BlueSize},
	}
}

// screenMemory is where the framebuffer is mapped for good; nil: there is none.
// Set once at boot.
var screenMemory unsafe.Pointer

// screenMap maps the framebuffer for good, write-combining, wherever in the
// physical address space it lies. The page attributes have been set up.
func screenMap(b *info.Boot) {
	f := &b.Framebuffer
	if f.Kind != info.RGB {
		return
	}
	if limit := physicalLimit(); f.Size() > limit || f.Address > limit-f.Size() {
		console.problem = "it lies beyond the CPU's physical addresses"
		return
	}
	va := mapWindow(f.Address, f.Size(), pteWriteCombining)
	if va == 0 {
		console.problem = "no memory to map it"
		return
	}
	unmapDirect(f.Address, f.Address+f.Size())
	screenMemory = unsafe.Pointer(va)
	// The same cells at another address: what has been printed stays.
	framebufferInit(f, screenMemory)
	useConsole()
}

// unmapDirect takes device memory, which the start reached through the direct
// map, out of it: one kind of mapping for a page is enough.
func unmapDirect(start, end uint64) {
	const large = 2 << 20
	for pa := start &^ (large - 1); pa < end; pa += large {
		if pa >= info.MaxMemory {
			return
		}
		va := directMapBase + pa
		t := kernelRoot
		var p *PTE
		for _, shift := range [...]uint{39, 30, 21} {
			p = entry(t, va, shift)
			e := LoadPTE(p)
			if !e.Present() || e&pteLarge != 0 && shift != 21 {
				p = nil
				break
			}
			t = e.Frame()
		}
		// Ordinary memory is mapped cached, and nothing of it goes.
		if p != nil && LoadPTE(p)&(pteLarge|pteNoCache) == pteLarge|pteNoCache {
			StorePTE(p, 0)
			invlpg(va)
		}
	}
}

// EarlyPrint writes to the first serial port and, while it is not a terminal's,
// to the screen. Before ScreenInit it writes to the serial port only. It needs
// nothing else and works in any context.
func EarlyPrint(s string) { earlyPrint(s) }

// screenPrint shows s on the screen, as long as nobody else does, and keeps it.
func screenPrint(s string) {
	if !console.out.Exists() || atomic.LoadUint32(&screenHanded)|atomic.LoadUint32(&screenTaken) != 0 {
		return
	}
	// Two CPUs at once: each waits a little for the other, not for ever.
	for n := 0; !atomic.CompareAndSwapUint32(&console.busy, 0, 1); n++ {
		if n == 1<<20 {
			return
		}
		pause()
	}
	if atomic.CompareAndSwapUint32(&console.printed, 0, 1) {
		console.printer.Start()
	}
	console.printer.Write(s)
	atomic.StoreUint32(&console.busy, 0)
}

// machineScreen is the display that Screen returns.
type machineScreen struct {
	out screen.Output
	fb  screen.Framebuffer
}

var (
	screenOnce sync.Once
	theScreen  *machineScreen
)

// Screen returns the machine's screen, or nil if it has none that can be used.
// It is for one user at a time, and for as long as nobody calls [TakeScreen].
// From the first call on, start-up messages are no longer printed on it.
func Screen() screen.Display {
	screenOnce.Do(func() {
		if !console.out.Exists() || console.probed && firmware.hasFADT && firmware.fadt.NoVGA {
			return
		}
		s := &machineScreen{out: console.out}
		if f := &bootInfo.Framebuffer; console.out.Framebuffer != nil {
			if screenMemory == nil {
				return
			}
			if s.fb.Init(screenLayout(f), unsafe.Slice((*byte)(screenMemory), f.Size())) != nil {
				return
			}
			cols, rows := s.fb.Size()
			s.fb.Keep(make([]screen.Cell, cols*rows))
			s.out.Framebuffer = &s.fb
		}
		atomic.StoreUint32(&screenHanded, 1)
		s.out.Clear(screen.Black)
		theScreen = s
	})
	if theScreen == nil {
		return nil
	}
	return theScreen
}

// ScreenProblem says why the screen that the loader told of cannot be used; ""
// if it can, or if there is none.
func ScreenProblem() string { return console.problem }

// Size implements [screen.Display].
func (s *machineScreen) Size() (cols, rows int) { return s.out.Size() }

// Name implements [screen.Display].
func (s *machineScreen) Name() string { return s.out.Name() }

// Draw implements [screen.Display].
func (s *machineScreen) Draw(col, row int, cells []screen.Cell) {
	// A few cells at a time: a goroutine that is stopped in the middle, and goes
	// on later, does not draw much over what has taken the screen meanwhile.
	const chunk = 16
	for len(cells) > 0 && s.begin() {
		n := min(len(cells), chunk)
		s.out.Draw(col, row, cells[:n])
		atomic.StoreUint32(&screenDraws, 0)
		col, cells = col+n, cells[n:]
	}
}

// Cursor implements [screen.Display].
func (s *machineScreen) Cursor(col, row int, shown bool) {
	if s.begin() {
		s.out.Cursor(col, row, shown)
		atomic.StoreUint32(&screenDraws, 0)
	}
}

// begin reports whether the screen is still this display's, and if so says that
// it is at work.
func (s *machineScreen) begin() bool {
	atomic.StoreUint32(&screenDraws, 1)
	if atomic.LoadUint32(&screenTaken) == 0 {
		return true
	}
	atomic.StoreUint32(&screenDraws, 0)
	return false
}

// TakeScreen makes the screen that of the machine's last words: what others draw
// from now on is not shown. It may be called from any context.
func TakeScreen() {
	if atomic.SwapUint32(&screenTaken, 1) != 0 {
		return
	}
	// A drawing that is under way on another CPU is soon over; one that this
	// CPU has interrupted is not.
	for n := 0; n < 1<<20 && atomic.LoadUint32(&screenDraws) != 0; n++ {
		pause()
	}
}

// EarlyScreenText returns what the start has written on the screen so far, for
// whoever draws on it next to show it again. Lines end with a newline.
func EarlyScreenText() []byte { return console.printer.Text() }
