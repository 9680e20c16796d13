/* What people do: programs that start programs, and many small files. */
#include "bench.h"

static char *const env[] = { "PATH=/bin:/usr/bin", "HOME=/", 0 };

/* Run a program to its end, its output into the void. */
static void run(char *const argv[])
{
	pid_t pid = OK(fork());
	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY), 1);
		execve(argv[0], argv, env);
		fail("%s: %s", argv[0], strerror(errno));
	}
	int status;
	if (waitpid(pid, &status, 0) != pid || status)
		fail("%s %s: wait status %#x", argv[0], argv[1], status);
}

static void sh(char *command) { run((char *[]){ "/bin/sh", "-c", command, 0 }); }

static void have_sh(void)
{
	if (access("/bin/sh", X_OK) < 0)
		skip("no /bin/sh in this archive");
}

static void shell_pipe(long n)
{
	while (n--)
		sh("seq 1 200 | sort -r | uniq | cat | tr 1 2 | cut -c 1-9 | grep 2 | sed s/2/1/ | head -n 100 | wc -l");
}

static void shell_loop(long n)
{
	while (n--)
		sh("i=0; while [ $i -lt 1000 ]; do (:); i=$((i+1)); done");
}

static void have_tar(void)
{
	have_sh();
	if (access("/bench/files.tar.gz", R_OK) < 0)
		skip("no /bench/files.tar.gz in this archive");
	sh("gunzip -c /bench/files.tar.gz > /tmp/files.tar && mkdir /tmp/tree");
}

/* Each time into an empty directory; the clock does not see it emptied. */
static void untar(long n)
{
	while (n--) {
		clock_stop();
		sh("rm -rf /tmp/tree/*");
		clock_go();
		run((char *[]){ "/bin/tar", "-xf", "/tmp/files.tar", "-C", "/tmp/tree", 0 });
	}
}

static void have_compiler(void)
{
	if (access("/usr/bin/tcc", X_OK) < 0 || access("/bench/source.c", R_OK) < 0)
		skip("no compiler in this archive");
}

static void compile(long n)
{
	while (n--)
		run((char *[]){ "/usr/bin/tcc", "-c", "-o", "/tmp/source.o", "/bench/source.c", 0 });
}

const struct row shell_rows[] = {
	{ "shell_pipe", 4, shell_pipe, have_sh, 0 },
	{ "shell_loop", 1, shell_loop, have_sh, 0 },
	{ "untar", 1, untar, have_tar, 0 },
	{ "compile", 4, compile, have_compiler, 0 },
	{ 0 },
};
