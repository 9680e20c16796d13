/*
 * A profile of the kernel while a row runs: PROFILE=hz makes process 1's loop
 * over a row (LOOP) start the kernel's profiler and copy what it has found to the
 * console. Tamarix alone has one.
 */
#include "bench.h"

#include <termios.h>

#define FILE_NAME "/proc/tamarix/profile"
#define GOSTAT "/proc/tamarix/gostat" /* of its Go runtime, before and after */

/* Copy a file to the console. */
static void show(const char *path)
{
	static char buf[64 * KIB];
	int fd = OK(open(path, O_RDONLY));
	for (long n; (n = OK(read(fd, buf, sizeof buf))) > 0;)
		for (long at = 0; at < n;)
			at += OK(write(1, buf + at, n - at));
	close(fd);
}

static int command(const char *text)
{
	int fd = open(FILE_NAME, O_WRONLY);
	if (fd < 0)
		return -1;
	long n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

void profile_start(void)
{
	char text[32];
	long rate = parameter("PROFILE", 0);
	if (!rate)
		return;
	show(GOSTAT);
	snprintf(text, sizeof text, "start %ld", rate);
	OK(command(text));
}

void profile_stop(void)
{
	if (!parameter("PROFILE", 0))
		return;
	OK(command("stop"));
	show(GOSTAT);
	dprintf(1, "PROFILE BEGIN\n");
	show(FILE_NAME);
	dprintf(1, "PROFILE END\n");
	tcdrain(1); /* the kernel's last words must not come in between */
}
