/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The watch of a loop's thread: what the loop is doing and since when. Each
 * callback of a loop marks its begin and its end. A turn that was slow says so
 * itself when it ends; only a turn that does not end is found by the
 * watchdog's thread, which therefore may look rarely.
 *
 * The clock is the kernel's coarse one: a few nanoseconds to read, and as exact
 * as its tick, 1 to 10 ms.
 */
#ifndef HERD_LOOP_WATCH_H
#define HERD_LOOP_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "herd/error.h"

#define LOOP_WATCH_MAX 80u
/* A turn should be shorter. */
#define LOOP_WATCH_SLOW_NS (50u * HERD_NS_PER_MS)

struct loop_watch {
	char thread[16];
	_Atomic uint32_t turn; /* odd: at work */
	const char *_Atomic doing;
	_Atomic uint64_t began_ns; /* of loop_watch_now_ns() */

	_Atomic uint32_t counted;   /* the last turn found to be slow */
	_Atomic uint32_t forgotten; /* this turn's length says nothing */

	/* Slow turns that have ended, until the watchdog takes them. */
	_Atomic uint32_t late_count;
	_Atomic uint64_t late_ns; /* the last one took */
	const char *_Atomic late_doing;

	/* the watchdog's; any thread may read the first two */
	_Atomic uint64_t slow;       /* turns over LOOP_WATCH_SLOW_NS */
	_Atomic uint64_t longest_ns; /* turn seen, 0 = none was slow */
	uint32_t seen_turn;
	uint64_t tell_at_ns; /* the turn's length at which to tell next */
};

/* The calling thread's own; NULL: it has none. */
extern _Thread_local struct loop_watch *loop_watch_own;

/* Gives the calling thread a watch; without a free one it has none. */
void loop_watch_register(const char *thread);

/* All that were registered; any thread. */
unsigned loop_watch_count(void);
struct loop_watch *loop_watch_at(unsigned index);

/* Called by a thread whose turn was slow, when it ends; NULL: nobody is. */
typedef void loop_watch_on_slow(void *arg);
void loop_watch_set_on_slow(loop_watch_on_slow *on_slow, void *arg);

static inline uint64_t
loop_watch_now_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC_COARSE);
}

/* The turn took so long, which is LOOP_WATCH_SLOW_NS at least. */
void loop_watch_note_slow(struct loop_watch *watch, uint64_t turn_ns);

/* A callback of the loop begins: `doing` names it, a literal. */
static inline void
loop_watch_begin(const char *doing)
{
	struct loop_watch *watch = loop_watch_own;

	if (watch == NULL)
		return;
	atomic_store_explicit(&watch->doing, doing, memory_order_relaxed);
	atomic_store_explicit(
	    &watch->began_ns, loop_watch_now_ns(), memory_order_relaxed);
	atomic_store_explicit(&watch->turn,
	    (atomic_load_explicit(&watch->turn, memory_order_relaxed) + 1) | 1u,
	    memory_order_release);
}

static inline void
loop_watch_end(void)
{
	struct loop_watch *watch = loop_watch_own;
	uint64_t turn_ns;

	if (watch == NULL)
		return;
	turn_ns = loop_watch_now_ns() -
		  atomic_load_explicit(&watch->began_ns, memory_order_relaxed);
	if (turn_ns >= LOOP_WATCH_SLOW_NS)
		loop_watch_note_slow(watch, turn_ns);
	atomic_store_explicit(&watch->turn,
	    (atomic_load_explicit(&watch->turn, memory_order_relaxed) + 1) &
		~1u,
	    memory_order_release);
}

/* What one look found. */
struct loop_watch_look {
	uint64_t turn_ns;  /* how long the turn lasts already; 0 = idle */
	const char *doing; /* while at work */
	bool tell;         /* it is slow: at 50 ms, 1 s, 10 s, 100 s ... */
};

/* The watchdog's look at a thread, at loop_watch_now_ns(). */
struct loop_watch_look loop_watch_look(
    struct loop_watch *watch, uint64_t now_ns);

/* Slow turns that have ended since the last call; the last of them. */
struct loop_watch_late {
	uint32_t count; /* without those that a look has told of */
	uint64_t turn_ns;
	const char *doing;
};

/* The watchdog counts them. */
struct loop_watch_late loop_watch_take_late(struct loop_watch *watch);

/*
 * The process did not run for a while: neither the turn under way nor one that
 * has ended says anything.
 */
void loop_watch_forget(struct loop_watch *watch);

#endif
