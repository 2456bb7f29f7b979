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

static bool
fits(void *arg, size_t index)
{
	struct gazetteer_filter *filter = arg;
	const struct places_filter *wanted = filter->wanted;
	uint32_t list =
	    filter->gazetteer->points[index].tag >> GAZETTEER_LIST_SHIFT;

	if (filter->people != PEOPLE_ANY &&
	    (filter->names->people[index] > 0) !=
		(filter->people == PEOPLE_SOME))
		return false;
	if (wanted->type[0] != '\0' &&
	    (filter->lists[list / 64] >> list % 64 & 1) == 0)
		return false;
	if (wanted->open_now && !gazetteer_open_now_has(&filter->open, index))
		return false;
	return wanted->keyword[0] == '\0' ||
	       strstr(gazetteer_names_name(filter->names, index).data,
		   wanted->keyword) != NULL;
}

static bool
accepts(void *arg, size_t index)
{
	struct gazetteer_filter *filter = arg;

	return gazetteer_matches_has(&filter->matches, index);
}

static bool
rules_out(void *arg, size_t low, size_t high)
{
	struct gazetteer_filter *filter = arg;

	return !gazetteer_matches_has_any(&filter->matches, low, high);
}

static void
note_lists(struct gazetteer_filter *filter)
{
	const struct gazetteer *gazetteer = filter->gazetteer;

	memset(filter->lists, 0, sizeof(filter->lists));
	for (size_t i = 0; i < gazetteer->list_count; i++) {
		const struct gazetteer_list *list = &gazetteer->lists[i];

		for (size_t t = 0; t < list->count; t++) {
			if (!span_is(list->types[t], filter->wanted->type))
				continue;
			filter->lists[i / 64] |= UINT64_C(1) << i % 64;
			filter->has_lists = true;
		}
	}
}

static void
add_joints(struct gazetteer_filter *filter, struct span keyword)
{
	for (size_t i = 0; i < keyword.len; i++) {
		if (gazetteer_sets_is_joint(keyword, i))
			gazetteer_matches_add(&filter->matches,
			    gazetteer_sets_gram(filter->names->sets,
				span_of(keyword.data + i, GAZETTEER_JOINT)));
	}
}

/* The keyword's grams that `apart' bytes or more divide, the rarest first. */
static void
add_grams(struct gazetteer_filter *filter, struct span keyword, size_t apart)
{
	const struct gazetteer_sets *sets = filter->names->sets;
	uint32_t counts[PLACES_KEYWORD_MAX] = { 0 };
	size_t len =
	    keyword.len < GAZETTEER_GRAM_MAX ? keyword.len : GAZETTEER_GRAM_MAX;
	size_t count = keyword.len - len + 1;

	for (size_t i = 0; i < count; i++)
		counts[i] = gazetteer_sets_count(sets,
		    gazetteer_sets_gram(sets, span_of(keyword.data + i, len)));
	for (;;) {
		size_t rarest = 0;

		for (size_t i = 1; i < count; i++) {
			if (counts[i] < counts[rarest])
				rarest = i;
		}
		if (counts[rarest] == UINT32_MAX)
			return;
		gazetteer_matches_add(
		    &filter->matches, gazetteer_sets_gram(sets,
					  span_of(keyword.data + rarest, len)));
		for (size_t i = 0; i < count; i++) {
			if (i + apart > rarest && i < rarest + apart)
				counts[i] = UINT32_MAX;
		}
	}
}

enum herd_error
gazetteer_filter_begin(struct gazetteer_filter *filter,
    const struct gazetteer *gazetteer, const struct gazetteer_names *names,
    const struct places_filter *wanted, uint64_t minute,
    const struct local_time *now)
{
	struct span keyword = span_from(wanted->keyword);
	enum herd_error error = HERD_OK;

	filter->gazetteer = gazetteer;
	filter->names = names;
	filter->wanted = wanted;
	filter->people = PEOPLE_ANY;
	filter->kd = (struct kd_filter){ accepts, rules_out, filter };
	filter->has_lists = wanted->type[0] == '\0';
	if (wanted->open_now)
		error =
		    gazetteer_open_now_begin(&filter->open, names, minute, now);
	if (error == HERD_OK)
		error = gazetteer_matches_begin(&filter->matches, names->sets,
		    names->rows, wanted->open_now ? &filter->open : NULL, fits,
		    filter);
	if (error != HERD_OK)
		return error;
	if (wanted->type[0] != '\0') {
		note_lists(filter);
		gazetteer_matches_add(&filter->matches,
		    gazetteer_sets_type(names->sets, span_from(wanted->type)));
	}
	if (keyword.len > 0) {
		add_joints(filter, keyword);
		/* First those that share no byte, and tell the most. */
		add_grams(filter, keyword, GAZETTEER_GRAM_MAX);
		add_grams(filter, keyword, 1);
	}
	return HERD_OK;
}

void
gazetteer_filter_choose(
    struct gazetteer_filter *filter, enum filter_people people)
{
	filter->people = people;
	gazetteer_matches_among(&filter->matches,
	    people == PEOPLE_SOME ? filter->names->peopled : NULL);
}

void
gazetteer_filter_release(struct gazetteer_filter *filter)
{
	gazetteer_matches_release(&filter->matches);
	gazetteer_open_now_release(&filter->open);
}
