/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/loop_watch.h"

#include <stdio.h>

#define TELL_AGAIN_NS HERD_NS_PER_S
#define TELL_FACTOR 10u

_Thread_local struct loop_watch *loop_watch_own;

static struct loop_watch watches[LOOP_WATCH_MAX];
static _Atomic unsigned reserved;
static _Atomic unsigned registered;

void
loop_watch_register(const char *thread)
{
	unsigned index = atomic_fetch_add(&reserved, 1);
	unsigned before = index;

	if (index >= LOOP_WATCH_MAX)
		return;
	snprintf(
	    watches[index].thread, sizeof(watches[index].thread), "%s", thread);
	/* Shown in the order in which they were reserved. */
	while (!atomic_compare_exchange_weak(&registered, &before, index + 1))
		before = index;
	loop_watch_own = &watches[index];
}

unsigned
loop_watch_count(void)
{
	return atomic_load(&registered);
}

struct loop_watch *
loop_watch_at(unsigned index)
{
	return &watches[index];
}

static uint64_t
tell_next(uint64_t turn_ns)
{
	uint64_t next = TELL_AGAIN_NS;

	while (next <= turn_ns)
		next *= TELL_FACTOR;
	return next;
}

struct loop_watch_look
loop_watch_look(struct loop_watch *watch, struct mono now)
{
	uint32_t turn =
	    atomic_load_explicit(&watch->turn, memory_order_acquire);
	struct loop_watch_look look = { 0, NULL, false };

	if (turn != watch->seen_turn) {
		watch->seen_turn = turn;
		watch->seen_at = now;
		watch->tell_at_ns = LOOP_WATCH_SLOW_NS;
	}
	if ((turn & 1u) == 0)
		return look;
	look.doing = atomic_load_explicit(&watch->doing, memory_order_relaxed);
	look.turn_ns = mono_since(now, watch->seen_at);
	if (look.turn_ns < LOOP_WATCH_SLOW_NS)
		return look;
	if (watch->tell_at_ns == LOOP_WATCH_SLOW_NS)
		atomic_fetch_add(&watch->slow, 1);
	if (look.turn_ns > atomic_load(&watch->longest_ns))
		atomic_store(&watch->longest_ns, look.turn_ns);
	look.tell = look.turn_ns >= watch->tell_at_ns;
	if (look.tell)
		watch->tell_at_ns = tell_next(look.turn_ns);
	return look;
}

void
loop_watch_forget(struct loop_watch *watch)
{
	/* No turn has this number: the next look begins again. */
	watch->seen_turn = atomic_load(&watch->turn) - 1;
}
