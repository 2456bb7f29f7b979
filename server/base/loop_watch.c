/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/loop_watch.h"

#include <stdio.h>

#define TELL_AGAIN_NS HERD_NS_PER_S
#define TELL_FACTOR 10u

_Thread_local struct pulse *pulse_own;

static struct pulse pulses[PULSES_MAX];
static _Atomic unsigned reserved;
static _Atomic unsigned registered;

void
pulse_register(const char *thread)
{
	unsigned index = atomic_fetch_add(&reserved, 1);
	unsigned before = index;

	if (index >= PULSES_MAX)
		return;
	snprintf(
	    pulses[index].thread, sizeof(pulses[index].thread), "%s", thread);
	/* Shown in the order in which they were reserved. */
	while (!atomic_compare_exchange_weak(&registered, &before, index + 1))
		before = index;
	pulse_own = &pulses[index];
}

unsigned
pulse_count(void)
{
	return atomic_load(&registered);
}

struct pulse *
pulse_at(unsigned index)
{
	return &pulses[index];
}

static uint64_t
tell_next(uint64_t turn_ns)
{
	uint64_t next = TELL_AGAIN_NS;

	while (next <= turn_ns)
		next *= TELL_FACTOR;
	return next;
}

struct pulse_look
pulse_look(struct pulse *pulse, struct mono now)
{
	uint32_t turn =
	    atomic_load_explicit(&pulse->turn, memory_order_acquire);
	struct pulse_look look = { 0, NULL, false };

	if (turn != pulse->seen_turn) {
		pulse->seen_turn = turn;
		pulse->seen_at = now;
		pulse->tell_at_ns = PULSE_SLOW_NS;
	}
	if ((turn & 1u) == 0)
		return look;
	look.doing = atomic_load_explicit(&pulse->doing, memory_order_relaxed);
	look.turn_ns = mono_since(now, pulse->seen_at);
	if (look.turn_ns < PULSE_SLOW_NS)
		return look;
	if (pulse->tell_at_ns == PULSE_SLOW_NS)
		atomic_fetch_add(&pulse->slow, 1);
	if (look.turn_ns > atomic_load(&pulse->longest_ns))
		atomic_store(&pulse->longest_ns, look.turn_ns);
	look.tell = look.turn_ns >= pulse->tell_at_ns;
	if (look.tell)
		pulse->tell_at_ns = tell_next(look.turn_ns);
	return look;
}

void
pulse_forget(struct pulse *pulse)
{
	/* No turn has this number: the next look begins anew. */
	pulse->seen_turn = atomic_load(&pulse->turn) - 1;
}
