/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's clock, compared with its neighbours', and what is logged of it. */
#include "net/link_clock.h"

#include "base/clock.h"
#include "net/peering_internal.h"

/* A clock that is set again and again is logged once a second. */
#define STEP_TOLD_NS (1u * HERD_NS_PER_S)

static int64_t
ms_of(int64_t ns)
{
	return ns / (int64_t)HERD_NS_PER_MS;
}

static void
tell_step(struct peering *peering, struct mono now)
{
	const struct node *node = peering->node;
	const struct timekeeper *timekeeper = &node->timekeeper;
	uint64_t steps = atomic_load(&timekeeper->steps);

	if (steps == peering->steps_told ||
	    (peering->step_told.ns != 0 &&
		mono_since(now, peering->step_told) < STEP_TOLD_NS))
		return;
	peering->steps_told = steps;
	peering->step_told = now;
	LOG(node->log, LOG_WARN, "clock-stepped",
	    log_number("by_ms", ms_of(atomic_load(&timekeeper->step_ns))),
	    log_number("steps", (int64_t)steps),
	    log_text("state",
		timekeeper_state_word(atomic_load(&timekeeper->state))),
	    log_text("next", "nothing expires while the clock is not trusted; "
			     "find out what sets this machine's clock"));
}

static void
tell_state(const struct peering *peering, enum timekeeper_state was,
    enum timekeeper_state is)
{
	const struct node *node = peering->node;
	int64_t ahead_ms = ms_of(atomic_load(&node->timekeeper.ahead_ns));

	if (is == TIME_OVERRULED)
		LOG(node->log, LOG_WARN, "clock-overruled",
		    log_number("ahead_ms", ahead_ms),
		    log_text("next", "reports are judged by the clock of most "
				     "neighbours; set the clock of this "
				     "machine"));
	else if (is != TIME_WAITING &&
		 (was == TIME_WAITING || was == TIME_OVERRULED))
		LOG(node->log, LOG_INFO, "clock-trusted",
		    log_text("state", timekeeper_state_word(is)));
}

void
link_clock_judge(struct peering *peering)
{
	struct timekeeper *timekeeper = &peering->node->timekeeper;
	enum timekeeper_state was = atomic_load(&timekeeper->state);
	struct mono now = clock_mono();
	struct timekeeper_news news =
	    link_judge_clock(&peering->driver, timekeeper, now, clock_wall());

	tell_step(peering, now);
	if (news.changed)
		tell_state(peering, was, atomic_load(&timekeeper->state));
}
