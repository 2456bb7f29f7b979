/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses of a host. A numeric host is read at once. A name is looked
 * up by the system's resolver, which a silent DNS server may hold up for
 * long, so each lookup has a thread of its own; a descriptor tells the loop
 * that asked when it is over. Nothing can interrupt a lookup: one that was
 * freed goes on by itself and is forgotten, and nobody ever waits for it.
 */
#ifndef HERD_RESOLVER_H
#define HERD_RESOLVER_H

#include <sys/socket.h>

#include "herd/address.h"

#define RESOLVER_ADDRESSES_MAX 16u /* of a name; more are not tried */
#define RESOLVER_LOOKUPS_MAX 64u   /* at once, the forgotten ones included */

struct endpoint {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* In the order in which the system would have them tried. */
struct endpoints {
	unsigned count;
	struct endpoint list[RESOLVER_ADDRESSES_MAX];
};

/* Unix sockets and numeric hosts, without a lookup. HERD_ENOTFOUND: a name. */
HERD_MUST_CHECK enum herd_error resolver_numeric(
    const struct address *address, struct endpoints *out);

/*
 * Looks up at once, however long that takes: for the start, to listen on what
 * is found. HERD_ENOTFOUND: *error says why, a text that stays.
 */
HERD_MUST_CHECK enum herd_error resolver_wait(
    const struct address *address, struct endpoints *out, const char **error);

struct resolution;

/*
 * Begins to look the name up; *out is to be freed. HERD_ELIMIT:
 * RESOLVER_LOOKUPS_MAX are under way. HERD_ENOMEM: no memory, thread or
 * descriptor.
 */
HERD_MUST_CHECK enum herd_error resolver_begin(
    const struct address *address, struct resolution **out);

/* Readable once the lookup is over; it lasts as long as the resolution. */
int resolver_fd(const struct resolution *resolution);

/*
 * When it is over: *found lasts as long as the resolution. Returns NULL, or
 * why there is no address (then *found is empty), a text that stays.
 */
const char *resolver_result(
    const struct resolution *resolution, const struct endpoints **found);

/* Over or under way. NULL is fine. */
void resolver_free(struct resolution *resolution);

#endif
