/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The watch of a loop's thread: what the loop is doing, for the watchdog's
 * thread. Each callback of a loop marks its begin and end, which costs two
 * stores and does not read the clock. A turn that two looks of the watchdog
 * find unfinished lasted at least from one to the other.
 */
#ifndef HERD_LOOP_WATCH_H
#define HERD_LOOP_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "herd/error.h"
#include "herd/time.h"

#define LOOP_WATCH_MAX 80u
/* A turn should be shorter. */
#define LOOP_WATCH_SLOW_NS (50u * HERD_NS_PER_MS)

struct loop_watch {
	char thread[16];
	_Atomic uint32_t turn; /* odd: at work */
	const char *_Atomic doing;

	/* the watchdog's; any thread may read the first two */
	_Atomic uint64_t slow;       /* turns over LOOP_WATCH_SLOW_NS */
	_Atomic uint64_t longest_ns; /* turn seen, 0 = none was slow */
	uint32_t seen_turn;
	struct mono seen_at; /* the first look that found it */
	uint64_t tell_at_ns; /* the turn's length at which to tell next */
};

/* The calling thread's own; NULL: it has none. */
extern _Thread_local struct loop_watch *loop_watch_own;

/* Gives the calling thread a watch; without a free one it has none. */
void loop_watch_register(const char *thread);

/* All that were registered; any thread. */
unsigned loop_watch_count(void);
struct loop_watch *loop_watch_at(unsigned index);

/* A callback of the loop begins: `doing` names it, a literal. */
static inline void
loop_watch_begin(const char *doing)
{
	struct loop_watch *watch = loop_watch_own;

	if (watch == NULL)
		return;
	atomic_store_explicit(&watch->doing, doing, memory_order_relaxed);
	atomic_store_explicit(&watch->turn,
	    (atomic_load_explicit(&watch->turn, memory_order_relaxed) + 1) | 1u,
	    memory_order_release);
}

static inline void
loop_watch_end(void)
{
	struct loop_watch *watch = loop_watch_own;

	if (watch == NULL)
		return;
	atomic_store_explicit(&watch->turn,
	    (atomic_load_explicit(&watch->turn, memory_order_relaxed) + 1) &
		~1u,
	    memory_order_release);
}

/* What one look found. */
struct loop_watch_look {
	uint64_t turn_ns;  /* how long the turn has lasted at least; 0 = idle */
	const char *doing; /* while at work */
	bool tell;         /* it is slow: at 50 ms, 1 s, 10 s, 100 s ... */
};

/* The watchdog's look at a thread. */
struct loop_watch_look loop_watch_look(
    struct loop_watch *watch, struct mono now);

/* The process did not run for a while: what was seen says nothing. */
void loop_watch_forget(struct loop_watch *watch);

#endif
