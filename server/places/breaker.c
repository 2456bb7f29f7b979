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
	case BREAKER_TRYING: return false;
	case BREAKER_OPEN: break;
	}
	if (now.ns < breaker->until.ns)
		return false;
	breaker->state = BREAKER_TRYING;
	return true;
}

static void
open_until(struct breaker *breaker, struct mono now)
{
	breaker->state = BREAKER_OPEN;
	breaker->until = mono_add(now, BREAKER_OPEN_NS);
	breaker->failed = 0;
	breaker->calls = 0;
}

bool
breaker_done(struct breaker *breaker, bool good, struct mono now)
{
	uint32_t window = (UINT32_C(1) << BREAKER_WINDOW) - 1;

	switch (breaker->state) {
	case BREAKER_OPEN: return false; /* began before it opened */
	case BREAKER_TRYING:
		if (good)
			breaker_init(breaker);
		else
			open_until(breaker, now);
		return true;
	case BREAKER_CLOSED: break;
	}
	breaker->failed = (breaker->failed << 1 | (good ? 0u : 1u)) & window;
	if (breaker->calls < BREAKER_WINDOW)
		breaker->calls++;
	if (breaker->calls < BREAKER_WINDOW ||
	    (unsigned)__builtin_popcount(breaker->failed) < BREAKER_FAILURES)
		return false;
	open_until(breaker, now);
	return true;
}

void
breaker_forget(struct breaker *breaker, struct mono now)
{
	/* The next call tries at once. */
	if (breaker->state == BREAKER_TRYING) {
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
	case BREAKER_TRYING: return "trying";
	}
	return "unknown";
}
