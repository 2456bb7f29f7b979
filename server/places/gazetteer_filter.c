/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_filter.h"

#include "places/time_zone.h"

#define DAY_S 86400

struct local_time
gazetteer_filter_time(const struct gazetteer *gazetteer, struct wall now)
{
	int64_t seconds = (int64_t)(now.ns / HERD_NS_PER_S);
	struct local_time local = { .is_known = false };
	int32_t east = 0;

	if (gazetteer->zone_file.len == 0 ||
	    !time_zone_offset(buf_span(&gazetteer->zone_file), seconds, &east))
		return local;
	seconds += east;
	if (seconds < 0)
		return local;
	local.is_known = true;
	/* 1970-01-01 was a Thursday. */
	local.weekday = (unsigned)((seconds / DAY_S + 3) % 7);
	local.minute = (unsigned)(seconds % DAY_S / 60);
	return local;
}

enum opening_state
gazetteer_filter_state(struct span hours, const struct local_time *now)
{
	if (opening_hours_are_always(hours))
		return OPENING_OPEN;
	if (!now->is_known)
		return OPENING_UNKNOWN;
	return opening_hours_at(hours, now->weekday, now->minute);
}

static bool
accepts(const void *arg, size_t index)
{
	const struct gazetteer_filter *filter = arg;
	const struct places_filter *wanted = filter->wanted;
	uint32_t list =
	    filter->gazetteer->points[index].tag >> GAZETTEER_LIST_SHIFT;

	if (wanted->type[0] != '\0' &&
	    (filter->lists[list / 64] >> list % 64 & 1) == 0)
		return false;
	if (wanted->keyword[0] != '\0' &&
	    strstr(gazetteer_names_name(filter->names, index).data,
		wanted->keyword) == NULL)
		return false;
	return !wanted->open_now ||
	       gazetteer_filter_state(
		   gazetteer_names_hours(filter->names, index), &filter->now) ==
		   OPENING_OPEN;
}

static bool
rules_out(const void *arg, size_t low, size_t high)
{
	const struct gazetteer_filter *filter = arg;

	return !gazetteer_names_may_have(
	    filter->names, low, high, filter->tokens, filter->token_count);
}

static void
note_lists(struct gazetteer_filter *filter)
{
	const struct gazetteer *gazetteer = filter->gazetteer;

	for (size_t i = 0; i < gazetteer->list_count; i++) {
		const struct gazetteer_list *list = &gazetteer->lists[i];

		for (size_t t = 0; t < list->count; t++) {
			if (span_is(list->types[t], filter->wanted->type))
				filter->lists[i / 64] |= UINT64_C(1) << i % 64;
		}
	}
}

void
gazetteer_filter_init(struct gazetteer_filter *filter,
    const struct gazetteer *gazetteer, const struct gazetteer_names *names,
    const struct places_filter *wanted, struct wall now)
{
	const char *keyword = wanted->keyword;

	*filter = (struct gazetteer_filter){
		.gazetteer = gazetteer,
		.names = names,
		.wanted = wanted,
		.now = gazetteer_filter_time(gazetteer, now),
		.kd = { accepts, rules_out, filter },
	};
	if (wanted->type[0] != '\0') {
		note_lists(filter);
		filter->tokens[filter->token_count++] =
		    gazetteer_names_type_token(span_from(wanted->type));
	}
	if (wanted->open_now)
		filter->tokens[filter->token_count++] =
		    gazetteer_names_hours_token();
	for (size_t i = 0; i + 3 <= strlen(keyword); i++)
		filter->tokens[filter->token_count++] =
		    gazetteer_names_trigram_token(keyword + i);
}
