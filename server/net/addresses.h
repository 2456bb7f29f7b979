/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many connections each address has (an IPv4 address or an IPv6 /64), and
 * which address has the most: its connection that has rested longest gives
 * way to a new one at the limit. Any thread; each worker has its own lists of
 * an address.
 */
#ifndef HERD_ADDRESSES_H
#define HERD_ADDRESSES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "herd/compiler.h"
#include "herd/error.h"

/* Addresses with equally many connections that are looked at for the idlest. */
#define ADDRESSES_TIES_MAX 64u

struct client;
TAILQ_HEAD(client_list, client);

/* What one worker has of an address. */
struct source_seat {
	struct client_list resting; /* the longest first; that worker's only */
	/* When the first began to rest, monotonic; UINT64_MAX: none rests. */
	_Atomic uint64_t since_ns;
} __attribute__((aligned(64)));

/* Lives while it has connections or is held. */
struct source {
	struct source *next;
	uint64_t key;
	uint64_t connections;
	uint32_t at;    /* in the heap */
	unsigned holds; /* of addresses_idlest() */
	struct source_seat seats[];
};

struct addresses;

/* Room for address_text(). */
#define ADDRESS_TEXT_MAX 64u
/*
 * What address_key() tells apart, as text: "192.0.2.1", "2001:db8::/64",
 * "::1", "unix".
 */
void address_text(
    const struct sockaddr_storage *peer, char out[ADDRESS_TEXT_MAX]);

/*
 * The address as a number; of IPv6, its /64. An IPv4 address can't equal a
 * routed IPv6 prefix, and an IPv4 address at a listener on [::] is an IPv4
 * address. All Unix sockets are one address.
 */
uint64_t address_key(const struct sockaddr_storage *peer);

/* With `seats` workers. Gives *out. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error addresses_new(
    unsigned seats, struct addresses **out);
/* No address may be held or have connections any more. NULL is fine. */
void addresses_free(struct addresses *addresses);

/* Has the peer's address `max` connections? Unix sockets have no limit. */
bool addresses_is_full(struct addresses *addresses,
    const struct sockaddr_storage *peer, uint64_t max);

/* Counts one more connection. NULL: there is no memory. */
HERD_MUST_CHECK struct source *addresses_enter(
    struct addresses *addresses, const struct sockaddr_storage *peer);
void addresses_leave(struct addresses *addresses, struct source *source);

/*
 * Of the address with the most connections the seat whose first connection
 * has rested longest; of several such addresses, ADDRESSES_TIES_MAX are
 * compared. NULL: none rests. Release the address.
 */
struct source *addresses_idlest(struct addresses *addresses, unsigned *seat);
void addresses_release(struct addresses *addresses, struct source *source);

#endif
