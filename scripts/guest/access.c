/* Who may do what with files: permissions, set-id programs, mounts, chroot; and
 * the devices everybody may use. */
#include "t.h"

#include <sys/ioctl.h>
#include <sys/mount.h>

TEST(files, permissions)
{
	spit("/tmp/secret", "s"), chmod("/tmp/secret", 0600);
	spit("/tmp/open", "o"), chmod("/tmp/open", 0644);
	spit("/tmp/group", "g"), chmod("/tmp/group", 0060), chown("/tmp/group", 0, 50);
	mkdir("/tmp/closed", 0700), spit("/tmp/closed/f", "");
	mkdir("/tmp/sticky", 0777), chmod("/tmp/sticky", 01777), spit("/tmp/sticky/roots", "");
	FORK(pid) {
		gid_t g = 50;
		OK(syscall(SYS_setgroups, 1, &g));
		OK(syscall(SYS_setresgid, 1000, 1000, 1000));
		OK(syscall(SYS_setresuid, 1000, 1000, 1000));
		ERR(EACCES, open("/tmp/secret", O_RDONLY));
		OK(open("/tmp/open", O_RDONLY));
		ERR(EACCES, open("/tmp/open", O_WRONLY));
		OK(open("/tmp/group", O_RDWR)); /* by a supplementary group */
		ERR(EACCES, open("/tmp/closed/f", O_RDONLY));
		ERR(EACCES, chdir("/tmp/closed"));
		ERR(EACCES, open("/tmp/closed", O_RDONLY));
		ERR(EPERM, chmod("/tmp/open", 0777));
		ERR(EPERM, chown("/tmp/open", 1000, 1000));
		ERR(EPERM, unlink("/tmp/sticky/roots"));
		spit("/tmp/sticky/mine", "");
		OK(unlink("/tmp/sticky/mine"));
		ERR(EACCES, mkdir("/dev/x", 0700));
		ERR(EACCES, access("/tmp/secret", R_OK));
		OK(access("/tmp/open", R_OK));
		ERR(EPERM, setuid(0));
		ERR(EPERM, syscall(SYS_setgroups, 1, &g));
		ERR(EPERM, sethostname("x", 1));
		ERR(EPERM, mount("t", "/tmp", "tmpfs", 0, 0));
		ERR(EPERM, chroot("/tmp"));
		ERR(EACCES, setpriority(PRIO_PROCESS, 0, -5));
		struct rlimit r;
		OK(getrlimit(RLIMIT_NOFILE, &r));
		r.rlim_max++;
		ERR(EPERM, setrlimit(RLIMIT_NOFILE, &r));
		ERR(EPERM, mknod("/tmp/dev", S_IFCHR | 0600, 0x103));
		_exit(0);
	}
	wait_ok(pid);
}

TEST(files, setuid_executable)
{
	/* A set-uid copy of this program runs with its owner's id. */
	char cmd[4096];
	int in = OK(open(SELF, O_RDONLY)), out = OK(open("/tmp/suid", O_WRONLY | O_CREAT | O_TRUNC, 0755));
	ssize_t n;
	while ((n = OK(read(in, cmd, sizeof cmd))) > 0)
		EQ(write(out, cmd, n), n);
	close(out);
	OK(chown("/tmp/suid", 77, 0));
	OK(chmod("/tmp/suid", 04755));
	FORK(pid) {
		OK(setgid(1000));
		OK(setuid(1000));
		char *argv[] = { "euid", 0 };
		execv("/tmp/suid", argv);
		_exit(1);
	}
	wait_ok(pid);
	unlink("/tmp/suid");
}

HELPER(euid) { return !(geteuid() == 77 && getuid() == 1000); }

TEST(files, mounts)
{
	OK(mkdir("/tmp/m", 0755) == 0 || errno == EEXIST ? 0 : -1);
	spit("/tmp/m/below", "");
	OK(mount("mine", "/tmp/m", "tmpfs", MS_NOSUID, "size=100k"));
	ERR(ENOENT, open("/tmp/m/below", O_RDONLY));
	spit("/tmp/m/f", "x");
	CHECK(strstr(slurp("/proc/mounts"), "mine /tmp/m tmpfs"));
	int fd = OK(open("/tmp/m/f", O_WRONLY));
	char b[4096] = "";
	ssize_t n;
	int total = 0;
	while ((n = write(fd, b, sizeof b)) > 0)
		total += n;
	EQ(errno, ENOSPC);
	WITHIN(total, 50 << 10, 110 << 10);
	ERR(EBUSY, umount("/tmp/m"));
	close(fd);
	OK(umount("/tmp/m"));
	OK(open("/tmp/m/below", O_RDONLY));
	ERR(EINVAL, umount("/tmp/m"));
	ERR(ENODEV, mount("x", "/tmp/m", "nosuchfs", 0, 0));
	ERR(ENOENT, mount("x", "/tmp/none", "tmpfs", 0, 0));
	OK(mount("ro", "/tmp/m", "tmpfs", MS_RDONLY, 0));
	ERR(EROFS, open("/tmp/m/x", O_CREAT | O_WRONLY, 0600));
	ERR(EROFS, mkdir("/tmp/m/x", 0700));
	OK(umount2("/tmp/m", MNT_DETACH));
	/* bind */
	OK(mkdir("/tmp/m2", 0755) == 0 || errno == EEXIST ? 0 : -1);
	OK(mount("/tmp/m", "/tmp/m2", 0, MS_BIND, 0));
	OK(close(OK(open("/tmp/m2/below", O_RDONLY))));
	OK(umount("/tmp/m2"));
}

TEST(files, chroot)
{
	OK(mkdir("/tmp/root", 0755) == 0 || errno == EEXIST ? 0 : -1);
	spit("/tmp/root/inside", "");
	FORK(pid) {
		OK(chroot("/tmp/root"));
		OK(chdir("/"));
		OK(open("/inside", O_RDONLY));
		OK(open("/../../inside", O_RDONLY));
		ERR(ENOENT, open("/tmp", O_RDONLY));
		_exit(0);
	}
	wait_ok(pid);
	OK(open("/tmp/root/inside", O_RDONLY));
}

TEST(files, devices)
{
	char b[64];
	int fd = OK(open("/dev/null", O_RDWR));
	EQ(read(fd, b, 1), 0);
	EQ(write(fd, b, 64), 64);
	fd = OK(open("/dev/full", O_RDWR));
	ERR(ENOSPC, write(fd, b, 1));
	EQ(read(fd, b, 4), 4);
	EQ(b[0] | b[3], 0);
	fd = OK(open("/dev/urandom", O_RDONLY));
	memset(b, 0, 64);
	EQ(read(fd, b, 64), 64);
	int zeros = 0;
	for (int i = 0; i < 64; i++)
		zeros += !b[i];
	WITHIN(zeros, 0, 8);
	EQ(syscall(SYS_getrandom, b, 64, 0), 64);
	ERR(EINVAL, syscall(SYS_getrandom, b, 64, 0x100));
	ERR(EFAULT, syscall(SYS_getrandom, 8, 64, 0));
	ERR(ENOTTY, ioctl(OK(open("/tmp", O_RDONLY)), 0x5401, b));
	ERR(ENXIO, open("/dev/tty", O_RDWR)); /* no controlling terminal */
	OK(mknod("/tmp/null", S_IFCHR | 0666, 0x103) == 0 || errno == EEXIST ? 0 : -1);
	fd = open("/tmp/null", O_WRONLY);
	if (fd >= 0) /* EACCES where /tmp is nodev */
		EQ(write(fd, b, 3), 3);
}
