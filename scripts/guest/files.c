/* Files, directories and descriptors, on the tmpfs at /tmp. */
#include "t.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/uio.h>

static int mkfile(const char *path, const char *text)
{
	spit(path, text);
	return OK(open(path, O_RDWR));
}

TEST(files, read_write_seek)
{
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0644));
	char b[20] = "";
	EQ(write(fd, "hello world", 11), 11);
	EQ(lseek(fd, 0, SEEK_CUR), 11);
	EQ(lseek(fd, 6, SEEK_SET), 6);
	EQ(read(fd, b, 20), 5);
	STREQ(b, "world");
	EQ(read(fd, b, 20), 0);
	EQ(lseek(fd, -3, SEEK_END), 8);
	EQ(pread(fd, b, 2, 0), 2);
	EQ(lseek(fd, 0, SEEK_CUR), 8);
	EQ(pwrite(fd, "J", 1, 0), 1);
	ERR(EINVAL, lseek(fd, -1, SEEK_SET));
	ERR(EINVAL, lseek(fd, 0, 9));
	ERR(EINVAL, pread(fd, b, 1, -1));
	ERR(EFAULT, read(fd, (void *)8, 1));
	EQ(lseek(fd, 100000, SEEK_SET), 100000);
	EQ(read(fd, b, 1), 0);
	EQ(write(fd, "x", 1), 1);
	struct stat st;
	OK(fstat(fd, &st));
	EQ(st.st_size, 100001);
	EQ(pread(fd, b, 1, 50000), 1);
	EQ(b[0], 0); /* a hole */
}

TEST(files, append)
{
	int a = mkfile("/tmp/f", "one");
	int fd = OK(open("/tmp/f", O_WRONLY | O_APPEND));
	EQ(write(fd, "two", 3), 3);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	EQ(write(fd, "three", 5), 5);
	STREQ(slurp("/tmp/f"), "onetwothree");
	close(a);
}

TEST(files, truncate)
{
	int fd = mkfile("/tmp/f", "0123456789");
	char b[20];
	memset(b, 1, sizeof b);
	OK(ftruncate(fd, 4));
	OK(ftruncate(fd, 8));
	EQ(read(fd, b, 20), 8);
	CHECK(!memcmp(b, "0123\0\0\0\0", 8));
	OK(truncate("/tmp/f", 0));
	EQ(lseek(fd, 0, SEEK_END), 0);
	ERR(EINVAL, ftruncate(fd, -1));
	ERR(EISDIR, truncate("/tmp", 0));
	ERR(ENOENT, truncate("/tmp/none", 0));
	close(fd);
	fd = OK(open("/tmp/f", O_RDONLY));
	ERR(EINVAL, ftruncate(fd, 0));
}

TEST(files, open_flags)
{
	unlink("/tmp/f");
	ERR(ENOENT, open("/tmp/f", O_RDWR));
	OK(close(OK(open("/tmp/f", O_WRONLY | O_CREAT | O_EXCL, 0640))));
	ERR(EEXIST, open("/tmp/f", O_WRONLY | O_CREAT | O_EXCL, 0640));
	ERR(ENOTDIR, open("/tmp/f", O_RDONLY | O_DIRECTORY));
	ERR(EISDIR, open("/tmp", O_WRONLY));
	ERR(EISDIR, open("/tmp", O_RDONLY | O_CREAT, 0600));
	unlink("/tmp/l");
	OK(symlink("f", "/tmp/l"));
	ERR(ELOOP, open("/tmp/l", O_RDONLY | O_NOFOLLOW));
	ERR(EEXIST, open("/tmp/l", O_WRONLY | O_CREAT | O_EXCL, 0600));
	int fd = OK(open("/tmp/l", O_PATH | O_NOFOLLOW));
	struct stat st;
	OK(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
	char c;
	ERR(EBADF, read(fd, &c, 1));
	fd = OK(open("/tmp/f", O_RDONLY));
	ERR(EBADF, write(fd, "x", 1));
	EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	fd = OK(open("/tmp/f", O_WRONLY));
	ERR(EBADF, read(fd, &c, 1));
	fd = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	if (fd >= 0) {
		EQ(write(fd, "x", 1), 1);
		OK(fstat(fd, &st));
		EQ(st.st_nlink, 0);
	}
}

TEST(files, path_walking)
{
	mkdir("/tmp/a", 0755), mkdir("/tmp/a/b", 0755);
	OK(chdir("/tmp/a/b"));
	spit("../../x", "x");
	STREQ(slurp("/tmp/x"), "x");
	STREQ(slurp("/tmp/a/../a/./b///../../x"), "x");
	STREQ(slurp("/../../tmp/x"), "x");
	ERR(ENOTDIR, open("/tmp/x/", O_RDONLY));
	ERR(ENOTDIR, open("/tmp/x/y", O_RDONLY));
	ERR(ENOENT, open("", O_RDONLY));
	ERR(ENOENT, open("/tmp/none/y", O_RDONLY));
	ERR(EFAULT, open((char *)8, O_RDONLY));
	char path[5000], cwd[100];
	memset(path, 'x', 300);
	path[300] = 0;
	ERR(ENAMETOOLONG, open(path, O_RDONLY));
	path[255] = 0;
	ERR(ENOENT, open(path, O_RDONLY));
	for (int i = 0; i < 4998; i += 2)
		path[i] = '.', path[i + 1] = '/';
	path[4998] = 0;
	ERR(ENAMETOOLONG, open(path, O_RDONLY));
	path[4094] = 0;
	OK(open(path, O_RDONLY));
	STREQ(getcwd(cwd, 100), "/tmp/a/b");
	ERR(ERANGE, syscall(SYS_getcwd, cwd, 4));
	OK(chdir(".."));
	STREQ(getcwd(cwd, 100), "/tmp/a");
	OK(rmdir("/tmp/a/b"));
	ERR(ENOENT, chdir("b"));
	OK(mkdir("/tmp/gone", 0755));
	OK(chdir("/tmp/gone"));
	OK(rmdir("/tmp/gone"));
	ERR(ENOENT, open("f", O_CREAT | O_WRONLY, 0600));
	ERR(ENOENT, syscall(SYS_getcwd, cwd, 100));
	OK(chdir(".."));
}

TEST(files, symlinks)
{
	mkdir("/tmp/d", 0755);
	unlink("/tmp/s"), unlink("/tmp/s2"), unlink("/tmp/l1"), unlink("/tmp/l2");
	OK(symlink("d", "/tmp/s"));
	spit("/tmp/s/f", "in d");
	STREQ(slurp("/tmp/d/f"), "in d");
	OK(symlink("/tmp/s/f", "/tmp/s2"));
	STREQ(slurp("/tmp/s2"), "in d");
	char b[20] = "";
	EQ(readlink("/tmp/s2", b, 20), 8);
	STREQ(b, "/tmp/s/f");
	EQ(readlink("/tmp/s2", b, 3), 3);
	ERR(EINVAL, readlink("/tmp/d", b, 20));
	ERR(EINVAL, syscall(SYS_readlink, "/tmp/s2", b, 0));
	OK(symlink("l2", "/tmp/l1"));
	OK(symlink("l1", "/tmp/l2"));
	ERR(ELOOP, open("/tmp/l1", O_RDONLY));
	struct stat st;
	OK(lstat("/tmp/l1", &st));
	EQ(st.st_size, 2);
	ERR(EEXIST, symlink("x", "/tmp/l1"));
	ERR(ENOENT, symlink("", "/tmp/l3"));
	/* a dangling one is filled by O_CREAT */
	unlink("/tmp/target"), unlink("/tmp/dangling");
	OK(symlink("target", "/tmp/dangling"));
	spit("/tmp/dangling", "made");
	STREQ(slurp("/tmp/target"), "made");
	/* 40 in a row is the limit */
	char from[32], to[32];
	OK(symlink("d", "/tmp/c0") == 0 || errno == EEXIST ? 0 : -1);
	for (int i = 1; i < 42; i++) {
		sprintf(from, "c%d", i - 1), sprintf(to, "/tmp/c%d", i);
		unlink(to);
		OK(symlink(from, to));
	}
	OK(open("/tmp/c39", O_RDONLY));
	ERR(ELOOP, open("/tmp/c40", O_RDONLY));
}

TEST(files, links)
{
	struct stat a, b;
	spit("/tmp/f", "x");
	unlink("/tmp/g");
	OK(link("/tmp/f", "/tmp/g"));
	OK(stat("/tmp/f", &a));
	OK(stat("/tmp/g", &b));
	EQ(a.st_ino, b.st_ino);
	EQ(a.st_nlink, 2);
	ERR(EEXIST, link("/tmp/f", "/tmp/g"));
	ERR(EPERM, link("/tmp", "/tmp/h"));
	ERR(EXDEV, link("/proc/self/stat", "/tmp/h"));
	OK(unlink("/tmp/f"));
	OK(stat("/tmp/g", &b));
	EQ(b.st_nlink, 1);
	int fd = OK(open("/tmp/g", O_RDONLY));
	OK(unlink("/tmp/g"));
	char c;
	EQ(read(fd, &c, 1), 1); /* open, so still there */
	ERR(EISDIR, unlink("/tmp"));
	ERR(ENOENT, unlink("/tmp/g"));
}

TEST(files, directories)
{
	OK(mkdir("/tmp/d1", 0750));
	ERR(EEXIST, mkdir("/tmp/d1", 0750));
	ERR(ENOENT, mkdir("/tmp/none/d", 0750));
	struct stat st;
	OK(stat("/tmp/d1", &st));
	EQ(st.st_mode, S_IFDIR | 0750);
	EQ(st.st_nlink, 2);
	OK(mkdir("/tmp/d1/sub", 0700));
	OK(stat("/tmp/d1", &st));
	EQ(st.st_nlink, 3);
	ERR(ENOTEMPTY, rmdir("/tmp/d1"));
	ERR(EINVAL, rmdir("/tmp/d1/sub/."));
	ERR(ENOTEMPTY, rmdir("/tmp/d1/sub/.."));
	ERR(EBUSY, rmdir("/"));
	OK(rmdir("/tmp/d1/sub"));
	OK(rmdir("/tmp/d1"));
	ERR(ENOTDIR, rmdir("/dev/null"));
}

TEST(files, readdir)
{
	enum { N = 500 };
	char path[64];
	static char seen[N];
	memset(seen, 0, N);
	OK(mkdir("/tmp/many", 0755));
	for (int i = 0; i < N; i++) {
		sprintf(path, "/tmp/many/file-%d", i);
		spit(path, "");
	}
	DIR *d = opendir("/tmp/many");
	CHECK(d);
	int dots = 0, files = 0;
	for (struct dirent *e; (e = readdir(d));) {
		int i;
		if (sscanf(e->d_name, "file-%d", &i) == 1) {
			EQ(seen[i], 0);
			seen[i] = 1, files++;
			EQ(e->d_type, DT_REG);
			/* Removing what was read must not hide what was not. */
			sprintf(path, "/tmp/many/%s", e->d_name);
			OK(unlink(path));
		} else
			dots++;
	}
	EQ(dots, 2);
	EQ(files, N);
	rewinddir(d);
	closedir(d);
	OK(rmdir("/tmp/many"));
	char b[64];
	int fd = OK(open("/tmp", O_RDONLY));
	ERR(EINVAL, syscall(SYS_getdents64, fd, b, 8));
	ERR(ENOTDIR, syscall(SYS_getdents64, OK(open("/dev/null", O_RDONLY)), b, 64));
}

/* The records of the older call, in memory that longer ones have used. */
TEST(files, getdents_old)
{
	struct rec { unsigned long ino, off; unsigned short len; char name[]; };
	char b[4096], path[300];
	mkdir("/tmp/long", 0755), mkdir("/tmp/short", 0755);
	for (int n = 1; n <= 40; n++) {
		char name[256];
		memset(name, 'a' + n % 26, sizeof name);
		name[40 + n] = 0;
		sprintf(path, "/tmp/long/%s", name);
		spit(path, "");
		name[n] = 0;
		sprintf(path, "/tmp/short/%s", name);
		spit(path, "");
	}
	OK(syscall(SYS_getdents, OK(open("/tmp/long", O_RDONLY)), b, sizeof b));
	int seen = 0;
	long n = OK(syscall(SYS_getdents, OK(open("/tmp/short", O_RDONLY)), b, sizeof b));
	for (long i = 0; i < n;) {
		struct rec *r = (struct rec *)(b + i);
		sprintf(path, "/tmp/short/%s", r->name);
		OK(access(path, F_OK));
		EQ(b[i + r->len - 1], r->name[0] == '.' ? DT_DIR : DT_REG);
		if (r->name[0] != '.')
			OK(unlink(path));
		seen++;
		i += r->len;
	}
	EQ(seen, 42);
	OK(rmdir("/tmp/short"));
}

TEST(files, rename)
{
	spit("/tmp/f", "f"), spit("/tmp/g", "g");
	OK(rename("/tmp/f", "/tmp/g"));
	STREQ(slurp("/tmp/g"), "f");
	ERR(ENOENT, rename("/tmp/f", "/tmp/h"));
	mkdir("/tmp/ra", 0755), mkdir("/tmp/rb", 0755);
	ERR(EISDIR, rename("/tmp/g", "/tmp/ra"));
	ERR(ENOTDIR, rename("/tmp/ra", "/tmp/g"));
	OK(rename("/tmp/ra", "/tmp/rb")); /* over an empty directory */
	mkdir("/tmp/ra", 0755);
	spit("/tmp/rb/x", "");
	ERR(ENOTEMPTY, rename("/tmp/ra", "/tmp/rb"));
	ERR(EINVAL, rename("/tmp/rb", "/tmp/rb/below"));
	OK(rename("/tmp/rb", "/tmp/ra/moved"));
	struct stat st;
	OK(stat("/tmp/ra/moved/x", &st));
	OK(chdir("/tmp/ra/moved"));
	OK(stat("../../g", &st));
	ERR(EEXIST, syscall(SYS_renameat2, AT_FDCWD, "/tmp/g", AT_FDCWD, "/tmp/ra", 1 /* RENAME_NOREPLACE */));
	/* Two names of one file: nothing happens. */
	unlink("/tmp/g2");
	OK(link("/tmp/g", "/tmp/g2"));
	OK(rename("/tmp/g", "/tmp/g2"));
	OK(stat("/tmp/g", &st));
	EQ(st.st_nlink, 2);
}

TEST(files, at_calls)
{
	mkdir("/tmp/at", 0755);
	int d = OK(open("/tmp/at", O_RDONLY | O_DIRECTORY));
	int fd = OK(openat(d, "f", O_RDWR | O_CREAT, 0600));
	struct stat st;
	OK(fstatat(d, "f", &st, 0));
	OK(fstatat(fd, "", &st, AT_EMPTY_PATH));
	CHECK(S_ISREG(st.st_mode));
	ERR(ENOTDIR, openat(fd, "x", O_RDONLY));
	ERR(EBADF, openat(-1, "x", O_RDONLY));
	OK(openat(-1, "/tmp", O_RDONLY)); /* absolute: the descriptor does not matter */
	OK(mkdirat(d, "sub", 0700));
	OK(renameat(d, "f", d, "sub/f"));
	OK(symlinkat("sub/f", d, "l"));
	OK(faccessat(d, "l", R_OK, 0));
	OK(linkat(d, "l", d, "l2", AT_SYMLINK_FOLLOW));
	OK(fstatat(d, "l2", &st, AT_SYMLINK_NOFOLLOW));
	CHECK(S_ISREG(st.st_mode));
	ERR(EISDIR, unlinkat(d, "sub", 0));
	OK(unlinkat(d, "sub/f", 0));
	OK(unlinkat(d, "sub", AT_REMOVEDIR));
	ERR(EINVAL, unlinkat(d, "l", 0x4000));
	OK(fchdir(d));
	OK(unlink("l"));
}

TEST(files, stat_and_times)
{
	int fd = mkfile("/tmp/f", "12345");
	struct stat st;
	OK(fstat(fd, &st));
	EQ(st.st_size, 5);
	EQ(st.st_mode, S_IFREG | 0644);
	EQ(st.st_blksize, 4096);
	struct timespec ts[2] = { { 100, 5 }, { 200, 6 } };
	OK(futimens(fd, ts));
	OK(stat("/tmp/f", &st));
	EQ(st.st_atim.tv_sec, 100);
	EQ(st.st_mtim.tv_sec, 200);
	EQ(st.st_mtim.tv_nsec, 6);
	ts[0].tv_nsec = UTIME_OMIT, ts[1].tv_nsec = UTIME_NOW;
	OK(utimensat(AT_FDCWD, "/tmp/f", ts, 0));
	OK(stat("/tmp/f", &st));
	EQ(st.st_atim.tv_sec, 100);
	CHECK(st.st_mtim.tv_sec > 200);
	OK(chmod("/tmp/f", 04711));
	OK(stat("/tmp/f", &st));
	EQ(st.st_mode, S_IFREG | 04711);
	OK(chown("/tmp/f", 5, 6));
	OK(stat("/tmp/f", &st));
	EQ(st.st_uid, 5);
	EQ(st.st_gid, 6);
	EQ(st.st_mode, S_IFREG | 0711); /* the set-id bit is gone */
	OK(stat("/dev/null", &st));
	CHECK(S_ISCHR(st.st_mode));
	EQ(st.st_rdev, 0x103);
	struct statfs fs;
	OK(statfs("/tmp", &fs));
	EQ(fs.f_type, 0x01021994);
	OK(statfs("/proc", &fs));
	EQ(fs.f_type, 0x9fa0);
}

TEST(files, umask_and_mode)
{
	struct stat st;
	umask(027);
	unlink("/tmp/u");
	OK(open("/tmp/u", O_CREAT | O_WRONLY, 0777));
	OK(stat("/tmp/u", &st));
	EQ(st.st_mode & 07777, 0750);
	umask(0);
	rmdir("/tmp/ud");
	OK(mkdir("/tmp/ud", 01777));
	OK(stat("/tmp/ud", &st));
	EQ(st.st_mode & 07777, 01777);
}

TEST(files, descriptors)
{
	int a = OK(open("/dev/null", O_RDONLY));
	int b = OK(dup(a));
	CHECK(b > a);
	EQ(dup2(a, 50), 50);
	EQ(dup2(a, a), a);
	ERR(EBADF, dup2(77, 78));
	ERR(EINVAL, dup3(a, a, 0));
	EQ(dup3(a, 51, O_CLOEXEC), 51);
	EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
	EQ(fcntl(a, F_DUPFD, 60), 60);
	EQ(fcntl(a, F_DUPFD_CLOEXEC, 60), 61);
	EQ(fcntl(61, F_GETFD), FD_CLOEXEC);
	close(a);
	EQ(open("/dev/null", O_RDONLY), a); /* the lowest */
	OK(syscall(SYS_close_range, 50, 61, 0));
	ERR(EBADF, fcntl(50, F_GETFD));
	ERR(EBADF, close(50));
	struct rlimit r = { 20, 20 };
	OK(setrlimit(RLIMIT_NOFILE, &r));
	int n = 0;
	while (dup(a) >= 0)
		n++;
	EQ(errno, EMFILE);
	WITHIN(n, 5, 20);
	ERR(EBADF, dup2(a, 20));
	ERR(EINVAL, fcntl(a, F_DUPFD, 20));
}

TEST(files, offset_is_shared)
{
	int fd = mkfile("/tmp/f", "abcdef");
	char c;
	FORK(pid) { EQ(read(fd, &c, 1), 1); _exit(0); }
	wait_ok(pid);
	EQ(read(fd, &c, 1), 1);
	EQ(c, 'b');
	int d = dup(fd);
	EQ(read(d, &c, 1), 1);
	EQ(c, 'c');
	int o = OK(open("/tmp/f", O_RDONLY));
	EQ(read(o, &c, 1), 1);
	EQ(c, 'a');
	OK(fcntl(fd, F_SETFL, O_APPEND));
	EQ(fcntl(d, F_GETFL) & O_APPEND, O_APPEND);
}

TEST(files, locks)
{
	int fd = mkfile("/tmp/f", "0123456789");
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3 };
	if (fcntl(fd, F_SETLK, &fl) < 0 && (errno == ENOSYS || errno == EINVAL))
		skip("no record locks");
	FORK(pid) {
		struct flock q = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
		ERR(EAGAIN, fcntl(fd, F_SETLK, &q));
		OK(fcntl(fd, F_GETLK, &q));
		EQ(q.l_type, F_WRLCK);
		EQ(q.l_start, 2);
		EQ(q.l_len, 3);
		EQ(q.l_pid, getppid());
		_exit(0);
	}
	wait_ok(pid);
	int b = OK(open("/tmp/f", O_RDWR));
	OK(flock(fd, LOCK_EX));
	ERR(EAGAIN, flock(b, LOCK_EX | LOCK_NB));
	OK(flock(fd, LOCK_UN));
	OK(flock(b, LOCK_EX | LOCK_NB));
}

TEST(files, size_limit)
{
	FORK(pid) {
		struct rlimit r = { 1000, 1000 };
		OK(setrlimit(RLIMIT_FSIZE, &r));
		int fd = OK(open("/tmp/f", O_WRONLY | O_CREAT | O_TRUNC, 0600));
		char b[2000] = "";
		EQ(write(fd, b, 2000), 1000);
		write(fd, b, 1);
		_exit(0);
	}
	wait_signaled(pid, SIGXFSZ);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit r = { 1000, 1000 };
	OK(setrlimit(RLIMIT_FSIZE, &r));
	int fd = OK(open("/tmp/f", O_WRONLY));
	ERR(EFBIG, ftruncate(fd, 2000));
	ERR(EFBIG, pwrite(fd, "x", 1, 1000));
}

TEST(files, statx)
{
	struct { uint32_t mask, blksize; uint64_t attr; uint32_t nlink, uid, gid; uint16_t mode, pad; uint64_t ino, size, blocks; uint64_t rest[24]; } sx;
	mkfile("/tmp/f", "1234567");
	OK(chmod("/tmp/f", 0644));
	OK(syscall(332 /* statx */, AT_FDCWD, "/tmp/f", 0, 0x7ff, &sx));
	EQ(sx.size, 7);
	EQ(sx.mode, S_IFREG | 0644);
	ERR(EINVAL, syscall(332, AT_FDCWD, "/tmp/f", 0x8000, 0x7ff, &sx));
	ERR(EFAULT, syscall(332, AT_FDCWD, "/tmp/f", 0, 0x7ff, 8));
}

TEST_SLOW(files, big_file, 60)
{
	/* 16 MB through the page cache. */
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	static unsigned b[16384];
	for (unsigned i = 0; i < 256; i++) {
		for (int j = 0; j < 16384; j++)
			b[j] = i * 31 + j;
		EQ(write(fd, b, sizeof b), sizeof b);
	}
	OK(lseek(fd, 0, SEEK_SET));
	for (unsigned i = 0; i < 256; i++) {
		EQ(read(fd, b, sizeof b), sizeof b);
		for (int j = 0; j < 16384; j += 97)
			EQ(b[j], i * 31 + j);
	}
	struct statfs before, after;
	OK(fstatfs(fd, &before));
	close(fd);
	unlink("/tmp/f");
	OK(statfs("/tmp", &after));
	WITHIN((after.f_bfree - before.f_bfree) * before.f_bsize, 16 << 20, (16 << 20) + 65536);
}
