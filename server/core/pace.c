/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pace.h"

#include "core/siphash.h"

/* Without anything to send for so many intervals, a link is not busy. */
#define PACE_PAUSE 2u

uint64_t
pace_seed(struct span name)
{
	const struct siphash_key key = { 0, 0 };

	return siphash(&key, name.data, name.len);
}

/* Time is cut into windows of `every_ns`, each with a moment at random. */
struct mono
pace_next(uint64_t seed, uint64_t every_ns, struct mono last, struct mono now)
{
	uint64_t least, window, at;

	if (every_ns == 0 || mono_since(now, last) >= PACE_PAUSE * every_ns)
		return now;
	least = mono_add(last, every_ns / 4).ns;
	if (least < now.ns)
		least = now.ns;
	window = least / every_ns;
	do {
		const struct siphash_key key = { seed, window };

		at = window * every_ns + siphash(&key, "", 0) % every_ns;
		window++;
	} while (at < least);
	return (struct mono){ at };
}
