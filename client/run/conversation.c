/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "net/connection.h"
#include "net/standing.h"

static void
finish(struct conversation *x, enum status status, const char *message)
{
	if (x->done)
		return;
	x->done = true;
	x->status = status;
	x->ms = (double)mono_since(now_mono(), x->began) / 1e6;
	if (message != NULL)
		x->message = xstrdup(message);
	if (x->on_done != NULL)
		x->on_done(x->arg, x);
}

static void
on_reply(void *arg, struct span reply, enum reply_kind kind)
{
	struct conversation *x = arg;

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

static const struct connection_events events = { NULL, on_reply, on_closed };

static bool
all_done(const void *arg)
{
	const struct conversations *conversations = arg;

	for (size_t i = 0; i < conversations->count; i++) {
		if (!conversations->items[i].done)
			return false;
	}
	return true;
}

static bool
is_settled(const void *arg)
{
	return !standing_is_new(arg);
}

/* Uses the REPL's connection: no new one, and no wait if it is down. */
static bool
start_on_link(
    struct conversation *x, struct standing *link, struct span request)
{
	struct run *run = x->run;
	char *reason;

	if (link == NULL || !standing_leads_to(link, &x->target->clients,
				x->target->clients_tls))
		return false;
	if (standing_is_new(link))
		(void)loop_wait(
		    app_loop(run->app), is_settled, link, run->deadline);
	x->connection = standing_borrow(link, &events, x);
	if (x->connection == NULL) {
		reason = xasprintf("not connected (%s)", standing_reason(link));
		finish(x, STATUS_CONNECT, reason);
		free(reason);
		return true;
	}
	x->standing = link;
	connection_send(x->connection, request);
	return true;
}

static void
start(struct conversation *x, struct span request)
{
	struct run *run = x->run;

	x->began = now_mono();
	if (x->target->clients.kind == ADDRESS_NONE) {
		finish(x, STATUS_LOCAL, "it has no address for clients");
		return;
	}
	if (start_on_link(x, run->app->standing, request))
		return;
	x->connection = connection_new(app_loop(run->app)->base, &events, x);
	connection_open(
	    x->connection, &x->target->clients, x->target->clients_tls);
	if (connection_state(x->connection) != SESSION_CLOSED)
		connection_send(x->connection, request);
}

static void
stop(struct conversation *x)
{
	finish(x, STATUS_TIMEOUT,
	    x->standing == NULL && x->connection != NULL &&
		    connection_state(x->connection) == SESSION_SECURING
		? "no answer to the TLS handshake in time; does it speak TLS?"
		: "no answer in time");
	if (x->standing != NULL)
		standing_return(x->standing, x->status == STATUS_OK);
	else
		connection_free(x->connection);
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
	struct buf shown = XBUF;

	must(text_escape(&shown, request, 200));
	run_verbose(run, "%s: %s", target->name, text_of(&shown));
	buf_release(&shown);
}

/* In a picture that is drawn again a silent node is waited for that long. */
#define PATIENCE_NS HERD_NS_PER_S

static struct mono
end_of_wait(const struct run *run)
{
	struct mono soon = mono_add(now_mono(), PATIENCE_NS);
	bool hurries = run->watched && run->sink.terminal && run->all_nodes;

	return hurries && soon.ns < run->deadline.ns ? soon : run->deadline;
}

enum status
conversation_all(
    struct run *run, struct span request, struct conversations *out)
{
	return conversation_each(run, request, NULL, NULL, out);
}

enum status
conversation_each(struct run *run, struct span request,
    conversation_done *on_done, void *arg, struct conversations *out)
{
	enum status status = run_targets(run);
	enum wait_result result;

	*out = (struct conversations){ 0 };
	if (status != STATUS_OK)
		return status;
	out->count = run->target_count;
	out->items = xcalloc(out->count, sizeof(*out->items));
	for (size_t i = 0; i < out->count; i++) {
		struct conversation *x = &out->items[i];

		x->run = run;
		x->on_done = on_done;
		x->arg = arg;
		x->target = run->targets[i];
		x->wanted = count_requests(request);
		buf_init(&x->bytes, XBUF_MAX);
		buf_init(&x->first, XBUF_MAX);
		say_request(run, x->target, request);
		start(x, request);
	}
	result = loop_wait(app_loop(run->app), all_done, out, end_of_wait(run));
	for (size_t i = 0; i < out->count; i++)
		stop(&out->items[i]);
	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

void
conversations_release(struct conversations *conversations)
{
	for (size_t i = 0; i < conversations->count; i++) {
		free(conversations->items[i].message);
		buf_release(&conversations->items[i].bytes);
		buf_release(&conversations->items[i].first);
	}
	free(conversations->items);
	*conversations = (struct conversations){ 0 };
}

enum status
conversations_status(const struct conversations *conversations)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < conversations->count; i++)
		tally_add(&tally, conversations->items[i].status);
	return tally_status(&tally);
}

static void
fail_exchange(struct run *run, const struct conversation *x)
{
	struct buf hint = XBUF;

	put_text(&hint, x->target->clients_tls != NULL
			    ? "its listener for clients, with TLS, is "
			    : "is herdd running? Its listener for clients is ");
	must(address_format(&hint, &x->target->clients));
	run_fail_node(run, x->status, x->target->name, x->message,
	    x->status == STATUS_CONNECT ? text_of(&hint) : NULL);
	buf_release(&hint);
}

enum status
conversations_report(struct run *run, const struct conversations *conversations)
{
	for (size_t i = 0; i < conversations->count; i++) {
		if (conversations->items[i].status != STATUS_OK)
			fail_exchange(run, &conversations->items[i]);
	}
	return conversations_status(conversations);
}
