/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the phones listener remembers of the addresses that ask (an IPv4 address
 * or an IPv6 /64): how often they ask, and how many passwords they got wrong.
 * Bounded: at a full place the address that was seen least lately is forgotten.
 */
#ifndef HERD_VISITORS_H
#define HERD_VISITORS_H

#include "base/rate.h"

#define VISITORS_SETS 1024u
#define VISITORS_WAYS 4u
/* Passwords and keys that an address may get wrong in VISITORS_WINDOW_S. */
#define VISITORS_FAILURES_MAX 20u
#define VISITORS_WINDOW_S 60u

struct visitor {
	uint64_t address;
	struct mono seen; /* 0: this place is free */
	struct rate requests;
	struct mono window; /* when the failures began to be counted */
	unsigned failures;
};

struct visitors {
	struct visitor places[VISITORS_SETS][VISITORS_WAYS];
};

/* That address; valid until the next call. */
struct visitor *visitors_find(
    struct visitors *visitors, uint64_t address, struct mono now);

/* May it show one more password or key? */
bool visitor_may_try(struct visitor *visitor, struct mono now);
/* It has shown one. While that is being checked, it counts as wrong. */
void visitor_tries(struct visitor *visitor, struct mono now);
/* It was right. */
void visitor_is_right(struct visitor *visitor);

#endif
