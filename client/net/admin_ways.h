/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How to reach the admin listeners of a node: addresses, tokens, TLS. */
#ifndef HERD_ADMIN_WAYS_H
#define HERD_ADMIN_WAYS_H

#include <stdbool.h>

#include "herd/address.h"

struct tls;

/* One way to a node's admin listener. */
struct admin_way {
	struct address address;
	const char *token; /* NULL = none */
	struct tls *tls;   /* NULL: without TLS */
};

/* Tried in this order, until a connection is made. */
struct admin_ways {
	unsigned count; /* at least 1 */
	struct admin_way items[ADDRESS_LIST_MAX];
};

/* A copy that owns its texts, in place of what `out` has (maybe all zero). */
void admin_ways_copy(struct admin_ways *out, const struct admin_ways *from);
void admin_ways_release(struct admin_ways *ways); /* a copy */
bool admin_ways_equal(const struct admin_ways *a, const struct admin_ways *b);

#endif
