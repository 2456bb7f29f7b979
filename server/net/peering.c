/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread of the links: listening, the list of links, orders to it. */
#include "net/peering.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/thread.h"
#include "core/link_flood.h"
#include "herd/eager.h"
#include "net/addresses.h"
#include "net/link_clock.h"
#include "net/peering_internal.h"
#include "node/limits.h"
#include "node/reload.h"

/* While records move, and else. */
#define LINKS_TICK_NS (100u * HERD_NS_PER_MS)
#define LINKS_REST_NS HERD_NS_PER_S
#define LINKS_STOP_POLL_MS 5
#define LINKS_STOP_NS (2u * HERD_NS_PER_S)

/* --- for its files --------------------------------------------------- */

static uint64_t
peering_random(void *arg HERD_UNUSED)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = clock_mono().ns * UINT64_C(0x9e3779b97f4a7c15);
	return random;
}

void
peering_serve_due(struct peering *peering)
{
	uint64_t due;

	while ((due = atomic_exchange(&peering->due, 0)) != 0) {
		while (due != 0) {
			struct net_link *net_link =
			    &peering->net_links[__builtin_ctzll(due)];

			due &= due - 1;
			if (net_link->link.conn != NULL)
				(void)link_conn_settle(net_link->link.conn,
				    clock_mono(), clock_wall());
		}
	}
	link_conn_flush_early(&peering->driver, clock_mono(), clock_wall());
}

/* Under the lock. */
static void
publish_company(const struct peering *peering)
{
	struct node_company *company = &peering->node->company;
	bool has_links = false;
	bool has_session = false;
	bool leads = true;

	for (unsigned i = 0; i < peering->published_count; i++) {
		const struct link_status *status = &peering->published[i];

		has_links |= status->enabled;
		has_session |= link_is_up(status);
		if (status->state != LINK_SYNCED)
			continue;
		atomic_store(&company->met_one, true);
		leads &= strcmp(peering->node->name, status->peer) < 0;
	}
	atomic_store(&company->has_links, has_links);
	atomic_store(&company->leads, leads);
	if (has_session)
		atomic_store(&company->alone_since_ns, 0);
	else if (atomic_load(&company->alone_since_ns) == 0)
		atomic_store(&company->alone_since_ns, clock_mono().ns);
}

/*
 * Tells neighbours our bound of memory, and limits intake to the least of
 * theirs, because the others should not take what one node can't hold.
 */
static void
share_memory_bound(struct peering *peering)
{
	struct node_limits *limits = &peering->node->limits;
	uint64_t least = 0;

	peering->node->sessions.max_memory = atomic_load(&limits->max_memory);
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct link_conn *conn = peering->net_links[i].link.conn;
		uint64_t bytes;

		if (!peering->net_links[i].used || conn == NULL)
			continue;
		bytes = conn->session.peer_memory;
		if (bytes != 0 && (least == 0 || bytes < least))
			least = bytes;
	}
	atomic_store(&limits->neighbours_memory, least);
}

/* Under the lock. */
static void
publish_flood(struct peering *peering)
{
	const struct roster *roster = &peering->roster;
	struct peering_flood *flood = &peering->published_flood;
	bool rests = roster_rests(roster);
	const struct roster_word *word;

	*flood = (struct peering_flood){
		.sparse = peering->driver.eager_hash != 0,
		.rests = rests,
		.since = flood->since.ns != 0 && flood->rests == rests
			     ? flood->since
			     : clock_mono(),
		.wakes = roster->wakes,
	};
	word = roster_objection(roster, &flood->reason);
	if (word == NULL)
		return;
	memcpy(flood->node, word->name, sizeof(flood->node));
	memcpy(flood->peer, word->down, sizeof(flood->peer));
}

void
peering_publish(struct peering *peering)
{
	unsigned count = 0;

	share_memory_bound(peering);

	pthread_mutex_lock(&peering->lock);
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct net_link *net_link = &peering->net_links[i];

		if (!net_link->used)
			continue;
		net_link_status(net_link, &peering->published[count]);
		peering->published_number[count] = net_link->link.number;
		peering->published_index[count++] = i;
	}
	peering->published_count = count;
	publish_company(peering);
	publish_flood(peering);
	peering->published_half_open = peering->half_open.count;
	pthread_mutex_unlock(&peering->lock);
}

/* --- the list of links -------------------------------------------------- */

/* One link as the herd file has it. */
struct planned {
	char peer[REPORT_ORIGIN_MAX + 1];
	struct address address;
	bool dials;
	bool eager;
	unsigned line;
	unsigned column;
};

struct plan {
	struct message message;
	struct peering *peering;
	struct node_timings timings;
	uint64_t eager_hash;
	roster_name *part; /* the nodes of this node's part of the herd */
	unsigned part_count;
	unsigned count;
	struct planned links_of_file[];
};

static void
plan_free(struct plan *plan)
{
	if (plan != NULL)
		free(plan->part);
	free(plan);
}

/* The nodes that may be reached, and so have to agree on the eager links. */
static enum herd_error
plan_part(struct plan *plan, const struct node *node, const struct eager *eager)
{
	const struct herdfile *file = &node->file;

	plan->eager_hash = eager->hash;
	plan->part = calloc(file->node_count, sizeof(*plan->part));
	if (plan->part == NULL)
		return HERD_ENOMEM;
	for (size_t i = 0; i < file->node_count; i++) {
		if (eager->part[i] == eager->part[node->self])
			snprintf(plan->part[plan->part_count++],
			    sizeof(roster_name), "%s", file->nodes[i].name);
	}
	return HERD_OK;
}

static void
plan_links(
    struct plan *plan, const struct node *node, const struct eager *eager)
{
	const struct herdfile *file = &node->file;

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
		planned->eager = !eager->rests[i];
		planned->line = link->line;
		planned->column = link->column;
		plan->count++;
	}
}

static struct plan *
plan_make(struct peering *peering)
{
	const struct node *node = peering->node;
	struct plan *plan = calloc(
	    1, sizeof(*plan) + LINKS_MAX * sizeof(plan->links_of_file[0]));
	struct eager eager;
	enum herd_error error;

	if (plan == NULL || eager_of_file(&node->file, &eager) != HERD_OK) {
		plan_free(plan);
		return NULL;
	}
	plan->peering = peering;
	plan->timings = node->timings;
	plan_links(plan, node, &eager);
	error = plan_part(plan, node, &eager);
	eager_release(&eager);
	if (error == HERD_OK)
		return plan;
	plan_free(plan);
	return NULL;
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
number_is_taken(const struct peering *peering, unsigned number)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (peering->net_links[i].used &&
		    peering->net_links[i].link.number == number)
			return true;
	}
	return false;
}

/*
 * A record's `from` names a link long after the link was removed: so a number
 * is used again only after all others were.
 */
static unsigned
draw_number(struct peering *peering)
{
	unsigned number;

	do {
		number = peering->next_number;
		peering->next_number = (number + 1) % BOARD_LINKS_MAX;
	} while (number_is_taken(peering, number));
	return number;
}

static struct net_link *
net_link_find(struct peering *peering, const char *peer)
{
	return (struct net_link *)link_find(&peering->driver, span_from(peer));
}

static void
net_link_begin(struct peering *peering, const struct planned *planned)
{
	struct net_link *net_link = NULL;

	for (unsigned i = 0; i < LINKS_MAX && net_link == NULL; i++) {
		if (!peering->net_links[i].used)
			net_link = &peering->net_links[i];
	}
	if (net_link == NULL)
		return;
	pthread_mutex_lock(&peering->lock); /* peering_changes() looks at it */
	memset(net_link, 0, sizeof(*net_link));
	pthread_mutex_unlock(&peering->lock);
	net_link->peering = peering;
	net_link->index = (unsigned)(net_link - peering->net_links);
	net_link->address = planned->address;
	net_link->line = planned->line;
	net_link->column = planned->column;
	net_link->link.number = draw_number(peering);
	net_link->link.dials = planned->dials;
	net_link->link.eager = planned->eager;
	memcpy(net_link->link.peer, planned->peer, sizeof(net_link->link.peer));
	if (net_link_open(net_link) != HERD_OK) {
		LOG(peering->node->log, LOG_ERROR, "link-failed",
		    log_text("peer", planned->peer),
		    log_text("error", "out of memory"),
		    log_text("next", "reload the configuration"));
		return;
	}
	net_link->used = true;
	/* There are as many places in the driver as links. */
	if (link_add(&peering->driver, &net_link->link, clock_mono(),
		clock_wall()) != HERD_OK)
		net_link_close(net_link);
}

static void
net_link_end(struct net_link *net_link)
{
	link_remove(&net_link->link, clock_mono(), clock_wall());
	net_link_close(net_link);
	peering_publish(net_link->peering);
}

static void
plan_apply_timings(struct peering *peering, const struct plan *plan)
{
	struct session_node *timings = &peering->node->sessions;

	timings->ping_after_ns = plan->timings.ping_after_ns;
	timings->dead_after_ns = plan->timings.dead_after_ns;
	timings->stall_after_ns = plan->timings.stall_after_ns;
	timings->verify_every_ns = plan->timings.verify_every_ns;
	timings->flush_every_ns = plan->timings.flush_every_ns;
	peering->driver.redial_max_ns = plan->timings.redial_max_ns;
	peering->driver.rest_after_ns = plan->timings.rest_after_ns;
}

/* In the links thread; at start before it runs. */
static void
plan_apply(struct peering *peering, const struct plan *plan)
{
	plan_apply_timings(peering, plan);
	if (link_flood_set(&peering->driver, plan->part, plan->part_count,
		plan->eager_hash) != HERD_OK)
		LOG(peering->node->log, LOG_ERROR, "flood-failed",
		    log_text("error", "out of memory"),
		    log_text("next", "no link rests; reload the "
				     "configuration"));
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		struct net_link *net_link = &peering->net_links[i];
		const struct planned *planned;

		if (!net_link->used)
			continue;
		planned = plan_find(plan, net_link->link.peer);
		if (planned == NULL || planned->dials != net_link->link.dials ||
		    !address_equal(&planned->address, &net_link->address)) {
			net_link_end(net_link);
		} else {
			net_link->line = planned->line;
			net_link->column = planned->column;
			link_set_eager(
			    &net_link->link, planned->eager, clock_mono());
		}
	}
	for (unsigned i = 0; i < plan->count; i++) {
		const struct planned *planned = &plan->links_of_file[i];

		if (net_link_find(peering, planned->peer) == NULL)
			net_link_begin(peering, planned);
	}
	link_flood_begin(&peering->driver, plan->timings.sparse, clock_mono());
	peering_publish(peering);
}

/*
 * Until the thread has begun, shows the links as they will be. Otherwise the
 * node would seem for a moment to have none, and to be ready.
 */
static void
plan_publish(struct peering *peering, const struct plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++) {
		const struct planned *planned = &plan->links_of_file[i];
		struct link_status *status = &peering->published[i];

		*status = (struct link_status){
			.address = planned->address,
			.state = LINK_WAITING,
			.since = clock_mono(),
			.dials = planned->dials,
			.eager = planned->eager,
			.enabled = true,
			.tls = peering->tls != NULL,
			.line = planned->line,
			.column = planned->column,
			.rtt_ns = -1,
		};
		memcpy(status->peer, planned->peer, sizeof(status->peer));
		peering->published_number[i] = i;
		peering->published_index[i] = i;
	}
	peering->published_count = plan->count;
	atomic_store(&peering->node->company.has_links, plan->count > 0);
	atomic_store(&peering->node->company.alone_since_ns, clock_mono().ns);
	atomic_store(&peering->node->company.leads, true);
}

static void
on_plan(struct message *message)
{
	struct plan *plan = (struct plan *)message;

	if (!plan->peering->driver.stopping)
		plan_apply(plan->peering, plan);
	plan_free(plan);
}

/*
 * The links become those of node->file: new ones are dialled, old ones ended,
 * unchanged ones not touched. Main thread.
 */
static enum herd_error
on_reload(void *arg)
{
	struct peering *peering = arg;
	struct plan *plan = plan_make(peering);

	if (plan == NULL)
		return HERD_ENOMEM;
	plan->message.run = on_plan;
	mailbox_post(&peering->mailbox, &plan->message);
	return HERD_OK;
}

/* --- orders ------------------------------------------------------------- */

/* Where `published` has that peer, LINKS_MAX: nowhere. Under the lock. */
static unsigned
find_published(const struct peering *peering, struct span peer)
{
	for (unsigned i = 0; i < peering->published_count; i++) {
		if (span_is(peer, peering->published[i].peer))
			return i;
	}
	return LINKS_MAX;
}

struct link_order {
	struct message message;
	struct peering *peering;
	char peer[REPORT_ORIGIN_MAX + 1];
	enum link_verb verb;
	peering_on_done *on_done;
	void *arg;
};

static void
on_command(struct message *message)
{
	struct link_order *command = (struct link_order *)message;
	struct net_link *net_link =
	    net_link_find(command->peering, command->peer);

	if (net_link != NULL && !command->peering->driver.stopping)
		link_command(
		    &net_link->link, command->verb, clock_mono(), clock_wall());
	peering_publish(command->peering);
	if (command->on_done != NULL)
		command->on_done(command->arg);
	free(command);
}

enum herd_error
peering_command(struct peering *peering, struct span peer, enum link_verb verb,
    peering_on_done *on_done, void *arg)
{
	struct link_order *command;
	bool found;

	pthread_mutex_lock(&peering->lock);
	found = find_published(peering, peer) < LINKS_MAX;
	pthread_mutex_unlock(&peering->lock);
	if (!found)
		return HERD_ENOTFOUND;
	command = calloc(1, sizeof(*command));
	if (command == NULL)
		return HERD_ENOMEM;
	command->message.run = on_command;
	command->peering = peering;
	command->verb = verb;
	command->on_done = on_done;
	command->arg = arg;
	memcpy(command->peer, peer.data, peer.len);
	mailbox_post(&peering->mailbox, &command->message);
	return HERD_OK;
}

/* Acknowledged reports must reach a neighbour before the node stops. */
static bool
links_owe(const struct peering *peering)
{
	const struct link_socket *conn;

	TAILQ_FOREACH(conn, &peering->conns, all)
	{
		const struct session *session = &conn->link.session;

		if (!conn->link.has_session)
			continue;
		/* Reports that a comparison will find are not owed yet. */
		if (session_has_debt(session) || session_is_comparing(session))
			return true;
	}
	return false;
}

static void
on_stop_poll(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct peering *peering = arg;
	struct link_socket *conn;

	if (links_owe(peering) && clock_mono().ns < peering->stop_at.ns)
		return;
	peering->driver.stopping = true;
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (peering->net_links[i].used)
			link_rest(&peering->net_links[i].link);
	}
	while ((conn = TAILQ_FIRST(&peering->conns)) != NULL)
		link_conn_end(&conn->link, BYE_STOP, "the node stops",
		    clock_mono(), clock_wall());
	event_base_loopbreak(peering->base);
}

static void
on_stop(struct message *message)
{
	const struct timeval poll = { 0, LINKS_STOP_POLL_MS * 1000 };
	struct peering *peering = ((struct link_order *)message)->peering;

	peering->stop_at = mono_add(clock_mono(), LINKS_STOP_NS);
	event_add(peering->stop_poll, &poll);
	on_stop_poll(-1, 0, peering);
}

/* --- reading ------------------------------------------------------------ */

unsigned
peering_status(struct peering *peering, struct link_status out[LINKS_MAX])
{
	unsigned count;

	pthread_mutex_lock(&peering->lock);
	count = peering->published_count;
	memcpy(out, peering->published, count * sizeof(out[0]));
	pthread_mutex_unlock(&peering->lock);
	return count;
}

bool
peering_find(struct peering *peering, struct span peer, struct link_status *out)
{
	unsigned at;

	pthread_mutex_lock(&peering->lock);
	at = find_published(peering, peer);
	if (at < LINKS_MAX)
		*out = peering->published[at];
	pthread_mutex_unlock(&peering->lock);
	return at < LINKS_MAX;
}

unsigned
peering_changes(struct peering *peering, struct span peer,
    struct link_change out[LINK_CHANGES_MAX])
{
	unsigned count = 0;
	unsigned at;

	pthread_mutex_lock(&peering->lock);
	at = find_published(peering, peer);
	if (at < LINKS_MAX)
		count = link_history_copy(
		    &peering->net_links[peering->published_index[at]].history,
		    out);
	pthread_mutex_unlock(&peering->lock);
	return count;
}

void
peering_givers(struct peering *peering, struct peering_givers *out)
{
	pthread_mutex_lock(&peering->lock);
	out->count = peering->published_count;
	for (unsigned i = 0; i < out->count; i++) {
		out->number[i] = peering->published_number[i];
		memcpy(out->name[i], peering->published[i].peer,
		    REPORT_ORIGIN_MAX + 1);
	}
	pthread_mutex_unlock(&peering->lock);
}

const char *
peering_giver(const struct peering_givers *givers, uint32_t from)
{
	int number = board_link_of(from);

	for (unsigned i = 0; i < givers->count; i++) {
		if (number == (int)givers->number[i])
			return givers->name[i];
	}
	return "";
}

void
peering_flood(struct peering *peering, struct peering_flood *out)
{
	pthread_mutex_lock(&peering->lock);
	*out = peering->published_flood;
	pthread_mutex_unlock(&peering->lock);
}

void
peering_strangers(struct peering *peering, struct peering_strangers *out)
{
	for (unsigned i = 0; i < SESSION_REASON_COUNT; i++)
		out->refused[i] = atomic_load(&peering->strangers.counts[i]);
	out->half_open_max = peering->half_open.max;
	pthread_mutex_lock(&peering->lock);
	out->half_open = peering->published_half_open;
	pthread_mutex_unlock(&peering->lock);
}

const struct address *
peering_address(const struct peering *peering)
{
	return &peering->address;
}

const struct keyring *
peering_keys(const struct peering *peering)
{
	return &peering->keys.used;
}

void
peering_watch(struct peering *peering, peering_on_change *on_change, void *arg)
{
	pthread_mutex_lock(&peering->watch_lock);
	peering->on_change_arg = arg;
	peering->on_change = on_change;
	pthread_mutex_unlock(&peering->watch_lock);
}

/* --- life ---------------------------------------------------------------- */

static void
on_accept(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct peering *peering = arg;
	char text[SOCKET_PEER_MAX];
	uint64_t address = address_key(peer);

	socket_peer_text(peer, text);
	peering_rouse(peering);
	link_socket_make_room(peering, address);
	(void)link_socket_open(peering, NULL, fd, text, address);
}

static void
on_wake(void *arg)
{
	peering_rouse(arg);
	peering_serve_due(arg);
}

/* Each change of a link's state is published at once, besides. */
static bool
is_moving(struct peering *peering)
{
	uint64_t moves = 0;
	bool is_open =
	    peering->half_open.count > 0 ||
	    atomic_load(&peering->node->timekeeper.state) == TIME_WAITING;

	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct net_link *net_link = &peering->net_links[i];
		const struct link_conn *conn = net_link->link.conn;

		if (!net_link->used || conn == NULL)
			continue;
		moves +=
		    conn->session.stats.received + conn->session.stats.sent;
		is_open |= session_is_comparing(&conn->session) ||
			   session_has_debt(&conn->session);
	}
	is_open |= moves != peering->moves;
	peering->moves = moves;
	return is_open;
}

static void
on_tick(void *arg)
{
	struct peering *peering = arg;

	link_clock_judge(peering);
	link_keys_renew(peering);
	peering_publish(peering);
	peering->resting = !is_moving(peering);
	tick_in(
	    &peering->tick, peering->resting ? LINKS_REST_NS : LINKS_TICK_NS);
}

void
peering_rouse(struct peering *peering)
{
	if (!peering->resting)
		return;
	peering->resting = false;
	tick_in(&peering->tick, LINKS_TICK_NS);
}

static const struct link_actions ACTIONS = {
	.dial = net_link_dial,
	.cancel = net_link_cancel,
	.dial_next = net_link_dial_next,
	.write = link_socket_write,
	.arm = link_socket_arm,
	.close = link_socket_close,
	.arm_link = net_link_arm,
	.changed = net_link_changed,
	.tell = net_link_tell,
	.random = peering_random,
};

static void *
run_links(void *arg)
{
	struct peering *peering = arg;

	event_base_dispatch(peering->base);
	return NULL;
}

static enum herd_error
peering_prepare(struct peering *peering, struct buf *message)
{
	struct node *node = peering->node;
	enum herd_error error = HERD_ENOMEM;

	peering->base = event_base_new();
	if (peering->base == NULL ||
	    event_base_priority_init(peering->base, 2) != 0)
		return HERD_ENOMEM;
	error =
	    mailbox_init(&peering->mailbox, peering->base, on_wake, peering);
	if (error != HERD_OK)
		return error;
	peering->has_mailbox = true;
	error = tick_open(&peering->tick, peering->base, 0, "links-publish",
	    on_tick, peering);
	if (error == HERD_OK)
		error = clock_set_open(&peering->clock_set, peering->base,
		    "clock-set", on_tick, peering);
	if (error != HERD_OK)
		return error;
	tick_in(&peering->tick, LINKS_TICK_NS);
	peering->stop_poll =
	    event_new(peering->base, -1, EV_PERSIST, on_stop_poll, peering);
	if (peering->stop_poll == NULL)
		return HERD_ENOMEM;
	error = link_keys_open(peering, message);
	if (error != HERD_OK)
		return error;
	peering->address = node->file.nodes[node->self].peers;
	/* A node without links needs no address for them. */
	if (peering->address.kind == ADDRESS_NONE)
		return HERD_OK;
	error = listener_open(peering->base, &peering->address, "links",
	    node->log, on_accept, peering, message, &peering->listener);
	if (error == HERD_OK)
		peering->address = *listener_address(peering->listener);
	return error;
}

static void
peering_release(struct peering *peering)
{
	peering->driver.stopping = true;
	if (peering->has_mailbox)
		mailbox_release(&peering->mailbox);
	for (unsigned i = 0; i < LINKS_MAX; i++)
		net_link_close(&peering->net_links[i]);
	listener_close(peering->listener);
	link_keys_close(peering);
	roster_release(&peering->roster);
	tick_close(&peering->tick);
	clock_set_close(&peering->clock_set);
	if (peering->stop_poll != NULL)
		event_free(peering->stop_poll);
	if (peering->base != NULL)
		event_base_free(peering->base);
	pthread_mutex_destroy(&peering->watch_lock);
	pthread_mutex_destroy(&peering->lock);
	free(peering);
}

/* The first plan waits for the thread, which then has it. */
static enum herd_error
peering_start(struct peering *peering)
{
	struct plan *plan = plan_make(peering);

	if (plan == NULL)
		return HERD_ENOMEM;
	plan_publish(peering, plan);
	plan->message.run = on_plan;
	mailbox_post(&peering->mailbox, &plan->message);
	return thread_start(&peering->thread, "links", THREAD_LOOP, run_links,
		   peering) == 0
		   ? HERD_OK
		   : HERD_ESYSTEM;
}

enum herd_error
peering_open(struct node *node, struct buf *message, struct peering **out)
{
	struct peering *peering = calloc(1, sizeof(*peering));
	enum herd_error error;

	if (peering == NULL)
		return HERD_ENOMEM;
	peering->node = node;
	TAILQ_INIT(&peering->conns);
	roster_init(&peering->roster);
	node->sessions.roster = &peering->roster;
	half_open_init(&peering->half_open, limits_links(limits_raise_files()));
	peering->driver = (struct link_driver){ .actions = &ACTIONS,
		.arg = peering,
		.wake = link_socket_wake,
		.sessions = &node->sessions };
	pthread_mutex_init(&peering->lock, NULL);
	pthread_mutex_init(&peering->watch_lock, NULL);
	error = peering_prepare(peering, message);
	if (error == HERD_OK)
		error = peering_start(peering);
	if (error != HERD_OK) {
		peering_release(peering);
		return error;
	}
	node_on_reload(node, on_reload, peering);
	link_keys_watch(peering);
	*out = peering;
	return HERD_OK;
}

void
peering_close(struct peering *peering)
{
	struct link_order stop = { .message.run = on_stop, .peering = peering };

	if (peering == NULL)
		return;
	mailbox_post(&peering->mailbox, &stop.message);
	pthread_join(peering->thread, NULL);
	peering_release(peering);
}
