/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/batch_timer.h"

#include "herd/siphash.h"

void
batch_timer_init(struct batch_timer *timer, struct span name, bool leads)
{
	const struct siphash_key key = { 0, 0 };

	*timer = (struct batch_timer){
		.seed = siphash(&key, name.data, name.len),
		.leads = leads,
		.spare_ns = UINT64_MAX / 2,
	};
}

static uint64_t
spare_at(const struct batch_timer *timer, uint64_t every_ns, struct mono now)
{
	uint64_t spare_ns = timer->spare_ns + mono_since(now, timer->last);
	uint64_t most_ns = 2 * BATCH_BURST * every_ns;

	return spare_ns < most_ns ? spare_ns : most_ns;
}

/* Time is cut into windows of `every_ns`, each with a moment at random. */
struct mono
batch_timer_due(
    const struct batch_timer *timer, uint64_t every_ns, struct mono now)
{
	uint64_t least, window, at;

	if (spare_at(timer, every_ns, now) >= 2 * every_ns)
		return now;
	least = mono_add(timer->last, every_ns / 2).ns;
	if (least < now.ns)
		least = now.ns;
	window = least / every_ns;
	do {
		const struct siphash_key key = { timer->seed, window };

		at = window * every_ns + siphash(&key, "", 0) % every_ns;
		window++;
	} while (at < least);
	return (struct mono){ at };
}

struct mono
batch_timer_early(
    const struct batch_timer *timer, uint64_t every_ns, struct mono due)
{
	struct mono early = { due.ns - every_ns / 8 };

	if (timer->leads)
		early = mono_add(timer->last, every_ns / 2);
	return early.ns < due.ns ? early : due;
}

void
batch_timer_left(struct batch_timer *timer, uint64_t every_ns, struct mono now)
{
	uint64_t spare_ns = spare_at(timer, every_ns, now);

	timer->spare_ns = spare_ns > 2 * every_ns ? spare_ns - 2 * every_ns : 0;
	timer->last = now;
}
