// Profile takes a CPU profile of the kernel while a row of the benchmark runs,
// or makes one of samples that somebody has taken, in the format of go tool pprof.
//
//	make profile ROW=pipe_rt [SECONDS=10] [RATE=1000] [SMP=1] [ICOUNT=1]
//	go tool pprof -top out/profile/pipe_rt.pb.gz
//	go tool pprof -list 'mm.*Fault' out/profile/pipe_rt.pb.gz
//	go tool pprof -http :8000 out/profile/pipe_rt.pb.gz
//
// With ICOUNT the machine's clock counts instructions, and so do the "times" of
// the profile: what is slow for other reasons, a write of CR3 say, does not show.
//
// In a running system, root takes a profile by hand:
//
//	echo start 1000 > /proc/tamarix/profile
//	...
//	echo stop > /proc/tamarix/profile
//	cat /proc/tamarix/profile
//
// and gives the text, or a log of the console in which it stands, to
//
//	go run ./scripts/profile -in FILE -o profile.pb.gz
//
// along with the out/tamarix.debug of the very kernel that took it. Package
// arch/profile describes the text.
//
// It does the same with /proc/tamarix/heap, where the kernel's heap is allocated:
//
//	echo 1 > /proc/tamarix/heap		(every allocation is noted)
//	...
//	echo 0 > /proc/tamarix/heap
//	cat /proc/tamarix/heap
//
//	go tool pprof -sample_index=alloc_objects -top profile.pb.gz
//
// Samples in ring 3 stand below "user", one leaf for each program; those of CPUs
// without work are "idle". -focus, -ignore and -show of go tool pprof take them
// out: -ignore '^idle$'.
//
// # From addresses to lines
//
// symbols.go reads the kernel's DWARF: functions, what is inlined into them, and
// lines. unwind.go finds the one caller that frame pointers miss: that of a
// function which has no frame (yet, or any more) where the sample was taken.
package main
