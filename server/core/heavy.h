/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The heavy hitters of a stream: which keys occur most often in the last 10 to
 * 20 s, in memory that does not depend on how many keys there are. Source:
 * Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k
 * elements in data streams" (Space-Saving), 2005.
 *
 * A half window has `size` counters. A key without one takes over the least
 * counter together with its count, and remembers how much of it was not its
 * own. So with W events in the half window every key with more than W / size
 * of them has a counter, whatever other keys come and in whatever order; what
 * is shown of a key is its own part, which is at most W / size too low and
 * never too high. Up to `size` keys the counts are exact.
 *
 * When more than HEAVY_TAKEN events come between two turns, only one in so many
 * is counted, at random, and for all of them: the cost of a turn is bounded.
 * Then the counts are right by chance: of a key with n counted events within
 * about 1 / sqrt(n).
 *
 * One thread at a time; no clock.
 */
#ifndef HERD_HEAVY_H
#define HERD_HEAVY_H

#include <stdbool.h>

#include "herd/compiler.h"
#include "herd/error.h"
#include "herd/span.h"
#include "herd/time.h"

/* How long a half window lasts; two of them are looked at. */
#define HEAVY_HALF_NS (10u * HERD_NS_PER_S)
/* Events that are counted one by one between two calls of heavy_turn(). */
#define HEAVY_TAKEN 4096u
#define HEAVY_SIZE_MAX 4096u

struct heavy_counter {
	uint64_t key;
	uint64_t before; /* of its count: not this key's */
	uint32_t len;    /* of the whole label */
	uint16_t next;   /* of the same bucket, +1; 0: none */
};

struct heavy_half {
	uint64_t total; /* events */
	uint64_t least; /* no count is less */
	unsigned used;  /* counters */
	unsigned hand;  /* counters before it are above `least` */
	uint64_t *counts;
	struct heavy_counter *counters;
	char *labels;      /* label_max bytes for each */
	uint16_t *buckets; /* first counter, +1; twice `size` */
};

struct heavy {
	unsigned size;
	unsigned label_max;
	struct heavy_half halves[2];
	unsigned now;      /* the half window that is filled */
	struct mono began; /* it */
	uint64_t past_ns;  /* how long the other one lasted; 0: there is none */
	double past_most;  /* events a second of its key with the most */
	uint64_t random;
	uint32_t every;  /* one in so many is counted */
	uint32_t weight; /* the same for the event that is awaited */
	uint32_t left;   /* events up to that one */
	uint32_t taken;  /* counted since the last turn */
	uint64_t seen;   /* and all that they were counted for */
};

/* A key and its rate over both half windows; see heavy_sums.missed_per_s. */
struct heavy_row {
	uint64_t key;
	double per_s;
	uint32_t len;   /* of the whole label */
	uint32_t shown; /* bytes of it at `label` */
	const char *label;
};

struct heavy_sums {
	double per_s; /* all events */
	double
	    missed_per_s; /* any key may have had so many more than it shows */
	double window_s;
};

/*
 * `size` counters, a power of two; the first `label_max` bytes of a key's label
 * are kept. `seed` is random. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error heavy_init(struct heavy *heavy, unsigned size,
    unsigned label_max, uint64_t seed, struct mono now);
void heavy_release(struct heavy *heavy); /* all zero is fine */

/* Memory of one with so many counters. */
size_t heavy_bytes(unsigned size, unsigned label_max);

/* For heavy_see(). */
void heavy_take(
    struct heavy *heavy, uint64_t key, struct span label, uint32_t events);

/* So many events of that key. A key's label is always the same. */
static inline void
heavy_see(struct heavy *heavy, uint64_t key, struct span label, uint32_t events)
{
	if (heavy->left > events)
		heavy->left -= events;
	else
		heavy_take(heavy, key, label, events);
}

/*
 * Called a few times a second: begins a half window when it is time. Returns
 * whether it did.
 */
bool heavy_turn(struct heavy *heavy, struct mono now);

/*
 * Writes a row for each counter of both half windows, at most 2 * size, in no
 * order; a key may have two. Returns how many. Labels are borrowed.
 */
unsigned heavy_read(const struct heavy *heavy, struct mono now,
    struct heavy_row *rows, struct heavy_sums *sums);

/* Adds up rows of the same key, and sorts by keys. Returns how many are left.
 */
unsigned heavy_merge(struct heavy_row *rows, unsigned count);

/* Sorts: the most first. */
void heavy_sort(struct heavy_row *rows, unsigned count);

#endif
