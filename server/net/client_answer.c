/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client's lines ask for, and the replies. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/traffic.h"
#include "herd/text.h"
#include "net/client_tls.h"
#include "node/limits.h"
#include "store/store.h"

#define CLIENT_LONG_LINE_SHOWN 64u /* of a line beyond the limit */

/* A WHATSAT whose places come later; outlives its client. */
struct whatsat_request {
	struct message message;
	struct worker *worker;
	struct client *client; /* NULL: it has left */
	struct places_asker *asker;
	struct mono began;     /* the request was read */
	_Atomic bool answered; /* the message is posted */
	struct buf reply;
};

/* The part of a line that is shown: it may hold anything. */
static struct span
beginning_of(struct span line)
{
	return span_of(line.data, line.len < CLIENT_LONG_LINE_SHOWN
				      ? line.len
				      : CLIENT_LONG_LINE_SHOWN);
}

static void
client_note(struct client *client, const char *what, struct span text)
{
	char peer[SOCKET_PEER_MAX];

	if (client->worker->node->traffic == NULL)
		return;
	socket_peer_text(&client->peer, peer);
	traffic_note(client->worker->node->traffic, what, peer, text);
}

/* --- requests ----------------------------------------------------------- */

/* A reply that can't be built for want of memory ends the connection. */
static void
client_check(struct client *client, enum herd_error error)
{
	if (error == HERD_OK)
		return;
	LOG(client->worker->node->log, LOG_ERROR, "reply-failed",
	    log_text("error", herd_strerror(error)),
	    log_text("next", "the connection is closed"));
	client->broken = true;
}

/* A line is about to be answered. */
static void
client_begin_line(struct client *client, struct span line)
{
	client->requests++;
	client->uncounted_requests++;
	client_note(client, "request", line);
}

/* The reply to a line that is not taken, counted by its reason. */
static void
refuse(struct client *client, enum refusal why, struct span line)
{
	struct buf *tx = &client->worker->tx;
	enum herd_error error = buf_reserve(tx, line.len + 3);

	count_add(&client->worker->counts.refused[why], 1);
	client->invalid++;
	client->uncounted_invalid++;
	client->untimed[SORT_INVALID]++;
	if (error == HERD_OK)
		error = buf_add(tx, "? ", 2);
	if (error == HERD_OK)
		error = buf_add_span(tx, line);
	if (error == HERD_OK)
		error = buf_add_byte(tx, '\n');
	client_check(client, error);
}

/* Of a report: whose it was is kept and logged. */
static void
refuse_report(struct client *client, enum refusal why, struct span line,
    struct span id, uint64_t hash, struct wall now)
{
	struct worker *worker = client->worker;

	refuse(client, why, line);
	refusals_note(&worker->refusals, why, id, hash, &client->peer, now);
	worker_pool_log_refusal(worker, why, &client->peer, "client", id);
}

void
client_time(struct client *client, struct mono now)
{
	struct time_histogram *times = client->worker->times;
	uint64_t took = 0;

	if (client->held)
		return;
	/* What is answered for its deadline was not read just now. */
	if (client->began.ns != 0)
		took = mono_since(now, client->began);
	for (unsigned i = 0; i < SORT_COUNT; i++) {
		if (client->untimed[i] == 0)
			continue;
		time_histogram_note(&times[i], took, client->untimed[i]);
		client->untimed[i] = 0;
	}
	client->began.ns = 0;
}

/* --- durability --------------------------------------------------------- */

/* The reply to this report may not leave before its ticket is durable. */
static void
client_hold(struct client *client, const struct put_info *ticket)
{
	struct gate *gate = client->gate;

	if (gate == NULL) {
		gate = calloc(1, sizeof(*gate));
		if (gate == NULL) {
			client_check(client, HERD_ENOMEM);
			return;
		}
		client->gate = gate;
	}
	if (gate->shards == 0)
		gate->since = clock_mono();
	if ((gate->shards & UINT64_C(1) << ticket->shard) == 0 ||
	    gate->appended[ticket->shard] < ticket->appended)
		gate->appended[ticket->shard] = ticket->appended;
	gate->shards |= UINT64_C(1) << ticket->shard;
}

bool
client_is_durable(struct client *client)
{
	const struct commit *commit = store_commit(client->worker->node->store);
	struct gate *gate = client->gate;

	while (gate->shards != 0) {
		unsigned shard = (unsigned)__builtin_ctzll(gate->shards);
		const struct put_info ticket = { shard, gate->appended[shard] };

		if (!commit_covers(commit, &ticket))
			return false;
		gate->shards &= gate->shards - 1;
	}
	return true;
}

/* Puts the report; PUT_NOMEM if the client must not be answered. */
static enum put_result
client_put(struct client *client, uint64_t hash, const struct report *report)
{
	struct node *node = client->worker->node;
	const struct outbox *store = store_outbox(node->store);
	const struct table_bounds bounds = limits_of_table(&node->limits);
	struct put_info ticket;
	enum put_result result;

	if (store != NULL && store_has_failed(node->store)) {
		client->broken = true;
		return PUT_NOMEM;
	}
	result = table_take(node->table, hash, report, client->worker->expiry,
	    store, &ticket, &bounds);
	if (result == PUT_NOMEM)
		client_check(client, HERD_ENOMEM);
	else if (store != NULL && result != PUT_NO_ROOM && result != PUT_FULL &&
		 commit_must_wait(store_commit(node->store), result, &ticket))
		client_hold(client, &ticket);
	return result;
}

static void
answer_iamat(struct client *client, const struct request *request,
    uint64_t hash, struct span line, struct wall now)
{
	struct worker *worker = client->worker;
	struct node *node = worker->node;
	char skew[SKEW_FORMAT_MAX];
	struct report report = { .client = request->client,
		.location = request->location,
		.time = request->time,
		.origin = node->sessions.name,
		.time_ns = request->time_ns,
		.kind = REPORT_POSITION };
	enum put_result result;
	enum herd_error error;

	if (!client_may_report(client, request->client)) {
		refuse_report(
		    client, REFUSAL_NAME, line, request->client, hash, now);
		return;
	}
	if (limits_is_ahead(&node->limits, request->time_ns, now)) {
		refuse_report(
		    client, REFUSAL_AHEAD, line, request->client, hash, now);
		return;
	}
	report.skew =
	    span_of(skew, skew_format(now.ns, request->time_ns, skew));
	result = client_put(client, hash, &report);
	if (result == PUT_NO_ROOM || result == PUT_FULL) {
		refuse_report(client,
		    result == PUT_FULL ? REFUSAL_CLIENTS : REFUSAL_MEMORY, line,
		    request->client, hash, now);
		return;
	}
	count_add(&worker->counts.iamat, 1);
	client->untimed[SORT_IAMAT]++;
	if (result == PUT_NOMEM)
		return;
	error = report_format(&worker->tx, &report);
	if (error == HERD_OK)
		error = buf_add_byte(&worker->tx, '\n');
	client_check(client, error);
}

/* --- places -------------------------------------------------------------- */

static void
whatsat_free(struct whatsat_request *whatsat)
{
	if (whatsat->asker != NULL)
		places_asker_free(whatsat->asker);
	buf_release(&whatsat->reply);
	free(whatsat);
}

void
client_forget_places(struct client *client)
{
	struct whatsat_request *whatsat = client->waiting;

	if (whatsat == NULL)
		return;
	client->waiting = NULL;
	whatsat->client = NULL;
	places_asker_cancel(whatsat->asker);
	if (!atomic_load(&whatsat->answered))
		whatsat_free(whatsat);
}

/* In the Places thread. */
static void
on_places(void *arg, struct span json)
{
	struct whatsat_request *whatsat = arg;

	/* The reply's maximum has room for any answer; memory may not. */
	if (buf_add_span(&whatsat->reply, json) != HERD_OK ||
	    buf_add(&whatsat->reply, "\n\n", 2) != HERD_OK)
		buf_clear(&whatsat->reply);
	atomic_store(&whatsat->answered, true);
	mailbox_post(&whatsat->worker->mailbox, &whatsat->message);
}

/* Back in the worker's thread. */
static void
on_places_message(struct message *message)
{
	struct whatsat_request *whatsat = (struct whatsat_request *)message;
	struct client *client = whatsat->client;
	struct worker *worker = whatsat->worker;

	if (client != NULL) {
		client->waiting = NULL;
		client->state = CLIENT_OPEN;
		time_histogram_note(&worker->times[SORT_WHATSAT],
		    mono_since(clock_mono(), whatsat->began), 1);
		client_note(client, "reply", buf_span(&whatsat->reply));
		if (whatsat->reply.len == 0)
			client_check(client, HERD_ENOMEM);
		else
			client_check(client, buf_add_span(&worker->tx,
						 buf_span(&whatsat->reply)));
	}
	whatsat_free(whatsat);
	if (client == NULL)
		return;
	(void)client_process(client);
	client_settle(client);
}

static void
ask_places(struct client *client, const struct record *record,
    const struct places_question *question)
{
	struct worker *worker = client->worker;
	struct whatsat_request *whatsat = calloc(1, sizeof(*whatsat));
	struct buf *tx = &worker->tx;
	size_t before = tx->len;
	enum herd_error error = HERD_ENOMEM;

	if (whatsat == NULL)
		goto done;
	whatsat->message.run = on_places_message;
	whatsat->worker = worker;
	whatsat->client = client;
	buf_init(&whatsat->reply, CLIENT_REPLY_MAX);
	error = report_format(&whatsat->reply, &record->report);
	if (error == HERD_OK)
		error = buf_add_byte(&whatsat->reply, '\n');
	if (error == HERD_OK)
		error = buf_add_span(tx, buf_span(&whatsat->reply));
	if (error == HERD_OK)
		error = buf_reserve(tx, PLACES_ANSWER_MAX + 2);
	if (error != HERD_OK)
		goto done;
	if (places_ask(worker->places, question, tx, on_places, whatsat,
		&whatsat->asker) == PLACES_PENDING) {
		buf_truncate(tx, before);
		whatsat->began = client->began;
		client->waiting = whatsat;
		client->state = CLIENT_WAITING;
		return;
	}
	error = buf_add(tx, "\n\n", 2);
done:
	if (whatsat != NULL)
		whatsat_free(whatsat);
	client_check(client, error);
}

static void
answer_whatsat(
    struct client *client, const struct request *request, struct span line)
{
	static const char no_places[] =
	    "{\n   \"html_attributions\" : [],\n   \"results\" : [],\n"
	    "   \"status\" : \"ZERO_RESULTS\"\n}\n\n";
	struct worker *worker = client->worker;
	struct places_question question = { .radius_m = request->radius_m,
		.max = request->bound };
	struct record record;
	enum herd_error error;

	record_init(&record);
	error = table_get(worker->node->table, request->client, &record);
	if (error == HERD_ENOTFOUND ||
	    (error == HERD_OK && record.report.kind == REPORT_REMOVAL)) {
		refuse(client, REFUSAL_UNKNOWN, line);
		record_release(&record);
		return;
	}
	count_add(&worker->counts.whatsat, 1);
	if (error == HERD_OK)
		error = location_parse(record.report.location, &question.at);
	if (error == HERD_OK && worker->places != NULL) {
		ask_places(client, &record, &question);
	} else if (error == HERD_OK) {
		error = report_format(&worker->tx, &record.report);
		if (error == HERD_OK)
			error = buf_add_byte(&worker->tx, '\n');
		if (error == HERD_OK)
			error = buf_add_text(&worker->tx, no_places);
	}
	/* One that waits is timed when its places come. */
	client->untimed[SORT_WHATSAT] += client->waiting == NULL;
	client_check(client, error);
	record_release(&record);
}

/* --- lines --------------------------------------------------------------- */

/* With the traffic log on: the reply is what was appended since. */
static void
client_note_reply(struct client *client, size_t before)
{
	struct span reply = buf_span(&client->worker->tx);

	if (client->worker->node->traffic != NULL && reply.len > before)
		client_note(client, "reply",
		    span_of(reply.data + before, reply.len - before));
}

void
client_answer_batch(struct client *client, struct batch *batch, struct wall now)
{
	struct table *table = client->worker->node->table;
	struct heavy *reports = &client->worker->busiest.lists[BUSIEST_REPORTS];

	for (unsigned i = 0; batch->count > 1 && i < batch->count; i++)
		table_prefetch_record(table, batch->hashes[i]);
	for (unsigned i = 0; i < batch->count && !client->broken; i++) {
		size_t before = client->worker->tx.len;

		heavy_see(
		    reports, batch->hashes[i], batch->requests[i].client, 1);
		answer_iamat(client, &batch->requests[i], batch->hashes[i],
		    batch->lines[i], now);
		client_note_reply(client, before);
	}
	batch->count = 0;
}

/*
 * The connection speaks another protocol: none of its lines is taken, because a
 * web page may have written them. After a GET each line still gets an answer,
 * for people who try it; after a request that may have a body the connection
 * ends.
 */
static void
answer_foreign(struct client *client, struct span line, bool is_first)
{
	refuse(client, REFUSAL_FOREIGN, line);
	if (!is_first)
		return;
	client->foreign = true;
	worker_pool_log_refusal(client->worker, REFUSAL_FOREIGN, &client->peer,
	    "line", beginning_of(line));
	if (request_speech(line) == SPEECH_FOREIGN)
		client_cut(client);
}

/* `is_first`: of the lines that the client has sent, blank ones left out. */
static void
answer_other(struct client *client, const struct request *request,
    struct span line, bool is_first)
{
	size_t before = client->worker->tx.len;

	if (client->foreign || (is_first && request->kind == REQUEST_INVALID &&
				   request_speech(line) != SPEECH_HERD))
		answer_foreign(client, line, is_first);
	else if (request->kind == REQUEST_WHATSAT)
		answer_whatsat(client, request, line);
	else
		refuse(client, REFUSAL_INVALID, line);
	client_note_reply(client, before);
}

void
client_answer(struct client *client, struct batch *batch, struct span line,
    struct wall now)
{
	struct table *table = client->worker->node->table;
	struct request *request = &batch->requests[batch->count];
	struct request other;
	bool is_first = !client->spoke;

	if (client->in_clear) {
		client_answer_batch(client, batch, now);
		client_answer_plaintext(client, line);
		return;
	}
	client_begin_line(client, line);
	request_parse(line, request);
	client->spoke = client->spoke || text_trim(line).len > 0;
	if (request->kind == REQUEST_IAMAT && !client->foreign) {
		batch->lines[batch->count] = line;
		batch->hashes[batch->count] =
		    table_hash(table, request->client);
		table_prefetch_index(table, batch->hashes[batch->count]);
		if (++batch->count == CLIENT_BATCH)
			client_answer_batch(client, batch, now);
		return;
	}
	other = *request;
	client_answer_batch(client, batch, now);
	answer_other(client, &other, line, is_first);
}

/* For a line that is beyond the limit or did not end. */
static void
answer_fragment(struct client *client, enum refusal why, struct span line)
{
	size_t before = client->worker->tx.len;

	client_begin_line(client, line);
	refuse(client, why, line);
	worker_pool_log_refusal(
	    client->worker, why, &client->peer, "line", beginning_of(line));
	client_note_reply(client, before);
}

void
client_answer_unfinished(struct client *client, struct span line)
{
	answer_fragment(client, REFUSAL_UNFINISHED, line);
}

void
client_answer_plaintext(struct client *client, struct span line)
{
	answer_fragment(client, REFUSAL_PLAINTEXT, line);
	client_cut(client);
}

void
client_answer_long(struct client *client, struct span line)
{
	answer_fragment(client, REFUSAL_LONG, beginning_of(line));
}
