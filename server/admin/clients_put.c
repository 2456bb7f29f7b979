/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports and removals as they are, with origin and skew: POST /v1/clients. The
 * body has lines as herd-protocol(7) has them, AT and GONE, so that a table can
 * be carried from one herd to another.
 */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/put_tickets.h"
#include "admin/route.h"
#include "herd/text.h"

#define FAULTS_MAX 20u /* that an answer names */

struct put_fault {
	unsigned long line;
	const char *why;
};

struct put_job {
	struct put_tickets tickets;
	uint64_t put;
	uint64_t stale;
	uint64_t refused;
	struct put_fault faults[FAULTS_MAX]; /* the first ones */
	unsigned fault_count;
};

static void
refuse(struct put_job *job, unsigned long line, const char *why)
{
	job->refused++;
	if (job->fault_count < FAULTS_MAX)
		job->faults[job->fault_count++] =
		    (struct put_fault){ line, why };
}

/* False: out of memory. */
static bool
put_line(struct put_job *job, struct node *node, struct span line,
    unsigned long number)
{
	struct report report;

	if (report_parse(line, &report) != HERD_OK) {
		refuse(job, number, "not an AT or GONE line");
		return true;
	}
	switch (put_tickets_put(&job->tickets, node, &report)) {
	case PUT_ACCEPTED:
	case PUT_EQUAL: job->put++; return true;
	case PUT_STALE: job->stale++; return true;
	case PUT_EXPIRED:
		refuse(job, number, "older than expire_after");
		return true;
	case PUT_REFUSED:
	case PUT_NO_ROOM:
	case PUT_FULL: refuse(job, number, "the table is full"); return true;
	case PUT_NOMEM: return false;
	}
	return false;
}

static bool
put_lines(struct put_job *job, struct node *node, struct span text)
{
	for (unsigned long number = 1; text.len > 0; number++) {
		struct span line = span_cut(&text, '\n');

		if (line.len > 0 && !put_line(job, node, line, number))
			return false;
	}
	return true;
}

static void
answer(struct http_call *call)
{
	const struct put_job *job = call->job;
	struct json *json = http_call_answer(call);
	char count[32];

	snprintf(
	    count, sizeof(count), "%llu reports", (unsigned long long)job->put);
	http_call_log(call, count);
	json_count(json, "put", job->put);
	json_count(json, "stale", job->stale);
	json_count(json, "refused", job->refused);
	json_array(json, "faults");
	for (unsigned i = 0; i < job->fault_count; i++) {
		json_object(json, NULL);
		json_count(json, "line", job->faults[i].line);
		json_word(json, "why", job->faults[i].why);
		json_object_end(json);
	}
	json_array_end(json);
	http_call_json(call);
}

static bool
on_step(struct http_call *call)
{
	const struct put_job *job = call->job;

	return put_tickets_step(call, &job->tickets, answer);
}

void
serve_clients_put(struct http_call *call)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(call->request);
	size_t len = evbuffer_get_length(body);
	const char *text = (const char *)evbuffer_pullup(body, -1);
	struct put_job *job;

	if (put_tickets_refuse(call))
		return;
	job = calloc(1, sizeof(*job));
	if (job == NULL || !put_lines(job, call->node,
			       span_of(text, text == NULL ? 0 : len))) {
		free(job);
		http_call_out_of_memory(call);
		return;
	}
	http_call_walk(call, job, free, on_step, 0);
}
