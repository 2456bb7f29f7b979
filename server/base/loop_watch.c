/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/loop_watch.h"

#include <pthread.h>
#include <stdio.h>

#define TELL_AGAIN_NS HERD_NS_PER_S
#define TELL_FACTOR 10u

_Thread_local struct loop_watch *loop_watch_own;

static struct loop_watch watches[LOOP_WATCH_MAX];
static _Atomic unsigned reserved;
static _Atomic unsigned registered;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static loop_watch_on_slow *on_slow;
static void *on_slow_arg;

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

/* A turn is told of once as slow: by a look, or when it ends. */
static bool
count_once(struct loop_watch *watch, uint32_t turn)
{
	return atomic_exchange(&watch->counted, turn) != turn;
}

static void
note_length(struct loop_watch *watch, uint64_t turn_ns)
{
	if (turn_ns > atomic_load(&watch->longest_ns))
		atomic_store(&watch->longest_ns, turn_ns);
}

void
loop_watch_set_on_slow(loop_watch_on_slow *function, void *arg)
{
	pthread_mutex_lock(&lock);
	on_slow = function;
	on_slow_arg = arg;
	pthread_mutex_unlock(&lock);
}

void
loop_watch_note_slow(struct loop_watch *watch, uint64_t turn_ns)
{
	uint32_t turn = atomic_load(&watch->turn);

	if (atomic_load(&watch->forgotten) == turn)
		return;
	atomic_store(&watch->late_doing, atomic_load(&watch->doing));
	atomic_store(&watch->late_ns, turn_ns);
	if (!count_once(watch, turn))
		return;
	atomic_fetch_add(&watch->late_count, 1);
	pthread_mutex_lock(&lock);
	if (on_slow != NULL)
		on_slow(on_slow_arg);
	pthread_mutex_unlock(&lock);
}

struct loop_watch_look
loop_watch_look(struct loop_watch *watch, uint64_t now_ns)
{
	uint32_t turn =
	    atomic_load_explicit(&watch->turn, memory_order_acquire);
	uint64_t began =
	    atomic_load_explicit(&watch->began_ns, memory_order_relaxed);
	struct loop_watch_look look = { 0, NULL, false };

	if (turn != watch->seen_turn) {
		watch->seen_turn = turn;
		watch->tell_at_ns = LOOP_WATCH_SLOW_NS;
	}
	/* A clock that was read after `now_ns` may be later. */
	if ((turn & 1u) == 0 || turn == atomic_load(&watch->forgotten) ||
	    began >= now_ns)
		return look;
	look.doing = atomic_load_explicit(&watch->doing, memory_order_relaxed);
	look.turn_ns = now_ns - began;
	if (look.turn_ns < LOOP_WATCH_SLOW_NS)
		return look;
	look.tell = look.turn_ns >= watch->tell_at_ns;
	if (look.tell)
		watch->tell_at_ns = tell_next(look.turn_ns);
	if (count_once(watch, turn))
		atomic_fetch_add(&watch->slow, 1);
	note_length(watch, look.turn_ns);
	return look;
}

static struct loop_watch_late
take_late(struct loop_watch *watch)
{
	return (struct loop_watch_late){
		.count = atomic_exchange(&watch->late_count, 0),
		.turn_ns = atomic_exchange(&watch->late_ns, 0),
		.doing = atomic_load(&watch->late_doing),
	};
}

struct loop_watch_late
loop_watch_take_late(struct loop_watch *watch)
{
	struct loop_watch_late late = take_late(watch);

	atomic_fetch_add(&watch->slow, late.count);
	note_length(watch, late.turn_ns);
	return late;
}

void
loop_watch_forget(struct loop_watch *watch)
{
	/* Of a thread that is idle, this is no turn. */
	atomic_store(&watch->forgotten, atomic_load(&watch->turn));
	(void)take_late(watch);
}
