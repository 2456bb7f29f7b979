/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "herd/text.h"

/* /proc/self/statm: pages, of the whole and resident. */
static uint64_t
resident_bytes(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	uint64_t pages = 0;
	struct span rest;
	char text[128];
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n <= 0)
		return 0;
	rest = span_of(text, (size_t)n);
	(void)text_next_field(&rest);
	if (text_to_u64(text_next_field(&rest), 0, UINT64_MAX / 65536u,
		&pages) != HERD_OK)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
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
	struct timespec cpu = { 0, 0 };
	struct rlimit limit = { 0, 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	*out = (struct process_facts){
		.rss_bytes = resident_bytes(),
		.open_files = count_files(),
		.max_files = limit.rlim_cur,
		.cpu_s = (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9,
	};
}
