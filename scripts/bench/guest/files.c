/* Names and files, all in the tmpfs on /tmp. */
#include "bench.h"

#include <poll.h>
#include <sys/stat.h>

/* A few directories deep, as names are. */
#define DIR "/tmp/bench/files"

static void make(const char *name, size_t size)
{
	static char buf[64 * KIB];
	memset(buf, 'x', sizeof buf);
	mkdir("/tmp/bench", 0755);
	mkdir(DIR, 0755);
	int fd = OK(open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644));
	for (; size; size -= sizeof buf < size ? sizeof buf : size)
		OK(write(fd, buf, sizeof buf < size ? sizeof buf : size));
	OK(close(fd));
}

static void make_one(void) { make(DIR "/one", 100); }

static void open_close(long n)
{
	while (n--) {
		long fd = call3(SYS_open, (long)(DIR "/one"), O_RDONLY, 0);
		if (fd < 0)
			unexpected("open", fd);
		call2(SYS_close, fd, 0);
	}
}

static void do_stat(long n)
{
	struct stat st;
	while (n--)
		EXPECT(0, call2(SYS_stat, (long)(DIR "/one"), (long)&st));
	EXPECT(100, st.st_size);
}

static void create_unlink(long n)
{
	while (n--) {
		long fd = call3(SYS_open, (long)(DIR "/new"), O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0)
			unexpected("open", fd);
		call2(SYS_close, fd, 0);
		EXPECT(0, call2(SYS_unlink, (long)(DIR "/new"), 0));
	}
}

enum { ENTRIES = 1000, DESCRIPTORS = 100 };
static int dir;

static void make_many(void)
{
	char name[100];
	make_one();
	OK(mkdir(DIR "/many", 0755));
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof name, DIR "/many/file-%04d", i);
		OK(close(OK(open(name, O_CREAT | O_WRONLY, 0644))));
	}
	dir = OK(open(DIR "/many", O_RDONLY | O_DIRECTORY));
}

/* The whole directory, 32 KiB at a time as the C library reads it. */
static void getdents(long n)
{
	static char buf[32 * KIB];
	while (n--) {
		long got, entries = 0;
		EXPECT(0, lseek(dir, 0, SEEK_SET));
		while ((got = call3(SYS_getdents64, dir, (long)buf, sizeof buf)) > 0)
			for (char *p = buf; p < buf + got; p += *(unsigned short *)(p + 16))
				entries++;
		EXPECT(ENTRIES + 2, entries);
	}
}

static struct pollfd fds[DESCRIPTORS];

/* Pipes nobody has written to: all 100 are looked at, none is ready. */
static void make_pipes(void)
{
	for (int i = 0; i < DESCRIPTORS; i++) {
		int p[2];
		OK(pipe(p));
		fds[i] = (struct pollfd){ .fd = p[0], .events = POLLIN };
	}
}

static void poll100(long n)
{
	while (n--)
		EXPECT(0, call3(SYS_poll, (long)fds, DESCRIPTORS, 0));
}

enum { CHUNK = 64 * KIB, FILE_SIZE = 1 * MIB };
static char chunk[CHUNK] __attribute__((aligned(4096)));
static int big;

static void make_big(void)
{
	memset(chunk, 'y', sizeof chunk);
	make(DIR "/big", FILE_SIZE);
	big = OK(open(DIR "/big", O_RDWR));
}

static void read64k(long n)
{
	memset(chunk, 0, PAGE);
	for (long i = 0; i < n; i++)
		EXPECT(CHUNK, pread(big, chunk, CHUNK, i * CHUNK % FILE_SIZE));
	EXPECT('x', chunk[PAGE - 1]);
}

/* Over what is there: the file's pages exist. */
static void write64k(long n)
{
	for (long i = 0; i < n; i++)
		EXPECT(CHUNK, pwrite(big, chunk, CHUNK, i * CHUNK % FILE_SIZE));
}

const struct row file_rows[] = {
	{ "open_close", 5000, open_close, make_one, 0 },
	{ "stat", 5000, do_stat, make_one, 0 },
	{ "create_unlink", 1000, create_unlink, make_one, 0 },
	{ "getdents", 20, getdents, make_many, 0 },
	{ "poll100", 200, poll100, make_pipes, 0 },
	{ "file_read64k", 64, read64k, make_big, 0 },
	{ "file_write64k", 64, write64k, make_big, 0 },
	{ 0 },
};
