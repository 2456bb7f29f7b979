/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who reports most: /v1/top. The workers and the phones thread are asked one
 * after the other, and what they say is brought together here.
 */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "herd/text.h"
#include "net/addresses.h"
#include "net/survey.h"
#include "phones/phones.h"

#define TOP_LIMIT_DEFAULT 20u
#define TOP_LIMIT_MAX 1000u

/* A question to the workers and the phones thread; outlives its call. */
struct top_job {
	struct message message;
	struct admin *admin;
	struct phones *phones;  /* or NULL */
	struct http_call *call; /* NULL: the client has left */
	struct busiest_survey *survey;
	unsigned limit;
};

static double
share_of(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* --- the answer -------------------------------------------------------- */

static void
add_clients(struct json *json, const struct survey_list *list, unsigned limit)
{
	json_array(json, "clients");
	for (unsigned i = 0; i < list->count && i < limit; i++) {
		const struct heavy_row *row = &list->rows[i];
		struct span id = span_of(row->label, row->shown);
		bool cut = row->shown < row->len;

		json_object(json, NULL);
		row_client_id(json, cut ? text_utf8_whole(id) : id);
		json_bool(json, "cut", cut);
		json_rounded(json, "reports_per_s", row->per_s);
		json_rounded(
		    json, "share", share_of(row->per_s, list->sums.per_s));
		json_object_end(json);
	}
	json_array_end(json);
}

static void
add_addresses(
    struct json *json, const struct busiest_survey *survey, unsigned limit)
{
	double all = survey->lists[BUSIEST_REQUESTS].sums.per_s;

	json_array(json, "addresses");
	for (unsigned i = 0; i < survey->address_count && i < limit; i++) {
		const struct survey_address *address = &survey->addresses[i];
		struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
		char text[ADDRESS_TEXT_MAX];

		memcpy(&peer, address->row->label, address->row->shown);
		address_text(&peer, text);
		json_object(json, NULL);
		json_word(json, "address", text);
		json_rounded(json, "requests_per_s", address->requests_per_s);
		json_rounded(
		    json, "share", share_of(address->requests_per_s, all));
		json_rounded(json, "invalid_per_s", address->invalid_per_s);
		json_object_end(json);
	}
	json_array_end(json);
}

static void
answer_top(struct http_call *call, const struct top_job *job)
{
	const struct survey_list *lists = job->survey->lists;
	struct json *json = http_call_answer(call);

	if (busiest_survey_merge(job->survey) != HERD_OK)
		json_fail(json, HERD_ENOMEM);
	json_word(json, "schema", "herd.top/1");
	json_word(json, "node", call->node->name);
	json_rounded(json, "window_s", lists[BUSIEST_REPORTS].sums.window_s);
	json_rounded(json, "reports_per_s", lists[BUSIEST_REPORTS].sums.per_s);
	json_rounded(
	    json, "requests_per_s", lists[BUSIEST_REQUESTS].sums.per_s);
	json_rounded(json, "invalid_per_s", lists[BUSIEST_REFUSED].sums.per_s);
	json_rounded(json, "clients_missed_per_s",
	    lists[BUSIEST_REPORTS].sums.missed_per_s);
	json_rounded(json, "addresses_missed_per_s",
	    lists[BUSIEST_REQUESTS].sums.missed_per_s);
	add_clients(json, &lists[BUSIEST_REPORTS], job->limit);
	add_addresses(json, job->survey, job->limit);
	http_call_json(call);
}

/* --- the workers ------------------------------------------------------- */

static void
job_free(struct top_job *job)
{
	if (job->survey != NULL)
		busiest_survey_free(job->survey);
	free(job);
}

static void
on_gone(void *arg)
{
	struct top_job *job = arg;

	job->call = NULL;
}

static void
on_done_here(struct message *message)
{
	struct top_job *job = (struct top_job *)message;

	if (job->call != NULL) {
		http_call_keep(job->call, NULL, NULL);
		answer_top(job->call, job);
	}
	job_free(job);
}

static void
on_done_phones(struct message *message)
{
	struct top_job *job = (struct top_job *)message;

	busiest_survey_take(job->survey, phones_busiest(job->phones));
	job->message.run = on_done_here;
	mailbox_post(&job->admin->mailbox, &job->message);
}

/* In a worker's thread. */
static void
on_done(void *arg)
{
	struct top_job *job = arg;

	if (job->phones != NULL)
		phones_post(job->phones, &job->message);
	else
		mailbox_post(&job->admin->mailbox, &job->message);
}

void
serve_top(struct http_call *call)
{
	uint64_t limit = TOP_LIMIT_DEFAULT;
	struct top_job *job;

	if (query_count(&call->query, "limit", 1, TOP_LIMIT_MAX, &limit) !=
	    HERD_OK) {
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "limit is a whole number from 1 to 1000",
		    "a parameter has a wrong value");
		return;
	}
	job = calloc(1, sizeof(*job));
	if (job != NULL)
		job->survey =
		    busiest_survey_new(call->node->workers, 1, on_done, job);
	if (job == NULL || job->survey == NULL) {
		if (job != NULL)
			job_free(job);
		http_call_out_of_memory(call);
		return;
	}
	job->phones = call->node->phones;
	job->message.run = job->phones != NULL ? on_done_phones : on_done_here;
	job->admin = call->admin;
	job->call = call;
	job->limit = (unsigned)limit;
	http_call_keep(call, job, on_gone);
	busiest_survey_send(job->survey);
}
