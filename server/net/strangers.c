/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/strangers.h"

/* FNV-1a. If two kinds share a number, a line is missing in the log. */
static uint64_t
kind_of(enum session_reason reason, const char *text, uint64_t address)
{
	uint64_t h = UINT64_C(14695981039346656037);

	h = (h ^ address) * UINT64_C(1099511628211);
	h = (h ^ (uint64_t)reason) * UINT64_C(1099511628211);
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return h;
}

bool
strangers_note(struct strangers *strangers, enum session_reason reason,
    const char *text, uint64_t address, struct mono now, uint64_t *times)
{
	uint64_t kind = kind_of(reason, text, address);
	struct stranger_kind *oldest = &strangers->kept[0];

	atomic_fetch_add_explicit(
	    &strangers->counts[reason], 1, memory_order_relaxed);
	for (unsigned i = 0; i < STRANGERS_KEPT; i++) {
		struct stranger_kind *refusal = &strangers->kept[i];

		if (refusal->told.ns < oldest->told.ns)
			oldest = refusal;
		if (refusal->key != kind || refusal->told.ns == 0)
			continue;
		*times = ++refusal->untold;
		if (mono_since(now, refusal->told) < STRANGERS_QUIET_NS)
			return false;
		refusal->told = now;
		refusal->untold = 0;
		return true;
	}
	*oldest = (struct stranger_kind){ kind, now, 0 };
	*times = 1;
	return true;
}
