/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory, CPU time and files of this process, from /proc. */
#ifndef HERD_ADMIN_PROCESS_H
#define HERD_ADMIN_PROCESS_H

#include <stdint.h>

struct process_facts {
	uint64_t rss_bytes; /* 0: unknown */
	uint64_t open_files;
	uint64_t max_files;
	uint64_t virtual_bytes; /* 0: unknown */
	double cpu_s;
	double started_s; /* since 1970, as the clock was when first asked */
};

/* The main thread only. */
void process_ask(struct process_facts *out);

#endif
