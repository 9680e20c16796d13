/* Programs nobody wrote for us: busybox and bash. */
#include "t.h"

/* Run a command with busybox's shell, output and errors to a file; its wait
 * status. */
static int sh(const char *command, const char *out)
{
	FORK(pid) {
		int fd = OK(open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600));
		int nul = OK(open("/dev/null", O_RDONLY));
		dup2(nul, 0), dup2(fd, 1), dup2(fd, 2);
		setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
		execl("/bin/busybox", "sh", "-c", command, (char *)0);
		_exit(126);
	}
	return wait_status(pid);
}

static void needs(const char *path)
{
	if (access(path, R_OK) < 0)
		skip("no %s here", path);
}

TEST_SLOW(shell, script_of_200_lines, 120)
{
	needs("/bin/busybox");
	needs("/t/script.sh");
	int st = sh("/bin/busybox sh /t/script.sh 2>/tmp/script.err", "/tmp/script.out");
	static char want[65536];
	strcpy(want, slurp("/t/script.want"));
	char *got = slurp("/tmp/script.out");
	int line = 1;
	for (char *a = want, *b = got; *a || *b; a++, b++) {
		if (*a != *b) {
			while (b > got && b[-1] != '\n')
				a--, b--;
			FAIL("line %d of the output is \"%.60s\", want \"%.60s\" (status %#x)", line, strtok(b, "\n"), strtok(a, "\n"), st);
		}
		line += *a == '\n';
	}
	EQ(st, 0);
}

/* Each command must end with 0; its output must hold the text. */
static void must(const char *command, const char *text)
{
	needs("/bin/busybox");
	int st = sh(command, "/tmp/cmd.out");
	char *got = slurp("/tmp/cmd.out");
	if (st != 0)
		FAIL("%s: wait status %#x: %.200s", command, st, got);
	if (text && !strstr(got, text))
		FAIL("%s: no \"%s\" in: %.200s", command, text, got);
}

#define COMMAND(n, c, t) TEST_SLOW(shell, n, 60) { must(c, t); }
COMMAND(ls, "ls -lR / 2>/dev/null; true", "busybox")
COMMAND(ps, "ps", "init")
COMMAND(top, "top -b -n1", "Mem:")
COMMAND(find, "find / -xdev | sort | wc -l", 0)
COMMAND(find_all, "find / 2>/dev/null | sort | wc -l", 0)
COMMAND(sed, "echo abc | sed 's/b/X/'", "aXc")
COMMAND(awk, "awk 'BEGIN { print 6 * 7 }'", "42")
COMMAND(tar, "cd /tmp && echo x > tf && tar -czf t.tgz tf && rm tf && tar -xzf t.tgz && cat tf", "x")
COMMAND(gzip, "seq 1 1000 | gzip | gunzip | tail -n 1", "1000")
COMMAND(df, "df", "tmpfs")
COMMAND(free, "free", "Mem:")
COMMAND(mount, "mount", "proc on /proc")
COMMAND(uptime, "uptime", "load average")
COMMAND(dmesg, "dmesg | head -n 3", 0)
COMMAND(id, "id", "uid=0(root)")
COMMAND(stat, "stat /tmp", "directory")
COMMAND(du, "du -s /bin", "/bin")
COMMAND(kill_job, "sleep 9 & kill %1; wait %1; test $? = 143", 0)
COMMAND(pidof, "pidof init || pidof sh", 0)
COMMAND(date, "date", 0)
COMMAND(uname, "uname -a", "x86_64")
COMMAND(hexdump, "echo a | hexdump -C", "61 0a")
COMMAND(dd, "dd if=/dev/zero of=/tmp/z bs=64k count=16 2>&1 && rm /tmp/z", "16+0 records out")
COMMAND(sleep_fraction, "sleep 0.1", 0)
COMMAND(killall, "sleep 77 & sleep 0.1; killall sleep; wait", 0)
COMMAND(deep_recursion, "f() { [ $1 = 0 ] || f $(($1 - 1)); }; f 300; echo deep", "deep")
COMMAND(hundred_processes, "for i in $(seq 1 100); do sleep 0.2 & done; wait; echo all", "all")
COMMAND(loop_of_commands, "i=0; while [ $i -lt 200 ]; do /bin/busybox true; i=$((i+1)); done; echo $i", "200")
COMMAND(bash, "test ! -x /bin/bash || /bin/bash -c 'echo $BASH_VERSION; a=(1 2 3); echo ${#a[@]}; for ((i=0;i<3;i++)); do :; done; cat <(echo sub); echo done'", 0)
COMMAND(bash_jobs, "test ! -x /bin/bash || /bin/bash -c 'set -m; sleep 8 & jobs; kill %1; wait %1; [ $? = 143 ] && echo killed'", 0)
