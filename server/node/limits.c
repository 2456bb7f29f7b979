/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/limits.h"

#include <sys/resource.h>
#include <unistd.h>

static unsigned
share_of(uint64_t files, uint64_t part, unsigned least, unsigned most)
{
	uint64_t share = files / part;

	if (share < least)
		return least;
	return share < most ? (unsigned)share : most;
}

unsigned
limits_links(uint64_t files)
{
	return share_of(
	    files, LIMITS_LINKS_PART, LIMITS_LINKS_LEAST, LIMITS_LINKS_MAX);
}

unsigned
limits_admin(uint64_t files)
{
	return share_of(
	    files, LIMITS_ADMIN_PART, LIMITS_ADMIN_LEAST, LIMITS_ADMIN_MAX);
}

unsigned
limits_phones(uint64_t files)
{
	return share_of(files, LIMITS_PHONES_PART, 1, LIMITS_PHONES_MAX);
}

uint64_t
limits_connections(uint64_t wanted, uint64_t files, bool has_phones)
{
	uint64_t others =
	    share_of(files, LIMITS_OWN_PART, LIMITS_OWN_LEAST, LIMITS_OWN_MAX) +
	    limits_links(files) + limits_admin(files) +
	    (has_phones ? limits_phones(files) : 0);

	if (files <= others)
		return 1;
	return wanted < files - others ? wanted : files - others;
}

uint64_t
limits_files(uint64_t connections, bool has_phones)
{
	uint64_t files =
	    connections + LIMITS_OWN_MAX + LIMITS_LINKS_MAX + LIMITS_ADMIN_MAX;

	return has_phones ? files + files / (LIMITS_PHONES_PART - 1) + 1
			  : files;
}

bool
limits_is_ahead(
    const struct node_limits *limits, uint64_t time_ns, struct wall now)
{
	uint64_t ahead =
	    atomic_load_explicit(&limits->max_ahead_ns, memory_order_relaxed);

	return ahead != 0 && time_ns > now.ns && time_ns - now.ns > ahead;
}

struct table_bounds
limits_of_table(const struct node_limits *limits)
{
	return (struct table_bounds){
		.max_bytes = limits_table_bytes(limits),
		.refuse_at_cap = atomic_load_explicit(
		    &limits->refuse_at_cap, memory_order_relaxed),
	};
}

uint64_t
limits_memory(uint64_t machine)
{
	uint64_t part = machine / LIMITS_MEMORY_PART;

	return part < LIMITS_MEMORY_LEAST ? LIMITS_MEMORY_LEAST : part;
}

uint64_t
limits_memory_within(uint64_t machine, uint64_t bound)
{
	uint64_t memory = limits_memory(machine);
	uint64_t most = bound / LIMITS_BOUND_PART;

	return bound != 0 && most < memory ? most : memory;
}

uint64_t
limits_table_bytes(const struct node_limits *limits)
{
	uint64_t own =
	    atomic_load_explicit(&limits->max_memory, memory_order_relaxed);
	uint64_t least = atomic_load_explicit(
	    &limits->neighbours_memory, memory_order_relaxed);

	return least != 0 && least < own ? least : own;
}

uint64_t
limits_machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long size = sysconf(_SC_PAGESIZE);

	return pages < 0 || size < 0 ? 0 : (uint64_t)pages * (uint64_t)size;
}

uint64_t
limits_process_memory(const struct node_limits *limits)
{
	uint64_t machine = limits_machine_memory();
	uint64_t bound = atomic_load(&limits->memory_bound);

	return bound != 0 && (machine == 0 || bound < machine) ? bound
							       : machine;
}

void
limits_tell(const struct node *node)
{
	const struct node_limits *limits = &node->limits;
	struct rlimit files = { 0, 0 };

	(void)getrlimit(RLIMIT_NOFILE, &files);
	LOG(node->log, LOG_INFO, "limits",
	    log_number("open_files", (int64_t)files.rlim_cur),
	    log_number("max_connections",
		(int64_t)atomic_load(&limits->max_connections)),
	    log_number("memory", (int64_t)limits_process_memory(limits)),
	    log_number("max_memory", (int64_t)atomic_load(&limits->max_memory)),
	    log_number(
		"max_clients", (int64_t)node->boot.settings.max_clients));
}

uint64_t
limits_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return UINT64_MAX;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur
						     : UINT64_MAX;
}
