/* execve(2): what is kept, what is new, and what is refused. */
#include "t.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

static int exec_status(const char *path, char **argv, char **envp)
{
	FORK(pid) {
		execve(path, argv, envp);
		_exit(100 + (errno < 100 ? errno : 99));
	}
	int st = wait_status(pid);
	CHECK(WIFEXITED(st));
	return WEXITSTATUS(st);
}

HELPER(args)
{
	extern char **environ;
	if (argc != 4 || strcmp(argv[1], "") || strcmp(argv[2], "two words") || strcmp(argv[3], "3") || argv[4])
		return 1;
	if (!environ[0] || strcmp(environ[0], "A=b") || environ[1])
		return 2;
	return 0;
}

TEST(exec, arguments)
{
	char *argv[] = { "args", "", "two words", "3", 0 }, *envp[] = { "A=b", 0 };
	EQ(exec_status(SELF, argv, envp), 0);
}

HELPER(auxv)
{
	if (getauxval(AT_PAGESZ) != 4096) return 1;
	if (getauxval(AT_CLKTCK) != 100) return 2;
	if (!getauxval(AT_PHDR) || getauxval(AT_PHENT) != sizeof(Elf64_Phdr)) return 3;
	if (!getauxval(AT_ENTRY) || !getauxval(AT_RANDOM)) return 4;
	if (getauxval(AT_UID) != getuid() || getauxval(AT_EGID) != getegid()) return 5;
	if (getauxval(AT_SECURE)) return 6;
	if (!getauxval(AT_EXECFN) || strcmp((char *)getauxval(AT_EXECFN), SELF)) return 7;
	if (!getauxval(AT_PLATFORM) || strcmp((char *)getauxval(AT_PLATFORM), "x86_64")) return 8;
	if (((uintptr_t)&argc & 0) || ((uintptr_t)__builtin_frame_address(0) & 15)) return 9;
	return 0;
}

TEST(exec, auxiliary_vector)
{
	char *argv[] = { "auxv", 0 };
	EQ(exec_status(SELF, argv, 0), 0);
}

HELPER(state)
{
	/* what the case below has set up */
	struct sigaction sa;
	sigset_t m;
	sigaction(SIGUSR1, 0, &sa);
	if (sa.sa_handler != SIG_DFL) return 1; /* handled: reset */
	sigaction(SIGUSR2, 0, &sa);
	if (sa.sa_handler != SIG_IGN) return 2; /* ignored: kept */
	sigprocmask(0, 0, &m);
	if (!sigismember(&m, SIGHUP)) return 3; /* blocked: kept */
	sigpending(&m);
	if (!sigismember(&m, SIGHUP)) return 4; /* pending: kept */
	if (fcntl(20, F_GETFD) != 0) return 5;
	if (fcntl(21, F_GETFD) != -1) return 6; /* close-on-exec */
	char cwd[64];
	if (!getcwd(cwd, sizeof cwd) || strcmp(cwd, "/")) return 7;
	if (umask(0) != 077) return 8;
	stack_t ss;
	sigaltstack(0, &ss);
	if (!(ss.ss_flags & SS_DISABLE)) return 9;
	if (nice(0) != 5) return 10;
	if (alarm(0) == 0) return 11; /* an alarm is kept */
	char name[16];
	prctl(PR_GET_NAME, name);
	if (argc == 2 && strcmp(name, argv[1])) return 12;
	return 0;
}

static void on_usr1(int s) {}

TEST(exec, what_survives)
{
	FORK(pid) {
		signal(SIGUSR1, on_usr1);
		signal(SIGUSR2, SIG_IGN);
		sigset_t m;
		sigemptyset(&m);
		sigaddset(&m, SIGHUP);
		sigprocmask(SIG_BLOCK, &m, 0);
		raise(SIGHUP);
		OK(dup2(0, 20));
		OK(dup3(0, 21, O_CLOEXEC));
		OK(chdir("/"));
		umask(077);
		stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };
		OK(sigaltstack(&ss, 0));
		OK(setpriority(PRIO_PROCESS, 0, 5));
		alarm(1000);
		char *argv[] = { "state", "exe", 0 };
		execv(SELF, argv);
		_exit(98);
	}
	wait_ok(pid);
}

TEST(exec, failures_leave_the_caller)
{
	char *argv[] = { "x", 0 }, *none[] = { 0 };
	ERR(ENOENT, execve("/nonexistent", argv, none));
	ERR(ENOENT, execve("", argv, none));
	ERR(EACCES, execve("/", argv, none));
	ERR(EACCES, execve("/dev/null", argv, none));
	spit("/tmp/plain", "hello\n");
	ERR(EACCES, execve("/tmp/plain", argv, none)); /* no x bit, even for root */
	chmod("/tmp/plain", 0755);
	ERR(ENOEXEC, execve("/tmp/plain", argv, none));
	spit("/tmp/empty", "");
	chmod("/tmp/empty", 0755);
	ERR(ENOEXEC, execve("/tmp/empty", argv, none));
	ERR(ENOTDIR, execve("/tmp/plain/x", argv, none));
	ERR(EFAULT, execve((char *)8, argv, none));
	ERR(EFAULT, execve(SELF, (char **)8, none));
	char *bad[] = { "x", (char *)8, 0 };
	ERR(EFAULT, execve(SELF, bad, none));
	ERR(EFAULT, execve(SELF, argv, bad));
	char path[5000];
	memset(path, 'a', sizeof path);
	path[sizeof path - 1] = 0;
	ERR(ENAMETOOLONG, execve(path, argv, none));
	unlink("/tmp/loop");
	OK(symlink("loop", "/tmp/loop"));
	ERR(ELOOP, execve("/tmp/loop", argv, none));
	unlink("/tmp/loop");
	unlink("/tmp/plain");
	unlink("/tmp/empty");
	wait_ok(spawn((void (*)(void *))sleep_ms, (void *)1)); /* still able to fork */
}

TEST(exec, too_big)
{
	/* One string over 128 KiB (MAX_ARG_STRLEN). */
	char *big = malloc(200 * 1024);
	memset(big, 'x', 200 * 1024 - 1);
	big[200 * 1024 - 1] = 0;
	char *argv[] = { "args", big, 0 }, *none[] = { 0 };
	ERR(E2BIG, execve(SELF, argv, none));
	/* Many over a quarter of the stack limit. */
	big[100 * 1024] = 0;
	char **many = calloc(sizeof *many, 200);
	for (int i = 0; i < 100; i++)
		many[i] = big;
	ERR(E2BIG, execve(SELF, many, none));
	/* Below it works. */
	for (int i = 0; i < 10; i++)
		many[i] = i ? big : "exit7";
	many[10] = 0;
	EQ(exec_status(SELF, many, none), 1);
}

TEST(exec, script)
{
	/* Interpreter, the rest of the line as one argument, the path, the arguments. */
	spit("/tmp/script", "");
	chmod("/tmp/script", 0755);
	if (access("/bin/busybox", X_OK) == 0) {
		spit("/tmp/script", "#! /bin/busybox  echo a\n");
		FORK(pid) {
			int fd = OK(open("/tmp/script.out", O_WRONLY | O_CREAT | O_TRUNC, 0644));
			dup2(fd, 1);
			dup2(fd, 2);
			char *argv[] = { "ignored", "b", 0 };
			execv("/tmp/script", argv);
			_exit(1);
		}
		int st = wait_status(pid);
		/* busybox gets the one argument "echo a" and knows no such applet */
		EQ(WEXITSTATUS(st), 127);
		spit("/tmp/script", "#!/bin/busybox echo\n");
		FORK(q) {
			int fd = OK(open("/tmp/script.out", O_WRONLY | O_CREAT | O_TRUNC, 0644));
			dup2(fd, 1);
			dup2(fd, 2);
			char *argv[] = { "ignored", "b", "c d", 0 };
			execv("/tmp/script", argv);
			_exit(1);
		}
		wait_ok(q);
		STREQ(slurp("/tmp/script.out"), "/tmp/script b c d\n");
	}
	char *argv[] = { "x", 0 }, *none[] = { 0 };
	spit("/tmp/script", "#!/nonexistent\n");
	ERR(ENOENT, execve("/tmp/script", argv, none));
	spit("/tmp/script", "#!\n");
	ERR(ENOEXEC, execve("/tmp/script", argv, none));
	spit("/tmp/script", "#!/tmp/script\n"); /* itself, for ever */
	ERR(ELOOP, execve("/tmp/script", argv, none));
	unlink("/tmp/script"), unlink("/tmp/script.out");
}

TEST(exec, execveat)
{
	char *argv[] = { "exit7", "arg", 0 }, *none[] = { 0 };
	int fd = OK(open(SELF, O_RDONLY | O_CLOEXEC));
	FORK(pid) {
		syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH);
		_exit(1);
	}
	int st = wait_status(pid);
	EQ(WEXITSTATUS(st), 7);
	ERR(ENOENT, syscall(SYS_execveat, fd, "", argv, none, 0));
	ERR(EBADF, syscall(SYS_execveat, -5, "x", argv, none, 0));
	ERR(ELOOP, syscall(SYS_execveat, AT_FDCWD, SELF, argv, none, AT_SYMLINK_NOFOLLOW));
	ERR(EINVAL, syscall(SYS_execveat, AT_FDCWD, "x", argv, none, 0x40000000));
}

static volatile int thread_up;
static int spin(void *v) { thread_up = 1; for (;;) ; }

TEST(exec, other_threads_end)
{
	FORK(pid) {
		char *stack = malloc(65536);
		OK(clone(spin, stack + 65536, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0));
		while (!thread_up) sched_yield();
		char *argv[] = { "one_thread", 0 };
		execv(SELF, argv);
		_exit(1);
	}
	wait_ok(pid);
}

HELPER(one_thread) { return field_of("/proc/self/status", "Threads") != 1; }

static int exec_from_thread(void *v)
{
	char buf[20];
	sprintf(buf, "%d", getpid());
	char *argv[] = { "check_pid", buf, 0 };
	execv(SELF, argv);
	_exit(3);
}

HELPER(check_pid) { return !(getpid() == atoi(argv[1]) && syscall(SYS_gettid) == getpid()); }

TEST(exec, from_another_thread)
{
	FORK(pid) {
		char *stack = malloc(65536);
		OK(clone(exec_from_thread, stack + 65536, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0));
		for (;;) pause();
	}
	wait_ok(pid); /* the pid has passed to the thread */
}

TEST(exec, comm_and_cmdline)
{
	int bell[2];
	OK(pipe2(bell, O_CLOEXEC));
	FORK(pid) {
		char *argv[] = { "sleeper", "a b", "c", 0 };
		execv(SELF, argv);
		_exit(1);
	}
	close(bell[1]);
	char c, path[64];
	EQ(read(bell[0], &c, 1), 0);
	sprintf(path, "/proc/%d/cmdline", pid);
	char *s = slurp(path);
	CHECK(!memcmp(s, "sleeper\0a b\0c\0", 15));
	sprintf(path, "/proc/%d/comm", pid);
	STREQ(slurp(path), "exe\n");
	OK(kill(pid, SIGKILL));
	wait_signaled(pid, SIGKILL);
}

TEST(exec, aslr)
{
	/* Two runs differ, and with ADDR_NO_RANDOMIZE they do not. */
	char *argv[] = { "where", 0 };
	unsigned long *w = shared(PAGE);
	for (int fixed = 0; fixed < 2; fixed++) {
		for (int i = 0; i < 2; i++) {
			int fd[2];
			OK(pipe(fd));
			FORK(pid) {
				dup2(fd[1], 1);
				if (fixed)
					OK(syscall(SYS_personality, 0x0040000));
				execv(SELF, argv);
				_exit(1);
			}
			EQ(read(fd[0], &w[i * 2], 16), 16);
			wait_ok(pid);
			close(fd[0]), close(fd[1]);
		}
		if (fixed) {
			EQ(w[0], w[2]);
			EQ(w[1], w[3]);
		} else {
			CHECK(w[0] != w[2]);
			CHECK(w[1] != w[3]);
		}
	}
}

HELPER(where)
{
	unsigned long w[2] = { (unsigned long)&argc, (unsigned long)mmap(0, PAGE, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
	return write(1, w, sizeof w) != sizeof w;
}
