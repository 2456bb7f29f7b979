/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sender of an import as clients report: IAMAT lines on one connection,
 * many under way at once.
 */
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/import_job.h"
#include "herd/text.h"
#include "net/connection.h"

/* Requests under way at once: enough to hide the round trip. */
#define SEND_WINDOW 512u
/* Bytes of records that are kept for their answers. */
#define SEND_BYTES_MAX ((size_t)4 << 20)

/* A report under way; its client and its text for the rejects come after. */
struct report_flight {
	struct import_place at;
	size_t client_len;
	size_t reject_len;
};

struct import_sending {
	struct connection *connection;
	struct buf flights; /* oldest first */
	struct buf request;
	struct buf reject;
};

/* The time of "? IAMAT client location time" is after this machine's. */
static bool
is_ahead(struct span reply)
{
	struct span line = text_trim(reply);
	size_t from = line.len;
	uint64_t ns;

	while (from > 0 && line.data[from - 1] != ' ')
		from--;
	return time_parse(span_of(line.data + from, line.len - from), &ns) ==
		   HERD_OK &&
	       ns > now_wall().ns;
}

static void
on_reply(void *arg, struct span reply, enum reply_kind kind HERD_UNUSED)
{
	struct import_job *job = arg;
	struct import_sending *s = job->state;
	const char *bytes = buf_span(&s->flights).data;
	struct report_flight flight;
	struct span client;

	memcpy(&flight, bytes, sizeof(flight));
	bytes += sizeof(flight);
	client = span_of(bytes, flight.client_len);
	if (reply.data[0] == '?') {
		job->counts.refused++;
		import_faults_refuse(
		    &job->faults, flight.at, client, is_ahead(reply));
		buf_clear(&s->reject);
		import_reader_reject_head(&job->reader, &s->reject);
		import_faults_reject(&job->faults, buf_span(&s->reject),
		    span_of(bytes + flight.client_len, flight.reject_len));
	} else {
		job->counts.taken++;
	}
	buf_drain(&s->flights,
	    sizeof(flight) + flight.client_len + flight.reject_len);
	/* The node is alive; the deadline is for silence only. */
	run_renew_deadline(job->run);
}

static void
on_closed(void *arg, enum status why, const char *message)
{
	import_job_close(arg, why, message);
}

static const struct connection_events events = {
	.on_reply = on_reply,
	.on_closed = on_closed,
};

static void
begin(struct import_job *job)
{
	struct import_sending *s = xcalloc(1, sizeof(*s));

	job->state = s;
	buf_init(&s->flights, XBUF_MAX);
	buf_init(&s->request, XBUF_MAX);
	buf_init(&s->reject, XBUF_MAX);
	if (job->target->clients.kind == ADDRESS_NONE) {
		import_job_close(
		    job, STATUS_LOCAL, "it has no address for clients");
		return;
	}
	s->connection =
	    connection_new(app_loop(job->run->app)->base, &events, job);
	connection_open(
	    s->connection, &job->target->clients, job->target->clients_tls);
}

static void
add(struct import_job *job, const struct import_record *record)
{
	struct import_sending *s = job->state;
	struct span client = import_record_text(record, FIELD_CLIENT);
	struct report_flight flight = {
		.at = { record->line, record->number },
		.client_len = client.len,
	};

	if (s->connection == NULL ||
	    connection_state(s->connection) == SESSION_CLOSED)
		return;
	if (connection_pending(s->connection) == 0)
		run_renew_deadline(job->run);
	buf_clear(&s->reject);
	import_job_put_reject(job, &s->reject);
	flight.reject_len = s->reject.len;
	put(&s->flights, &flight, sizeof(flight));
	put_span(&s->flights, client);
	put_span(&s->flights, buf_span(&s->reject));
	buf_clear(&s->request);
	import_record_request(record, &job->options, &s->request);
	connection_queue(s->connection, buf_span(&s->request));
}

static void
push(struct import_job *job)
{
	struct import_sending *s = job->state;

	if (s->connection != NULL)
		connection_push(s->connection);
}

/*
 * Below half of the window once it was full, so that requests go out many at a
 * time.
 */
static bool
has_room(const struct import_job *job)
{
	const struct import_sending *s = job->state;

	return connection_state(s->connection) == SESSION_OPEN &&
	       connection_pending(s->connection) < SEND_WINDOW / 2 &&
	       s->flights.len < SEND_BYTES_MAX / 2;
}

static bool
is_full(const struct import_job *job)
{
	const struct import_sending *s = job->state;

	return connection_pending(s->connection) >= SEND_WINDOW ||
	       s->flights.len >= SEND_BYTES_MAX;
}

static size_t
pending(const struct import_job *job)
{
	const struct import_sending *s = job->state;

	return s->connection == NULL ? 0 : connection_pending(s->connection);
}

static void
end(struct import_job *job)
{
	struct import_sending *s = job->state;

	connection_free(s->connection);
	buf_release(&s->flights);
	buf_release(&s->request);
	buf_release(&s->reject);
	free(s);
	job->state = NULL;
}

const struct import_sender import_send = {
	.begin = begin,
	.add = add,
	.push = push,
	.has_room = has_room,
	.is_full = is_full,
	.pending = pending,
	.end = end,
};
