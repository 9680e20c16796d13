/* /proc: what programs read there. */
#include "t.h"

#include <dirent.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

TEST(procfs, self)
{
	char b[64] = "", want[64];
	OK(readlink("/proc/self", b, 63));
	sprintf(want, "%d", getpid());
	STREQ(b, want);
	OK(readlink("/proc/thread-self", b, 63));
	struct stat st;
	OK(stat("/proc/self/", &st));
	CHECK(S_ISDIR(st.st_mode));
	ERR(ENOENT, stat("/proc/99999999", &st));
}

TEST(procfs, stat)
{
	int pid, ppid, pgrp, sid, tty, tpgid;
	char comm[64], state;
	int n = sscanf(slurp("/proc/self/stat"), "%d (%[^)]) %c %d %d %d %d %d", &pid, comm, &state, &ppid, &pgrp, &sid, &tty, &tpgid);
	EQ(n, 8);
	EQ(pid, getpid());
	EQ(ppid, getppid());
	EQ(pgrp, getpgrp());
	EQ(sid, getsid(0));
	EQ(state, 'R');
	EQ(tty, 0);
	EQ(proc_stat(pid, 20), 1); /* threads */
	CHECK(proc_stat(pid, 22) >= 0);
	CHECK(proc_stat(pid, 23) > 0);
	CHECK(proc_stat(pid, 24) > 0);
	EQ(proc_stat(pid, 52), 0); /* the last field */
}

TEST(procfs, status)
{
	EQ(field_of("/proc/self/status", "Pid"), getpid());
	EQ(field_of("/proc/self/status", "Tgid"), getpid());
	EQ(field_of("/proc/self/status", "PPid"), getppid());
	EQ(field_of("/proc/self/status", "Uid"), 0);
	EQ(field_of("/proc/self/status", "Threads"), 1);
	CHECK(field_of("/proc/self/status", "VmRSS") > 0);
	CHECK(field_of("/proc/self/status", "VmSize") >= field_of("/proc/self/status", "VmRSS"));
	char *s = slurp("/proc/self/status");
	CHECK(strstr(s, "\nState:\tR (running)\n"));
	CHECK(strstr(s, "\nSigBlk:\t0000000000000000\n"));
	CHECK(strstr(s, "\nCapEff:\t"));
	signal(SIGUSR1, SIG_IGN);
	CHECK(strstr(slurp("/proc/self/status"), "\nSigIgn:\t0000000000000200\n"));
}

TEST(procfs, links)
{
	char b[256] = "", self[256] = "";
	OK(chdir("/tmp"));
	OK(readlink("/proc/self/cwd", b, 255));
	STREQ(b, "/tmp");
	memset(b, 0, 256);
	OK(readlink("/proc/self/root", b, 255));
	STREQ(b, "/");
	OK(readlink("/proc/self/exe", self, 255));
	CHECK(self[0] == '/');
	int fd = OK(open("/dev/null", O_RDONLY));
	char path[64];
	sprintf(path, "/proc/self/fd/%d", fd);
	memset(b, 0, 256);
	OK(readlink(path, b, 255));
	STREQ(b, "/dev/null");
	int again = OK(open(path, O_WRONLY));
	EQ(write(again, "x", 1), 1);
	int p[2];
	OK(pipe(p));
	sprintf(path, "/proc/self/fd/%d", p[0]);
	memset(b, 0, 256);
	OK(readlink(path, b, 255));
	CHECK(!strncmp(b, "pipe:[", 6));
	spit("/tmp/gone", "still");
	fd = OK(open("/tmp/gone", O_RDONLY));
	unlink("/tmp/gone");
	sprintf(path, "/proc/self/fd/%d", fd);
	memset(b, 0, 256);
	OK(readlink(path, b, 255));
	STREQ(b, "/tmp/gone (deleted)");
	STREQ(slurp(path), "still"); /* a magic link, not a path */
	sprintf(path, "/proc/self/fdinfo/%d", fd);
	CHECK(strstr(slurp(path), "pos:\t"));
}

TEST(procfs, maps)
{
	char *p = mmap(0, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *s = slurp("/proc/self/maps"), want[64];
	CHECK(strstr(s, "[stack]"));
	CHECK(strstr(s, " r-xp "));
	sprintf(want, "-%lx r--p 00000000 00:00 0", (long)p + 3 * PAGE);
	CHECK(strstr(s, want) || strstr(s, " r--p 00000000 00:00 0"));
	char exe[256] = "";
	OK(readlink("/proc/self/exe", exe, 255));
	CHECK(strstr(s, exe));
	/* Addresses ascend and do not overlap. */
	unsigned long last = 0, lo, hi;
	for (; s && *s; s = strchr(s, '\n'), s = s ? s + 1 : 0) {
		EQ(sscanf(s, "%lx-%lx", &lo, &hi), 2);
		CHECK(lo >= last && hi > lo);
		last = hi;
	}
}

TEST(procfs, statm_is_true_to_the_page)
{
	long size, rss, shared_, size2, rss2;
	EQ(sscanf(slurp("/proc/self/statm"), "%ld %ld %ld", &size, &rss, &shared_), 3);
	sscanf(slurp("/proc/self/statm"), "%ld %ld %ld", &size, &rss, &shared_);
	char *p = mmap(0, 200 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(madvise(p, 200 * PAGE, 15) == 0 || errno == EINVAL ? 0 : -1);
	for (int i = 0; i < 100; i++)
		p[i * PAGE] = 1;
	sscanf(slurp("/proc/self/statm"), "%ld %ld", &size2, &rss2);
	EQ(size2 - size, 200);
	/* Linux batches its count by up to 64 pages per thread. */
	WITHIN(rss2 - rss, is_tamarix() ? 100 : 36, is_tamarix() ? 101 : 164);
}

TEST(procfs, smaps)
{
	char *p = mmap(0, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), key[32];
	OK(madvise(p, 64 * PAGE, 15) == 0 || errno == EINVAL ? 0 : -1);
	OK(mprotect(p + 63 * PAGE, PAGE, PROT_NONE)); /* keep it from merging at one end */
	for (int i = 0; i < 10; i++)
		p[i * PAGE] = 1;
	sprintf(key, "%lx-", (long)p);
	char *s = strstr(slurp("/proc/self/smaps"), key);
	if (!s)
		skip("the mapping has merged with its neighbour");
	long rss, dirty;
	EQ(sscanf(strstr(s, "\nRss:"), " Rss: %ld", &rss), 1);
	EQ(rss, 40);
	EQ(sscanf(strstr(s, "\nPrivate_Dirty:"), " Private_Dirty: %ld", &dirty), 1);
	EQ(dirty, 40);
}

TEST(procfs, meminfo)
{
	long total = field_of("/proc/meminfo", "MemTotal"), free = field_of("/proc/meminfo", "MemFree");
	CHECK(total > 8192 && free > 0 && free < total);
	CHECK(field_of("/proc/meminfo", "MemAvailable") > 0);
	CHECK(field_of("/proc/meminfo", "Cached") >= 0);
	struct sysinfo si;
	OK(sysinfo(&si));
	WITHIN(si.totalram / 1024 * si.mem_unit - total, -4, 4);
	CHECK(si.procs > 0 && si.uptime >= 0);
}

TEST(procfs, cmdline_and_environ)
{
	static char b[65536];
	int fd = OK(open("/proc/self/environ", O_RDONLY));
	CHECK(read(fd, b, sizeof b) >= 0);
	fd = OK(open("/proc/self/cmdline", O_RDONLY));
	CHECK(read(fd, b, sizeof b) > 0);
}

TEST(procfs, system_files)
{
	CHECK(strstr(slurp("/proc/version"), "version"));
	struct utsname u;
	OK(uname(&u));
	CHECK(strstr(slurp("/proc/version"), u.release));
	STREQ(u.machine, "x86_64");
	double up, idle;
	EQ(sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle), 2);
	double l1, l2, l3;
	int run, all, last;
	EQ(sscanf(slurp("/proc/loadavg"), "%lf %lf %lf %d/%d %d", &l1, &l2, &l3, &run, &all, &last), 6);
	char *s = slurp("/proc/stat");
	CHECK(!strncmp(s, "cpu  ", 5));
	CHECK(strstr(s, "\ncpu0 ") && strstr(s, "\nbtime ") && strstr(s, "\nprocesses "));
	CHECK(strstr(slurp("/proc/cpuinfo"), "processor\t: 0"));
	CHECK(strstr(slurp("/proc/filesystems"), "nodev\ttmpfs"));
	CHECK(strstr(slurp("/proc/mounts"), " /proc proc "));
	CHECK(strlen(slurp("/proc/cmdline")) > 0);
	CHECK(field_of("/proc/vmstat", "pgfault") > 0);
	CHECK(strchr(slurp("/proc/sys/kernel/hostname"), '\n') != 0);
	CHECK(atoi(slurp("/proc/sys/kernel/pid_max")) >= 1000);
	CHECK(strlen(slurp("/proc/sys/kernel/osrelease")) > 1);
}

TEST(procfs, hostname)
{
	struct utsname u;
	OK(sethostname("guest-test", 10));
	OK(uname(&u));
	STREQ(u.nodename, "guest-test");
	STREQ(slurp("/proc/sys/kernel/hostname"), "guest-test\n");
	ERR(EINVAL, sethostname("x", 65));
	ERR(EFAULT, sethostname((char *)8, 5));
}

TEST(procfs, tasks)
{
	char path[64];
	sprintf(path, "/proc/self/task/%d/stat", getpid());
	CHECK(strlen(slurp(path)) > 10);
	DIR *d = opendir("/proc");
	CHECK(d);
	int me = 0, one = 0;
	for (struct dirent *e; (e = readdir(d));) {
		me |= atoi(e->d_name) == getpid();
		one |= atoi(e->d_name) == 1;
	}
	closedir(d);
	CHECK(me && one);
}

TEST(procfs, writes_are_refused)
{
	ERR(EACCES, ({ setuid(1000); open("/proc/sys/kernel/hostname", O_WRONLY); }));
	ERR(EPERM, unlink("/proc/version") == -1 && (errno == EPERM || errno == EACCES) ? (errno = EPERM, -1) : 0);
}

TEST(procfs, mem_of_a_process)
{
	static volatile long v = 0x1234;
	int fd = OK(open("/proc/self/mem", O_RDWR));
	long got = 0;
	EQ(pread(fd, &got, 8, (off_t)&v), 8);
	EQ(got, 0x1234);
	got = 0x99;
	EQ(pwrite(fd, &got, 8, (off_t)&v), 8);
	EQ(v, 0x99);
	ERR(EIO, pread(fd, &got, 8, 8));
}

TEST_SLOW(procfs, reading_while_processes_come_and_go, 60)
{
	FORK(pid) {
		for (;;) {
			FORK(q) _exit(0);
			wait_status(q);
		}
	}
	static char b[65536];
	static const char *files[] = { "stat", "status", "maps", "cmdline", "statm", "comm", "smaps" };
	int64_t end = now_ms() + 1500;
	while (now_ms() < end) {
		DIR *d = opendir("/proc");
		CHECK(d);
		for (struct dirent *e; (e = readdir(d));) {
			if (atoi(e->d_name) <= 0)
				continue;
			for (int i = 0; i < 7; i++) {
				char path[300];
				sprintf(path, "/proc/%s/%s", e->d_name, files[i]);
				int fd = open(path, O_RDONLY);
				if (fd >= 0) {
					read(fd, b, sizeof b);
					close(fd);
				}
			}
		}
		closedir(d);
	}
	kill(pid, SIGKILL);
	wait_signaled(pid, SIGKILL);
}
