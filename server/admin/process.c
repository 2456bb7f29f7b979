/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "herd/text.h"

#define STAT_MAX 1024u /* bytes of such a file */
/* Of /proc/self/stat, counted after the name: when the process started. */
#define STAT_STARTED 20u

/* What the file has, read into `text`; empty if it can't be read. */
static struct span
read_proc(const char *path, char text[STAT_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return span_of(text, 0);
	n = read(fd, text, STAT_MAX);
	close(fd);
	return span_of(text, n < 0 ? 0 : (size_t)n);
}

static uint64_t
next_number(struct span *rest)
{
	uint64_t number = 0;

	return text_to_u64(text_next_field(rest), 0, UINT64_MAX / 65536u,
		   &number) == HERD_OK
		   ? number
		   : 0;
}

/* /proc/self/statm: pages, of the whole and resident. */
static void
ask_memory(struct process_facts *out)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[STAT_MAX];
	struct span rest = read_proc("/proc/self/statm", text);

	out->virtual_bytes = next_number(&rest) * page;
	out->rss_bytes = next_number(&rest) * page;
}

static double
clock_s(clockid_t clock)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/*
 * The kernel tells how long after its boot the process began. /proc/stat, which
 * has the time of the boot, is hidden in the unit's sandbox. 0: unknown.
 */
static double
ask_start(void)
{
	char text[STAT_MAX];
	struct span rest = read_proc("/proc/self/stat", text);
	const char *name_end = memrchr(rest.data, ')', rest.len);
	uint64_t ticks = 0;

	if (name_end == NULL)
		return 0;
	rest = span_of(
	    name_end + 1, rest.len - (size_t)(name_end + 1 - rest.data));
	for (unsigned i = 0; i < STAT_STARTED; i++)
		ticks = next_number(&rest);
	return clock_s(CLOCK_REALTIME) - clock_s(CLOCK_BOOTTIME) +
	       (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* Asked once, because a time that moves would look like a restart. */
static double
started(void)
{
	static double at;

	if (at <= 0)
		at = ask_start();
	return at;
}

static uint64_t
count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	/* "." and "..", and the folder itself */
	return count > 3 ? count - 3 : 0;
}

void
process_ask(struct process_facts *out)
{
	struct rlimit limit = { 0, 0 };

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	*out = (struct process_facts){
		.open_files = count_files(),
		.max_files = limit.rlim_cur,
		.cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID),
		.started_s = started(),
	};
	ask_memory(out);
}
