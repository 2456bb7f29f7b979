/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clients of the table: /v1/clients. */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/page.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "herd/text.h"
#include "store/store.h"

#define STEP_SLICES 4u /* of the table, between two looks at the clock */
#define COMMIT_POLL_MS 2u
#define CLIENT_SEGMENT 2   /* of /v1/clients/ID */
#define NEAR_KM_MAX 20038u /* half way round the Earth */

/* --- one client ------------------------------------------------------- */

static void
fail_no_client(struct http_call *call)
{
	http_call_fail(call, ADMIN_NOT_FOUND,
	    "GET /v1/clients?prefix=... lists what is held",
	    "node %s holds no report of that client", call->node->name);
}

/* Copies the client's record; answers and returns false if there is none. */
static bool
get_client(struct http_call *call, bool removals, struct record *record)
{
	enum herd_error error = table_get(
	    call->node->table, call->query.segments[CLIENT_SEGMENT], record);

	if (error == HERD_OK &&
	    (removals || record->report.kind != REPORT_REMOVAL))
		return true;
	if (error == HERD_ENOMEM)
		http_call_out_of_memory(call);
	else
		fail_no_client(call);
	return false;
}

void
serve_client(struct http_call *call)
{
	struct record record;
	struct json *json = http_call_answer(call);
	bool removals;

	if (query_flag(&call->query, "removed", &removals) != HERD_OK) {
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "removed=1 or removed=0", "removed is not a truth value");
		return;
	}
	record_init(&record);
	if (get_client(call, removals, &record)) {
		row_client(json, call->node, &record.report,
		    row_giver(call->node, &record.report, record.from));
		row_ahead(json, &record.report, clock_wall());
		http_call_json(call);
	}
	record_release(&record);
}

/* --- forget ----------------------------------------------------------- */

/* A removal under way; with durability sync it waits for its commit. */
struct forgetting {
	struct record held; /* what is forgotten; the removal borrows its id */
	struct report removal;
	struct put_info ticket;
};

static void
forgetting_free(void *arg)
{
	struct forgetting *job = arg;

	record_release(&job->held);
	free(job);
}

/*
 * A removal floods like any report and loses to a later report of the client.
 * It has the time of the report that it removes and wins by its kind. The time
 * of this node's clock would keep the client out if that clock is ahead.
 */
static enum put_result
put_removal(struct node *node, struct forgetting *job)
{
	const struct outbox *store =
	    node->store == NULL ? NULL : store_outbox(node->store);
	const struct report *held = &job->held.report;

	job->removal = (struct report){
		.client = held->client,
		.location = span_of("", 0),
		.time = held->time,
		.skew = span_of("", 0),
		.origin = span_from(node->name),
		.time_ns = held->time_ns,
		.kind = REPORT_REMOVAL,
	};
	return table_put(node->table, &job->removal, FROM_CLIENT,
	    timekeeper_expiry(&node->timekeeper, clock_mono()), store,
	    &job->ticket);
}

static void
answer_forgotten(struct http_call *call, const struct report *removal)
{
	struct json *json = http_call_answer(call);
	struct buf shown;

	buf_init(&shown, LOG_LINE_MAX);
	if (text_escape(&shown, removal->client, LOG_FIELD_MAX) != HERD_OK ||
	    buf_cstr(&shown) == NULL)
		buf_clear(&shown);
	http_call_log(call, shown.len > 0 ? buf_cstr(&shown) : "");
	buf_release(&shown);
	json_text(json, "client", removal->client);
	json_text(json, "time", removal->time);
	json_bool(json, "forgotten", true);
	http_call_json(call);
}

static void
fail_store(struct http_call *call)
{
	http_call_fail(call, ADMIN_UNAVAILABLE,
	    "GET /v1/status has the store's error; ask another node",
	    "the store has failed, so nothing is sure to last");
}

static bool
on_commit_step(struct http_call *call)
{
	struct forgetting *job = call->job;
	struct store *store = call->node->store;
	bool failed = store_has_failed(store);

	if (!failed && !commit_covers(store_commit(store), &job->ticket))
		return true;
	if (failed)
		fail_store(call);
	else
		answer_forgotten(call, &job->removal);
	return false;
}

/* Returns whether the answer waits; the call owns the job then. */
static bool
waits_for_commit(
    struct http_call *call, struct forgetting *job, enum put_result result)
{
	const struct store *store = call->node->store;

	if (store == NULL || store_outbox(store) == NULL ||
	    !commit_must_wait(store_commit(store), result, &job->ticket))
		return false;
	http_call_walk(
	    call, job, forgetting_free, on_commit_step, COMMIT_POLL_MS);
	return true;
}

/* Takes the job. */
static void
forget(struct http_call *call, struct forgetting *job)
{
	enum put_result result = put_removal(call->node, job);

	if ((result == PUT_ACCEPTED || result == PUT_EQUAL) &&
	    waits_for_commit(call, job, result))
		return;
	switch (result) {
	case PUT_ACCEPTED:
	case PUT_EQUAL: answer_forgotten(call, &job->removal); break;
	case PUT_STALE:
		http_call_fail(call, ADMIN_CONFLICT, "try again",
		    "the client has reported itself again meanwhile");
		break;
	case PUT_EXPIRED:
	case PUT_REFUSED:
	case PUT_NO_ROOM:
	case PUT_FULL: fail_no_client(call); break;
	case PUT_NOMEM: http_call_out_of_memory(call); break;
	}
	forgetting_free(job);
}

void
serve_client_forget(struct http_call *call)
{
	const struct store *store = call->node->store;
	struct forgetting *job;

	if (store != NULL && store_outbox(store) != NULL &&
	    store_has_failed(store)) {
		fail_store(call);
		return;
	}
	job = calloc(1, sizeof(*job));
	if (job == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	record_init(&job->held);
	if (get_client(call, false, &job->held))
		forget(call, job);
	else
		forgetting_free(job);
}

/* --- a page of clients ------------------------------------------------ */

struct clients_job {
	struct page *page;
	bool count;
	bool near;
};

static void
listing_free(void *arg)
{
	struct clients_job *listing = arg;

	page_free(listing->page);
	free(listing);
}

static void
answer_count(struct http_call *call, uint64_t clients, uint64_t removals)
{
	struct json *json = http_call_answer(call);

	json_count(json, "count", clients);
	json_count(json, "removals", removals);
	http_call_json(call);
}

static void
answer_page(struct http_call *call, const struct clients_job *listing)
{
	struct wall now = clock_wall();
	struct json *json = http_call_answer(call);

	json_word(json, "schema", "herd.clients/1");
	json_word(json, "node", call->node->name);
	json_array(json, "clients");
	for (unsigned i = 0; i < page_count(listing->page); i++) {
		const struct page_row *from = page_row(listing->page, i);

		json_object(json, NULL);
		row_client(json, call->node, &from->report,
		    row_giver(call->node, &from->report, from->from));
		row_ahead(json, &from->report, now);
		if (listing->near)
			json_number(json, "distance_m",
			    (double)(int64_t)(from->distance_m * 10 + 0.5) /
				10);
		json_object_end(json);
	}
	json_array_end(json);
	page_add_next(json, listing->page);
	http_call_json(call);
}

static bool
on_step(struct http_call *call)
{
	const struct clients_job *listing = call->job;
	bool more;
	enum herd_error error =
	    page_walk(listing->page, call->node->table, STEP_SLICES, &more);

	if (error == HERD_OK && more)
		return true;
	if (error != HERD_OK)
		http_call_out_of_memory(call);
	else if (listing->count)
		answer_count(call, page_total(listing->page),
		    page_removals(listing->page));
	else
		answer_page(call, listing);
	return false;
}

/* --- the question ----------------------------------------------------- */

/* digits [. digits], 0 < km <= NEAR_KM_MAX; metres. */
static bool
read_km(struct span text, double *metres)
{
	struct buf copy;
	char *end = NULL;
	double km = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_digit(text.data[i]) && text.data[i] != '.')
			return false;
	}
	buf_init(&copy, 64);
	if (text.len > 0 && buf_add_span(&copy, text) == HERD_OK &&
	    buf_cstr(&copy) != NULL)
		km = strtod(buf_cstr(&copy), &end);
	if (end != NULL && *end != '\0')
		km = 0;
	buf_release(&copy);
	*metres = km * 1000;
	return km > 0 && km <= NEAR_KM_MAX;
}

/* Returns what is wrong with the parameters, or NULL. */
static const char *
read_near(const struct query *query, struct page_filter *filter)
{
	const struct query_param *near = query_find(query, "near");
	const struct query_param *km = query_find(query, "km");
	enum herd_error error;
	struct buf text;

	if (near == NULL)
		return km == NULL ? NULL : "km needs near";
	buf_init(&text, 1024);
	error = location_from_human(near->value, &text, &filter->at);
	buf_release(&text);
	if (error != HERD_OK)
		return "near is a location like +34.068930-118.445127";
	filter->near = true;
	filter->order = PAGE_DISTANCE;
	if (km == NULL)
		return NULL;
	if (!read_km(km->value, &filter->within_m))
		return "km is a number above 0, at most 20038";
	return NULL;
}

static const char *
read_filter(const struct query *query, struct page_filter *filter)
{
	const struct query_param *prefix = query_find(query, "prefix");
	const struct query_param *sort = query_find(query, "sort");
	uint64_t limit = PAGE_LIMIT_DEFAULT;
	const char *fault;

	*filter = (struct page_filter){ .order = PAGE_ID, .prefix = { "", 0 } };
	fault = read_near(query, filter);
	if (fault != NULL)
		return fault;
	if (prefix != NULL)
		filter->prefix = prefix->value;
	if (sort != NULL &&
	    page_order_parse(sort->value, &filter->order) != HERD_OK)
		return PAGE_ORDER_WORDS;
	if (filter->order == PAGE_DISTANCE && !filter->near)
		return "sort=distance needs near";
	if (query_count(query, "limit", 1, PAGE_LIMIT_MAX, &limit) != HERD_OK)
		return "limit is a whole number from 1 to 1000";
	filter->limit = (unsigned)limit;
	return NULL;
}

static void
begin(struct http_call *call, const struct page_filter *filter, bool count)
{
	const struct query_param *after = query_find(&call->query, "after");
	struct clients_job *listing = calloc(1, sizeof(*listing));
	enum herd_error error = HERD_ENOMEM;

	if (listing != NULL) {
		listing->count = count;
		listing->near = filter->near;
		error = page_new(filter,
		    after == NULL ? span_of("", 0) : after->value,
		    &listing->page);
	}
	if (error == HERD_OK) {
		http_call_walk(call, listing, listing_free, on_step, 0);
		return;
	}
	if (listing != NULL)
		listing_free(listing);
	if (error == HERD_ESYNTAX)
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "after is the `next` of a page of the same sort",
		    "that is not a cursor of this sort");
	else
		http_call_out_of_memory(call);
}

void
serve_clients(struct http_call *call)
{
	struct page_filter filter;
	struct table_counts counts;
	const char *fault = read_filter(&call->query, &filter);
	bool count = false;

	if (fault == NULL &&
	    query_flag(&call->query, "count", &count) != HERD_OK)
		fault = "count is a truth value, like count=1";
	if (fault != NULL) {
		http_call_fail(call, ADMIN_BAD_REQUEST, fault,
		    "a parameter has a wrong value");
	} else if (count && filter.prefix.len == 0 && !filter.near) {
		table_count(call->node->table, &counts);
		answer_count(
		    call, counts.records - counts.removals, counts.removals);
	} else {
		if (count) {
			filter.limit = 0;
			filter.order = PAGE_ID;
		}
		begin(call, &filter, count);
	}
}
