/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections: /v1/connections. The workers are asked for those of clients, a
 * slice at a time, the next one when the reader has taken the last, so that
 * neither a loop nor the memory notices how many there are.
 */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "net/socket.h"
#include "net/survey.h"

/* A row is shorter, whatever its numbers are. */
#define ROW_MAX 512u
/* Rows that are sent at a time. */
#define CHUNK_MAX (32u * ROW_MAX)

/* An answer under way; outlives its call while a worker has the survey. */
struct connections_job {
	struct message message;
	struct admin *admin;
	struct http_call *call; /* NULL: the client has left */
	bool asked;             /* a worker has the survey */
	unsigned next;          /* row of the survey */
	bool any;               /* a row was sent */
	struct connection_survey survey;
};

/* --- rows -------------------------------------------------------------- */

static void
add_connection(struct json *json, const struct connections_job *job,
    const struct connection_facts *facts, struct mono now)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	char text[SOCKET_PEER_MAX];

	memcpy(&peer, &facts->peer, sizeof(facts->peer));
	socket_peer_text(&peer, text);
	json_object(json, NULL);
	json_word(json, "address", text);
	json_word(json, "kind", "client");
	json_word(json, "state", survey_state_word(facts->state));
	json_count(json, "worker", job->survey.number);
	json_seconds(json, "age_s", mono_since(now, facts->opened));
	json_seconds(json, "idle_s", mono_since(now, facts->last));
	json_count(json, "requests", facts->requests);
	json_count(json, "invalid", facts->invalid);
	json_count(json, "unsent_bytes", facts->unsent);
	json_object_end(json);
}

static void
add_call(struct json *json, const struct http_call *call, struct mono now)
{
	size_t unsent = http_call_unsent(call);
	uint64_t age_ns = mono_since(now, call->began);

	json_object(json, NULL);
	json_word(json, "address", call->who);
	json_word(json, "kind", "admin");
	json_word(json, "state", unsent > 0 ? "stalled" : "serving");
	json_null(json, "worker");
	json_seconds(json, "age_s", age_ns);
	json_seconds(json, "idle_s", age_ns);
	json_count(json, "requests", 1);
	json_count(json, "invalid", 0);
	json_count(json, "unsent_bytes", unsent);
	json_object_end(json);
}

/*
 * Other requests to the admin API that are under way. They are few: the answer
 * begins with all of them.
 */
static void
send_calls(struct connections_job *job)
{
	const struct http_call *call;
	struct mono now = clock_mono();
	enum herd_error error = HERD_OK;
	struct buf out;

	buf_init(&out, ADMIN_CALLS_MAX * 2 * ROW_MAX);
	TAILQ_FOREACH(call, &job->admin->calls, all)
	{
		struct json json;

		if (call == job->call || call->who[0] == '\0')
			continue;
		if (job->any)
			error = buf_add(&out, ",\n", 2);
		json_begin(&json, &out, JSON_COMPACT);
		add_call(&json, call, now);
		if (error == HERD_OK)
			error = json_end(&json);
		if (error != HERD_OK)
			break;
		job->any = true;
	}
	if (error == HERD_OK)
		http_call_send(job->call, buf_span(&out));
	else
		job->any = false;
	buf_release(&out);
}

/* Appends rows as long as there is room. */
static void
put_rows(struct connections_job *job, struct buf *out, size_t room)
{
	struct mono now = clock_mono();

	while (job->next < job->survey.count && out->len + ROW_MAX <= room) {
		size_t before = out->len;
		enum herd_error error = HERD_OK;
		struct json json;

		if (job->any)
			error = buf_add(out, ",\n", 2);
		json_begin(&json, out, JSON_COMPACT);
		add_connection(&json, job, &job->survey.rows[job->next], now);
		if (error == HERD_OK)
			error = json_end(&json);
		if (error != HERD_OK) {
			buf_truncate(out, before);
			return;
		}
		job->any = true;
		job->next++;
	}
}

/* --- the flow ---------------------------------------------------------- */

static void
end(struct connections_job *job)
{
	struct http_call *call = job->call;

	http_call_send(call, span_from("]}\n"));
	http_call_keep(call, NULL, NULL);
	call->on_room = NULL;
	http_call_abort(call);
	free(job);
}

/* Asks for the next slice; false if there is none. */
static bool
ask_on(struct connections_job *job)
{
	job->next = 0;
	job->asked = true;
	job->asked = connection_survey_go_on(&job->survey);
	return job->asked;
}

/* The reader has room, or rows have come. May free the job. */
static void
go_on(struct connections_job *job)
{
	struct buf out;

	if (job->asked)
		return;
	buf_init(&out, CHUNK_MAX);
	while (job->next < job->survey.count) {
		size_t room = http_call_room(job->call);

		buf_clear(&out);
		put_rows(job, &out, room < CHUNK_MAX ? room : CHUNK_MAX);
		if (out.len == 0)
			break;
		http_call_send(job->call, buf_span(&out));
	}
	buf_release(&out);
	if (job->next == job->survey.count && !ask_on(job))
		end(job);
}

static void
on_room(struct http_call *call)
{
	go_on(call->job);
}

static void
on_gone(void *arg)
{
	struct connections_job *job = arg;

	job->call = NULL;
	if (!job->asked)
		free(job);
}

static void
on_slice_here(struct message *message)
{
	struct connections_job *job = (struct connections_job *)message;

	job->asked = false;
	if (job->call == NULL)
		free(job);
	else
		go_on(job);
}

/* In a worker's thread. */
static void
on_slice(void *arg)
{
	struct connections_job *job = arg;

	mailbox_post(&job->admin->mailbox, &job->message);
}

static void
send_head(struct http_call *call)
{
	struct json *json = http_call_answer(call);
	struct span head;

	json_word(json, "schema", "herd.connections/1");
	json_word(json, "node", call->node->name);
	json_array(json, "connections");
	json_array_end(json);
	json_object_end(json);
	if (json_end(json) != HERD_OK)
		return;
	/* The rows go between the brackets. */
	head = buf_span(&call->body);
	http_call_stream(call, "application/json");
	http_call_send(call, span_of(head.data, head.len - 2));
}

void
serve_connections(struct http_call *call)
{
	struct connections_job *job = calloc(1, sizeof(*job));

	if (job != NULL)
		send_head(call);
	if (job == NULL || !call->stream) {
		free(job);
		http_call_out_of_memory(call);
		return;
	}
	job->message.run = on_slice_here;
	job->admin = call->admin;
	job->call = call;
	job->asked = true;
	http_call_keep(call, job, on_gone);
	call->on_room = on_room;
	send_calls(job);
	connection_survey_begin(
	    &job->survey, call->node->workers, on_slice, job);
}
