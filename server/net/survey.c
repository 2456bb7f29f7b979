/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/survey.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/client.h"

/* --- who keeps the workers busy ------------------------------------------- */

/* The rows' labels are the worker's: copies them. */
static void
copy_labels(struct survey_list *list, unsigned count, unsigned label_max)
{
	for (unsigned i = 0; i < count; i++) {
		struct heavy_row *row = &list->rows[list->count + i];
		char *copy =
		    list->labels + (size_t)(list->count + i) * label_max;

		memcpy(copy, row->label, row->shown);
		row->label = copy;
	}
}

static void
copy_list(struct survey_list *list, const struct heavy *heavy,
    unsigned label_max, struct mono now)
{
	struct heavy_sums sums;
	unsigned count =
	    heavy_read(heavy, now, list->rows + list->count, &sums);

	copy_labels(list, count, label_max);
	list->count += count;
	list->sums.per_s += sums.per_s;
	list->sums.missed_per_s += sums.missed_per_s;
	if (list->sums.window_s < sums.window_s)
		list->sums.window_s = sums.window_s;
}

void
busiest_survey_take(
    struct busiest_survey *survey, const struct busiest *busiest)
{
	struct mono now = clock_mono();

	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++)
		copy_list(&survey->lists[i], &busiest->lists[i],
		    busiest_label_max((enum busiest_list)i), now);
}

/* In a worker's thread. */
static void
on_busiest(struct message *message)
{
	struct busiest_survey *survey = (struct busiest_survey *)message;

	busiest_survey_take(
	    survey, &worker_pool_worker(survey->pool, survey->number)->busiest);
	if (++survey->number < worker_pool_number(survey->pool))
		busiest_survey_send(survey);
	else
		survey->on_done(survey->arg);
}

struct busiest_survey *
busiest_survey_new(struct worker_pool *pool, unsigned others,
    void (*on_done)(void *arg), void *arg)
{
	struct busiest_survey *survey = calloc(1, sizeof(*survey));

	if (survey == NULL)
		return NULL;
	survey->message.run = on_busiest;
	survey->pool = pool;
	survey->on_done = on_done;
	survey->arg = arg;
	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++) {
		struct survey_list *list = &survey->lists[i];
		size_t rows = (size_t)(worker_pool_number(pool) + others) * 2u *
			      busiest_size((enum busiest_list)i);

		list->rows = calloc(rows, sizeof(*list->rows));
		list->labels =
		    calloc(rows, busiest_label_max((enum busiest_list)i));
		if (list->rows == NULL || list->labels == NULL) {
			busiest_survey_free(survey);
			return NULL;
		}
	}
	return survey;
}

void
busiest_survey_free(struct busiest_survey *survey)
{
	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++) {
		free(survey->lists[i].rows);
		free(survey->lists[i].labels);
	}
	free(survey->addresses);
	free(survey);
}

void
busiest_survey_send(struct busiest_survey *survey)
{
	mailbox_post(&worker_pool_worker(survey->pool, survey->number)->mailbox,
	    &survey->message);
}

static int
compare_addresses(const void *a, const void *b)
{
	const struct survey_address *x = a;
	const struct survey_address *y = b;

	if (x->requests_per_s > y->requests_per_s ||
	    x->requests_per_s < y->requests_per_s)
		return x->requests_per_s > y->requests_per_s ? -1 : 1;
	return x->row->key < y->row->key ? -1 : x->row->key > y->row->key;
}

/*
 * Joins two lists in the order of their keys. An invalid request was a request,
 * also of an address that is known for those alone.
 */
static void
join_addresses(struct busiest_survey *survey)
{
	const struct survey_list *requests = &survey->lists[BUSIEST_REQUESTS];
	const struct survey_list *refused = &survey->lists[BUSIEST_REFUSED];
	unsigned i = 0;
	unsigned j = 0;

	while (i < requests->count || j < refused->count) {
		struct survey_address *to =
		    &survey->addresses[survey->address_count++];
		const struct heavy_row *a =
		    i < requests->count ? &requests->rows[i] : NULL;
		const struct heavy_row *b =
		    j < refused->count ? &refused->rows[j] : NULL;

		if (a != NULL && b != NULL && a->key != b->key)
			*(a->key < b->key ? &b : &a) = NULL;
		i += a != NULL;
		j += b != NULL;
		to->row = a != NULL ? a : b;
		assert(to->row != NULL);
		to->requests_per_s = to->row->per_s;
		to->invalid_per_s = b != NULL ? b->per_s : 0;
	}
	qsort(survey->addresses, survey->address_count,
	    sizeof(*survey->addresses), compare_addresses);
}

enum herd_error
busiest_survey_merge(struct busiest_survey *survey)
{
	struct survey_list *clients = &survey->lists[BUSIEST_REPORTS];
	size_t room;

	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++) {
		struct survey_list *list = &survey->lists[i];

		list->count = heavy_merge(list->rows, list->count);
	}
	heavy_sort(clients->rows, clients->count);
	room = (size_t)survey->lists[BUSIEST_REQUESTS].count +
	       survey->lists[BUSIEST_REFUSED].count;
	survey->addresses = calloc(room + 1, sizeof(*survey->addresses));
	if (survey->addresses == NULL)
		return HERD_ENOMEM;
	join_addresses(survey);
	return HERD_OK;
}

/* --- connections -----------------------------------------------------------
 */

const char *
survey_state_word(enum survey_state state)
{
	static const char *const words[] = {
#define HERD_SURVEY_WORD(id, word) [id] = word,
		SURVEY_STATES(HERD_SURVEY_WORD)
#undef HERD_SURVEY_WORD
	};

	return words[state];
}

static enum survey_state
state_of(const struct client *client)
{
	if (client->waiting != NULL)
		return SURVEY_WAITING;
	switch (client->queue) {
	case QUEUE_HANDSHAKE: return SURVEY_HANDSHAKE;
	case QUEUE_PARTIAL: return SURVEY_READING;
	case QUEUE_LINGERING: return SURVEY_LINGERING;
	case QUEUE_STALLED: return SURVEY_STALLED;
	case QUEUE_THROTTLED: return SURVEY_THROTTLED;
	case QUEUE_HELD: return SURVEY_HELD;
	case QUEUE_NONE:
	case QUEUE_COUNT: break;
	}
	return SURVEY_IDLE;
}

static void
copy_connection(struct connection_facts *facts, const struct client *client)
{
	*facts = (struct connection_facts){
		.state = state_of(client),
		.opened = client->opened_at,
		.last = client->last_request,
		.requests = client->requests,
		.invalid = client->invalid,
		.unsent = client->out.len,
	};
	memcpy(&facts->peer, &client->peer, sizeof(facts->peer));
}

/* The first connection after that number: one survey asks where it ended. */
static struct client *
find_after(struct worker *worker, uint64_t after)
{
	struct client *client = worker->resume;

	if (client == NULL || worker->resume_after != after)
		client = TAILQ_FIRST(&worker->opened);
	while (client != NULL && client->number <= after)
		client = TAILQ_NEXT(client, opened);
	return client;
}

/* In the worker's thread. */
static void
on_connections(struct message *message)
{
	struct connection_survey *survey = (struct connection_survey *)message;
	struct worker *worker =
	    worker_pool_worker(survey->pool, survey->number);
	struct client *client = find_after(worker, survey->after);

	survey->count = 0;
	for (; client != NULL && survey->count < SURVEY_SLICE;
	     client = TAILQ_NEXT(client, opened)) {
		copy_connection(&survey->rows[survey->count++], client);
		survey->after = client->number;
	}
	survey->more = client != NULL;
	worker->resume = client;
	worker->resume_after = survey->after;
	survey->on_slice(survey->arg);
}

static void
send_on(struct connection_survey *survey)
{
	mailbox_post(&worker_pool_worker(survey->pool, survey->number)->mailbox,
	    &survey->message);
}

void
connection_survey_begin(struct connection_survey *survey,
    struct worker_pool *pool, void (*on_slice)(void *arg), void *arg)
{
	survey->message.run = on_connections;
	survey->pool = pool;
	survey->on_slice = on_slice;
	survey->arg = arg;
	survey->number = 0;
	survey->after = 0;
	send_on(survey);
}

bool
connection_survey_go_on(struct connection_survey *survey)
{
	if (!survey->more) {
		survey->after = 0;
		if (survey->number + 1 == worker_pool_number(survey->pool))
			return false;
		survey->number++;
	}
	send_on(survey);
	return true;
}
