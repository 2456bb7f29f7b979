/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places for connections whose HELLO was not accepted yet. There are few, so
 * that a new connection may have to push out another, but a stranger never
 * pushes out a neighbour:
 * - silent connections go before those that have shown the herd's key;
 * - strangers go before the addresses of neighbours;
 * - the address with the most connections goes first, and of it the oldest.
 * An address is an IPv4 address or an IPv6 /64. One thread.
 */
#ifndef HERD_HALF_OPEN_H
#define HERD_HALF_OPEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define HALF_OPEN_MAX 512u
#define HALF_OPEN_NEIGHBOURS_MAX 128u /* addresses; the oldest goes */

/* Of a connection; all zero: it has no place. */
struct half_open_place {
	TAILQ_ENTRY(half_open_place) all;
	struct half_open_group *group; /* NULL: no place is taken */
	bool keyed;
};

/* The places of one address. */
struct half_open_group {
	uint64_t address;
	unsigned count; /* 0: the group is free */
	bool is_neighbour;
};

TAILQ_HEAD(half_open_list, half_open_place);

struct half_open {
	unsigned max;
	unsigned count;
	struct half_open_list places; /* the oldest first */
	struct half_open_group groups[HALF_OPEN_MAX];
	uint64_t neighbours[HALF_OPEN_NEIGHBOURS_MAX];
	unsigned neighbour_count;
	unsigned next_neighbour;
};

/* `max` places, HALF_OPEN_MAX at most. */
void half_open_init(struct half_open *half_open, unsigned max);

/* This address is a neighbour's: by the herd file, or its HELLO was accepted.
 */
void half_open_add_neighbour(struct half_open *half_open, uint64_t address);

/*
 * The connection that must go before one from `address` gets a place; NULL:
 * there is room. The caller closes it, which frees its place, and asks again.
 */
struct half_open_place *half_open_victim(
    const struct half_open *half_open, uint64_t address);

/* Takes a place; half_open_victim() has returned NULL. */
void half_open_enter(struct half_open *half_open, struct half_open_place *place,
    uint64_t address);

/* It ended, or its HELLO was accepted. Without a place nothing happens. */
void half_open_leave(
    struct half_open *half_open, struct half_open_place *place);

#endif
