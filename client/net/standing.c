/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/standing.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "net/tls.h"

#define RETRY_FIRST_MS 200u
#define RETRY_MOST_MS 5000u
#define REASON_MAX 128u

struct standing {
	struct connection *connection;
	struct address address;
	struct tls *tls; /* NULL: plain */
	const struct standing_events *events;
	void *arg;
	struct event *retry;
	unsigned retry_ms;
	bool up;
	bool failed; /* at least once since it was last up */
	char reason[REASON_MAX];
	const struct connection_events *borrower;
	void *borrower_arg;
};

static void
on_open(void *arg)
{
	struct standing *standing = arg;
	bool again = standing->failed;

	standing->up = true;
	standing->failed = false;
	standing->retry_ms = RETRY_FIRST_MS;
	standing->reason[0] = '\0';
	if (again)
		standing->events->on_change(standing->arg, true, "");
}

static void
on_reply(void *arg, struct span reply, enum reply_kind kind)
{
	struct standing *standing = arg;

	if (standing->borrower != NULL)
		standing->borrower->on_reply(
		    standing->borrower_arg, reply, kind);
}

static void
schedule(struct standing *standing, unsigned ms)
{
	struct timeval in = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (evtimer_add(standing->retry, &in) != 0)
		out_of_memory();
}

static void
on_closed(void *arg, enum status why, const char *message)
{
	struct standing *standing = arg;
	bool first = !standing->failed;

	standing->up = false;
	standing->failed = true;
	snprintf(standing->reason, sizeof(standing->reason), "%s", message);
	schedule(standing, standing->retry_ms);
	standing->retry_ms = standing->retry_ms * 2 > RETRY_MOST_MS
				 ? RETRY_MOST_MS
				 : standing->retry_ms * 2;
	if (standing->borrower != NULL)
		standing->borrower->on_closed(
		    standing->borrower_arg, why, message);
	if (first)
		standing->events->on_change(
		    standing->arg, false, standing->reason);
}

static const struct connection_events connection_events = { on_open, on_reply,
	on_closed };

static void
on_retry(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct standing *standing = arg;

	connection_open(
	    standing->connection, &standing->address, standing->tls);
}

struct standing *
standing_new(struct event_base *base, const struct address *address,
    struct tls *tls, const struct standing_events *events, void *arg)
{
	struct standing *standing = xcalloc(1, sizeof(*standing));

	standing->address = *address;
	standing->tls = tls_hold(tls);
	standing->events = events;
	standing->arg = arg;
	standing->retry_ms = RETRY_FIRST_MS;
	standing->retry = evtimer_new(base, on_retry, standing);
	if (standing->retry == NULL)
		out_of_memory();
	standing->connection =
	    connection_new(base, &connection_events, standing);
	/*
	 * Connects from the loop, because the owner has no pointer to it yet.
	 */
	schedule(standing, 0);
	return standing;
}

void
standing_free(struct standing *standing)
{
	if (standing == NULL)
		return;
	connection_free(standing->connection);
	event_free(standing->retry);
	tls_drop(standing->tls);
	free(standing);
}

bool
standing_is_up(const struct standing *standing)
{
	return standing->up;
}

bool
standing_is_new(const struct standing *standing)
{
	return !standing->up && !standing->failed;
}

const char *
standing_reason(const struct standing *standing)
{
	return standing->reason;
}

bool
standing_leads_to(const struct standing *standing,
    const struct address *address, const struct tls *tls)
{
	return standing->tls == tls &&
	       address_equal(&standing->address, address);
}

struct connection *
standing_borrow(struct standing *standing,
    const struct connection_events *events, void *arg)
{
	if (!standing->up)
		return NULL;
	standing->borrower = events;
	standing->borrower_arg = arg;
	return standing->connection;
}

void
standing_return(struct standing *standing, bool clean)
{
	standing->borrower = NULL;
	if (clean || !standing->up)
		return;
	connection_close(standing->connection);
	standing->up = false;
	schedule(standing, 0);
}
