/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/session_input.h"

#include <stdio.h>

#include "core/mutant.h"
#include "core/session_exchange.h"
#include "core/session_hello.h"
#include "herd/text.h"

#define INCOMING_MAX 16u

/* --- lines --------------------------------------------------------------- */

/*
 * Should this record have been here before? Yes if a verification brings it
 * and it is old. (A flood brings old records too, when a link heals elsewhere.)
 */
static bool
session_is_repair(const struct session *session, const struct report *report,
    struct wall judged)
{
	const struct exchange *exchange = &session->exchange;
	uint64_t received;

	if (exchange->number <= 1 || !exchange->peer_checked ||
	    exchange->next_received)
		return false;
	received = report_received_ns(report);
	return received < judged.ns &&
	       judged.ns - received > SESSION_REPAIR_AGE_NS;
}

/* Is the reason a clock that was wrong, or the margin of a cut? */
static bool
session_is_restored(const struct session *session, const struct report *report)
{
	return session->exchange.restores ||
	       report->time_ns <= session->exchange.cut_past_ns;
}

/* Records that came in together are put together: see table_hash(). */
struct incoming {
	struct wall judged; /* the time, for all of them */
	struct wall expiry; /* the time for their expiry */
	struct wall peers;  /* the time by the peer's clock; 0: unknown */
	unsigned count;
	struct report reports[INCOMING_MAX];
	uint64_t hashes[INCOMING_MAX];
};

/* A report that the peer had from a client, and that was new here. */
static void
session_time(
    struct session *session, const struct report *report, struct wall peers)
{
	uint64_t received;

	if (peers.ns == 0 || !session->synced ||
	    report->kind != REPORT_POSITION ||
	    !span_is(report->origin, session->peer))
		return;
	received = report_received_ns(report);
	/* The two clocks are known with an error of half a round trip. */
	time_histogram_note(&session->stats.propagation,
	    peers.ns > received ? peers.ns - received : 0, 1);
}

static void
session_put(
    struct session *session, const struct incoming *incoming, unsigned at)
{
	const struct report *report = &incoming->reports[at];
	enum put_result result =
	    table_put_hashed(session->node->table, incoming->hashes[at], report,
		session->outbox.owner, incoming->expiry, NULL, NULL);

	if (result == PUT_NOMEM) {
		session_bye(session, BYE_MEMORY, "out of memory");
	} else if (result != PUT_ACCEPTED) {
		session->stats.stale++;
	} else {
		session->stats.accepted++;
		session_time(session, report, incoming->peers);
		if (!session_is_repair(session, report, incoming->judged))
			return;
		if (session->exchange.wakes)
			session->stats.caught_up++;
		else if (session_is_restored(session, report))
			session->stats.restored++;
		else
			session->stats.repaired++;
	}
}

static void
session_put_incoming(struct session *session, struct incoming *incoming)
{
	struct table *table = session->node->table;

	for (unsigned i = 0; incoming->count > 1 && i < incoming->count; i++)
		table_prefetch_record(table, incoming->hashes[i]);
	for (unsigned i = 0;
	     i < incoming->count && session->state != SESSION_CLOSED; i++)
		session_put(session, incoming, i);
	incoming->count = 0;
}

/* May records come from the peer? It need not rest when we do. */
static bool
session_is_open(const struct session *session)
{
	return session->outbox.attached || session->synced ||
	       (MUTANT(ATTACH_LATE) && session->state == SESSION_SCAN);
}

/*
 * The report's texts borrow the input until it is put. That happens
 * before a bad report and before any other line.
 */
static void
session_on_report(struct session *session, struct incoming *incoming,
    struct span line, struct mono now)
{
	struct table *table = session->node->table;
	unsigned at = incoming->count;
	struct report *report = &incoming->reports[at];

	if (!session_is_open(session) ||
	    report_parse(line, report) != HERD_OK) {
		session_put_incoming(session, incoming);
		session_bad_line(session, "bad report", line);
		return;
	}
	session->stats.received++;
	if (!session->ack_waits) {
		session->ack_waits = true;
		session->ack_due = mono_add(now, SESSION_ACK_NS);
	}
	if (MUTANT(RELAY_AHEAD) &&
	    mutant_is_ahead(report->time_ns, incoming->judged))
		return;
	incoming->hashes[at] = table_hash(table, report->client);
	table_prefetch_index(table, incoming->hashes[at]);
	if (++incoming->count == INCOMING_MAX)
		session_put_incoming(session, incoming);
}

static void
session_on_ack(struct session *session, struct span rest, struct mono now,
    struct wall clock HERD_UNUSED)
{
	uint64_t count;

	if (text_to_u64(rest, session->stats.acked, session->stats.sent,
		&count) != HERD_OK) {
		session_bad_line(session, "bad ACK", rest);
		return;
	}
	session->stats.acked = count;
	session->progress = now;
	while (session->mark_count > 0 &&
	       session->marks_sent[session->mark_head].sent <= count) {
		session->mark_head = (session->mark_head + 1) % SESSION_MARKS;
		session->mark_count--;
	}
}

static void
session_on_ping(struct session *session, struct span rest, struct mono now,
    struct wall clock)
{
	struct wall backed = timekeeper_backed(session->node->timekeeper, now);
	char time[TIME_FORMAT_MAX];
	char judged[TIME_FORMAT_MAX];
	size_t judged_len = 0;
	uint64_t number;

	if (text_to_u64(rest, 0, UINT64_MAX, &number) != HERD_OK) {
		session_bad_line(session, "bad PING", rest);
		return;
	}
	if (backed.ns != 0 && session_knows(session, SESSION_JUDGED))
		judged_len = time_format(backed.ns, judged);
	session_say(session, "PONG %llu %.*s%s%.*s", (unsigned long long)number,
	    (int)time_format(clock.ns, time), time, judged_len > 0 ? " " : "",
	    (int)judged_len, judged);
}

static void
session_on_pong(struct session *session, struct span rest, struct mono now,
    struct wall clock HERD_UNUSED)
{
	struct span number = text_next_field(&rest);
	struct span time = text_next_field(&rest);
	struct span judged = text_next_field(&rest);
	struct mono half;
	uint64_t value;
	uint64_t time_ns;
	uint64_t judged_ns = 0;

	if (text_to_u64(number, 0, UINT64_MAX, &value) != HERD_OK ||
	    time_parse(time, &time_ns) != HERD_OK ||
	    (judged.len > 0 && time_parse(judged, &judged_ns) != HERD_OK)) {
		session_bad_line(session, "bad PONG", number);
		return;
	}
	if (value <= session->ping && value > session->ponged)
		session->ponged = value;
	if (!session->ping_open || value != session->ping)
		return;
	session->ping_open = false;
	session->rtt_ns = (int64_t)mono_since(now, session->ping_at);
	/* The peer read its clock after about half of the round trip. */
	half = (struct mono){ now.ns - (uint64_t)session->rtt_ns / 2 };
	session->clock = (struct timekeeper_clock){
		.offset_ns = timekeeper_offset((struct wall){ time_ns }, half),
		.judges = judged.len > 0,
		.judged_ns =
		    timekeeper_offset((struct wall){ judged_ns }, half),
	};
	session->clock_known = true;
}

/* A limit of the peer. Unknown ones are for later versions. */
static void
session_on_limit(struct session *session, struct span rest,
    struct mono now HERD_UNUSED, struct wall clock HERD_UNUSED)
{
	struct span name = text_next_field(&rest);
	uint64_t bytes;

	if (text_to_u64(text_trim(rest), 0, UINT64_MAX, &bytes) != HERD_OK)
		session_bad_line(session, "bad LIMIT", name);
	else if (span_is(name, "memory"))
		session->peer_memory = bytes;
}

/*
 * What a node says of its eager links, or, without fields: the peer wants to
 * hear all such words again, because it has another herd file.
 */
static void
session_on_eager(struct session *session, struct span rest,
    struct mono now HERD_UNUSED, struct wall clock HERD_UNUSED)
{
	struct span line = rest;
	struct span name = text_next_field(&rest);
	struct span number = text_next_field(&rest);
	struct span hash = text_next_field(&rest);
	struct span down = text_next_field(&rest);
	struct roster_word word = { 0 };

	if (name.len == 0) {
		session->words_told = 0;
		return;
	}
	if (!node_name_is_valid(name) ||
	    text_to_u64(number, 1, ROSTER_NUMBER_MAX, &word.number) !=
		HERD_OK ||
	    !session_parse_hex(hash, &word.hash) ||
	    (!span_is(down, "-") && !node_name_is_valid(down))) {
		session_bad_line(session, "bad EAGER", line);
		return;
	}
	memcpy(word.name, name.data, name.len);
	if (!span_is(down, "-"))
		memcpy(word.down, down.data, down.len);
	if (session_knows(session, SESSION_SPARSE))
		roster_hear(session->node->roster, &word);
}

static void
session_on_bye(struct session *session, struct span rest,
    struct mono now HERD_UNUSED, struct wall clock HERD_UNUSED)
{
	struct span word = text_next_field(&rest);
	enum session_reason reason = BYE_NONE;
	struct session_text shown;

	for (unsigned i = 0; i < SESSION_REASON_COUNT; i++) {
		if (span_is(word, session_reason_word((enum session_reason)i)))
			reason = (enum session_reason)i;
	}
	snprintf(session->error, sizeof(session->error), "peer says %s: %s",
	    session_reason_word(reason),
	    session_show(&shown, text_trim(rest), SESSION_ERROR_MAX / 4));
	session_close(session, reason, true);
}

typedef void line_handler(struct session *session, struct span rest,
    struct mono now, struct wall clock);

static const struct {
	const char *word;
	line_handler *handle;
} LINES[] = {
	{ "ACK", session_on_ack },
	{ "PING", session_on_ping },
	{ "PONG", session_on_pong },
	{ "CHECK", session_on_check },
	{ "DIGEST", session_on_digest },
	{ "NEXT", session_on_next },
	{ "LIMIT", session_on_limit },
	{ "EAGER", session_on_eager },
	{ "BYE", session_on_bye },
};

static bool
line_is_report(struct span line)
{
	return line.len > 3 && (memcmp(line.data, "AT ", 3) == 0 ||
				   memcmp(line.data, "GONE", 4) == 0);
}

/* A line other than a report. */
static void
session_on_line(struct session *session, struct span line, struct mono now,
    struct wall clock)
{
	struct span rest = line;
	struct span word = text_next_field(&rest);

	rest = text_trim(rest);
	if (session->state == SESSION_HELLO) {
		if (span_is(word, "HELLO") && !session->greeted)
			session_on_hello(session, rest, now, clock);
		else if (span_is(word, "BYE"))
			session_on_bye(session, rest, now, clock);
		else if (span_is(word, "?"))
			session_bye(session, BYE_BAD_LINE,
			    "expected HELLO: that port takes clients, not "
			    "nodes");
		else
			session_bad_line(session, "expected HELLO", line);
		return;
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(LINES); i++) {
		if (span_is(word, LINES[i].word)) {
			LINES[i].handle(session, rest, now, clock);
			return;
		}
	}
	session_bad_line(session, "unknown word", line);
}

enum herd_error
session_space(struct session *session, size_t want, char **data, size_t *room)
{
	return framer_space(&session->in, want, data, room);
}

void
session_input(
    struct session *session, size_t len, struct mono now, struct wall clock)
{
	struct incoming incoming;
	struct span line;

	incoming.count = 0;
	incoming.judged = timekeeper_wall(session->node->timekeeper, now);
	incoming.expiry = timekeeper_expiry(session->node->timekeeper, now);
	incoming.peers.ns =
	    session->clock_known ? session->clock.offset_ns + now.ns : 0;
	framer_filled(&session->in, len);
	session->last_rx = now;
	session->stats.received_bytes += len;
	while (session->state != SESSION_CLOSED && !session->held &&
	       !(MUTANT(WAIT_BOTH) && session->state == SESSION_LIVE &&
		   session->poll_at.ns != UINT64_MAX)) {
		enum herd_error error = framer_next(&session->in, &line);

		if (error == HERD_OK && session->state != SESSION_HELLO &&
		    line_is_report(line)) {
			session_on_report(session, &incoming, line, now);
			continue;
		}
		session_put_incoming(session, &incoming);
		if (error == HERD_EAGAIN)
			break;
		if (error == HERD_OK)
			session_on_line(session, line, now, clock);
		else
			session_bad_line(session, "line too long", line);
	}
}
