/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/overruled.h"

#include <math.h>

#include "base/xbuf.h"
#include "run/fields.h"

size_t
overruled_list(const struct answers *answers, struct buf *list)
{
	size_t count = 0;

	answers_each(a, answers) {
		double ms = fields_number(a->json, "clock.ahead_ms", 0);

		if (!fields_says(a->json, "clock.state", "overruled"))
			continue;
		count++;
		putf(list, "%s%s is %.1f s %s", list->len > 0 ? ", " : "",
		    a->target->name, fabs(ms) / 1e3,
		    ms < 0 ? "behind" : "ahead");
	}
	return count;
}
