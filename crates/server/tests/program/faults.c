/* Stands between the program and the system, and has the system fail as the files in the folder
 * that FAULTS names say:
 *   eio    while it is there, nothing is synced
 *   kill   the program is killed at the n-th sync since the file was there
 *   clock  so many seconds are added to the time of day
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int said(const char *name, long *number) {
	const char *folder = getenv("FAULTS");
	char path[4096], text[32];
	if (folder == NULL || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return 0;
	int before = errno;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
	if (file >= 0)
		close(file);
	errno = before;
	if (length < 0)
		return 0;
	text[length] = 0;
	*number = strtol(text, NULL, 10);
	return 1;
}

static int fails(void) {
	static long syncs;
	long number;
	if (said("kill", &number) && __sync_add_and_fetch(&syncs, 1) >= number)
		kill(getpid(), SIGKILL);
	if (!said("eio", &number))
		return 0;
	errno = EIO;
	return 1;
}

int fsync(int file) {
	return fails() ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
	return fails() ? -1 : (int)syscall(SYS_fdatasync, file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
	long seconds;
	int failed = (int)syscall(SYS_clock_gettime, clock, time);
	if (failed == 0 && clock == CLOCK_REALTIME && said("clock", &seconds))
		time->tv_sec += seconds;
	return failed;
}
