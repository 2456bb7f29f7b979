/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clients of the table: GET /v1/clients and one of them. */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/selection.h"
#include "base/clock.h"

#define CLIENT_SEGMENT 2 /* of /v1/clients/ID */
/* Slices of the table, between two looks at the clock. */
#define STEP_SLICES 4u

/* --- one client ------------------------------------------------------- */

static void
fail_no_client(struct http_call *call)
{
	http_call_fail(call, ADMIN_NOT_FOUND,
	    "GET /v1/clients?prefix=... lists what is held",
	    "node %s holds no report of that client", call->node->name);
}

static void
answer_client(struct http_call *call, const struct record *record)
{
	struct client_scene scene;
	const struct client_row row = {
		.scene = &scene, .report = &record->report, .from = record->from
	};

	client_scene_init(&scene, call->node);
	client_row_write(http_call_answer(call), &row);
	http_call_json(call);
}

void
serve_client(struct http_call *call)
{
	struct record record;
	enum herd_error error;
	bool removals;

	if (query_flag(&call->query, "removed", &removals) != HERD_OK) {
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "removed=1 or removed=0", "removed is not a truth value");
		return;
	}
	record_init(&record);
	error = table_get(
	    call->node->table, call->query.segments[CLIENT_SEGMENT], &record);
	if (error == HERD_ENOMEM)
		http_call_out_of_memory(call);
	else if (error != HERD_OK ||
		 (record.report.kind == REPORT_REMOVAL && !removals))
		fail_no_client(call);
	else
		answer_client(call, &record);
	record_release(&record);
}

/* --- clients ---------------------------------------------------------- */

struct clients_job {
	struct selection selection;
	struct page *page;
	bool count;
	uint64_t left; /* rows of a stream */
	struct buf lines;
};

static void
clients_job_free(void *arg)
{
	struct clients_job *job = arg;

	page_free(job->page);
	selection_release(&job->selection);
	buf_release(&job->lines);
	free(job);
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
answer_page(struct http_call *call, const struct page *page)
{
	struct json *json = http_call_answer(call);

	json_word(json, "schema", client_view.schema);
	json_word(json, "node", call->node->name);
	json_array(json, "clients");
	for (unsigned i = 0; i < page_count(page); i++) {
		const struct client_row row = page_client(page, i);

		json_object(json, NULL);
		client_row_write(json, &row);
		json_object_end(json);
	}
	json_array_end(json);
	page_add_next(json, page);
	http_call_json(call);
}

static bool
on_page_step(struct http_call *call)
{
	const struct clients_job *job = call->job;
	bool more;
	enum herd_error error =
	    page_walk(job->page, call->node->table, STEP_SLICES, &more);

	if (error == HERD_OK && more)
		return true;
	if (error != HERD_OK)
		http_call_out_of_memory(call);
	else if (job->count)
		answer_count(
		    call, page_total(job->page), page_removals(job->page));
	else
		answer_page(call, job->page);
	return false;
}

/* --- a stream --------------------------------------------------------- */

static enum herd_error
add_line(struct buf *lines, const struct client_row *row)
{
	enum herd_error error;
	struct json json;

	json_begin(&json, lines, JSON_COMPACT);
	json_object(&json, NULL);
	client_row_write(&json, row);
	json_object_end(&json);
	error = json_end(&json);
	return error == HERD_OK ? buf_add_byte(lines, '\n') : error;
}

static enum herd_error
send_rows(struct http_call *call, struct clients_job *job)
{
	enum herd_error error = HERD_OK;

	buf_clear(&job->lines);
	for (unsigned i = 0; i < page_count(job->page) && error == HERD_OK;
	     i++) {
		const struct client_row row = page_client(job->page, i);

		error = add_line(&job->lines, &row);
	}
	if (error == HERD_OK)
		http_call_send(call, buf_span(&job->lines));
	job->left -= page_count(job->page);
	return error;
}

static unsigned
rows_at_once(const struct clients_job *job)
{
	return job->left < PAGE_LIMIT_MAX ? (unsigned)job->left
					  : PAGE_LIMIT_MAX;
}

/* Each page costs what it holds, because it goes on where the last one was. */
static bool
on_stream_step(struct http_call *call)
{
	struct clients_job *job = call->job;
	bool more;
	enum herd_error error =
	    page_walk(job->page, call->node->table, STEP_SLICES, &more);

	if (error == HERD_OK && page_count(job->page) > 0)
		error = send_rows(call, job);
	if (error != HERD_OK) {
		http_call_out_of_memory(call);
		return false;
	}
	if (job->left > 0 && page_again(job->page, rows_at_once(job)))
		return true;
	http_call_end(call);
	return false;
}

/* --- the question ----------------------------------------------------- */

/* Sets how many rows are wanted; returns what is wrong, or NULL. */
static const char *
read_limit(const struct query *query, bool stream, struct clients_job *job)
{
	uint64_t limit = stream ? UINT64_MAX : PAGE_LIMIT_DEFAULT;
	uint64_t most = stream ? UINT64_MAX : PAGE_LIMIT_MAX;

	if (query_flag(query, "count", &job->count) != HERD_OK)
		return "count is a truth value, like count=1";
	if (query_flag(query, "removals", &job->selection.filter.removals) !=
	    HERD_OK)
		return "removals is a truth value, like removals=1";
	if (query_count(query, "limit", 1, most, &limit) != HERD_OK)
		return stream ? "limit is a whole number above 0"
			      : "limit is a whole number from 1 to 1000";
	if (stream && (job->count || query_find(query, "sort") != NULL ||
			  query_find(query, "after") != NULL))
		return "a stream has no count, sort and after";
	job->left = limit;
	job->selection.filter.limit = rows_at_once(job);
	if (stream)
		job->selection.filter.order.column = PAGE_TABLE;
	if (job->count) {
		job->selection.filter.limit = 0;
		job->selection.filter.order.column = CLIENT_ID;
	}
	return NULL;
}

static void
begin(struct http_call *call, struct clients_job *job, bool stream)
{
	const struct query_param *after = query_find(&call->query, "after");
	enum herd_error error = page_new(&job->selection.filter,
	    after == NULL ? span_of("", 0) : after->value, &job->page);

	if (error == HERD_OK) {
		if (stream)
			http_call_download(call, "application/x-ndjson");
		http_call_walk(call, job, clients_job_free,
		    stream ? on_stream_step : on_page_step, 0);
		return;
	}
	clients_job_free(job);
	if (error == HERD_ESYNTAX)
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "after is the `next` of a page of the same sort",
		    "that is not a cursor of this sort");
	else
		http_call_out_of_memory(call);
}

/* The count of all clients needs no walk. */
static void
answer_count_all(struct http_call *call)
{
	struct table_counts counts;

	table_count(call->node->table, &counts);
	answer_count(call, counts.records - counts.removals, counts.removals);
}

void
serve_clients(struct http_call *call)
{
	struct clients_job *job = calloc(1, sizeof(*job));
	const char *fault = NULL;
	bool stream = false;
	bool all;

	if (job == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	buf_init(&job->lines, SIZE_MAX / 2);
	if (!selection_read(&job->selection, call)) {
		clients_job_free(job);
		return;
	}
	if (query_flag(&call->query, "stream", &stream) != HERD_OK)
		fault = "stream is a truth value, like stream=1";
	if (fault == NULL)
		fault = read_limit(&call->query, stream, job);
	all = selection_is_all(&job->selection);
	if (fault == NULL && (!job->count || !all)) {
		begin(call, job, stream);
		return;
	}
	clients_job_free(job);
	if (fault == NULL)
		answer_count_all(call);
	else
		http_call_fail(call, ADMIN_BAD_REQUEST, fault,
		    "a parameter has a wrong value");
}
