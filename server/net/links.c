/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread of the links: listening, the list of edges, orders to it. */
#include "net/links.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/addresses.h"
#include "net/link_room.h"
#include "node/reload.h"
#include "base/loop_watch.h"
#include "base/thread.h"

#define LINKS_TICK_MS 100
#define LINKS_STOP_POLL_MS 5
#define LINKS_STOP_NS (2u * HERD_NS_PER_S)

/* --- the list of edges -------------------------------------------------- */

/* One neighbour as the herd file has it. */
struct planned {
	char peer[REPORT_ORIGIN_MAX + 1];
	struct address address;
	bool dials;
	unsigned line;
	unsigned column;
};

struct plan {
	struct message message;
	struct links *links;
	struct node_timings timings;
	unsigned count;
	struct planned links_of_file[];
};

static struct plan *
plan_make(struct links *links)
{
	const struct node *node = links->node;
	const struct herdfile *file = &node->file;
	struct plan *plan = calloc(
	    1, sizeof(*plan) + LINKS_MAX * sizeof(plan->links_of_file[0]));

	if (plan == NULL)
		return NULL;
	plan->links = links;
	plan->timings = node->timings;
	for (size_t i = 0; i < file->link_count && plan->count < LINKS_MAX;
	     i++) {
		const struct herdfile_link *link = &file->links[i];
		struct planned *planned = &plan->links_of_file[plan->count];
		size_t peer;

		if (herdfile_link_peer(file, link, node->self, &peer) !=
		    HERD_OK)
			continue;
		snprintf(planned->peer, sizeof(planned->peer), "%s",
		    file->nodes[peer].name);
		planned->address = file->nodes[peer].peers;
		planned->dials = herdfile_dials(link, node->self);
		planned->line = link->line;
		planned->column = link->column;
		plan->count++;
	}
	return plan;
}

static const struct planned *
plan_find(const struct plan *plan, const char *peer)
{
	for (unsigned i = 0; i < plan->count; i++) {
		if (strcmp(plan->links_of_file[i].peer, peer) == 0)
			return &plan->links_of_file[i];
	}
	return NULL;
}

static bool
number_is_taken(const struct links *links, unsigned number)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (links->edges[i].used &&
		    links->edges[i].link.number == number)
			return true;
	}
	return false;
}

/*
 * A record's `from` names the edge long after that is gone: a number comes
 * again only when all others were given out.
 */
static unsigned
draw_number(struct links *links)
{
	unsigned number;

	do {
		number = links->next_number;
		links->next_number = (number + 1) % BOARD_LINKS_MAX;
	} while (number_is_taken(links, number));
	return number;
}

static struct edge *
edge_find(struct links *links, const char *peer)
{
	return (struct edge *)link_find(&links->driver, span_from(peer));
}

static void
edge_begin(struct links *links, const struct planned *planned)
{
	struct edge *edge = NULL;

	for (unsigned i = 0; i < LINKS_MAX && edge == NULL; i++) {
		if (!links->edges[i].used)
			edge = &links->edges[i];
	}
	if (edge == NULL)
		return;
	pthread_mutex_lock(&links->lock); /* links_changes() looks at it */
	memset(edge, 0, sizeof(*edge));
	pthread_mutex_unlock(&links->lock);
	edge->links = links;
	edge->index = (unsigned)(edge - links->edges);
	edge->address = planned->address;
	edge->line = planned->line;
	edge->column = planned->column;
	edge->link.number = draw_number(links);
	edge->link.dials = planned->dials;
	memcpy(edge->link.peer, planned->peer, sizeof(edge->link.peer));
	if (edge_open(edge) != HERD_OK) {
		LOG(links->node->log, LOG_ERROR, "link-failed",
		    log_text("peer", planned->peer),
		    log_text("error", "out of memory"),
		    log_text("next", "reload the configuration"));
		return;
	}
	edge->used = true;
	/* There are as many places in the driver as edges. */
	if (link_add(&links->driver, &edge->link, clock_mono(), clock_wall()) !=
	    HERD_OK)
		edge_close(edge);
}

static void
edge_end(struct edge *edge)
{
	link_remove(&edge->link, clock_mono(), clock_wall());
	edge_close(edge);
	edges_publish(edge->links);
}

/* In the links thread; at start before it runs. */
static void
plan_apply(struct links *links, const struct plan *plan)
{
	struct session_node *timings = &links->node->sessions;

	timings->ping_after_ns = plan->timings.ping_after_ns;
	timings->dead_after_ns = plan->timings.dead_after_ns;
	timings->stall_after_ns = plan->timings.stall_after_ns;
	timings->verify_every_ns = plan->timings.verify_every_ns;
	timings->flush_every_ns = plan->timings.flush_every_ns;
	links->driver.redial_max_ns = plan->timings.redial_max_ns;
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		struct edge *edge = &links->edges[i];
		const struct planned *planned;

		if (!edge->used)
			continue;
		planned = plan_find(plan, edge->link.peer);
		if (planned == NULL || planned->dials != edge->link.dials ||
		    !address_equal(&planned->address, &edge->address)) {
			edge_end(edge);
		} else {
			edge->line = planned->line;
			edge->column = planned->column;
			link_apply_redial_max(&edge->link);
		}
	}
	for (unsigned i = 0; i < plan->count; i++) {
		const struct planned *planned = &plan->links_of_file[i];

		if (edge_find(links, planned->peer) == NULL)
			edge_begin(links, planned);
	}
	edges_publish(links);
}

/*
 * Until the thread has begun, the links are shown as they will be: else a
 * node would say for a moment that it has none and is ready.
 */
static void
plan_publish(struct links *links, const struct plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++) {
		const struct planned *planned = &plan->links_of_file[i];
		struct link_status *status = &links->published[i];

		*status = (struct link_status){
			.address = planned->address,
			.state = LINK_WAITING,
			.since = clock_mono(),
			.dials = planned->dials,
			.enabled = true,
			.tls = links->tls != NULL,
			.line = planned->line,
			.column = planned->column,
			.rtt_ns = -1,
		};
		memcpy(status->peer, planned->peer, sizeof(status->peer));
		links->published_number[i] = i;
		links->published_index[i] = i;
	}
	links->published_count = plan->count;
	atomic_store(&links->node->company.has_links, plan->count > 0);
	atomic_store(&links->node->company.alone_since_ns, clock_mono().ns);
}

static void
on_plan(struct message *message)
{
	struct plan *plan = (struct plan *)message;

	if (!plan->links->driver.stopping)
		plan_apply(plan->links, plan);
	free(plan);
}

/*
 * The links of node->file are now these: new ones are dialled, old ones
 * ended, unchanged ones not touched. Main thread.
 */
static enum herd_error
on_reload(void *arg)
{
	struct links *links = arg;
	struct plan *plan = plan_make(links);

	if (plan == NULL)
		return HERD_ENOMEM;
	plan->message.run = on_plan;
	mailbox_post(&links->mailbox, &plan->message);
	return HERD_OK;
}

/* --- orders ------------------------------------------------------------- */

struct command {
	struct message message;
	struct links *links;
	char peer[REPORT_ORIGIN_MAX + 1];
	enum link_verb verb;
	links_on_done *on_done;
	void *arg;
};

static void
on_command(struct message *message)
{
	struct command *command = (struct command *)message;
	struct edge *edge = edge_find(command->links, command->peer);

	if (edge != NULL && !command->links->driver.stopping)
		link_command(
		    &edge->link, command->verb, clock_mono(), clock_wall());
	edges_publish(command->links);
	if (command->on_done != NULL)
		command->on_done(command->arg);
	free(command);
}

enum herd_error
links_command(struct links *links, struct span peer, enum link_verb verb,
    links_on_done *on_done, void *arg)
{
	struct command *command;
	bool found = false;

	pthread_mutex_lock(&links->lock);
	for (unsigned i = 0; i < links->published_count; i++)
		found |= span_is(peer, links->published[i].peer);
	pthread_mutex_unlock(&links->lock);
	if (!found)
		return HERD_ENOTFOUND;
	command = calloc(1, sizeof(*command));
	if (command == NULL)
		return HERD_ENOMEM;
	command->message.run = on_command;
	command->links = links;
	command->verb = verb;
	command->on_done = on_done;
	command->arg = arg;
	memcpy(command->peer, peer.data, peer.len);
	mailbox_post(&links->mailbox, &command->message);
	return HERD_OK;
}

/* What a client was told is at home must reach a neighbour before we go. */
static bool
links_owe(const struct links *links)
{
	const struct conn *conn;

	TAILQ_FOREACH(conn, &links->conns, all)
	{
		const struct session *session = &conn->link.session;

		if (!conn->link.has_session)
			continue;
		/* What a comparison will find is not owed yet. */
		if (session_has_debt(session) || session_is_comparing(session))
			return true;
	}
	return false;
}

static void
on_stop_poll(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct links *links = arg;
	struct conn *conn;

	if (links_owe(links) && clock_mono().ns < links->stop_at.ns)
		return;
	links->driver.stopping = true;
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (links->edges[i].used)
			link_rest(&links->edges[i].link);
	}
	while ((conn = TAILQ_FIRST(&links->conns)) != NULL)
		link_conn_end(&conn->link, BYE_STOP, "the node stops",
		    clock_mono(), clock_wall());
	event_base_loopbreak(links->base);
}

static void
on_stop(struct message *message)
{
	const struct timeval poll = { 0, LINKS_STOP_POLL_MS * 1000 };
	struct links *links = ((struct command *)message)->links;

	links->stop_at = mono_add(clock_mono(), LINKS_STOP_NS);
	event_add(links->stop_poll, &poll);
	on_stop_poll(-1, 0, links);
}

/* --- reading ------------------------------------------------------------ */

unsigned
links_status(struct links *links, struct link_status out[LINKS_MAX])
{
	unsigned count;

	pthread_mutex_lock(&links->lock);
	count = links->published_count;
	memcpy(out, links->published, count * sizeof(out[0]));
	pthread_mutex_unlock(&links->lock);
	return count;
}

unsigned
links_changes(struct links *links, struct span peer,
    struct link_change out[LINK_CHANGES_MAX])
{
	unsigned count = 0;

	pthread_mutex_lock(&links->lock);
	for (unsigned i = 0; i < links->published_count; i++) {
		unsigned index = links->published_index[i];

		if (span_is(peer, links->published[i].peer))
			count = link_history_copy(
			    &links->edges[index].history, out);
	}
	pthread_mutex_unlock(&links->lock);
	return count;
}

void
links_name_of(
    struct links *links, uint32_t from, char out[REPORT_ORIGIN_MAX + 1])
{
	int number = board_link_of(from);

	out[0] = '\0';
	pthread_mutex_lock(&links->lock);
	for (unsigned i = 0; i < links->published_count; i++) {
		if (number == (int)links->published_number[i])
			memcpy(out, links->published[i].peer,
			    REPORT_ORIGIN_MAX + 1);
	}
	pthread_mutex_unlock(&links->lock);
}

void
links_strangers(struct links *links, struct links_strangers *out)
{
	for (unsigned i = 0; i < SESSION_REASON_COUNT; i++)
		out->refused[i] = atomic_load(&links->strangers.counts[i]);
	out->half_open_max = links->half_open.max;
	pthread_mutex_lock(&links->lock);
	out->half_open = links->published_half_open;
	pthread_mutex_unlock(&links->lock);
}

const struct address *
links_address(const struct links *links)
{
	return &links->address;
}

void
links_watch(struct links *links, links_on_change *on_change, void *arg)
{
	pthread_mutex_lock(&links->watch_lock);
	links->on_change_arg = arg;
	links->on_change = on_change;
	pthread_mutex_unlock(&links->watch_lock);
}

/* --- life ---------------------------------------------------------------- */

static void
on_accept(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct links *links = arg;
	char text[SOCKET_PEER_MAX];
	uint64_t address = address_key(peer);

	socket_peer_text(peer, text);
	conn_make_room(links, address);
	(void)conn_open(links, NULL, fd, text, address);
}

static void
on_wake(void *arg)
{
	links_serve_due(arg);
}

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	loop_watch_begin("links-publish");
	links_judge_clock(arg);
	edges_publish(arg);
	loop_watch_end();
}

static const struct link_actions ACTIONS = {
	.dial = edge_dial,
	.cancel = edge_cancel,
	.dial_next = edge_dial_next,
	.write = conn_write,
	.arm = conn_arm,
	.close = conn_close,
	.arm_link = edge_arm,
	.changed = edge_changed,
	.tell = edge_tell,
	.random = links_random,
};

static void *
run_links(void *arg)
{
	struct links *links = arg;

	event_base_dispatch(links->base);
	return NULL;
}

static enum herd_error
links_prepare(struct links *links, struct buf *message)
{
	const struct timeval tick = { 0, LINKS_TICK_MS * 1000 };
	struct node *node = links->node;
	enum herd_error error = HERD_ENOMEM;

	links->base = event_base_new();
	if (links->base == NULL ||
	    event_base_priority_init(links->base, 2) != 0)
		return HERD_ENOMEM;
	links->tick = event_new(links->base, -1, EV_PERSIST, on_tick, links);
	if (links->tick == NULL || event_priority_set(links->tick, 0) != 0 ||
	    event_add(links->tick, &tick) != 0)
		return HERD_ENOMEM;
	links->stop_poll =
	    event_new(links->base, -1, EV_PERSIST, on_stop_poll, links);
	if (links->stop_poll == NULL)
		return HERD_ENOMEM;
	if (node->file.settings.link_security != LINK_SECURITY_NONE &&
	    node->file.settings.key_file[0] != '\0') {
		const struct keyfile key = { "key_file",
			node->file.settings.key_file, node->name,
			node->base_dir };

		error =
		    transport_tls_open(&key, node->name, message, &links->tls);
		if (error != HERD_OK)
			return error;
	}
	links->address = node->file.nodes[node->self].peers;
	/* A node without links needs no address for them. */
	if (links->address.kind == ADDRESS_NONE)
		return HERD_OK;
	error = listener_open(links->base, &links->address, "links", node->log,
	    on_accept, links, message, &links->listener);
	if (error == HERD_OK)
		links->address = *listener_address(links->listener);
	return error;
}

static void
links_release(struct links *links)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		edge_close(&links->edges[i]);
	}
	listener_close(links->listener);
	transport_tls_close(links->tls);
	if (links->tick != NULL)
		event_free(links->tick);
	if (links->stop_poll != NULL)
		event_free(links->stop_poll);
	if (links->base != NULL)
		event_base_free(links->base);
	pthread_mutex_destroy(&links->watch_lock);
	pthread_mutex_destroy(&links->lock);
	free(links);
}

enum herd_error
links_open(struct node *node, struct buf *message, struct links **out)
{
	struct links *links = calloc(1, sizeof(*links));
	struct plan *plan = NULL;
	enum herd_error error;

	if (links == NULL)
		return HERD_ENOMEM;
	links->node = node;
	TAILQ_INIT(&links->conns);
	half_open_init(&links->half_open, HALF_OPEN_MAX);
	links->driver = (struct link_driver){ .actions = &ACTIONS,
		.arg = links,
		.wake = conn_wake,
		.sessions = &node->sessions };
	pthread_mutex_init(&links->lock, NULL);
	pthread_mutex_init(&links->watch_lock, NULL);
	error = links_prepare(links, message);
	if (error != HERD_OK)
		goto fail;
	error = mailbox_init(&links->mailbox, links->base, on_wake, links);
	if (error != HERD_OK)
		goto fail;
	error = resolver_open(&links->mailbox, &links->resolver);
	if (error != HERD_OK)
		goto fail_mailbox;
	plan = plan_make(links);
	if (plan == NULL) {
		error = HERD_ENOMEM;
		goto fail_mailbox;
	}
	plan_publish(links, plan);
	plan->message.run = on_plan;
	mailbox_post(&links->mailbox, &plan->message);
	if (thread_start(
		&links->thread, "links", THREAD_LOOP, run_links, links) != 0) {
		error = HERD_ESYSTEM;
		goto fail_mailbox;
	}
	node_on_reload(node, on_reload, links);
	*out = links;
	return HERD_OK;

fail_mailbox:
	links->driver.stopping = true;
	resolver_close(links->resolver);
	mailbox_release(&links->mailbox);
fail:
	links_release(links);
	return error;
}

void
links_close(struct links *links)
{
	struct command stop = { .message.run = on_stop, .links = links };

	if (links == NULL)
		return;
	mailbox_post(&links->mailbox, &stop.message);
	pthread_join(links->thread, NULL);
	resolver_close(links->resolver);
	mailbox_release(&links->mailbox);
	links_release(links);
}
