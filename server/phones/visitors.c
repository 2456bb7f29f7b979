/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/visitors.h"

struct visitor *
visitors_find(struct visitors *visitors, uint64_t address, struct mono now)
{
	uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15);
	struct visitor *set = visitors->places[(hash >> 32) % VISITORS_SETS];
	struct visitor *oldest = set;

	for (unsigned i = 0; i < VISITORS_WAYS; i++) {
		struct visitor *visitor = &set[i];

		if (visitor->seen.ns != 0 && visitor->address == address) {
			visitor->seen = now;
			return visitor;
		}
		if (visitor->seen.ns < oldest->seen.ns)
			oldest = visitor;
	}
	*oldest = (struct visitor){ .address = address, .seen = now };
	return oldest;
}

static void
begin_window(struct visitor *visitor, struct mono now)
{
	if (mono_since(now, visitor->window) <
	    VISITORS_WINDOW_S * HERD_NS_PER_S)
		return;
	visitor->window = now;
	visitor->failures = 0;
}

bool
visitor_may_try(struct visitor *visitor, struct mono now)
{
	begin_window(visitor, now);
	return visitor->failures < VISITORS_FAILURES_MAX;
}

void
visitor_tries(struct visitor *visitor, struct mono now)
{
	begin_window(visitor, now);
	visitor->failures++;
}

void
visitor_is_right(struct visitor *visitor)
{
	if (visitor->failures > 0)
		visitor->failures--;
}
