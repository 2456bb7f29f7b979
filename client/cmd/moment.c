/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/moment.h"

#include <string.h>

enum status
moment_typed(struct run *run, const char *typed, uint64_t *ns)
{
	struct span text = span_from(typed);
	uint64_t now = now_wall().ns;
	uint64_t ago;

	if (strcmp(typed, "now") == 0) {
		*ns = now;
		return STATUS_OK;
	}
	if (time_parse(text, ns) == HERD_OK ||
	    time_from_iso(text, ns) == HERD_OK)
		return STATUS_OK;
	if (duration_parse(text, &ago) == HERD_OK) {
		*ns = now > ago ? now - ago : 0;
		return STATUS_OK;
	}
	return run_fail(run, STATUS_USAGE,
	    "`%s' is no time: write now, 10m (ago), 2026-11-28T10:00:00Z or "
	    "seconds since 1970",
	    typed);
}
