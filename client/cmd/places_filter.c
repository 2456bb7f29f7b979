/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/places_filter.h"

#include "base/xbuf.h"

static const struct {
	const char *flag;
	const char *parameter;
} PARAMETERS[] = {
	{ "type", "&type=" },
	{ "keyword", "&keyword=" },
	{ "rank", "&rank=" },
};

bool
places_filter_is_given(const struct run *run)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(PARAMETERS); i++) {
		if (run_flag(run, PARAMETERS[i].flag) != NULL)
			return true;
	}
	return run_flag(run, "open-now") != NULL;
}

void
places_filter_put(const struct run *run, struct buf *path)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(PARAMETERS); i++)
		put_query(path, PARAMETERS[i].parameter,
		    run_flag(run, PARAMETERS[i].flag));
	if (run_flag(run, "open-now") != NULL)
		put_text(path, "&open_now=1");
}
