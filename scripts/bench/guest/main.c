/*
 * Process 1: makes itself at home, runs the rows that are asked for, prints what
 * they cost and powers the machine off. The kernel's command line reaches it as
 * environment:
 *
 *   ROWS=name,prefix.,-name  which rows; without it all but big. and scale.
 *   ICOUNT=1     the clock counts instructions (QEMU's -icount shift=0): batches
 *                of fixed length, no search for one
 *   MS=n         otherwise: how long a batch is to take, in milliseconds
 *   BATCHES=n    how many batches
 *   LIMIT=s      how long a row may take, in seconds
 *   PROCS=n      how many processes the rows scale. run
 *   LOOP=s       print GO and stay in the row for s seconds, for a profiler
 *   PROFILE=hz   then with the kernel's own profiler at work (profile.c)
 *
 * Lines, each written at once:
 *
 *   READY                 the first instruction of process 1
 *   MEM total free        KiB of memory then
 *   BEGIN n               rows to come
 *   START name
 *   ROW name ops batches min median max    ns per operation; ops in one batch
 *   SKIP name reason
 *   FAIL name reason
 *   DONE
 */
#include "bench.h"

#include <stdarg.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>

/* Execution begins here: READY is out before libc has made its first call. Only
   process 1 says it. */
__asm__(".globl first\n"
	"first:\n"
	"	movl $39, %eax\n" /* getpid */
	"	syscall\n"
	"	cmpl $1, %eax\n"
	"	jne _start\n"
	"	movl $1, %eax\n" /* write */
	"	movl $1, %edi\n"
	"	leaq ready(%rip), %rsi\n"
	"	movl $6, %edx\n"
	"	syscall\n"
	"	jmp _start\n"
	".section .rodata\n"
	"ready:	.ascii \"READY\\n\"\n"
	".text\n");

enum { MAX_BATCHES = 99 };

/* What a row's processes tell process 1; shared memory. */
static struct outcome {
	pid_t leader;
	char skipped;
	char why[200];
	long ops, batches;
	double ns[MAX_BATCHES];
} *out;

static struct { int icount, ms, batches, limit, loop; } conf;

long parameter(const char *name, long otherwise)
{
	const char *s = getenv(name);
	return s && *s ? atol(s) : otherwise;
}

static void __attribute__((noreturn)) end_row(int skipped, const char *fmt, va_list ap)
{
	if (!out->why[0]) {
		vsnprintf(out->why, sizeof out->why, fmt, ap);
		out->skipped = skipped;
	}
	if (out->leader != getpid())
		kill(out->leader, SIGKILL); /* it may be waiting for us */
	_exit(1);
}

void skip(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	end_row(1, fmt, ap);
}

void fail(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	end_row(0, fmt, ap);
}

void unexpected(const char *what, long got)
{
	int e = got == -1 ? errno : got < 0 ? -got : 0;
	if (e == ENOSYS)
		skip("unsupported: %.80s: errno %d (%s)", what, e, strerror(e));
	if (e)
		fail("%.80s: errno %d (%s)", what, e, strerror(e));
	fail("%.80s: %ld", what, got);
}

long must(const char *what, long outcome)
{
	if (outcome == -1)
		unexpected(what, outcome);
	return outcome;
}

void *pages(size_t bytes)
{
	void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(p);
	madvise(p, bytes, MADV_NOHUGEPAGE); /* a kernel without huge pages may refuse */
	return p;
}

void *shared(size_t bytes)
{
	void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	OK(p);
	return p;
}

pid_t spawn(void (*fn)(void *), void *arg)
{
	pid_t pid = OK(fork());
	if (pid)
		return pid;
	fn(arg);
	_exit(0);
}

void wait_for(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid: %s", strerror(errno));
	if (status)
		fail("a child ended with wait status %#x", status);
}

/* The clock. */

static int64_t spent, since;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void clock_stop(void) { spent += now() - since; }
void clock_go(void) { since = now(); }

/* What n operations take. */
static int64_t batch(const struct row *r, long n)
{
	spent = 0;
	clock_go();
	r->run(n);
	clock_stop();
	return spent;
}

static void record(const struct row *r, long n, int batches)
{
	out->ops = n;
	for (int i = 0; i < batches && i < MAX_BATCHES; i++) {
		out->ns[i] = (double)batch(r, n) / n;
		out->batches = i + 1;
	}
}

/* Find how many operations take a batch's time, preparations not counted; but a
   batch may not become long by its preparations either. */
static void calibrated(const struct row *r)
{
	int64_t want = conf.ms * 1000000LL, start, all, t;
	long n = 1;
	batch(r, 1); /* first times are not like the others */
	for (;;) {
		start = now();
		t = batch(r, n);
		all = now() - start;
		if (t >= want * 3 / 4 || all >= 3 * want)
			break;
		double grow = t > 0 ? 1.1 * want / t : 100;
		if (all > 0 && grow > 3.3 * want / all)
			grow = 3.3 * want / all;
		n = grow > 20 ? n * 20 : n * grow + 1;
	}
	/* The long ones are measured less often: a second and a half for each row. */
	int batches = conf.batches;
	if (all > 8 * want)
		batches = batches < 3 ? batches : 2;
	record(r, n, batches);
}

/* Stay in the row while a profiler looks. */
static void loop(const struct row *r)
{
	batch(r, r->ops);
	dprintf(1, "GO\n");
	profile_start();
	for (int64_t end = now() + conf.loop * 1000000000LL; now() < end;)
		record(r, r->ops, 1);
	profile_stop();
}

static void run_row(const struct row *r)
{
	out->leader = getpid();
	if (r->setup)
		r->setup();
	if (conf.loop) {
		loop(r);
	} else if (conf.icount) {
		/* One operation brings in pages and caches, a batch shows both kernels' habits. */
		batch(r, 1);
		if (r->ops > 1)
			batch(r, r->ops);
		record(r, r->ops, r->ops > 1 ? conf.batches : 2);
	} else {
		calibrated(r);
	}
}

/* Process 1's part. */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print(const struct row *r, int late, int status)
{
	if (out->why[0]) {
		dprintf(1, "%s %s %s\n", out->skipped ? "SKIP" : "FAIL", r->name, out->why);
	} else if (late) {
		dprintf(1, "FAIL %s timeout after %d s\n", r->name, conf.limit);
	} else if (status || !out->batches) {
		dprintf(1, "FAIL %s wait status %#x\n", r->name, status);
	} else {
		long n = out->batches;
		qsort(out->ns, n, sizeof *out->ns, by_size);
		double median = (out->ns[(n - 1) / 2] + out->ns[n / 2]) / 2;
		dprintf(1, "ROW %s %ld %ld %.2f %.2f %.2f\n", r->name, out->ops, n, out->ns[0], median, out->ns[n - 1]);
	}
}

/* Wait for pid, asleep: nothing of ours runs beside a row. */
static int await(pid_t pid, int *status, int seconds)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	int64_t end = now() + seconds * 1000000000LL;
	for (;;) {
		pid_t p;
		int st;
		while ((p = waitpid(-1, &st, WNOHANG)) > 0)
			if (p == pid) {
				*status = st;
				return 1;
			}
		int64_t left = end - now();
		if (left <= 0)
			return 0;
		struct timespec ts = { left / 1000000000, left % 1000000000 };
		sigtimedwait(&set, 0, &ts);
	}
}

/* Nothing a row has started may outlive it. */
static void sweep(pid_t row)
{
	int status;
	kill(-row, SIGKILL);
	for (int tries = 0; tries < 2000; tries++) {
		if (getpid() == 1)
			kill(-1, SIGKILL);
		pid_t p = waitpid(-1, &status, WNOHANG);
		if (p < 0)
			return;
		if (p == 0)
			nanosleep(&(struct timespec){ 0, 1000000 }, 0);
	}
}

static void measure(const struct row *r)
{
	struct sysinfo si;
	sysinfo(&si);
	dprintf(1, "START %s\n", r->name);
	memset(out, 0, sizeof *out);
	if (r->mib && si.totalram / MIB * si.mem_unit < (unsigned long)r->mib) {
		dprintf(1, "SKIP %s needs %d MB\n", r->name, r->mib);
		return;
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, 0);
	pid_t pid = fork();
	if (pid < 0) {
		dprintf(1, "FAIL %s fork: %s\n", r->name, strerror(errno));
		return;
	}
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &set, 0);
		setsid();
		run_row(r);
		exit(0);
	}
	int status = 0;
	int late = !await(pid, &status, conf.limit + conf.loop);
	sweep(pid);
	print(r, late, status);
}

/* Is the row asked for? As for the guest tests: names and beginnings of names,
   those after a minus sign are taken out. */
static int wanted(const struct row *r)
{
	const char *list = getenv("ROWS");
	size_t len = strlen(r->name);
	int some = 0, in = 0;
	for (const char *s = list ? list : ""; *s; s += strspn(s, ",")) {
		size_t n = strcspn(s, ",");
		int minus = *s == '-';
		const char *name = s + minus;
		size_t l = n - minus;
		int is = l && (name[l - 1] == '.' ? !strncmp(r->name, name, l) : l == len && !strncmp(r->name, name, l));
		if (minus && is)
			return 0;
		some |= !minus;
		in |= is;
		s += n;
	}
	return some ? in : strncmp(r->name, "big.", 4) && strncmp(r->name, "scale.", 6);
}

static void mounts(void)
{
	static const struct { const char *what, *dir, *data; } m[] = {
		{ "proc", "/proc", 0 }, { "devtmpfs", "/dev", 0 }, { "tmpfs", "/tmp", "mode=1777" },
	};
	for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
		mkdir(m[i].dir, 0755);
		if (mount(m[i].what, m[i].dir, m[i].what, 0, m[i].data) < 0 && errno != EBUSY)
			dprintf(1, "# mount %s: %s\n", m[i].dir, strerror(errno));
	}
}

int main(void)
{
	struct sysinfo si;
	sysinfo(&si);
	dprintf(1, "MEM %lu %lu\n", si.totalram * si.mem_unit / KIB, si.freeram * si.mem_unit / KIB);

	int init = getpid() == 1;
	if (init)
		mounts();
	else
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* Programs started from here find their libraries at the same addresses each
	   time. An emulator translates code for the address it runs at: with random
	   ones the exec of a dynamic program measures the translator, six times the
	   rest. Our own address space keeps what the kernel has given it. */
	personality(ADDR_NO_RANDOMIZE);
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	if (chdir("/tmp") < 0)
		dprintf(1, "# /tmp: %s\n", strerror(errno));

	conf.icount = parameter("ICOUNT", 0);
	conf.ms = parameter("MS", 60);
	conf.batches = parameter("BATCHES", 5);
	conf.limit = parameter("LIMIT", 30);
	conf.loop = parameter("LOOP", 0);
	out = mmap(0, sizeof *out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (out == MAP_FAILED)
		dprintf(1, "# no shared memory: %s\n", strerror(errno));

	static const struct row *const tables[] = {
		control_rows, call_rows, file_rows, ipc_rows, process_rows,
		memory_rows, signal_rows, shell_rows, scaling_rows,
	};
	enum { TABLES = sizeof tables / sizeof *tables };
	int n = 0;
	for (int t = 0; t < TABLES; t++)
		for (const struct row *r = tables[t]; r->name; r++)
			n += wanted(r);
	dprintf(1, "BEGIN %d\n", n);
	for (int t = 0; t < TABLES; t++)
		for (const struct row *r = tables[t]; r->name; r++)
			if (wanted(r))
				measure(r);
	dprintf(1, "DONE\n");
	if (init) {
		sync();
		reboot(RB_POWER_OFF);
		for (;;)
			pause();
	}
	return 0;
}
