/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/worker_pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/thread.h"
#include "net/addresses.h"
#include "net/listener.h"
#include "net/worker.h"

/* Connections that are about to give way, at most; see LIMITS_OWN_LEAST. */
#define GIVING_MAX 16u

struct worker_pool {
	struct node *node;
	unsigned count;
	unsigned started; /* threads that run */
	struct worker *all;
	struct addresses *addresses;
	struct address address;    /* asked for, then bound */
	struct listener *listener; /* worker 0's; NULL while draining */
	unsigned next;             /* worker 0's */
	_Atomic uint64_t connections;
	_Atomic uint64_t giving;   /* messages on their way to close one */
	_Atomic uint64_t arriving; /* messages on their way to open one */
	_Atomic uint64_t accepted;
	_Atomic uint64_t refused;
	_Atomic uint64_t log_at_ns[REFUSAL_COUNT]; /* not before */
	_Atomic uint64_t unlogged[REFUSAL_COUNT];
};

/* --- accepting ----------------------------------------------------------- */

struct handover {
	struct message message;
	struct worker *worker;
	int fd;
	struct sockaddr_storage peer;
	struct source *source;
};

static void
on_handover(struct message *message)
{
	struct handover *handover = (struct handover *)message;

	atomic_fetch_sub(&handover->worker->pool->arriving, 1);
	client_open(
	    handover->worker, handover->fd, &handover->peer, handover->source);
	free(handover);
}

void
worker_pool_on_closed(struct worker *worker, struct source *source)
{
	addresses_leave(worker->pool->addresses, source);
	atomic_fetch_sub(&worker->pool->connections, 1);
}

static void
refuse(struct worker_pool *pool, int fd, const struct sockaddr_storage *peer,
    const char *limit)
{
	char text[SOCKET_PEER_MAX];

	socket_peer_text(peer, text);
	atomic_fetch_add(&pool->refused, 1);
	LOG(pool->node->log, LOG_WARN, "client-refused", log_text("peer", text),
	    log_text("limit", limit));
	close(fd);
}

/* --- giving way ---------------------------------------------------------- */

struct yield {
	struct message message;
	struct worker *worker;
	struct source *source; /* held */
};

static void
on_yield(struct message *message)
{
	struct yield *yield = (struct yield *)message;
	struct worker_pool *pool = yield->worker->pool;

	(void)clients_give_way(yield->worker, yield->source);
	atomic_fetch_sub(&pool->giving, 1);
	addresses_release(pool->addresses, yield->source);
	free(yield);
}

/*
 * Tells the connection that has rested longest, of the address with the most,
 * to close. False if none rests.
 */
static bool
make_room(struct worker_pool *pool)
{
	unsigned seat = 0;
	struct source *source = addresses_idlest(pool->addresses, &seat);
	struct yield *yield;
	bool made;

	if (source == NULL)
		return false;
	if (seat == 0) {
		made = clients_give_way(&pool->all[0], source);
		addresses_release(pool->addresses, source);
		return made;
	}
	yield = malloc(sizeof(*yield));
	if (yield == NULL) {
		addresses_release(pool->addresses, source);
		return false;
	}
	*yield = (struct yield){ { NULL, on_yield }, &pool->all[seat], source };
	atomic_fetch_add(&pool->giving, 1);
	mailbox_post(&yield->worker->mailbox, &yield->message);
	return true;
}

/*
 * No connection rests, but some were accepted and have not reached their
 * workers yet. They will rest in a moment; until then some more may be open,
 * and no connection is accepted.
 */
static bool
may_come_early(struct worker_pool *pool, uint64_t max)
{
	if (atomic_load(&pool->arriving) == 0 ||
	    atomic_load(&pool->connections) >= max + GIVING_MAX)
		return false;
	listener_hold(pool->listener);
	return true;
}

/*
 * Is there a place for one more connection, now or as soon as those that give
 * way are gone? While many are about to go, none is accepted.
 */
static bool
has_place(struct worker_pool *pool)
{
	uint64_t max = atomic_load(&pool->node->limits.max_connections);
	uint64_t giving = atomic_load(&pool->giving);

	for (unsigned i = 0; i < GIVING_MAX; i++) {
		if (atomic_load(&pool->connections) - giving < max)
			break;
		if (giving >= GIVING_MAX || !make_room(pool))
			return may_come_early(pool, max);
		giving = atomic_load(&pool->giving);
	}
	if (giving >= GIVING_MAX)
		listener_hold(pool->listener);
	return atomic_load(&pool->connections) - giving < max;
}

static void
on_accept(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct worker_pool *pool = arg;
	struct node_limits *limits = &pool->node->limits;
	struct worker *worker = &pool->all[pool->next];
	struct source *source = NULL;
	struct handover *handover;
	const char *limit = "memory";

	if (addresses_is_full(
		pool->addresses, peer, atomic_load(&limits->max_per_address)))
		limit = "max_connections_per_address";
	else if (!has_place(pool))
		limit = "max_connections";
	else
		source = addresses_enter(pool->addresses, peer);
	if (source == NULL) {
		refuse(pool, fd, peer, limit);
		return;
	}
	atomic_fetch_add(&pool->connections, 1);
	atomic_fetch_add(&pool->accepted, 1);
	pool->next = (pool->next + 1) % pool->count;
	if (worker->number == 0) {
		client_open(worker, fd, peer, source);
		return;
	}
	handover = malloc(sizeof(*handover));
	if (handover == NULL) {
		worker_pool_on_closed(worker, source);
		refuse(pool, fd, peer, "memory");
		return;
	}
	*handover = (struct handover){ { NULL, on_handover }, worker, fd, *peer,
		source };
	atomic_fetch_add(&pool->arriving, 1);
	mailbox_post(&worker->mailbox, &handover->message);
}

static enum herd_error
worker_pool_listen(struct worker_pool *pool, struct buf *message)
{
	return listener_open(pool->all[0].base, &pool->address, "clients",
	    pool->node->log, on_accept, pool, message, &pool->listener);
}

/* --- orders to workers -------------------------------------------------- */

struct order {
	struct message message;
	struct worker *worker;
};

/* A draining node accepts no clients. */
static void
on_node_state(struct message *message)
{
	struct order *order = (struct order *)message;
	struct worker_pool *pool = order->worker->pool;
	struct buf text;

	buf_init(&text, 1024);
	if (node_state(pool->node) == NODE_DRAINING ||
	    order->worker->stopping) {
		listener_close(pool->listener);
		pool->listener = NULL;
	} else if (pool->listener == NULL &&
		   worker_pool_listen(pool, &text) != HERD_OK) {
		(void)node_set_state(pool->node, NODE_DRAINING);
		LOG(pool->node->log, LOG_ERROR, "listen-failed",
		    log_span("error", buf_span(&text)),
		    log_text("next", "the node goes on draining; undrain it "
				     "again"));
	}
	buf_release(&text);
	free(order);
}

static void
on_stop(struct message *message)
{
	struct order *order = (struct order *)message;
	struct worker *worker = order->worker;

	worker->stopping = true;
	worker->stop_at = mono_add(clock_mono(), WORKER_STOP_NS);
	worker_rouse(worker);
	if (worker->number == 0) {
		listener_close(worker->pool->listener);
		worker->pool->listener = NULL;
	}
	clients_stop(worker);
	free(order);
}

static void
post_order(struct worker *worker, void (*run)(struct message *))
{
	struct order *order = malloc(sizeof(*order));

	if (order == NULL) {
		LOG(worker->node->log, LOG_ERROR, "out-of-memory",
		    log_text("what", "an order to a worker was dropped"));
		return;
	}
	*order = (struct order){ { NULL, run }, worker };
	mailbox_post(&worker->mailbox, &order->message);
}

static void
on_state(void *arg, enum node_state state HERD_UNUSED)
{
	struct worker_pool *pool = arg;

	post_order(&pool->all[0], on_node_state);
}

/* --- a worker's life ---------------------------------------------------- */

static void
on_wake(void *arg)
{
	struct worker *worker = arg;

	clients_release(worker);
	if (worker->stopping && TAILQ_EMPTY(&worker->clients))
		event_base_loopbreak(worker->base);
}

/* A client that does not read its replies does not keep the node running. */
static void
cut_clients(struct worker *worker)
{
	unsigned cut = clients_kill(worker);

	if (cut > 0)
		LOG(worker->node->log, LOG_WARN, "clients-cut",
		    log_number("connections", (int64_t)cut),
		    log_text("error", "they did not read their replies"),
		    log_text("next", "the node stops without them"));
}

/* Sleeps longer while no client sends and none waits for anything. */
static void
tick_next(struct worker *worker)
{
	uint64_t bytes = atomic_load_explicit(
	    &worker->counts.received_bytes, memory_order_relaxed);
	bool has_idle_timeout =
	    atomic_load(&worker->node->limits.idle_timeout_ns) != 0 &&
	    !TAILQ_EMPTY(&worker->clients);

	worker->resting = bytes == worker->ticked_bytes && !worker->stopping &&
			  !clients_wait(worker);
	worker->ticked_bytes = bytes;
	tick_in(&worker->tick,
	    HERD_NS_PER_MS * (!worker->resting      ? WORKER_TICK_MS
				 : has_idle_timeout ? WORKER_REST_MS
						    : WORKER_SLEEP_MS));
}

static void
on_tick(void *arg)
{
	struct worker *worker = arg;

	clients_tick(worker, clock_mono());
	busiest_turn(&worker->busiest, clock_mono());
	if (worker->stopping && clock_mono().ns >= worker->stop_at.ns)
		cut_clients(worker);
	on_wake(worker);
	tick_next(worker);
}

static void *
run_worker(void *arg)
{
	struct worker *worker = arg;

	event_base_dispatch(worker->base);
	return NULL;
}

static void
worker_release(struct worker *worker)
{
	if (worker->base == NULL)
		return;
	worker->stopping = true;
	mailbox_release(&worker->mailbox);
	(void)clients_kill(worker);
	if (worker->places != NULL)
		places_reader_close(worker->places);
	tick_close(&worker->tick);
	event_base_free(worker->base);
	refusals_release(&worker->refusals);
	busiest_release(&worker->busiest);
	buf_release(&worker->spare);
	buf_release(&worker->tx);
}

static enum herd_error
worker_init(struct worker *worker, struct worker_pool *pool, unsigned number)
{
	struct node *node = pool->node;
	struct event_base *base = event_base_new();

	worker->node = node;
	worker->pool = pool;
	worker->number = number;
	TAILQ_INIT(&worker->clients);
	TAILQ_INIT(&worker->opened);
	for (unsigned i = 0; i < QUEUE_COUNT; i++)
		TAILQ_INIT(&worker->queues[i]);
	buf_init(&worker->spare, node->max_line + FRAMER_AHEAD_MAX);
	buf_init(&worker->tx, WORKER_TX_MAX);
	refusals_init(&worker->refusals);
	half_open_init(&worker->half_open, HALF_OPEN_MAX);
	if (base == NULL)
		return HERD_ENOMEM;
	if (busiest_init(&worker->busiest) != HERD_OK)
		goto fail;
	if (tick_open(&worker->tick, base, -1, "client-deadlines", on_tick,
		worker) != HERD_OK)
		goto fail;
	tick_in(&worker->tick, WORKER_TICK_MS * HERD_NS_PER_MS);
	if (mailbox_init(&worker->mailbox, base, on_wake, worker) != HERD_OK)
		goto fail;
	if (node->places != NULL &&
	    places_reader_open(node->places, &worker->places) != HERD_OK)
		goto fail_mailbox;
	worker->base = base;
	return HERD_OK;

fail_mailbox:
	mailbox_release(&worker->mailbox);
fail:
	tick_close(&worker->tick);
	event_base_free(base);
	busiest_release(&worker->busiest);
	return HERD_ENOMEM;
}

static enum herd_error
worker_start(struct worker *worker)
{
	char name[THREAD_NAME_MAX + 1];

	snprintf(name, sizeof(name), "worker-%u", worker->number);
	errno = thread_start(
	    &worker->thread, name, THREAD_LOOP, run_worker, worker);
	return errno == 0 ? HERD_OK : HERD_ESYSTEM;
}

enum herd_error
worker_pool_open(struct node *node, const struct address *address,
    unsigned count, struct buf *message, struct worker_pool **out)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));
	enum herd_error error = HERD_ENOMEM;

	if (pool == NULL)
		return HERD_ENOMEM;
	pool->node = node;
	pool->count = count;
	pool->address = *address;
	pool->all = calloc(count, sizeof(*pool->all));
	if (pool->all == NULL ||
	    addresses_new(count, &pool->addresses) != HERD_OK)
		goto fail;
	for (unsigned i = 0; i < count; i++) {
		error = worker_init(&pool->all[i], pool, i);
		if (error != HERD_OK)
			goto fail;
	}
	error = worker_pool_listen(pool, message);
	if (error != HERD_OK)
		goto fail;
	pool->address = *listener_address(pool->listener);
	while (error == HERD_OK && pool->started < count) {
		error = worker_start(&pool->all[pool->started]);
		pool->started += error == HERD_OK;
	}
	if (error != HERD_OK)
		goto fail;
	node->on_state = on_state;
	node->on_state_arg = pool;
	*out = pool;
	return HERD_OK;

fail:
	if (message->len == 0 &&
	    buf_addf(message, "cannot start the workers: %s",
		error == HERD_ESYSTEM ? strerror(errno)
				      : herd_strerror(error)) != HERD_OK)
		error = HERD_ENOMEM;
	worker_pool_free(pool);
	return error;
}

void
worker_pool_stop(struct worker_pool *pool)
{
	if (pool == NULL)
		return;
	for (unsigned i = 0; i < pool->started; i++)
		post_order(&pool->all[i], on_stop);
	for (unsigned i = 0; i < pool->started; i++)
		pthread_join(pool->all[i].thread, NULL);
	pool->started = 0;
}

void
worker_pool_free(struct worker_pool *pool)
{
	if (pool == NULL)
		return;
	worker_pool_stop(pool);
	listener_close(pool->listener);
	for (unsigned i = 0; pool->all != NULL && i < pool->count; i++)
		worker_release(&pool->all[i]);
	addresses_free(pool->addresses);
	free(pool->all);
	free(pool);
}

const struct address *
worker_pool_address(const struct worker_pool *pool)
{
	return &pool->address;
}

unsigned
worker_pool_number(const struct worker_pool *pool)
{
	return pool->count;
}

struct worker *
worker_pool_worker(struct worker_pool *pool, unsigned number)
{
	return &pool->all[number];
}

void
worker_pool_wake(struct worker_pool *pool)
{
	for (unsigned i = 0; i < pool->count; i++)
		mailbox_wake(&pool->all[i].mailbox);
}

void
worker_pool_count(struct worker_pool *pool, struct worker_pool_counts *out)
{
	struct node *node = pool->node;

	*out = (struct worker_pool_counts){
		.accepted = atomic_load(&pool->accepted),
		.refused = atomic_load(&pool->refused),
		.connections = atomic_load(&pool->connections),
	};
	for (unsigned i = 0; i < pool->count; i++) {
		struct worker_counts *counts = &pool->all[i].counts;

		out->iamat += atomic_load(&counts->iamat);
		out->whatsat += atomic_load(&counts->whatsat);
		out->timed_out += atomic_load(&counts->timed_out);
		out->gave_way += atomic_load(&counts->gave_way);
		out->idle_closed += atomic_load(&counts->idle_closed);
		for (unsigned j = 0; j < REFUSAL_COUNT; j++) {
			uint64_t n = atomic_load(&counts->refused[j]);

			out->requests_refused[j] += n;
			out->invalid += n;
		}
		out->received_bytes += atomic_load(&counts->received_bytes);
		out->sent_bytes += atomic_load(&counts->sent_bytes);
		out->busy += atomic_load(&counts->busy);
		for (unsigned j = 0; j < SORT_COUNT; j++)
			time_histogram_add(
			    &out->times[j], &pool->all[i].times[j]);
		busiest_raise(&pool->all[i].busiest, BUSIEST_REPORTS,
		    &out->busiest_client_reports);
		busiest_raise(&pool->all[i].busiest, BUSIEST_REQUESTS,
		    &out->busiest_address_requests);
	}
	out->memory_max =
	    pool->count * (WORKER_TX_MAX + node->max_line + FRAMER_AHEAD_MAX +
			      busiest_bytes()) +
	    out->connections *
		(client_memory_max(node, false) + sizeof(struct source) +
		    pool->count * sizeof(struct source_seat)) +
	    out->busy * client_memory_max(node, true);
}

/* --- what was refused ---------------------------------------------------- */

void
worker_pool_log_refusal(struct worker *worker, enum refusal why,
    const struct sockaddr_storage *peer, const char *key, struct span text)
{
	struct worker_pool *pool = worker->pool;
	uint64_t now = clock_mono().ns;
	uint64_t at = atomic_load(&pool->log_at_ns[why]);
	char peer_text[SOCKET_PEER_MAX];

	if (now < at || !atomic_compare_exchange_strong(
			    &pool->log_at_ns[why], &at, now + REFUSED_LOG_NS)) {
		atomic_fetch_add(&pool->unlogged[why], 1);
		return;
	}
	socket_peer_text(peer, peer_text);
	LOG(worker->node->log, LOG_WARN, "request-refused",
	    log_text("reason", refusal_word(why)), log_span(key, text),
	    log_text("peer", peer_text),
	    log_number(
		"more", (int64_t)atomic_exchange(&pool->unlogged[why], 0)));
}

unsigned
worker_pool_refused(struct worker_pool *pool, struct refused out[REFUSED_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < pool->count; i++)
		refusals_merge(&pool->all[i].refusals, out, &count);
	return count;
}
