/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/backoff.h"

#define ATTEMPT_MAX 20u

void
backoff_reset(struct backoff *backoff)
{
	backoff->attempt = 0;
}

uint64_t
backoff_next(struct backoff *backoff, uint64_t max_ns, uint64_t random)
{
	uint64_t ceiling = BACKOFF_FIRST_NS << backoff->attempt;
	uint64_t wait;

	if (ceiling > max_ns)
		ceiling = max_ns;
	if (backoff->attempt < ATTEMPT_MAX)
		backoff->attempt++;
	wait = random % (ceiling + 1);
	return wait < BACKOFF_LEAST_NS ? BACKOFF_LEAST_NS : wait;
}
