/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who keeps a worker, or the phones thread, busy: the clients with the most
 * reports, the addresses with the most requests and with the most refused ones.
 * Its memory does not depend on how many there are; core/heavy.h says how far
 * the rates are right. A client is told apart by the keyed hash of its whole
 * id, an address as in addresses.h. Its own thread only; survey.h is how others
 * see it.
 */
#ifndef HERD_BUSIEST_H
#define HERD_BUSIEST_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "core/heavy.h"

#define BUSIEST_CLIENTS 512u    /* counters: see core/heavy.h */
#define BUSIEST_ADDRESSES 256u  /* of requests, and of refused ones */
#define BUSIEST_CLIENT_MAX 128u /* bytes of a client's id that are kept */
/* Of a struct sockaddr, as much as an address needs. */
#define BUSIEST_PEER_MAX sizeof(struct sockaddr_in6)

/* id, counters, bytes of a label */
#define BUSIEST_LISTS(X)                                         \
	X(BUSIEST_REPORTS, BUSIEST_CLIENTS, BUSIEST_CLIENT_MAX)  \
	X(BUSIEST_REQUESTS, BUSIEST_ADDRESSES, BUSIEST_PEER_MAX) \
	X(BUSIEST_REFUSED, BUSIEST_ADDRESSES, BUSIEST_PEER_MAX)

enum busiest_list {
#define HERD_BUSIEST_ID(id, size, label_max) id,
	BUSIEST_LISTS(HERD_BUSIEST_ID)
#undef HERD_BUSIEST_ID
};

#define HERD_BUSIEST_ONE(id, size, label_max) +1
enum { BUSIEST_LIST_COUNT = BUSIEST_LISTS(HERD_BUSIEST_ONE) };
#undef HERD_BUSIEST_ONE

struct busiest {
	struct heavy lists[BUSIEST_LIST_COUNT];
	/*
	 * Of who had the most in the last whole half window: events in 1,000 s.
	 * Any thread reads.
	 */
	_Atomic uint64_t most[BUSIEST_LIST_COUNT];
};

/* HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error busiest_init(struct busiest *busiest);
void busiest_release(struct busiest *busiest); /* all zero is fine */

/* Memory of one. */
size_t busiest_bytes(void);

/* Counters and bytes of a label of that list. */
unsigned busiest_size(enum busiest_list list);
unsigned busiest_label_max(enum busiest_list list);

/* Called a few times a second. */
void busiest_turn(struct busiest *busiest, struct mono now);

/* Events of an address. */
void busiest_see(struct busiest *busiest, enum busiest_list list,
    const struct sockaddr_storage *peer, uint32_t events);

/* Raises *most to what who has most had a second. Any thread. */
void busiest_raise(
    const struct busiest *busiest, enum busiest_list list, double *most);

#endif
