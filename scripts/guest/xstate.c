/*
 * Extended state: x87, SSE, and what else CPUID offers (AVX, AVX-512), must
 * survive whatever happens between two instructions of a program. A round fills
 * every register with random bits (XRSTOR), does something that lets the kernel
 * in, and looks at every register (XSAVE), all in one piece of assembly, so that
 * no compiled code comes in between. Where there is no XSAVE, FXSAVE does.
 */
#include "t.h"

#include <cpuid.h>
#include <ucontext.h>

enum { IMAGE = 4096, X87 = 1, SSE = 2, AVX = 4 };

static uint64_t features; /* XCR0 up to PKRU; 0: no XSAVE */
static unsigned image_size = 512;
static struct { unsigned at, len; } part[64];

static void look_at_cpu(void)
{
	unsigned a, b, c, d;
	__cpuid(1, a, b, c, d);
	if (!(c & 1 << 27))
		return;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	features = a & 0x2e7; /* what comes after it (AMX) has to be asked for first */
	CHECK((features & 3) == 3);
	image_size = 576;
	for (int i = 2; i < 10; i++)
		if (features >> i & 1) {
			__cpuid_count(13, i, a, b, c, d);
			part[i].at = b, part[i].len = a;
			CHECK(a && b >= 576 && b + a <= IMAGE);
			if (b + a > image_size)
				image_size = b + a;
		}
}

static uint64_t seed;
static uint64_t rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

static void fill(unsigned char *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = rnd() >> 24;
}

/* A random image of all registers. */
static void invent(unsigned char *im)
{
	memset(im, 0, IMAGE);
	*(uint16_t *)im = 0x37f & ~(rnd() & 0xc00); /* rounding */
	im[4] = 0xff;				     /* all in use */
	*(uint32_t *)(im + 24) = 0x1f80 | (rnd() & 0x603f);
	for (int i = 0; i < 8; i++)
		fill(im + 32 + 16 * i, 10);
	fill(im + 160, 256);
	if (!features)
		return;
	*(uint64_t *)(im + 512) = features;
	for (int i = 2; i < 10; i++) {
		if (!(features >> i & 1))
			continue;
		if (i == 9) { /* PKRU: leave our own pages alone */
			*(uint32_t *)(im + part[i].at) = 0x55555554;
			continue;
		}
		fill(im + part[i].at, part[i].len);
		if (i == 5) /* opmasks may be 16 bits wide only */
			for (int k = 0; k < 8; k++)
				*(uint64_t *)(im + part[i].at + 8 * k) &= 0xffff;
	}
}

/* Compare what a program can see of two images. */
static const char *differ(const unsigned char *want, const unsigned char *got)
{
	static char text[80];
	if (*(uint16_t *)want != *(uint16_t *)got)
		return "x87 control word";
	if (memcmp(want + 24, got + 24, 4)) {
		snprintf(text, sizeof text, "mxcsr %#x, want %#x", *(uint32_t *)(got + 24), *(uint32_t *)(want + 24));
		return text;
	}
	for (int i = 0; i < 8; i++)
		if (memcmp(want + 32 + 16 * i, got + 32 + 16 * i, 10)) {
			snprintf(text, sizeof text, "st%d", i);
			return text;
		}
	for (int i = 0; i < 16; i++)
		if (memcmp(want + 160 + 16 * i, got + 160 + 16 * i, 16)) {
			snprintf(text, sizeof text, "xmm%d", i);
			return text;
		}
	for (int i = 2; i < 10; i++)
		if (features >> i & 1 && memcmp(want + part[i].at, got + part[i].at, part[i].len)) {
			snprintf(text, sizeof text, "state component %d (header %#lx)", i, *(long *)(got + 512));
			return text;
		}
	return 0;
}

/*
 * long around(in, out, spins, touch, nr, a0, a1, a2): load in, spin, write a byte at
 * each of the four pages at touch, do system call nr, store to out.
 */
long around(const void *in, void *out, long spins, void *touch, long nr, long a0, long a1, long a2);
__asm__(".text\n"
	"around: push %rbx; push %rbp; push %r12; push %r13\n"
	"	mov %rsi, %r12; mov %rcx, %rbp; mov %rdx, %rbx\n"
	"	mov $0x2e7, %eax; xor %edx, %edx\n"
	"	cmpl $0, around_xsave(%rip); je 1f\n"
	"	xrstor64 (%rdi); jmp 2f\n"
	"1:	fxrstor64 (%rdi)\n"
	"2:	sub $1, %rbx; jns 2b\n"
	"	test %rbp, %rbp; jz 3f\n"
	"	movb $1, (%rbp); movb $1, 0x1000(%rbp); movb $1, 0x2000(%rbp); movb $1, 0x3000(%rbp)\n"
	"3:	mov %r8, %rax; mov %r9, %rdi; mov 40(%rsp), %rsi; mov 48(%rsp), %rdx; xor %r10d, %r10d\n"
	"	syscall\n"
	"	mov %rax, %r13\n"
	"	mov $0x2e7, %eax; xor %edx, %edx\n"
	"	cmpl $0, around_xsave(%rip); je 4f\n"
	"	xsave64 (%r12); jmp 5f\n"
	"4:	fxsave64 (%r12)\n"
	"5:	fninit; movl $0x1f80, -4(%rsp); ldmxcsr -4(%rsp)\n"
	"	mov %r13, %rax\n"
	"	pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
	".data\n"
	"around_xsave: .long 0\n"
	".text\n");
extern int around_xsave;

static unsigned char in[IMAGE], out[IMAGE], other[IMAGE], scratch[IMAGE] __attribute__((aligned(64)));
static volatile long handled;

/* A handler that leaves nothing as it was, and whose own start is checked. */
static void spoiler(int sig, siginfo_t *si, void *uc)
{
	if (sig == SIGUSR1 || handled % 8 == 0) {
		uint32_t mxcsr;
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		EQ(mxcsr, 0x1f80);
	}
	handled++;
	unsigned hi = 0, lo = 0x2e7;
	if (features)
		__asm__ volatile("xrstor64 (%0)" : : "r"(other), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(other) : "memory");
	__asm__ volatile("fninit");
}

static void prepare(uint64_t s)
{
	seed = s * 0x9e3779b97f4a7c15 + 1;
	look_at_cpu();
	around_xsave = features != 0;
	invent(other);
	struct sigaction sa = { .sa_sigaction = spoiler, .sa_flags = SA_SIGINFO };
	OK(sigaction(SIGUSR1, &sa, 0));
	OK(sigaction(SIGALRM, &sa, 0));
	sa.sa_flags |= SA_RESTART;
	OK(sigaction(SIGVTALRM, &sa, 0));
}

static void check(const char *what)
{
	const char *d = differ(in, out);
	if (d)
		FAIL("%s: %s changed", what, d);
}

static void once(const char *what, long spins, void *touch, long nr, long a0, long a1, long a2)
{
	invent(in);
	long r = around(in, out, spins, touch, nr, a0, a1, a2);
	if (nr == SYS_fork && r == 0)
		_exit(differ(in, out) ? 98 : 0);
	if (nr == SYS_fork) {
		int st = wait_status(r);
		if (st)
			FAIL("%s: the child's registers differ (status %#x)", what, st);
	}
	check(what);
}

static void rounds(int ms)
{
	char *page = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t end = now_ms() + ms;
	cpu_set_t all, one;
	OK(sched_getaffinity(0, sizeof all, &all));
	int cpus = CPU_COUNT(&all), n = 0;
	do {
		once("spinning", rnd() & 0xffff, 0, SYS_getpid, 0, 0, 0);
		once("calls", 0, 0, SYS_getppid, 0, 0, 0);
		once("yield", 0, 0, SYS_sched_yield, 0, 0, 0);
		madvise(page, 4 * PAGE, MADV_DONTNEED);
		once("page faults", 0, page, SYS_getpid, 0, 0, 0);
		once("signal to itself", 0, 0, SYS_kill, getpid(), SIGUSR1, 0);
		if (++n % 8 == 0) {
			struct timespec ts = { 0, 300000 };
			once("sleep", 0, 0, SYS_nanosleep, (long)&ts, 0, 0);
		}
		if (n % 16 == 0)
			once("fork", 0, 0, SYS_fork, 0, 0, 0);
		if (cpus > 1 && n % 4 == 0) {
			CPU_ZERO(&one);
			CPU_SET(rnd() % cpus, &one);
			once("migration", 0, 0, SYS_sched_setaffinity, 0, sizeof one, (long)&one);
		}
	} while (now_ms() < end);
}

TEST(xstate, survives_each_kind_of_entry)
{
	prepare(1);
	rounds(300);
	CHECK(handled > 0);
}

static void loaded(void *arg)
{
	prepare((long)arg + 2);
	struct itimerval it = { { 0, 1500 + 170 * (long)arg }, { 0, 1000 } };
	OK(setitimer(ITIMER_REAL, &it, 0));
	struct itimerval vt = { { 0, 7000 }, { 0, 7000 } };
	OK(setitimer(ITIMER_VIRTUAL, &vt, 0));
	rounds(3000);
	CHECK(handled > 20);
}

TEST_SLOW(xstate, survives_under_load, 60)
{
	pid_t pid[6];
	for (long i = 0; i < 6; i++)
		pid[i] = spawn(loaded, (void *)i);
	for (int i = 0; i < 6; i++)
		wait_ok(pid[i]);
}

/* --- The state in the signal frame. */

#define MAGIC1 0x46505853
#define MAGIC2 0x46505845

static unsigned char frame_image[IMAGE];
static unsigned frame_software[12], frame_magic2;
static long uc_flags, edit;

static void looker(int sig, siginfo_t *si, void *v)
{
	ucontext_t *uc = v;
	unsigned char *fp = (void *)uc->uc_mcontext.fpregs;
	CHECK(((long)fp & 63) == 0);
	uc_flags = uc->uc_flags;
	memcpy(frame_software, fp + 464, 48);
	memcpy(frame_image, fp, image_size);
	if (features)
		memcpy(&frame_magic2, fp + frame_software[4], 4);
	if (edit == 1) { /* give other values back */
		memcpy(fp + 32, other + 32, 8 * 16);
		memcpy(fp + 160, other + 160, 256);
		for (int i = 2; i < 9; i++)
			if (features >> i & 1)
				memcpy(fp + part[i].at, other + part[i].at, part[i].len);
	}
	if (edit == 2) /* ask for nothing but the legacy part */
		memset(fp + 464, 0, 4);
	if (edit == 3) /* ask for the initial state */
		*(long *)(fp + 512) = 0;
	if (edit == 4)
		uc->uc_mcontext.fpregs = 0;
	if (edit == 5) /* bits that MXCSR does not have */
		*(uint32_t *)(fp + 24) = 0xffffffff;
	if (edit == 6)
		fp[519] = 0x40; /* a feature that does not exist */
}

static void look(int how)
{
	prepare(77);
	struct sigaction sa = { .sa_sigaction = looker, .sa_flags = SA_SIGINFO };
	OK(sigaction(SIGUSR1, &sa, 0));
	edit = how;
	invent(in);
	around(in, out, 0, 0, SYS_kill, getpid(), SIGUSR1, 0);
}

TEST(xstate, is_in_the_frame)
{
	look(0);
	check("signal");
	const char *d = differ(in, frame_image);
	if (d)
		FAIL("in the frame: %s", d);
	CHECK(uc_flags & 2);
	CHECK(uc_flags & 4);
	EQ(uc_flags & 1, features != 0);
	if (!features)
		return;
	EQ(frame_software[0], MAGIC1);
	WITHIN(frame_software[4], image_size, 16 << 10); /* longer with AMX */
	EQ(frame_software[1], frame_software[4] + 4);
	EQ(*(uint64_t *)(frame_software + 2) & 0x2e7, features);
	EQ(frame_magic2, MAGIC2);
}

TEST(xstate, can_be_changed_in_the_frame)
{
	look(1);
	memcpy(in + 32, other + 32, 8 * 16);
	memcpy(in + 160, other + 160, 256);
	for (int i = 2; i < 9; i++)
		if (features >> i & 1)
			memcpy(in + part[i].at, other + part[i].at, part[i].len);
	check("edited frame");
}

TEST(xstate, legacy_frame)
{
	look(2);
	for (int i = 2; i < 9; i++)
		if (features >> i & 1)
			memset(in + part[i].at, 0, part[i].len);
	if (features >> 9 & 1) /* PKRU: versions of Linux differ */
		memcpy(in + part[9].at, out + part[9].at, part[9].len);
	check("frame without magic");
}

TEST(xstate, initial_state_from_the_frame)
{
	for (int how = 3; how <= 4; how++) {
		look(how);
		if (how == 3 && !features)
			continue;
		uint32_t mxcsr = *(uint32_t *)(out + 24);
		if (how == 4)
			EQ(mxcsr, 0x1f80);
		EQ(*(uint16_t *)out, 0x37f);
		EQ(out[4], 0);
		for (int i = 0; i < 256; i++)
			EQ(out[160 + i], 0);
		for (int i = 2; i < 9; i++)
			for (unsigned k = 0; features >> i & 1 && k < part[i].len; k++)
				EQ(out[part[i].at + k], 0);
	}
}

TEST(xstate, impossible_frames_kill)
{
	for (int how = 5; how <= 6; how++) {
		if (how == 6) {
			look_at_cpu();
			if (!features)
				return;
		}
		FORK(pid) {
			look(how);
			_exit(0);
		}
		/* QEMU's own CPU has no objection to any MXCSR: Linux goes on there. */
		int st = wait_status(pid);
		if (!(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV) && !(how == 5 && st == 0))
			FAIL("frame %d: wait status %#x", how, st);
	}
}

/* A program begins with clean registers, whatever the one before it had. */
HELPER(xstate_clean)
{
	look_at_cpu();
	if (features) {
		unsigned hi = 0, lo = 0x2e7;
		__asm__ volatile("xsave64 (%0)" : : "r"(scratch), "a"(lo), "d"(hi) : "memory");
	} else
		__asm__ volatile("fxsave64 (%0)" : : "r"(scratch) : "memory");
	if (*(uint16_t *)scratch != 0x37f || *(uint32_t *)(scratch + 24) != 0x1f80)
		return 1;
	for (int i = 8; i < 16; i++)
		for (int k = 0; k < 16; k++)
			if (scratch[160 + 16 * i + k])
				return 2; /* nothing has used XMM8 to 15 yet */
	for (int i = 3; i < 9; i++)
		for (unsigned k = 0; features >> i & 1 && k < part[i].len; k++)
			if (scratch[part[i].at + k])
				return 3;
	return 0;
}

TEST(xstate, exec_begins_clean)
{
	prepare(5);
	char *argv[] = { "xstate_clean", 0 };
	FORK(pid) {
		invent(in);
		around(in, out, 0, 0, SYS_execve, (long)SELF, (long)argv, 0);
		FAIL("execve");
	}
	wait_ok(pid);
}
