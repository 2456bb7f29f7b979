/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests of the client protocol to the run's targets, all at once.
 */
#include "run/ask.h"

#include <stdlib.h>
#include <string.h>

#include "herd/text.h"
#include "net/standing.h"
#include "net/connection.h"
#include "base/xbuf.h"

/* One exchange's connection: its own, or borrowed from the REPL's link. */
struct wire {
	struct exchange *exchange;
	struct session *session;
	struct link *link;
};

static void
finish(struct exchange *x, enum status status, const char *message)
{
	if (x->done)
		return;
	x->done = true;
	x->status = status;
	x->ms = (double)mono_since(now_mono(), x->began) / 1e6;
	if (message != NULL)
		x->message = xstrdup(message);
}

static void
on_reply(void *arg, struct span reply, enum reply_kind kind)
{
	struct exchange *x = arg;

	if (x->replies == 0) {
		put_span(&x->first, reply);
		x->kind = kind;
	}
	put_span(&x->bytes, reply);
	if (++x->replies == x->wanted)
		finish(x, STATUS_OK, NULL);
}

static void
on_closed(void *arg, enum status why, const char *message)
{
	finish(arg, why, message);
}

static const struct session_events events = { NULL, on_reply, on_closed };

static bool
all_done(const void *arg)
{
	const struct exchanges *exchanges = arg;

	for (size_t i = 0; i < exchanges->count; i++) {
		if (!exchanges->items[i].done)
			return false;
	}
	return true;
}

static bool
is_settled(const void *arg)
{
	return !link_is_new(arg);
}

/* Through the REPL's link: no new connection, and no wait if it is down. */
static bool
start_on_link(struct exchange *x, struct link *link, struct span request,
    struct wire *wire)
{
	struct run *run = x->run;
	char *reason;

	if (link == NULL || !link_leads_to(link, &x->target->clients))
		return false;
	if (link_is_new(link))
		(void)loop_wait(
		    ctl_loop(run->ctl), is_settled, link, run->deadline);
	wire->session = link_borrow(link, &events, x);
	if (wire->session == NULL) {
		reason = xasprintf("not connected (%s)", link_reason(link));
		finish(x, STATUS_CONNECT, reason);
		free(reason);
		return true;
	}
	wire->link = link;
	session_send(wire->session, request);
	return true;
}

static void
start(struct exchange *x, struct span request, struct wire *wire)
{
	struct run *run = x->run;

	x->began = now_mono();
	wire->exchange = x;
	if (x->target->clients.kind == ADDRESS_NONE) {
		finish(x, STATUS_LOCAL, "it has no address for clients");
		return;
	}
	if (start_on_link(x, run->ctl->link, request, wire))
		return;
	wire->session = session_new(ctl_loop(run->ctl)->base, &events, x);
	session_open(wire->session, &x->target->clients);
	if (session_state(wire->session) != SESSION_CLOSED)
		session_send(wire->session, request);
}

static void
stop(struct wire *wire)
{
	struct exchange *x = wire->exchange;

	finish(x, STATUS_TIMEOUT, "no answer in time");
	if (wire->link != NULL)
		link_return(wire->link, x->status == STATUS_OK);
	else
		session_free(wire->session);
}

static size_t
count_requests(struct span request)
{
	size_t count = 1;

	for (size_t i = 0; i < request.len; i++)
		count += request.data[i] == '\n';
	return count;
}

static void
say_request(struct run *run, const struct target *target, struct span request)
{
	struct buf shown;

	buf_init(&shown, XBUF_MAX);
	must(text_escape(&shown, request, 200));
	run_verbose(run, "%s: %s", target->name, text_of(&shown));
	buf_release(&shown);
}

enum status
exchange_all(struct run *run, struct span request, struct exchanges *out)
{
	enum status status = run_targets(run);
	enum wait_result result;
	struct wire *wires;

	*out = (struct exchanges){ 0 };
	if (status != STATUS_OK)
		return status;
	out->count = run->target_count;
	out->items = xcalloc(out->count, sizeof(*out->items));
	wires = xcalloc(out->count, sizeof(*wires));
	for (size_t i = 0; i < out->count; i++) {
		struct exchange *x = &out->items[i];

		x->run = run;
		x->target = run->targets[i];
		x->wanted = count_requests(request);
		buf_init(&x->bytes, XBUF_MAX);
		buf_init(&x->first, XBUF_MAX);
		say_request(run, x->target, request);
		start(x, request, &wires[i]);
	}
	result = loop_wait(ctl_loop(run->ctl), all_done, out, run->deadline);
	for (size_t i = 0; i < out->count; i++)
		stop(&wires[i]);
	free(wires);
	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

void
exchanges_release(struct exchanges *exchanges)
{
	for (size_t i = 0; i < exchanges->count; i++) {
		free(exchanges->items[i].message);
		buf_release(&exchanges->items[i].bytes);
		buf_release(&exchanges->items[i].first);
	}
	free(exchanges->items);
	*exchanges = (struct exchanges){ 0 };
}

enum status
exchanges_status(const struct exchanges *exchanges)
{
	size_t failed = 0;
	enum status first = STATUS_OK;

	for (size_t i = 0; i < exchanges->count; i++) {
		if (exchanges->items[i].status == STATUS_OK)
			continue;
		if (failed++ == 0)
			first = exchanges->items[i].status;
	}
	if (failed > 0 && failed < exchanges->count)
		return STATUS_PARTIAL;
	return first;
}

static void
fail_exchange(struct run *run, const struct exchange *x)
{
	struct buf hint;

	buf_init(&hint, XBUF_MAX);
	put_text(&hint, "is herdd running? Its listener for clients is ");
	must(address_format(&hint, &x->target->clients));
	run_fail_node(run, x->status, x->target->name, x->message,
	    x->status == STATUS_CONNECT ? text_of(&hint) : NULL);
	buf_release(&hint);
}

enum status
exchanges_report(struct run *run, const struct exchanges *exchanges)
{
	for (size_t i = 0; i < exchanges->count; i++) {
		const struct exchange *x = &exchanges->items[i];

		if (x->status == STATUS_OK)
			continue;
		fail_exchange(run, x);
	}
	return exchanges_status(exchanges);
}
