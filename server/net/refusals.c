/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/refusals.h"

#include <string.h>

const char *
refusal_word(enum refusal why)
{
	static const char *const words[] = {
#define HERD_REFUSAL_WORD(id, word, help) [id] = word,
		REFUSALS(HERD_REFUSAL_WORD)
#undef HERD_REFUSAL_WORD
	};

	return words[why];
}

void
refusals_init(struct refusals *refusals)
{
	memset(refusals->list, 0, sizeof(refusals->list));
	pthread_mutex_init(&refusals->lock, NULL);
}

void
refusals_release(struct refusals *refusals)
{
	pthread_mutex_destroy(&refusals->lock);
}

/* The place of that client and reason, or the oldest. */
static struct refused *
find_place(struct refusals *refusals, enum refusal why, uint64_t hash)
{
	struct refused *oldest = &refusals->list[0];

	for (unsigned i = 0; i < REFUSED_MAX; i++) {
		struct refused *place = &refusals->list[i];

		if (place->times == 0)
			return place;
		if (place->hash == hash && place->why == why)
			return place;
		if (place->at.ns < oldest->at.ns)
			oldest = place;
	}
	return oldest;
}

void
refusals_note(struct refusals *refusals, enum refusal why, struct span client,
    uint64_t hash, const struct sockaddr_storage *peer, struct wall now)
{
	size_t kept =
	    client.len < REFUSED_CLIENT_MAX ? client.len : REFUSED_CLIENT_MAX;
	struct refused *place;

	pthread_mutex_lock(&refusals->lock);
	place = find_place(refusals, why, hash);
	if (place->hash != hash || place->why != why)
		place->times = 0;
	place->hash = hash;
	place->why = why;
	place->at = now;
	place->times++;
	place->peer = *peer;
	place->client_len = (uint32_t)client.len;
	memcpy(place->client, client.data, kept);
	pthread_mutex_unlock(&refusals->lock);
}

struct span
refused_client(const struct refused *refused)
{
	return span_of(refused->client, refused->client_len < REFUSED_CLIENT_MAX
					    ? refused->client_len
					    : REFUSED_CLIENT_MAX);
}

/* Takes the one of that client and reason out; how often it was refused. */
static uint64_t
take_out(struct refused *list, unsigned *count, const struct refused *refused)
{
	uint64_t times = 0;

	for (unsigned i = 0; i < *count; i++) {
		if (list[i].hash != refused->hash ||
		    list[i].why != refused->why)
			continue;
		times = list[i].times;
		(*count)--;
		memmove(&list[i], &list[i + 1], (*count - i) * sizeof(*list));
		break;
	}
	return times;
}

/* Into its place by time, if there is one. */
static void
insert(struct refused *list, unsigned *count, const struct refused *refused)
{
	unsigned at = *count;

	while (at > 0 && list[at - 1].at.ns < refused->at.ns)
		at--;
	if (at == REFUSED_MAX)
		return;
	if (*count < REFUSED_MAX)
		(*count)++;
	memmove(&list[at + 1], &list[at], (*count - at - 1) * sizeof(*list));
	list[at] = *refused;
}

/* If both lists have one, the later entry stays, with the times of both. */
static void
merge_one(struct refused *list, unsigned *count, const struct refused *refused)
{
	struct refused both = *refused;

	for (unsigned i = 0; i < *count; i++) {
		if (list[i].hash == both.hash && list[i].why == both.why &&
		    list[i].at.ns > both.at.ns) {
			list[i].times += both.times;
			return;
		}
	}
	both.times += take_out(list, count, refused);
	insert(list, count, &both);
}

void
refusals_merge(struct refusals *refusals, struct refused *list, unsigned *count)
{
	pthread_mutex_lock(&refusals->lock);
	for (unsigned i = 0; i < REFUSED_MAX; i++) {
		if (refusals->list[i].times > 0)
			merge_one(list, count, &refusals->list[i]);
	}
	pthread_mutex_unlock(&refusals->lock);
}
