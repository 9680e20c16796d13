/* Signals: the stacks that handlers run on, the frames they find there, and what may be done to those. */
#include "t.h"

#include <setjmp.h>
#include <ucontext.h>

static volatile int count;

static void on(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };
	OK(sigaction(sig, &sa, 0));
}

static volatile uintptr_t sp_seen;
static volatile int flags_seen;
static void stack_probe(int s)
{
	stack_t ss;
	sp_seen = (uintptr_t)__builtin_frame_address(0);
	sigaltstack(0, &ss);
	flags_seen = ss.ss_flags;
	errno = 0;
	if (s == SIGUSR2 && (sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, 0) != -1 || errno != EPERM))
		flags_seen = -1;
}

TEST(signals, altstack)
{
	char *st = malloc(65536);
	stack_t ss = { .ss_sp = st, .ss_size = 65536 }, old;
	OK(sigaltstack(&ss, &old));
	CHECK(old.ss_flags & SS_DISABLE);
	on(SIGUSR1, stack_probe, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(sp_seen > (uintptr_t)st && sp_seen < (uintptr_t)st + 65536);
	EQ(flags_seen, SS_ONSTACK);
	on(SIGUSR2, stack_probe, SA_ONSTACK);
	raise(SIGUSR2);
	EQ(flags_seen, SS_ONSTACK); /* and changing it was refused */
	on(SIGUSR1, stack_probe, 0);
	raise(SIGUSR1);
	CHECK(!(sp_seen > (uintptr_t)st && sp_seen < (uintptr_t)st + 65536));
	EQ(flags_seen, 0);
	ss.ss_size = 100;
	ERR(ENOMEM, sigaltstack(&ss, 0));
	ss.ss_size = 65536;
	ss.ss_flags = 0x40;
	ERR(EINVAL, sigaltstack(&ss, 0));
}

static sigjmp_buf jb;
static void overflow(int s) { siglongjmp(jb, 1); }
static int deep(int n) { volatile char b[4096]; b[0] = n; return deep(n + 1) + b[0]; }

TEST(signals, altstack_catches_overflow)
{
	stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };
	OK(sigaltstack(&ss, 0));
	on(SIGSEGV, overflow, SA_ONSTACK);
	for (int i = 0; i < 2; i++)
		if (!sigsetjmp(jb, 1))
			deep(0);
	/* without one it kills */
	FORK(pid) {
		stack_t no = { .ss_flags = SS_DISABLE };
		sigaltstack(&no, 0);
		deep(0);
	}
	wait_signaled(pid, SIGSEGV);
}

static void ticker(int ms) { struct itimerval it = { { ms / 1000, ms % 1000 * 1000 }, { ms / 1000, ms % 1000 * 1000 } }; OK(setitimer(ITIMER_REAL, &it, 0)); }

static volatile double fsum;
static void fp_handler(int s)
{
	/* Fill the vector registers: the interrupted code must not see it. */
	__asm__ volatile("pcmpeqd %%xmm0,%%xmm0; movaps %%xmm0,%%xmm1; movaps %%xmm0,%%xmm7; movaps %%xmm0,%%xmm15; fninit" ::: "xmm0", "xmm1", "xmm7", "xmm15");
	count++;
}

TEST(signals, registers_survive)
{
	on(SIGALRM, fp_handler, 0);
	ticker(2);
	int64_t end = now_ms() + 300;
	while (now_ms() < end || (count <= 10 && now_ms() < end + 10000)) {
		uint64_t bad = 0;
		__asm__ volatile(
		    "mov $0x1111, %%r8\n mov $0x2222, %%r9\n mov $0x3333, %%r10\n mov $0x4444, %%r11\n mov $0x5555, %%r12\n mov $0x6666, %%r13\n"
		    "movq %%r8, %%xmm1\n movq %%r9, %%xmm7\n movq %%r10, %%xmm15\n fld1\n fldpi\n stc\n"
		    "mov $200000, %%rcx\n 1: dec %%rcx\n jnz 1b\n"
		    "movq %%xmm1, %%rax\n sub %%r8, %%rax\n or %%rax, %0\n"
		    "movq %%xmm7, %%rax\n sub %%r9, %%rax\n or %%rax, %0\n"
		    "movq %%xmm15, %%rax\n sub %%r10, %%rax\n or %%rax, %0\n"
		    "sub $0x4444, %%r11\n or %%r11, %0\n sub $0x5555, %%r12\n or %%r12, %0\n sub $0x6666, %%r13\n or %%r13, %0\n"
		    "fldpi\n fcompp\n fnstsw %%ax\n and $0x4000, %%eax\n xor $0x4000, %%eax\n or %%rax, %0\n fstp %%st(0)\n"
		    : "+r"(bad) : : "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "xmm1", "xmm7", "xmm15", "cc", "memory");
		if (bad)
			FAIL("registers changed: %#lx after %d signals", (long)bad, count);
	}
	ticker(0);
	CHECK(count > 10);
}

static void regs_handler(int s, siginfo_t *si, void *v)
{
	ucontext_t *uc = v;
	uc->uc_mcontext.gregs[REG_R12] = 0x777;
	count++;
}

TEST(signals, handler_may_change_registers)
{
	struct sigaction sa = { .sa_sigaction = regs_handler, .sa_flags = SA_SIGINFO };
	OK(sigaction(SIGUSR1, &sa, 0));
	long r12 = 1, ret;
	__asm__ volatile("mov %4, %%r12\n syscall\n mov %%r12, %1" : "=a"(ret), "=&r"(r12)
			 : "0"((long)SYS_kill), "D"((long)getpid()), "r"(1l), "S"((long)SIGUSR1) : "rcx", "r11", "r12", "memory");
	EQ(ret, 0);
	EQ(r12, 0x777);
}

TEST(signals, sigreturn_with_garbage)
{
	FORK(pid) {
		/* A frame nobody made: the process dies, the machine does not. */
		__asm__ volatile("mov %0, %%rsp\n mov $15, %%eax\n syscall\n ud2" : : "r"(0x10000l) : "memory");
	}
	wait_signaled(pid, SIGSEGV);
}

static void bad_ip(int s, siginfo_t *si, void *v)
{
	ucontext_t *uc = v;
	if (s == SIGUSR1)
		uc->uc_mcontext.gregs[REG_RIP] = 0x8000000000000000ul; /* not canonical */
	else {
		uc->uc_mcontext.gregs[REG_EFL] |= 0x3000 | 0x200; /* IOPL 3 */
		uc->uc_mcontext.gregs[REG_CSGSFS] = 0x10;	  /* the kernel's CS */
	}
}

TEST(signals, sigreturn_cannot_gain)
{
	struct sigaction sa = { .sa_sigaction = bad_ip, .sa_flags = SA_SIGINFO };
	FORK(pid) { sigaction(SIGUSR1, &sa, 0); raise(SIGUSR1); _exit(0); }
	wait_signaled(pid, SIGSEGV);
	FORK(q) {
		sigaction(SIGUSR2, &sa, 0);
		raise(SIGUSR2);
		unsigned short cs;
		__asm__ volatile("mov %%cs, %0" : "=r"(cs));
		if ((cs & 3) != 3)
			_exit(1);
		__asm__ volatile("cli"); /* SIGSEGV unless IOPL was gained */
		_exit(2);
	}
	wait_signaled(q, SIGSEGV);
}
