/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/breaker.h"

void
breaker_init(struct breaker *breaker)
{
	*breaker = (struct breaker){ .state = BREAKER_CLOSED };
}

bool
breaker_allows(struct breaker *breaker, struct mono now)
{
	switch (breaker->state) {
	case BREAKER_CLOSED: return true;
	case BREAKER_PROBING: return false;
	case BREAKER_OPEN: break;
	}
	if (now.ns < breaker->until.ns)
		return false;
	breaker->state = BREAKER_PROBING;
	return true;
}

static void
open_until(struct breaker *breaker, struct mono now)
{
	breaker->state = BREAKER_OPEN;
	breaker->until = mono_add(now, BREAKER_OPEN_NS);
	breaker->failed = 0;
	breaker->requests = 0;
}

void
breaker_done(struct breaker *breaker, bool good, struct mono now)
{
	uint32_t window = (UINT32_C(1) << BREAKER_WINDOW) - 1;

	switch (breaker->state) {
	case BREAKER_OPEN: return; /* began before it opened */
	case BREAKER_PROBING:
		if (good)
			breaker_init(breaker);
		else
			open_until(breaker, now);
		return;
	case BREAKER_CLOSED: break;
	}
	breaker->failed = (breaker->failed << 1 | (good ? 0u : 1u)) & window;
	if (breaker->requests < BREAKER_WINDOW)
		breaker->requests++;
	if (breaker->requests == BREAKER_WINDOW &&
	    (unsigned)__builtin_popcount(breaker->failed) >= BREAKER_FAILURES)
		open_until(breaker, now);
}

void
breaker_forget(struct breaker *breaker, struct mono now)
{
	/* The next request is the probe. */
	if (breaker->state == BREAKER_PROBING) {
		breaker->state = BREAKER_OPEN;
		breaker->until = now;
	}
}

const char *
breaker_state_name(enum breaker_state state)
{
	switch (state) {
	case BREAKER_CLOSED: return "closed";
	case BREAKER_OPEN: return "open";
	case BREAKER_PROBING: return "trying";
	}
	return "unknown";
}
