/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The time by which reports are judged: the skew in AT, max_ahead,
 * expire_after. Without I/O. A node's own wall clock may be wrong, or be set
 * while the node runs. The clocks of its SYNCED neighbours and a clock that
 * never jumps show that.
 *
 * A clock is kept as an offset: nanoseconds of its wall time minus the time on
 * this machine's clock that never jumps. The judged time is that clock plus a
 * judged offset, so a wall clock that is set changes nothing before
 * timekeeper_judge() has seen it.
 *
 * One thread judges. Any thread reads, through atomics.
 */
#ifndef HERD_TIMEKEEPER_H
#define HERD_TIMEKEEPER_H

#include <stdatomic.h>

#include "herd/time.h"

/* If the wall clock moved against the other one by more, it was set. */
#define TIMEKEEPER_STEP_NS (1u * HERD_NS_PER_S)
/* Longest time without expiry, after a step forward and at start. */
#define TIMEKEEPER_HOLD_NS (300u * HERD_NS_PER_S)
/* Bounds of the margin of a cut. Clocks within that margin agree. */
#define TIMEKEEPER_MARGIN_NS (120u * HERD_NS_PER_S)
#define TIMEKEEPER_MARGIN_LEAST_NS (2u * HERD_NS_PER_S)
/* Links compare again because of the clock no more often than this. */
#define TIMEKEEPER_VERIFY_NS (2u * HERD_NS_PER_S)
#define TIMEKEEPER_CLOCKS_MAX 64u /* of neighbours */

#define TIMEKEEPER_STATES(X)                                                   \
	X(TIME_WAITING,                                                        \
	    "waiting")         /* no majority backs it yet: nothing expires */ \
	X(TIME_ALONE, "alone") /* its own clock, no majority known */          \
	X(TIME_BACKED, "backed") /* its own clock, the majority agrees */      \
	X(TIME_OVERRULED, "overruled") /* the majority's clock */

enum timekeeper_state {
#define HERD_TIMEKEEPER_STATE(id, word) id,
	TIMEKEEPER_STATES(HERD_TIMEKEEPER_STATE)
#undef HERD_TIMEKEEPER_STATE
};

const char *timekeeper_state_word(enum timekeeper_state state);

/* A SYNCED neighbour's clock. */
struct timekeeper_clock {
	uint64_t offset_ns;
	bool judges;        /* a majority of its own backs ... */
	uint64_t judged_ns; /* ... this offset */
};

struct timekeeper {
	uint64_t margin_ns; /* fixed */
	uint64_t hold_ns;   /* fixed; 0: nothing expires by age */

	/* of the judging thread */
	uint64_t own_ns;      /* offset of the own wall clock */
	uint64_t good_ns;     /* judged offset that was trusted last */
	struct mono since;    /* when waiting began */
	bool verifies;        /* all links are to compare again */
	struct mono verified; /* when they were told to last; 0: never */

	/* any thread */
	_Atomic unsigned state;     /* enum timekeeper_state */
	_Atomic uint64_t judged_ns; /* offset */
	_Atomic uint64_t expiry_ns; /* the same, 0 while it is not trusted */
	_Atomic uint64_t backed_ns; /* the same if our own majority tells
				       so, else 0 */
	_Atomic uint64_t
	    settled; /* mono: the judged time has not moved since */
	_Atomic int64_t ahead_ns; /* own clock minus judged time */
	_Atomic uint64_t steps;   /* how often the wall clock was set */
	_Atomic int64_t step_ns;  /* the last one */
	_Atomic uint64_t stepped; /* mono: when that was seen */
};

/* What timekeeper_judge() has found. */
struct timekeeper_news {
	int64_t step_ns; /* the wall clock was set by this; 0: it was not */
	bool verify;     /* every link must compare its tables again */
	bool changed;    /* the state has changed */
};

/*
 * Margin of an exchange's cut for that setting, ns: an eighth of it, 2 s to
 * 120 s. Clocks that are not farther apart agree.
 */
uint64_t timekeeper_margin_ns(uint64_t expire_after_ns);

/* expire_after_ns 0: nothing expires, so nothing has to wait. */
void timekeeper_init(struct timekeeper *keeper, uint64_t expire_after_ns,
    struct mono now, struct wall wall);

/*
 * Judges: the own wall clock is at `wall` now, clocks[] are those of SYNCED
 * neighbours, at most TIMEKEEPER_CLOCKS_MAX. Call it a few times a second.
 */
struct timekeeper_news timekeeper_judge(struct timekeeper *keeper,
    struct mono now, struct wall wall, const struct timekeeper_clock *clocks,
    unsigned count);

/* The offset of a wall clock; 0 at least. */
uint64_t timekeeper_offset(struct wall wall, struct mono now);

/* a - b, limited to 64 bits. */
int64_t timekeeper_difference(uint64_t a, uint64_t b);

/* The judged time. Any thread. */
struct wall timekeeper_wall(const struct timekeeper *keeper, struct mono now);

/*
 * The time by which reports are too old. While the clock is not trusted it is
 * 0, for which nothing is old. Any thread.
 */
struct wall timekeeper_expiry(const struct timekeeper *keeper, struct mono now);

/* The judged time if a majority that this node sees backs it, else 0. */
struct wall timekeeper_backed(const struct timekeeper *keeper, struct mono now);

/*
 * May the store drop records that the table does not hold? Only if the clock
 * that made the table drop them has been trusted long enough. Any thread.
 */
bool timekeeper_may_prune(const struct timekeeper *keeper, struct mono now);

#endif
