/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/standing.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xbuf.h"

#define RETRY_FIRST_MS 200u
#define RETRY_MOST_MS 5000u
#define REASON_MAX 128u

struct link {
	struct session *session;
	struct address address;
	const struct link_events *events;
	void *arg;
	struct event *retry;
	unsigned retry_ms;
	bool up;
	bool was_up;
	bool failed; /* at least once since it was last up */
	char reason[REASON_MAX];
	const struct session_events *borrower;
	void *borrower_arg;
};

static void
on_open(void *arg)
{
	struct link *link = arg;
	bool again = link->failed;

	link->up = true;
	link->failed = false;
	link->retry_ms = RETRY_FIRST_MS;
	link->reason[0] = '\0';
	if (again)
		link->events->on_change(link->arg, true, "");
}

static void
on_reply(void *arg, struct span reply, enum reply_kind kind)
{
	struct link *link = arg;

	if (link->borrower != NULL)
		link->borrower->on_reply(link->borrower_arg, reply, kind);
}

static void
schedule(struct link *link, unsigned ms)
{
	struct timeval in = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (evtimer_add(link->retry, &in) != 0)
		out_of_memory();
}

static void
on_closed(void *arg, enum status why, const char *message)
{
	struct link *link = arg;
	bool first = !link->failed;

	link->up = false;
	link->failed = true;
	snprintf(link->reason, sizeof(link->reason), "%s", message);
	schedule(link, link->retry_ms);
	link->retry_ms = link->retry_ms * 2 > RETRY_MOST_MS
			     ? RETRY_MOST_MS
			     : link->retry_ms * 2;
	if (link->borrower != NULL)
		link->borrower->on_closed(link->borrower_arg, why, message);
	if (first)
		link->events->on_change(link->arg, false, link->reason);
}

static const struct session_events session_events = { on_open, on_reply,
	on_closed };

static void
on_retry(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct link *link = arg;

	session_open(link->session, &link->address);
}

struct link *
link_new(struct event_base *base, const struct address *address,
    const struct link_events *events, void *arg)
{
	struct link *link = xcalloc(1, sizeof(*link));

	link->address = *address;
	link->events = events;
	link->arg = arg;
	link->retry_ms = RETRY_FIRST_MS;
	link->retry = evtimer_new(base, on_retry, link);
	if (link->retry == NULL)
		out_of_memory();
	link->session = session_new(base, &session_events, link);
	/* From the loop: the owner does not have the link yet. */
	schedule(link, 0);
	return link;
}

void
link_free(struct link *link)
{
	if (link == NULL)
		return;
	session_free(link->session);
	event_free(link->retry);
	free(link);
}

bool
link_is_up(const struct link *link)
{
	return link->up;
}

bool
link_is_new(const struct link *link)
{
	return !link->up && !link->failed;
}

const char *
link_reason(const struct link *link)
{
	return link->reason;
}

bool
link_leads_to(const struct link *link, const struct address *address)
{
	return address_equal(&link->address, address);
}

struct session *
link_borrow(struct link *link, const struct session_events *events, void *arg)
{
	if (!link->up)
		return NULL;
	link->borrower = events;
	link->borrower_arg = arg;
	return link->session;
}

void
link_return(struct link *link, bool clean)
{
	link->borrower = NULL;
	if (clean || !link->up)
		return;
	session_close(link->session);
	link->up = false;
	schedule(link, 0);
}
