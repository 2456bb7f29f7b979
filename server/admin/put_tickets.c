/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/put_tickets.h"

#include "base/clock.h"
#include "store/store.h"

#define COMMIT_POLL_MS 2u

/* NULL: no store, or one that nobody waits for. */
static const struct outbox *
awaited_store(const struct node *node)
{
	return node->store == NULL ? NULL : store_outbox(node->store);
}

enum put_result
put_tickets_put(
    struct put_tickets *tickets, struct node *node, const struct report *report)
{
	const struct outbox *store = awaited_store(node);
	struct put_info ticket = { .shard = 0 };
	enum put_result result = table_put(node->table, report, FROM_CLIENT,
	    timekeeper_expiry(&node->timekeeper, clock_mono()), store, &ticket);

	if (store != NULL &&
	    commit_must_wait(store_commit(node->store), result, &ticket)) {
		if (tickets->since.ns == 0)
			tickets->since = clock_mono();
		tickets->awaited[ticket.shard] = true;
		tickets->appended[ticket.shard] = ticket.appended;
	}
	return result;
}

enum put_result
put_tickets_remove(struct put_tickets *tickets, struct node *node,
    const struct report *held, struct report *removal)
{
	*removal = (struct report){
		.client = held->client,
		.location = span_of("", 0),
		.time = held->time,
		.skew = span_of("", 0),
		.origin = span_from(node->name),
		.time_ns = held->time_ns,
		.kind = REPORT_REMOVAL,
	};
	return put_tickets_put(tickets, node, removal);
}

enum put_tickets_state { TICKETS_COVERED, TICKETS_OPEN, TICKETS_FAILED };

static enum put_tickets_state
state_of(const struct put_tickets *tickets, const struct node *node)
{
	uint64_t patience = node->waits.patience_ns;
	bool is_late = patience != 0 &&
		       mono_since(clock_mono(), tickets->since) >= patience;

	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		const struct put_info ticket = { i, tickets->appended[i] };

		if (!tickets->awaited[i])
			continue;
		if (store_has_failed(node->store))
			return TICKETS_FAILED;
		if (!commit_covers(store_commit(node->store), &ticket))
			return is_late ? TICKETS_FAILED : TICKETS_OPEN;
	}
	return TICKETS_COVERED;
}

static void
fail(struct http_call *call)
{
	bool has_failed = store_has_failed(call->node->store);

	http_call_fail(call, ADMIN_UNAVAILABLE,
	    "GET /v1/status has the store's error; ask another node",
	    has_failed ? "the store has failed, so nothing is sure to last"
		       : "the store did not commit in time: the herd has the "
			 "change, but it is not sure to last");
}

bool
put_tickets_refuse(struct http_call *call)
{
	if (awaited_store(call->node) == NULL ||
	    !store_has_failed(call->node->store))
		return false;
	fail(call);
	return true;
}

bool
put_tickets_step(struct http_call *call, const struct put_tickets *tickets,
    void (*answer)(struct http_call *call))
{
	enum put_tickets_state state = state_of(tickets, call->node);

	call->every_ms = COMMIT_POLL_MS;
	if (state == TICKETS_OPEN)
		return true;
	if (state == TICKETS_FAILED)
		fail(call);
	else
		answer(call);
	return false;
}
