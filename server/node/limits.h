/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits for clients: connections, descriptors, memory. They come from the
 * settings and from the machine; a reload sets them again.
 */
#ifndef HERD_LIMITS_H
#define HERD_LIMITS_H

#include "node/node.h"

/*
 * How descriptors are shared out, so that strangers at all listeners at once
 * leave the node enough to go on, and its neighbours a way in. Each share is a
 * part of them, within bounds:
 */
#define LIMITS_OWN_PART 8u /* links, store, log, threads */
#define LIMITS_OWN_LEAST 64u
#define LIMITS_OWN_MAX 256u
#define LIMITS_LINKS_PART 8u /* connections to the links without HELLO */
#define LIMITS_LINKS_LEAST 8u
#define LIMITS_LINKS_MAX 512u
#define LIMITS_ADMIN_PART 16u /* connections to the admin API over TCP */
#define LIMITS_ADMIN_LEAST 8u
#define LIMITS_ADMIN_MAX 256u
#define LIMITS_PHONES_PART 8u /* connections of phones, if they may come */
#define LIMITS_PHONES_MAX 4096u

/* The default of max_memory: this part of the machine's, and at least. */
#define LIMITS_MEMORY_PART 4u
#define LIMITS_MEMORY_LEAST (UINT64_C(256) << 20)
/* But at most this part of what the process may use. */
#define LIMITS_BOUND_PART 2u

/*
 * Client connections for which `files` descriptors are enough: `wanted`, or
 * what the other shares leave. At least 1.
 */
uint64_t limits_connections(uint64_t wanted, uint64_t files, bool has_phones);
/* Descriptors that are enough for so many client connections. */
uint64_t limits_files(uint64_t connections, bool has_phones);
unsigned limits_links(uint64_t files);
unsigned limits_admin(uint64_t files);
unsigned limits_phones(uint64_t files);

/*
 * Is the time of a client's report so far ahead of the clock that the node
 * refuses it? Any thread, as the next one.
 */
bool limits_is_ahead(
    const struct node_limits *limits, uint64_t time_ns, struct wall now);

/* What table_take() has to keep to. */
struct table_bounds limits_of_table(const struct node_limits *limits);

/* The value of max_memory: 0 on a machine with that many bytes. */
uint64_t limits_memory(uint64_t machine);

/* The same for a process that may use `bound` bytes; 0: it has no bound. */
uint64_t limits_memory_within(uint64_t machine, uint64_t bound);

/*
 * The limit for reports of clients, in bytes of the table: the smaller one of
 * this node's and of the least of its neighbours', if known.
 */
uint64_t limits_table_bytes(const struct node_limits *limits);

/* Bytes that the process may use: its bound, or the machine's; 0: unknown. */
uint64_t limits_process_memory(const struct node_limits *limits);

/* Logs the limits, for the start. */
void limits_tell(const struct node *node);

/* Bytes of memory that this machine has; 0: unknown. */
uint64_t limits_machine_memory(void);

/*
 * Raises this process's soft limit of descriptors to the hard one; returns how
 * many it may open then.
 */
uint64_t limits_raise_files(void);

#endif
