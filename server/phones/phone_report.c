/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/phone_report.h"

#include "base/clock.h"
#include "base/traffic.h"
#include "net/addresses.h"
#include "node/limits.h"
#include "phones/phone_answer.h"
#include "store/store.h"

#define CLIENT_MAX (2u * USERS_NAME_MAX + 1u)
#define DEFAULT_DEVICE "phone"

/* A report on its way into the table. */
struct taking {
	struct phone_call *call;
	struct node *node;
	char client[CLIENT_MAX];
	struct report report;
	char skew[SKEW_FORMAT_MAX];
	uint64_t hash;
	struct wall now;
};

/* --- the traffic log ------------------------------------------------------ */

static void
note_line(const struct taking *taking, const char *what, struct buf *line,
    enum herd_error error)
{
	char peer[ADDRESS_TEXT_MAX];

	address_text(&taking->call->peer, peer);
	if (error == HERD_OK)
		traffic_note(taking->node->traffic, what, peer, buf_span(line));
	buf_release(line);
}

/* What a client would have said. */
static void
note_request(const struct taking *taking)
{
	const struct report *report = &taking->report;
	struct buf line;

	if (taking->node->traffic == NULL)
		return;
	buf_init(&line, TRAFFIC_SHOWN_MAX);
	note_line(taking, "request", &line,
	    buf_addf(&line, "IAMAT " SPAN_FMT " " SPAN_FMT " " SPAN_FMT,
		SPAN_ARG(report->client), SPAN_ARG(report->location),
		SPAN_ARG(report->time)));
}

static void
note_reply(const struct taking *taking)
{
	struct buf line;

	if (taking->node->traffic == NULL)
		return;
	buf_init(&line, TRAFFIC_SHOWN_MAX);
	note_line(
	    taking, "reply", &line, report_format(&line, &taking->report));
}

/* --- one report ----------------------------------------------------------- */

static void
refuse(struct taking *taking, enum phones_refusal why, enum refusal kind)
{
	struct phone_call *call = taking->call;

	/* Where the phone is to try again, that is its answer. */
	if (call->refused == PHONES_REFUSAL_COUNT ||
	    call->refused == PHONES_AHEAD)
		call->refused = why;
	refusals_note(&call->phones->refusals, kind, taking->report.client,
	    taking->hash, &call->peer, taking->now);
}

/* The answer may not leave before this ticket is durable. */
static void
hold(struct phone_call *call, const struct put_info *ticket)
{
	/* All reports of a call are of one client, and so of one shard. */
	if (!call->has_ticket || call->ticket.appended < ticket->appended)
		call->ticket = *ticket;
	call->has_ticket = true;
}

static enum put_result
put(struct taking *taking)
{
	struct node *node = taking->node;
	const struct outbox *store =
	    node->store == NULL ? NULL : store_outbox(node->store);
	const struct table_bounds bounds = limits_of_table(&node->limits);
	struct put_info ticket;
	enum put_result result = table_take(node->table, taking->hash,
	    &taking->report, timekeeper_expiry(&node->timekeeper, clock_mono()),
	    store, &ticket, &bounds);

	if (store != NULL && result != PUT_NO_ROOM && result != PUT_FULL &&
	    result != PUT_NOMEM &&
	    commit_must_wait(store_commit(node->store), result, &ticket))
		hold(taking->call, &ticket);
	return result;
}

static void
take_fix(struct taking *taking, const struct fix *fix)
{
	struct phones *phones = taking->call->phones;
	struct report *report = &taking->report;

	report->location = span_of(fix->location, fix->location_len);
	report->time = span_of(fix->time, fix->time_len);
	report->time_ns = fix->time_ns;
	report->skew = span_of(taking->skew,
	    skew_format(taking->now.ns, fix->time_ns, taking->skew));
	heavy_see(&phones->busiest.lists[BUSIEST_REPORTS], taking->hash,
	    report->client, 1);
	note_request(taking);
	if (limits_is_ahead(&taking->node->limits, fix->time_ns, taking->now)) {
		refuse(taking, PHONES_AHEAD, REFUSAL_AHEAD);
		return;
	}
	switch (put(taking)) {
	case PUT_NOMEM:
	case PUT_NO_ROOM: refuse(taking, PHONES_MEMORY, REFUSAL_MEMORY); return;
	case PUT_FULL: refuse(taking, PHONES_CLIENTS, REFUSAL_CLIENTS); return;
	case PUT_ACCEPTED:
	case PUT_EQUAL:
	case PUT_STALE:
	case PUT_EXPIRED:
	case PUT_REFUSED: break;
	}
	count_add(&phones->reports[taking->call->app], 1);
	note_reply(taking);
}

/* --- a request ------------------------------------------------------------ */

/* What the reader could not use is counted, and logged for the user. */
static void
count_faults(struct phone_call *call)
{
	for (unsigned i = 0; i < INTAKE_FAULT_COUNT; i++) {
		if (call->intake.faults[i] == 0)
			continue;
		count_add(&call->phones->faults[i], call->intake.faults[i]);
		phone_call_note(call, intake_fault_word((enum intake_fault)i));
	}
}

/* May the device report? Its name is then the second part of the client id. */
static enum phones_refusal
check_device(struct phone_call *call, struct account *account)
{
	struct span device = phone_call_device(call);

	if (device.len == 0) {
		memcpy(call->device, DEFAULT_DEVICE, strlen(DEFAULT_DEVICE));
		call->device_len = strlen(DEFAULT_DEVICE);
		device = phone_call_device(call);
	}
	if (account->password != NULL && !call->by_key &&
	    !users_file_allows(account->password, device))
		return PHONES_DEVICE;
	if (!account_add_device(account, device, true) && !call->by_key)
		return PHONES_DEVICES;
	return PHONES_REFUSAL_COUNT;
}

static void
name_client(struct taking *taking)
{
	struct phone_call *call = taking->call;
	size_t len = call->user_len;

	memcpy(taking->client, call->user, len);
	taking->client[len++] = '/';
	memcpy(taking->client + len, call->device, call->device_len);
	len += call->device_len;
	taking->report.client = span_of(taking->client, len);
	taking->hash = table_hash(taking->node->table, taking->report.client);
}

static void
take_fixes(struct phone_call *call)
{
	struct taking taking = { .call = call, .node = call->phones->node };

	name_client(&taking);
	taking.now = timekeeper_wall(&taking.node->timekeeper, clock_mono());
	taking.report.origin = taking.node->sessions.name;
	taking.report.kind = REPORT_POSITION;
	for (size_t i = 0; i < call->intake.count; i++)
		take_fix(&taking, &call->intake.fixes[i]);
}

static void
answer(struct phone_call *call)
{
	if (call->refused != PHONES_REFUSAL_COUNT)
		phone_call_refuse(call, call->refused);
	else
		phone_answer_taken(call);
}

static bool
store_is_lost(const struct node *node)
{
	return node->store != NULL && store_outbox(node->store) != NULL &&
	       store_has_failed(node->store);
}

void
phone_report_take(struct phone_call *call, struct account *account)
{
	bool has_fixes = call->intake.count > 0;

	count_faults(call);
	if (call->intake.out_of_memory)
		call->refused = PHONES_MEMORY;
	if (store_is_lost(call->phones->node))
		call->refused = PHONES_STORE;
	if (has_fixes && call->refused == PHONES_REFUSAL_COUNT)
		call->refused = check_device(call, account);
	if (has_fixes && call->refused == PHONES_REFUSAL_COUNT)
		take_fixes(call);
	if (!call->has_ticket || call->refused != PHONES_REFUSAL_COUNT) {
		answer(call);
		return;
	}
	call->held = true;
	call->since = clock_mono();
	TAILQ_INSERT_TAIL(&call->phones->held, call, waiting);
}

void
phone_report_leave(struct phone_call *call)
{
	TAILQ_REMOVE(&call->phones->held, call, waiting);
	call->held = false;
}

void
phone_report_release(struct phones *phones)
{
	const struct node *node = phones->node;
	struct phone_call *call;
	struct phone_call *next;

	for (call = TAILQ_FIRST(&phones->held); call != NULL; call = next) {
		next = TAILQ_NEXT(call, waiting);
		if (store_is_lost(node))
			call->refused = PHONES_STORE;
		else if (!commit_covers(
			     store_commit(node->store), &call->ticket))
			continue;
		phone_report_leave(call);
		answer(call);
	}
}

/*
 * The app sends it again, and knows that it may go to another node. The report
 * is in the table, so that is no loss.
 */
void
phone_report_expire(struct phones *phones, struct mono now)
{
	uint64_t patience = phones->node->waits.patience_ns;
	struct phone_call *call;

	while (patience != 0 && (call = TAILQ_FIRST(&phones->held)) != NULL &&
	       mono_since(now, call->since) >= patience) {
		call->refused = PHONES_STORE;
		phone_report_leave(call);
		answer(call);
	}
}
