/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Erasure of one client: its removal, as when it is forgotten, and then nothing
 * of its positions in the store's files. The removal has its id, and stays:
 * without it a node that was away would bring the position back.
 *
 * A client that the node holds no report of is erased as well: an older row of
 * it may be in the store.
 */
#include <limits.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/put_tickets.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "admin/store_api.h"
#include "store/store.h"

#define CLIENT_SEGMENT 2 /* of /v1/clients/ID/erase */
#define LOOK_MS 10u

struct erase_job {
	struct span client;    /* borrows the query */
	struct record held;    /* what is forgotten, or the removal */
	struct report removal; /* no client: none is known */
	struct put_tickets tickets;
	struct store_work *work; /* NULL: not begun */
	bool forgotten;          /* a position was held */
};

static void
erase_job_free(void *arg)
{
	struct erase_job *job = arg;

	store_work_end(job->work);
	record_release(&job->held);
	free(job);
}

static void
add_removal(struct json *json, const struct erase_job *job,
    const struct settings *settings)
{
	bool known = job->removal.client.len > 0;
	uint64_t until = job->removal.time_ns + settings->expire_after;

	if (known)
		json_text(json, "time", job->removal.time);
	else
		json_null(json, "time");
	json_bool(json, "removal", known);
	if (known && settings->expire_after > 0)
		row_time(json, "removal_until", until);
	else
		json_null(json, "removal_until");
}

/* Where else the id may be on this machine. */
static void
add_traffic_log(struct json *json, const struct node *node)
{
	struct buf path;

	buf_init(&path, PATH_MAX);
	row_text(json, "traffic_log", &path,
	    node->traffic == NULL
		? HERD_ENOTFOUND
		: herdfile_expand(&path, node->file.settings.log.traffic,
		      node->name, node->base_dir));
}

/* A database deletes the rows; their bytes go as its own rules have it. */
static const char *
what_became(struct store *store, const struct store_work_report *report)
{
	struct store_status status;

	if (report == NULL)
		return "none";
	store_status(store, &status);
	return status.is_shared ? "deleted" : "clean";
}

static void
answer_erased(struct http_call *call, const struct erase_job *job,
    const struct store_work_report *report)
{
	struct json *json = http_call_answer(call);

	/* The log does not get the id that is being erased. */
	http_call_log(call, "one client");
	row_client_id(json, job->client);
	json_bool(json, "forgotten", job->forgotten);
	add_removal(json, job, &call->node->file.settings);
	json_word(json, "store", what_became(call->node->store, report));
	row_count(json, "cleaned_bytes", report != NULL,
	    report == NULL ? 0 : report->task.cleaned);
	json_rounded(json, "ms", report == NULL ? 0 : report->ms);
	add_traffic_log(json, call->node);
	http_call_json(call);
}

/* Waits while the store does other work; true: there is more to wait for. */
static bool
begin_work(struct http_call *call, struct erase_job *job)
{
	enum herd_error error = store_work_begin(
	    call->node->store, ENGINE_ERASE, job->client, &job->work);

	if (error == HERD_OK || error == HERD_EEXIST)
		return true;
	store_api_refuse(call, error, "erasure");
	return false;
}

static bool
on_erase_step(struct http_call *call)
{
	struct erase_job *job = call->job;
	struct store_work_report report;

	if (call->node->store == NULL) {
		answer_erased(call, job, NULL);
		return false;
	}
	if (job->work == NULL)
		return begin_work(call, job);
	store_work_look(job->work, &report);
	if (report.state == STORE_WORK_RUNS)
		return true;
	if (report.state == STORE_WORK_FAILED)
		store_api_fail(call, &report.task);
	else
		answer_erased(call, job, &report);
	return false;
}

/* False: the call is answered. */
static bool
remove_client(struct http_call *call, struct erase_job *job)
{
	enum herd_error error =
	    table_get(call->node->table, job->client, &job->held);

	if (error == HERD_ENOTFOUND)
		return true;
	if (error != HERD_OK) {
		http_call_out_of_memory(call);
		return false;
	}
	job->removal = job->held.report;
	if (job->held.report.kind == REPORT_REMOVAL)
		return true;
	switch (put_tickets_remove(
	    &job->tickets, call->node, &job->held.report, &job->removal)) {
	case PUT_ACCEPTED:
	case PUT_EQUAL: job->forgotten = true; return true;
	case PUT_STALE:
		http_call_fail(call, ADMIN_CONFLICT, "erase it again",
		    "the client has reported itself again meanwhile");
		return false;
	case PUT_EXPIRED:
	case PUT_REFUSED:
	case PUT_NO_ROOM:
	case PUT_FULL: job->removal.client.len = 0; return true;
	case PUT_NOMEM: http_call_out_of_memory(call); return false;
	}
	return false;
}

void
serve_client_erase(struct http_call *call)
{
	struct erase_job *job;

	if (put_tickets_refuse(call))
		return;
	job = calloc(1, sizeof(*job));
	if (job == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	record_init(&job->held);
	job->client = call->query.segments[CLIENT_SEGMENT];
	if (remove_client(call, job))
		http_call_walk(
		    call, job, erase_job_free, on_erase_step, LOOK_MS);
	else
		erase_job_free(job);
}
