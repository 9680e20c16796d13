/* Signals a process sends itself, by a call and by a fault. */
#include "bench.h"

static volatile long handled;

static void count(int sig)
{
	(void)sig;
	handled++;
}

static pid_t self;

static void signal_setup(void)
{
	struct sigaction sa = { .sa_handler = count };
	OK(sigaction(SIGUSR1, &sa, 0));
	self = getpid();
}

static void deliver(long n)
{
	long before = handled;
	for (long i = 0; i < n; i++)
		call2(SYS_kill, self, SIGUSR1);
	EXPECT(n, handled - before);
}

/* A page that may not be touched is; the handler permits it, and the access is
   repeated. So do collectors and checkers that watch pages. */
static char *page;

static void fix(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	if (info->si_addr != page)
		fail("a fault at %p", info->si_addr);
	call3(SYS_mprotect, (long)page, PAGE, PROT_READ | PROT_WRITE);
	handled++;
}

static void segv_setup(void)
{
	struct sigaction sa = { .sa_sigaction = fix, .sa_flags = SA_SIGINFO };
	OK(sigaction(SIGSEGV, &sa, 0));
	page = pages(PAGE);
	page[0] = 1;
}

static void segv(long n)
{
	long before = handled;
	for (long i = 0; i < n; i++) {
		call3(SYS_mprotect, (long)page, PAGE, PROT_NONE);
		*(volatile char *)page = 1;
	}
	EXPECT(n, handled - before);
}

const struct row signal_rows[] = {
	{ "signal", 1000, deliver, signal_setup, 0 },
	{ "segv", 1000, segv, segv_setup, 0 },
	{ 0 },
};
