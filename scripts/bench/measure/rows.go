package measure

import "slices"

// A Row is one line of the tables: an operation whose cost is compared.
type Row struct {
	Name   string
	Title  string
	Group  string
	Target float64 // Tamarix divided by Linux, at most; 0 where nothing is asked
	What   string  // what one operation is
}

// Rows are all rows in the order of the tables. Names are the benchmark
// program's, but for the group Outside, which is measured around it.
var Rows = []Row{
	{"null_call", "null call", "System calls", 0.6, "getppid, the cheapest call there is"},
	{"clock_call", "clock_gettime, call", "System calls", 0.5, "clock_gettime as a system call"},
	{"clock_vdso", "clock_gettime, vDSO", "System calls", 1, "clock_gettime in user mode, by the vDSO"},
	{"read_zero", "read /dev/zero", "System calls", 0.6, "read of one byte of /dev/zero"},
	{"write_null", "write /dev/null", "System calls", 0.6, "write of one byte to /dev/null"},
	{"poll100", "poll, 100 descriptors", "System calls", 0.6, "poll of 100 pipes, none ready"},

	{"open_close", "open + close", "Files", 0.6, "open and close of a file on tmpfs"},
	{"stat", "stat", "Files", 0.6, "stat of a file on tmpfs"},
	{"create_unlink", "create + unlink", "Files", 0.6, "create, close and unlink of a file on tmpfs"},
	{"getdents", "getdents, 1,000 entries", "Files", 0.6, "listing of a directory of 1,000 files"},
	{"file_read64k", "file read, 64 KiB", "Files", 0.9, "read of 64 KiB of a file on tmpfs"},
	{"file_write64k", "file write, 64 KiB", "Files", 0.9, "write of 64 KiB to a file on tmpfs"},

	{"pipe_rt", "pipe round trip", "Messages", 0.4, "a byte to another process and back, by two pipes"},
	{"socketpair_rt", "socketpair round trip", "Messages", 0.4, "a byte to another process and back, by a Unix socket pair"},
	{"futex_rt", "futex round trip", "Messages", 0.4, "a turn to another thread and back, by a futex"},
	{"ring_hop", "ring of 8 processes, hop", "Messages", 0.4, "a byte from a process to the next, by pipes in a ring of eight"},
	{"pipe_bw", "pipe, 64 KiB", "Messages", 0.9, "64 KiB through a pipe from one process to another"},

	{"fork_exit", "fork + exit + wait", "Processes", 0.4, "fork of a small process that exits at once, and wait for it"},
	{"fork_64m", "fork of 64 MiB dirty", "Processes", 0.05, "the same from a process that has written 64 MiB of memory"},
	{"big.fork_1g", "fork of 1 GiB dirty", "Processes", 0.02, "the same from a process that has written 1 GiB of memory"},
	{"vfork_exec", "vfork + exec + wait", "Processes", 0.5, "vfork, execve of a small static program, wait"},
	{"fork_exec", "fork + exec + wait", "Processes", 0.5, "fork, execve of a small static program, wait"},
	{"exec_dyn", "exec, dynamic program", "Processes", 0.6, "start and end of a dynamically linked program"},
	{"thread", "thread create + join", "Processes", 0.4, "pthread_create of a thread that returns, pthread_join"},

	{"anon_fault", "anonymous fault", "Memory", 0.45, "first write to a page of anonymous memory"},
	{"cow_fault", "copy-on-write fault", "Memory", 0.45, "first write to a page shared with the parent since fork"},
	{"file_fault", "file-mapped fault", "Memory", 0.9, "first read of a page of a mapped file in the page cache"},
	{"mprotect", "mprotect", "Memory", 0.5, "mprotect of one page, to and fro"},
	{"mmap_untouched", "mmap + munmap, 4 KiB", "Memory", 0.5, "mapping and unmapping of a page that is not touched"},
	{"mmap_touched", "– touched", "Memory", 0.5, "the same, written to in between"},
	{"mmap_64m", "– 64 MiB", "Memory", 0.5, "mapping and unmapping of 64 MiB that are not touched"},
	{"brk", "brk", "Memory", 0.5, "growing and shrinking of the heap by brk"},

	{"signal", "signal delivery", "Signals", 0.5, "a signal to oneself, its handler, the return from it"},
	{"segv", "SIGSEGV fix-up", "Signals", 0.5, "a fault on a protected page whose handler unprotects it"},

	{"shell_pipe", "pipeline of ten commands", "Programs", 0.5, "sh -c of a pipeline of ten commands"},
	{"shell_loop", "shell loop, 1,000 forks", "Programs", 0.5, "a shell loop that forks 1,000 times"},
	{"untar", "untar of 10,000 files", "Programs", 0.5, "tar x of 10,000 small files to tmpfs"},
	{"compile", "compile of a C file", "Programs", 0.5, "a C file through a static compiler"},

	{Start, "QEMU start to process 1", Outside, 0.12, "from the start of QEMU to process 1's first instruction"},
	{RAM, "memory gone at process 1", Outside, 0.2, "the machine's 512 MiB less what is free at process 1's first instruction"},
	{Image, "kernel image", Outside, 0, "vmlinuz, which is compressed, and tamarix.elf, which is not"},
	{Unpacked, "kernel image, unpacked", Outside, 0, "the same, uncompressed"},
	{Build, "build of the kernel", Outside, 0, "make kernel with empty caches, Go's standard library included"},
}

// The rows that are measured around the program.
const (
	Outside  = "Start and size"
	Start    = "outside.start"    // ns
	RAM      = "outside.ram"      // bytes
	Image    = "outside.image"    // bytes
	Unpacked = "outside.unpacked" // bytes
	Build    = "outside.build"    // ns
)

// Scaling are the rows of four processes at once, measured with 1, 2 and 4 CPUs.
var Scaling = []Row{
	{Name: "scale.fork", Title: "fork + exit", What: "four processes that fork and wait"},
	{Name: "scale.fault", Title: "page faults", What: "four processes that touch fresh memory"},
	{Name: "scale.pipe", Title: "pipe", What: "four processes that write to and read from a pipe each"},
}

// ScaleControl is four processes that do not leave user mode: what the host itself
// gives to several CPUs.
var ScaleControl = Row{Name: "scale.control", Title: "control: arithmetic", What: "four processes in a loop of arithmetic, no calls"}

// Controls run in user mode only: a kernel has no part in them, so they must cost
// the same on both, or the machine was not the same for both.
var Controls = []Row{
	{Name: "control.alu", Title: "control: arithmetic", What: "a loop of arithmetic, no calls"},
	{Name: "control.mem", Title: "control: memory", What: "a loop over memory touched before, no calls"},
}

// Tolerance is how far the controls may be apart before a run is void: in wall
// time, and in instructions, where only the kernels' timer interrupts differ.
const (
	WallTolerance        = 0.05
	InstructionTolerance = 0.02
)

// Find returns the row of that name among all.
func Find(name string) (Row, bool) {
	for _, list := range [][]Row{Rows, Scaling, {ScaleControl}, Controls} {
		if i := slices.IndexFunc(list, func(r Row) bool { return r.Name == name }); i >= 0 {
			return list[i], true
		}
	}
	return Row{}, false
}

// Groups are the groups of Rows in their order.
func Groups() (groups []string) {
	for _, r := range Rows {
		if !slices.Contains(groups, r.Group) {
			groups = append(groups, r.Group)
		}
	}
	return groups
}
