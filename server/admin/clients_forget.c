/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removals by an operator: of one client, and of all that are meant. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/put_tickets.h"
#include "admin/route.h"
#include "admin/selection.h"
#include "herd/text.h"

#define CLIENT_SEGMENT 2 /* of /v1/clients/ID */
#define STEP_SLICES 4u   /* of the table, between two looks at the clock */

struct forget_job {
	struct record held; /* one client: what is forgotten */
	struct report removal;
	struct selection selection; /* many */
	struct page *page;          /* of them, or NULL */
	struct put_tickets tickets;
	uint64_t forgotten;
	uint64_t newer; /* reported themselves again meanwhile */
	bool walked;
};

static void
forget_job_free(void *arg)
{
	struct forget_job *job = arg;

	page_free(job->page);
	selection_release(&job->selection);
	record_release(&job->held);
	free(job);
}

/* --- one client ------------------------------------------------------- */

static void
answer_forgotten(struct http_call *call)
{
	const struct forget_job *job = call->job;
	const struct report *removal = &job->removal;
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
fail_no_client(struct http_call *call)
{
	http_call_fail(call, ADMIN_NOT_FOUND,
	    "GET /v1/clients?prefix=... lists what is held",
	    "node %s holds no report of that client", call->node->name);
}

static bool
on_one_step(struct http_call *call)
{
	const struct forget_job *job = call->job;

	return put_tickets_step(call, &job->tickets, answer_forgotten);
}

/* Takes the job. */
static void
forget(struct http_call *call, struct forget_job *job)
{
	switch (put_tickets_remove(
	    &job->tickets, call->node, &job->held.report, &job->removal)) {
	case PUT_ACCEPTED:
	case PUT_EQUAL:
		http_call_walk(call, job, forget_job_free, on_one_step, 0);
		return;
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
	forget_job_free(job);
}

/* NULL: the call is answered. */
static struct forget_job *
forget_job_new(struct http_call *call)
{
	struct forget_job *job;

	if (put_tickets_refuse(call))
		return NULL;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		http_call_out_of_memory(call);
	else
		record_init(&job->held);
	return job;
}

void
serve_client_forget(struct http_call *call)
{
	struct forget_job *job = forget_job_new(call);
	enum herd_error error;

	if (job == NULL)
		return;
	error = table_get(call->node->table,
	    call->query.segments[CLIENT_SEGMENT], &job->held);
	if (error == HERD_OK && job->held.report.kind != REPORT_REMOVAL) {
		forget(call, job);
		return;
	}
	if (error == HERD_ENOMEM)
		http_call_out_of_memory(call);
	else
		fail_no_client(call);
	forget_job_free(job);
}

/* --- many ------------------------------------------------------------- */

static void
answer_many(struct http_call *call)
{
	const struct forget_job *job = call->job;
	struct json *json = http_call_answer(call);
	char count[32];

	snprintf(count, sizeof(count), "%llu clients",
	    (unsigned long long)job->forgotten);
	http_call_log(call, count);
	json_count(json, "forgotten", job->forgotten);
	json_count(json, "newer", job->newer);
	http_call_json(call);
}

/* False: out of memory. */
static bool
forget_page(struct forget_job *job, struct node *node)
{
	for (unsigned i = 0; i < page_count(job->page); i++) {
		enum put_result result = put_tickets_remove(&job->tickets, node,
		    &page_row(job->page, i)->report, &job->removal);

		if (result == PUT_NOMEM)
			return false;
		job->forgotten += result == PUT_ACCEPTED || result == PUT_EQUAL;
		job->newer += result == PUT_STALE;
	}
	return true;
}

static bool
on_many_step(struct http_call *call)
{
	struct forget_job *job = call->job;
	bool more;

	if (job->walked)
		return put_tickets_step(call, &job->tickets, answer_many);
	if (page_walk(job->page, call->node->table, STEP_SLICES, &more) !=
		HERD_OK ||
	    !forget_page(job, call->node)) {
		http_call_out_of_memory(call);
		return false;
	}
	job->walked = !page_again(job->page, PAGE_LIMIT_MAX);
	return true;
}

/* Without any selection the whole table would go by a slip. */
static bool
is_meant(struct http_call *call, const struct selection *selection)
{
	bool all;

	if (query_flag(&call->query, "all", &all) == HERD_OK &&
	    all == selection_is_all(selection))
		return true;
	http_call_fail(call, ADMIN_BAD_REQUEST,
	    "prefix, glob, near or where says which clients, all=1 alone means "
	    "all of them",
	    "no clients are named");
	return false;
}

void
serve_clients_forget(struct http_call *call)
{
	struct forget_job *job = forget_job_new(call);
	bool good;

	if (job == NULL)
		return;
	good = selection_read(&job->selection, call) &&
	       is_meant(call, &job->selection);
	job->selection.filter.order.column = PAGE_TABLE;
	job->selection.filter.limit = PAGE_LIMIT_MAX;
	if (good && page_new(&job->selection.filter, span_of("", 0),
			&job->page) == HERD_OK) {
		http_call_walk(call, job, forget_job_free, on_many_step, 0);
		return;
	}
	if (good)
		http_call_out_of_memory(call);
	forget_job_free(job);
}
