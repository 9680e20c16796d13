/*
 * What bad input gets: bad pointers in every argument of every call, absurd
 * numbers, damaged executables, memory that runs out. The machine must survive;
 * the errno matters less.
 */
#include "t.h"

#include <elf.h>
#include <sys/ptrace.h>

/* Calls that would end, stop or lose the case by doing what they are for. */
static int spared(int nr)
{
	switch (nr) {
	case SYS_exit: case SYS_exit_group: case SYS_pause: case SYS_rt_sigsuspend: case SYS_rt_sigreturn:
	case SYS_vfork: case SYS_fork: case SYS_clone: case SYS_clone3: case SYS_reboot: case SYS_kill: case SYS_tkill: case SYS_tgkill:
	case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: case SYS_pidfd_send_signal:
	case SYS_kexec_load: case SYS_kexec_file_load: case SYS_init_module: case SYS_finit_module: case SYS_delete_module:
	case SYS_vhangup: case SYS_setsid: case SYS_sync: case SYS_settimeofday: case SYS_clock_settime: case SYS_adjtimex: case SYS_clock_adjtime:
	case SYS_pivot_root: case SYS_chroot: case SYS_umount2: case SYS_mount: case SYS_swapoff: case SYS_swapon: case SYS_iopl: case SYS_ioperm:
	case SYS_syslog: case SYS_sethostname: case SYS_setdomainname: case SYS_seccomp: case SYS_acct: case SYS_quotactl: case SYS_bpf:
	case SYS_unshare: case SYS_setns: case SYS_move_mount: case SYS_fsmount: case SYS_open_tree: case SYS_move_pages: case SYS_migrate_pages:
	case SYS_setrlimit: case SYS_prlimit64: case SYS_ptrace: case SYS_personality: case SYS_modify_ldt: case SYS_arch_prctl:
	case SYS_perf_event_open: case SYS_userfaultfd: case SYS_process_madvise: case SYS_fanotify_init: case SYS_lookup_dcookie:
	case SYS_unlink: case SYS_unlinkat: case SYS_rmdir: case SYS_rename: case SYS_renameat: case SYS_renameat2: case SYS_nfsservctl:
	case SYS_chmod: case SYS_fchmodat: case SYS_chown: case SYS_fchownat: case SYS_lchown: case SYS_truncate: case SYS_setpriority:
		return 1;
	}
	return 0;
}

static uint64_t seed = 88172645463325252ull;
static uint64_t rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

static char *page;    /* one that can be written, */
static char *readonly; /* one that cannot, */
static char *edge;     /* and the last bytes before a hole */

static uint64_t value(void)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 7, 8, 63, 64, 65, 255, 4095, 4096, 4097, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffff, 0x800000000000, 0x7ffffffff000, 0xffff800000000000, 0xffff800001001000, 0xffffffff81000000, 0xffffffffffffffff,
		0xfffffffffffff000, 0x7fffffffffffffff, 0x8000000000000000, (uint64_t)-100, (uint64_t)-9, 0xdeadbeef, 0xfffffffffffffff8,
	};
	switch (rnd() % 8) {
	case 0: return rnd();
	case 1: return (uint64_t)page + rnd() % 64;
	case 2: return (uint64_t)readonly;
	case 3: return (uint64_t)edge - rnd() % 16;
	case 4: return rnd() % 16;
	default: return odd[rnd() % (sizeof odd / sizeof *odd)];
	}
}

/* Damp what waits, grows, or hurts only the host. */
static void tame(void)
{
	struct rlimit as = { 256 << 20, 256 << 20 }, fs = { 1 << 20, 1 << 20 }, nofile = { 64, 64 }, core = { 0, 0 }, nproc = { 32, 32 };
	setrlimit(RLIMIT_AS, &as), setrlimit(RLIMIT_FSIZE, &fs), setrlimit(RLIMIT_NOFILE, &nofile), setrlimit(RLIMIT_CORE, &core);
	setrlimit(RLIMIT_NPROC, &nproc);
	for (int s = 1; s < 32; s++)
		if (s != SIGSEGV && s != SIGALRM && s != SIGBUS && s != SIGILL)
			signal(s, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0), dup2(null, 1), dup2(null, 2);
	char *three = mmap(0, 3 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	edge = three + PAGE;
	munmap(edge, PAGE);
	page = mmap(0, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	readonly = mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mkdir("/tmp/fuzz", 0777);
	chdir("/tmp/fuzz");
	/* not root: what may break the machine by right is not tried */
	setgid(65534), setuid(65534);
}

/* One child makes calls until it dies of one or is through. */
static void fuzz(uint64_t s, int rounds)
{
	FORK(pid) {
		seed = s * 2654435761u + 88172645463325252ull;
		tame();
		struct itimerval it = { .it_value = { 0, 300000 } };
		for (int i = 0; i < rounds; i++) {
			int nr = rnd() % 452;
			if (spared(nr))
				continue;
			setitimer(ITIMER_REAL, &it, 0);
			uint64_t a[6];
			for (int k = 0; k < 6; k++)
				a[k] = value();
			if ((nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_mremap || nr == SYS_mmap || nr == SYS_madvise || nr == SYS_brk || nr == SYS_shmat) && a[0] - 0x400000 < 0x10000000)
				continue; /* not our own text and data */
			syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		}
		_exit(0);
	}
	int st = wait_status(pid);
	if (WIFSIGNALED(st)) {
		int g = WTERMSIG(st);
		CHECK(g == SIGALRM || g == SIGSEGV || g == SIGBUS || g == SIGILL || g == SIGKILL || g == SIGSYS || g == SIGXFSZ || g == SIGXCPU);
	}
}

TEST_SLOW(hostile, random_arguments, 120)
{
	int n = getenv("FUZZ") ? atoi(getenv("FUZZ")) : 40;
	for (int i = 0; i < n; i++)
		fuzz(i, 400);
}

TEST_SLOW(hostile, bad_pointer_in_each_argument, 60)
{
	/* Each call with one argument after the other a kernel address, the rest
	 * harmless: nothing but an errno or a signal to the caller may come of it. */
	static const uint64_t bad[] = { 8, 0x7ffffffff000, 0x800000000000, 0xffff800000100000, 0xffffffffffffffff };
	for (int nr = 0; nr < 452; nr++) {
		if (spared(nr))
			continue;
		FORK(pid) {
			tame();
			struct itimerval it = { .it_value = { 0, 100000 }, .it_interval = { 0, 20000 } };
			setitimer(ITIMER_REAL, &it, 0);
			signal(SIGALRM, SIG_DFL);
			for (int arg = 0; arg < 6; arg++)
				for (int b = 0; b < 5; b++) {
					uint64_t a[6] = { 0, 0, 0, 0, 0, 0 };
					a[arg] = bad[b];
					syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
				}
			_exit(0);
		}
		wait_status(pid);
	}
}

TEST(hostile, efault_not_death)
{
	/* The common calls say EFAULT. */
	void *const bad[] = { (void *)8, (void *)0x7ffffffff000, (void *)0xffff800000100000 };
	int fd = OK(open("/dev/zero", O_RDWR)), nul = OK(open("/tmp/f", O_RDWR | O_CREAT, 0600)), p[2];
	OK(pipe(p));
	for (int i = 0; i < 3; i++) {
		void *b = bad[i];
		ERR(EFAULT, syscall(SYS_read, fd, b, 16));
		ERR(EFAULT, syscall(SYS_write, nul, b, 16));
		ERR(EFAULT, syscall(SYS_write, p[1], b, 16));
		ERR(EFAULT, syscall(SYS_open, b, 0));
		ERR(EFAULT, syscall(SYS_stat, "/", b));
		ERR(EFAULT, syscall(SYS_stat, b, page));
		ERR(EFAULT, syscall(SYS_pipe, b));
		ERR(EFAULT, syscall(SYS_uname, b));
		ERR(EFAULT, syscall(SYS_getcwd, b, 100));
		ERR(EFAULT, syscall(SYS_readv, fd, b, 1));
		ERR(EFAULT, syscall(SYS_nanosleep, b, 0));
		ERR(EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, b, 0, 8));
		ERR(EFAULT, syscall(SYS_rt_sigprocmask, 0, b, 0, 8));
		ERR(EFAULT, syscall(SYS_getrlimit, RLIMIT_NOFILE, b));
		ERR(EFAULT, syscall(SYS_getrusage, 0, b));
		ERR(EFAULT, syscall(SYS_sysinfo, b));
		ERR(EFAULT, syscall(SYS_times, b));
		ERR(EFAULT, syscall(SYS_poll, b, 1, 0));
		ERR(EFAULT, syscall(SYS_getdents64, OK(open("/", O_RDONLY)), b, 4096));
		ERR(EFAULT, syscall(SYS_execve, b, 0, 0));
	}
	/* A buffer that ends in a hole: what fits is done. */
	char *two = mmap(0, 2 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(munmap(two + PAGE, PAGE));
	EQ(syscall(SYS_read, fd, two + PAGE - 10, 100), 10);
	ERR(EFAULT, syscall(SYS_write, p[1], two + PAGE, 1));
	EQ(syscall(SYS_write, nul, two + PAGE - 10, 100), 10);
	/* A string that runs into one. */
	memset(two, 'a', PAGE);
	ERR(EFAULT, syscall(SYS_open, two + PAGE - 10, O_RDONLY));
	strcpy(two + PAGE - 5, "/dev");
	OK(syscall(SYS_open, two + PAGE - 5, O_RDONLY));
	/* Reading into text that is only read and executed. */
	ERR(EFAULT, syscall(SYS_read, fd, (void *)hostile_efault_not_death, 4));
}

TEST(hostile, absurd_sizes)
{
	int fd = OK(open("/dev/zero", O_RDWR)), nul = OK(open("/dev/null", O_WRONLY));
	char b[16];
	EQ(syscall(SYS_write, nul, b, -1) > 0 || errno == EFAULT, 1);
	CHECK(syscall(SYS_read, fd, b, -1ul) == -1 || 1);
	ERR(EINVAL, syscall(SYS_readv, fd, b, 1 << 30));
	ERR(EINVAL, syscall(SYS_setgroups, 1 << 30, b));
	ERR(EINVAL, syscall(SYS_poll, b, 1ul << 31, 0));
	ERR(EINVAL, syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 4));
	ERR(ENOSYS, syscall(10000));
	ERR(ENOSYS, syscall(-1));
	ERR(ENOSYS, syscall(0x7fffffff));
	ERR(ENOMEM, mremap(mmap(0, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PAGE, 1ul << 46, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
	ERR(EINVAL, fcntl(nul, F_DUPFD, 1 << 30));
	ERR(EBADF, dup2(nul, 1 << 30));
}

/* A good small ELF, of which the cases below damage one thing each. */
struct image {
	Elf64_Ehdr e;
	Elf64_Phdr p[2];
	unsigned char code[64];
};

static struct image good(void)
{
	struct image im = {
		.e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		       .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(Elf64_Ehdr),
		       .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
		       .e_entry = 0x10000000 + offsetof(struct image, code) },
		.p = { { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x10000000, .p_filesz = sizeof(struct image), .p_memsz = sizeof(struct image), .p_align = PAGE } },
		/* exit_group(7) */
		.code = { 0xb8, 231, 0, 0, 0, 0xbf, 7, 0, 0, 0, 0x0f, 0x05 },
	};
	return im;
}

/* Execute the first n bytes of im; the wait status. */
static int try_image(const void *im, size_t n)
{
	int fd = OK(open("/tmp/elf", O_WRONLY | O_CREAT | O_TRUNC, 0755));
	EQ(write(fd, im, n), n);
	close(fd);
	FORK(pid) {
		struct rlimit core = { 0, 0 };
		setrlimit(RLIMIT_CORE, &core);
		signal(SIGALRM, SIG_DFL);
		alarm(2);
		char *argv[] = { "elf", 0 };
		execve("/tmp/elf", argv, argv + 1);
		_exit(100 + (errno > 90 ? 90 : errno));
	}
	int st = wait_status(pid);
	unlink("/tmp/elf");
	return st;
}

#define EXITS(st, code) do { int s_ = (st); if (!WIFEXITED(s_) || WEXITSTATUS(s_) != (code)) FAIL("%s: wait status %#x, want exit %d", #st, s_, code); } while (0)

TEST(hostile, elf_damaged)
{
	struct image im = good();
	EXITS(try_image(&im, sizeof im), 7);
	for (size_t n = 0; n < sizeof(Elf64_Ehdr); n += 7)
		EXITS(try_image(&im, n), 100 + ENOEXEC); /* cut off */
	im = good(), im.e.e_ident[1] = 'X';
	EXITS(try_image(&im, sizeof im), 100 + ENOEXEC);
	im = good(), im.e.e_machine = EM_386;
	EXITS(try_image(&im, sizeof im), 100 + ENOEXEC);
	im = good(), im.e.e_type = ET_REL;
	EXITS(try_image(&im, sizeof im), 100 + ENOEXEC);
	im = good(), im.e.e_phentsize = 1;
	EXITS(try_image(&im, sizeof im), 100 + ENOEXEC);
	im = good(), im.e.e_phnum = 0;
	EXITS(try_image(&im, sizeof im), 100 + ENOEXEC);
	im = good(), im.e.e_phoff = 1 << 30;
	CHECK(WIFEXITED(try_image(&im, sizeof im)));
	im = good(), im.e.e_phnum = 0xffff;
	EXITS(try_image(&im, sizeof im), 100 + ENOEXEC);
	im = good(), im.e.e_phoff = -8;
	CHECK(WIFEXITED(try_image(&im, sizeof im)));
	/* An entry that is not mapped: SIGSEGV. */
	im = good(), im.e.e_entry = 0x666000;
	CHECK(WIFSIGNALED(try_image(&im, sizeof im)));
	im = good(), im.e.e_entry = 0xffff800000100000;
	{ int st = try_image(&im, sizeof im); CHECK(WIFSIGNALED(st) || (WIFEXITED(st) && WEXITSTATUS(st) >= 100)); }
	/* Text beyond the end of the file: SIGBUS or SIGSEGV when it is reached. */
	im = good(), im.p[0].p_filesz = im.p[0].p_memsz = 64 * PAGE, im.e.e_entry = 0x10000000 + 40 * PAGE;
	CHECK(WIFSIGNALED(try_image(&im, sizeof im)));
	/* A segment at no possible address. */
	im = good(), im.p[0].p_vaddr = 0xffff800000000000;
	{ int st = try_image(&im, sizeof im); CHECK(WIFSIGNALED(st) || (WIFEXITED(st) && WEXITSTATUS(st) >= 100)); }
	im = good(), im.p[0].p_memsz = 1ul << 62;
	{ int st = try_image(&im, sizeof im); CHECK(WIFSIGNALED(st) || (WIFEXITED(st) && WEXITSTATUS(st) >= 100)); }
	im = good(), im.p[0].p_filesz = im.p[0].p_memsz + 4096;
	{ int st = try_image(&im, sizeof im); CHECK(WIFSIGNALED(st) || (WIFEXITED(st) && WEXITSTATUS(st) >= 100)); }
	im = good(), im.p[0].p_offset = 123;
	{ int st = try_image(&im, sizeof im); CHECK(WIFSIGNALED(st) || (WIFEXITED(st) && WEXITSTATUS(st) >= 100)); }
	/* An interpreter that is not there. */
	im = good(), im.e.e_phnum = 2;
	im.p[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(struct image, code) + 32, .p_filesz = 6 };
	memcpy(im.code + 32, "/nope", 6);
	EXITS(try_image(&im, sizeof im), 100 + ENOENT);
	memcpy(im.code + 32, "/noend", 6);
	EXITS(try_image(&im, sizeof im), 100 + ENOEXEC);
}

TEST_SLOW(hostile, elf_random_damage, 60)
{
	for (int i = 0; i < 400; i++) {
		struct image im = good();
		for (int k = rnd() % 4; k >= 0; k--) {
			int at = rnd() % offsetof(struct image, code);
			((unsigned char *)&im)[at] = rnd() % 3 ? rnd() : 0xff;
		}
		try_image(&im, rnd() % 4 ? sizeof im : rnd() % sizeof im);
	}
}

TEST_FLAGS(hostile, memory_runs_out, 60, NEEDS_VM)
{
	/* The eater dies; everyone else lives on, and the memory is back. */
	long before = field_of("/proc/meminfo", "MemFree");
	FORK(pid) {
		spit("/proc/self/oom_score_adj", "500");
		for (;;) {
			char *p = mmap(0, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (p == MAP_FAILED)
				_exit(7); /* refusing is fine, too */
			for (long i = 0; i < 8 << 20; i += PAGE)
				p[i] = 1;
		}
	}
	int st = wait_status(pid);
	CHECK((WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL) || (WIFEXITED(st) && WEXITSTATUS(st) == 7));
	EVENTUALLY(field_of("/proc/meminfo", "MemFree") > before - 16384);
	wait_ok(spawn((void (*)(void *))sleep_ms, (void *)1));
}

TEST_FLAGS(hostile, kernel_bug_kills_the_caller_only, 20, TAMARIX_ONLY)
{
	/* A Go panic inside a system call: logged, SIGKILL, and the machine goes on. */
	if (access("/proc/sysrq-trigger", W_OK) < 0)
		skip("no sysrq-trigger");
	FORK(pid) {
		int fd = OK(open("/proc/sysrq-trigger", O_WRONLY));
		write(fd, "c", 1);
		_exit(0);
	}
	wait_signaled(pid, SIGKILL);
	wait_ok(spawn((void (*)(void *))sleep_ms, (void *)1));
	static char log[1 << 20];
	CHECK(syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof log - 1) > 0);
	CHECK(strcasestr(log, "oops"));
}

TEST_FLAGS(hostile, fork_bomb_within_its_limit, 60, 0)
{
	FORK(pid) {
		struct rlimit r = { 30, 30 };
		OK(setrlimit(RLIMIT_NPROC, &r));
		OK(setuid(54321));
		alarm(3);
		int64_t end = now_ms() + 1500;
		while (now_ms() < end)
			fork(); /* the children go on in the same loop */
		_exit(0);
	}
	wait_status(pid);
	for (int i = 0; i < 20; i++)
		wait_ok(spawn((void (*)(void *))sleep_ms, (void *)1));
}

TEST(hostile, many_descriptors)
{
	struct rlimit r;
	OK(getrlimit(RLIMIT_NOFILE, &r));
	int p[2], n = 0;
	while (n < 5000 && pipe(p) == 0)
		n++;
	CHECK(n >= 100);
	CHECK(n == 5000 || errno == EMFILE || errno == ENFILE);
}

TEST(hostile, deep_directories)
{
	/* Deeper than any path may be long. */
	OK(chdir("/tmp"));
	for (int i = 0; i < 1000; i++) {
		OK(mkdir("deeper", 0700));
		OK(chdir("deeper"));
	}
	char cwd[9000];
	if (syscall(SYS_getcwd, cwd, sizeof cwd) < 0)
		CHECK(errno == ENAMETOOLONG || errno == ERANGE);
	for (int i = 0; i < 1000; i++) {
		OK(chdir(".."));
		OK(rmdir("deeper"));
	}
}
