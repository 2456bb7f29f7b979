/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits for clients: connections, descriptors, memory. They come from the
 * settings and from the machine; a reload sets them again.
 */
#ifndef HERD_LIMITS_H
#define HERD_LIMITS_H

#include "node/node.h"

/* Descriptors kept from clients: for links, admin, store, log. */
#define LIMITS_FILES_RESERVED 256u
#define LIMITS_FILES_LEAST 64u

/* The default of max_memory: this part of the machine's, and at least. */
#define LIMITS_MEMORY_PART 4u
#define LIMITS_MEMORY_LEAST (UINT64_C(256) << 20)
/* But at most this part of what the process may use. */
#define LIMITS_BOUND_PART 2u

/*
 * Client connections for which `files` descriptors are enough: `wanted`, or
 * what is left beside the reserve, which is LIMITS_FILES_RESERVED, or half of
 * `files` if that is less, but LIMITS_FILES_LEAST at least. At least 1.
 */
uint64_t limits_connections(uint64_t wanted, uint64_t files);

/*
 * Is the time of a client's report so far ahead of the clock that the node
 * refuses it? Any thread, as the next one.
 */
bool limits_is_ahead(
    const struct node_limits *limits, uint64_t time_ns, struct wall now);

/* What table_take() has to keep to. */
struct table_bounds limits_of_table(const struct node_limits *limits);

/*
 * Connections of phones on a node that listens for them: an eighth of `files`,
 * LIMITS_PHONES_MAX at most. Clients share the rest.
 */
#define LIMITS_PHONES_MAX 4096u
#define LIMITS_PHONES_PART 8u
uint64_t limits_phones(uint64_t files);

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
