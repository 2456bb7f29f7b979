/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pace.h"

#include "core/siphash.h"

void
pace_init(struct pace *pace, struct span name)
{
	const struct siphash_key key = { 0, 0 };

	*pace = (struct pace){
		.seed = siphash(&key, name.data, name.len),
		.credit_ns = UINT64_MAX / 2,
	};
}

static uint64_t
credit_at(const struct pace *pace, uint64_t every_ns, struct mono now)
{
	uint64_t credit_ns = pace->credit_ns + mono_since(now, pace->last);
	uint64_t most_ns = 2 * PACE_BURST * every_ns;

	return credit_ns < most_ns ? credit_ns : most_ns;
}

/* Time is cut into windows of `every_ns`, each with a moment at random. */
struct mono
pace_due(const struct pace *pace, uint64_t every_ns, struct mono now)
{
	uint64_t least, window, at;

	if (credit_at(pace, every_ns, now) >= 2 * every_ns)
		return now;
	least = mono_add(pace->last, every_ns / 4).ns;
	if (least < now.ns)
		least = now.ns;
	window = least / every_ns;
	do {
		const struct siphash_key key = { pace->seed, window };

		at = window * every_ns + siphash(&key, "", 0) % every_ns;
		window++;
	} while (at < least);
	return (struct mono){ at };
}

void
pace_left(struct pace *pace, uint64_t every_ns, struct mono now)
{
	uint64_t credit_ns = credit_at(pace, every_ns, now);

	pace->credit_ns =
	    credit_ns > 2 * every_ns ? credit_ns - 2 * every_ns : 0;
	pace->last = now;
}
