/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/half_open.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void
half_open_init(struct half_open *half_open, unsigned max)
{
	memset(half_open, 0, sizeof(*half_open));
	half_open->max = max < HALF_OPEN_MAX ? max : HALF_OPEN_MAX;
	TAILQ_INIT(&half_open->places);
}

static bool
is_neighbour(const struct half_open *half_open, uint64_t address)
{
	for (unsigned i = 0; i < half_open->neighbour_count; i++) {
		if (half_open->neighbours[i] == address)
			return true;
	}
	return false;
}

/* The group of that address; else the first free one, or NULL. */
static struct half_open_group *
group_find(struct half_open *half_open, uint64_t address)
{
	struct half_open_group *spare = NULL;

	for (unsigned i = 0; i < half_open->max; i++) {
		struct half_open_group *group = &half_open->groups[i];

		if (group->count > 0 && group->address == address)
			return group;
		if (group->count == 0 && spare == NULL)
			spare = group;
	}
	return spare;
}

void
half_open_add_neighbour(struct half_open *half_open, uint64_t address)
{
	struct half_open_group *group;

	if (is_neighbour(half_open, address))
		return;
	group = group_find(half_open, address);
	if (group != NULL && group->count > 0)
		group->is_neighbour = true;
	half_open->neighbours[half_open->next_neighbour] = address;
	half_open->next_neighbour =
	    (half_open->next_neighbour + 1) % HALF_OPEN_NEIGHBOURS_MAX;
	if (half_open->neighbour_count < HALF_OPEN_NEIGHBOURS_MAX)
		half_open->neighbour_count++;
}

/* The least goes first. */
static unsigned
rank(const struct half_open_place *place)
{
	return (place->keyed ? 2u : 0u) +
	       (place->group->is_neighbour ? 1u : 0u);
}

struct half_open_place *
half_open_victim(const struct half_open *half_open, uint64_t address)
{
	struct half_open_place *victim = NULL;
	struct half_open_place *place;
	unsigned victim_rank = 0;
	unsigned victim_count = 0;

	if (half_open->count < half_open->max)
		return NULL;
	TAILQ_FOREACH(place, &half_open->places, all)
	{
		unsigned place_rank = rank(place);
		/* As many as the newcomer's address will have with it. */
		unsigned count =
		    place->group->count + (place->group->address == address);

		if (victim != NULL &&
		    (place_rank > victim_rank ||
			(place_rank == victim_rank && count <= victim_count)))
			continue;
		victim = place;
		victim_rank = place_rank;
		victim_count = count;
	}
	return victim;
}

void
half_open_enter(struct half_open *half_open, struct half_open_place *place,
    uint64_t address)
{
	struct half_open_group *group = group_find(half_open, address);

	assert(place->group == NULL && half_open->count < half_open->max);
	if (group->count == 0) {
		group->address = address;
		group->is_neighbour = is_neighbour(half_open, address);
	}
	group->count++;
	place->group = group;
	place->keyed = false;
	TAILQ_INSERT_TAIL(&half_open->places, place, all);
	half_open->count++;
}

void
half_open_leave(struct half_open *half_open, struct half_open_place *place)
{
	if (place->group == NULL)
		return;
	TAILQ_REMOVE(&half_open->places, place, all);
	place->group->count--;
	place->group = NULL;
	half_open->count--;
}
