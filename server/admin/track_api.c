/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a client has been: /v1/clients/ID/track. */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/client_row.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "herd/time.h"
#include "store/store.h"
#include "store/store_track.h"

#define CLIENT_SEGMENT 2 /* of /v1/clients/ID/track */
#define LIMIT_DEFAULT 1000u
#define LOOK_MS 5u

static void
end_track(void *track)
{
	store_track_end(track);
}

static void
add_report(struct json *json, const struct report *report)
{
	json_object(json, NULL);
	row_client_id(json, report->client);
	json_text(json, "time", report->time);
	client_row_location(json, report->location);
	json_text(json, "origin", report->origin);
	row_time(json, "received_at", report_received_ns(report));
	json_bool(json, "removed", report->kind == REPORT_REMOVAL);
	json_object_end(json);
}

/* The next page begins a nanosecond after the last report of this one. */
static void
add_next(struct json *json, const struct report *last)
{
	char text[TIME_FORMAT_MAX];

	if (last->client.len == 0)
		json_null(json, "next");
	else
		json_text(json, "next",
		    span_of(text, time_format(last->time_ns + 1, text)));
}

static void
answer_track(struct http_call *call, const struct store_track *track)
{
	struct json *json = http_call_answer(call);
	struct span rest = store_track_lines(track);
	struct report report = { .client = span_of("", 0) };

	json_word(json, "schema", "herd.track/1");
	json_array(json, "track");
	while (rest.len > 0) {
		if (report_parse(span_cut(&rest, '\n'), &report) == HERD_OK)
			add_report(json, &report);
	}
	json_array_end(json);
	if (!store_track_is_cut(track))
		report.client.len = 0;
	add_next(json, &report);
	http_call_json(call);
}

static bool
on_step(struct http_call *call)
{
	struct store_track *track = call->job;
	const char *hint;
	const char *error;

	switch (store_track_state(track)) {
	case STORE_TRACK_RUNS: return true;
	case STORE_TRACK_DONE: answer_track(call, track); return false;
	case STORE_TRACK_FAILED: break;
	}
	error = store_track_error(track, &hint);
	http_call_fail(call, ADMIN_UNAVAILABLE, hint, "%s", error);
	return false;
}

/* What is wrong with the parameters; NULL: nothing. */
static const char *
read_query(const struct query *query, uint64_t *since, uint64_t *limit)
{
	const struct query_param *param = query_find(query, "since");

	*since = 0;
	*limit = LIMIT_DEFAULT;
	if (param != NULL && time_parse(param->value, since) != HERD_OK)
		return "since is a time in seconds since 1970";
	if (query_count(query, "limit", 1, STORE_TRACK_REPORTS, limit) !=
	    HERD_OK)
		return "limit is a whole number from 1 to 10000";
	return NULL;
}

static void
refuse(struct http_call *call, enum herd_error error)
{
	if (error == HERD_ENOTFOUND)
		http_call_fail(call, ADMIN_CONFLICT,
		    "GET /v1/clients/ID has the newest position; store.history "
		    "of a shared store keeps one",
		    "node %s keeps no history", call->node->name);
	else if (error == HERD_ELIMIT)
		http_call_fail(call, ADMIN_UNAVAILABLE, "try again",
		    "too many ask the history at once");
	else if (error == HERD_ECANCELED)
		http_call_fail(call, ADMIN_UNAVAILABLE,
		    "GET /v1/status has the store's error",
		    "the store has failed, or the node stops");
	else
		http_call_out_of_memory(call);
}

void
serve_client_track(struct http_call *call)
{
	struct span client = call->query.segments[CLIENT_SEGMENT];
	struct store_track *track = NULL;
	uint64_t since;
	uint64_t limit;
	const char *fault = read_query(&call->query, &since, &limit);
	enum herd_error error = HERD_ENOTFOUND;

	if (fault != NULL) {
		http_call_fail(call, ADMIN_BAD_REQUEST, fault,
		    "a parameter has a wrong value");
		return;
	}
	if (call->node->store != NULL)
		error = store_track_begin(
		    call->node->store, client, since, (unsigned)limit, &track);
	if (error == HERD_OK)
		http_call_walk(call, track, end_track, on_step, LOOK_MS);
	else
		refuse(call, error);
}
