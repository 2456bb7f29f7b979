/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client's connection: lines in, replies out, in order. The lines of one
 * read are answered at once (client_answer.c) into the worker's buffer and
 * written with one call. While a WHATSAT waits for places, or the client does
 * not read, the connection is not parsed further, so that replies keep their
 * order and the kernel stops the sender.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/client_tls.h"
#include "base/clock.h"
#include "base/loop_watch.h"
#include "store/store.h"

#define CLIENT_OUT_PAUSE 65536u /* unsent: stop parsing */
/* Beyond the pause: what a batch holds before it is sent, and one answer. */
#define CLIENT_OUT_MAX (PLACES_ANSWER_MAX + 4u * CLIENT_OUT_PAUSE)
#define CLIENT_MALLOC_EXTRA 64u /* around a block of memory */
#define CLIENT_LINGER_NS (5u * HERD_NS_PER_S)
#define CLIENT_LINGER_MAX (16u << 20) /* bytes discarded */
#define CLIENT_READS 4u               /* per turn of the loop */
#define CLIENT_IDLE_LOOKS 1024u       /* per tick, for idle_timeout */
/*
 * Unsent bytes that the kernel may hold: a slow reader shows as one whose
 * socket becomes writable now and then, not as one without progress.
 */
#define CLIENT_UNSENT_MAX 131072

/* --- queues of deadlines ------------------------------------------------ */

/* Keeps its place in a queue in which it already is. */
static void
client_enqueue(struct client *client, enum client_queue queue)
{
	struct client_list *queues = client->worker->queues;

	if (client->queue == queue)
		return;
	if (client->queue != QUEUE_NONE)
		TAILQ_REMOVE(&queues[client->queue], client, queued);
	client->queue = queue;
	if (queue == QUEUE_NONE)
		return;
	client->queued_at = clock_mono();
	TAILQ_INSERT_TAIL(&queues[queue], client, queued);
	worker_rouse(client->worker);
}

/* Of a list that was a queue; NULL if it is empty. */
static struct client *
take_first(struct client_list *list)
{
	struct client *client = TAILQ_FIRST(list);

	if (client != NULL) {
		TAILQ_REMOVE(list, client, queued);
		client->queue = QUEUE_NONE;
	}
	return client;
}

/* --- life --------------------------------------------------------------- */

uint64_t
client_memory_max(struct node *node, bool busy)
{
	bool has_tls = certificate_slot_is_set(&node->clients_tls.slot);

	if (!busy)
		return sizeof(struct client) + CLIENT_MALLOC_EXTRA +
		       (has_tls
			       ? sizeof(struct client_tls) + CLIENT_TLS_IDLE_MAX
			       : 0);
	return (has_tls ? CLIENT_TLS_BUSY_MAX : 0) + CLIENT_OUT_MAX +
	       CLIENT_WAITING_MAX + sizeof(struct gate) + node->max_line +
	       WORKER_READ_SIZE;
}

/* --- resting ------------------------------------------------------------- */

/* Who gives way is chosen by what this says. */
static void
seat_tell(struct source_seat *seat)
{
	const struct client *first = TAILQ_FIRST(&seat->resting);

	atomic_store_explicit(&seat->since_ns,
	    first == NULL ? UINT64_MAX : first->rests_since.ns,
	    memory_order_relaxed);
}

/*
 * Puts the client after those of its address that were served before it, or
 * takes it out. Bytes without a complete request do not make it younger.
 */
static void
client_rest(struct client *client, bool rests, struct mono now)
{
	struct source_seat *seat =
	    &client->source->seats[client->worker->number];

	if (client->rests && rests && !client->served)
		return;
	if (client->rests)
		TAILQ_REMOVE(&seat->resting, client, resting);
	client->rests = rests;
	if (rests) {
		client->rests_since = now;
		client->served = false;
		TAILQ_INSERT_TAIL(&seat->resting, client, resting);
	}
	seat_tell(seat);
}

/* With idle_timeout the list of all is in the order of their last requests. */
static void
client_requeue_all(struct client *client)
{
	struct worker *worker = client->worker;

	if (atomic_load_explicit(&worker->node->limits.idle_timeout_ns,
		memory_order_relaxed) == 0)
		return;
	TAILQ_REMOVE(&worker->clients, client, all);
	TAILQ_INSERT_TAIL(&worker->clients, client, all);
}

/* Has it a request begun, an answer to come or replies unsent? */
static void
client_set_busy(struct client *client, bool busy)
{
	if (client->busy == busy)
		return;
	client->busy = busy;
	count_add(&client->worker->counts.busy, busy ? 1 : (uint64_t)-1);
}

/* What it has asked since then goes to its address. */
static void
client_count(struct client *client)
{
	struct busiest *busiest = &client->worker->busiest;
	struct span peer =
	    span_of((const char *)&client->peer, BUSIEST_PEER_MAX);

	heavy_see(&busiest->lists[BUSIEST_REQUESTS], client->source->key, peer,
	    client->uncounted_requests);
	heavy_see(&busiest->lists[BUSIEST_REFUSED], client->source->key, peer,
	    client->uncounted_invalid);
	client->uncounted_requests = 0;
	client->uncounted_invalid = 0;
}

/* The one place where a client dies. */
static void
client_close(struct client *client)
{
	struct worker *worker = client->worker;

	client_forget_places(client);
	client_enqueue(client, QUEUE_NONE);
	client_set_busy(client, false);
	client_rest(client, false, (struct mono){ 0 });
	event_del(&client->readable);
	event_del(&client->writable);
	TAILQ_REMOVE(&worker->clients, client, all);
	if (worker->resume == client)
		worker->resume = TAILQ_NEXT(client, opened);
	TAILQ_REMOVE(&worker->opened, client, opened);
	if (client->tls != NULL)
		client_tls_free(client);
	else
		close(client->fd);
	framer_release(&client->in);
	buf_release(&client->out);
	free(client->gate);
	count_add(&worker->counts.connections, (uint64_t)-1);
	worker_pool_on_closed(worker, client->source);
	free(client);
}

/* --- sending ------------------------------------------------------------ */

/* Sends as much as the socket takes; returns how much. */
static size_t
client_send(struct client *client, struct span data)
{
	ssize_t n;

	do {
		n = client_put_out(client, data);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN)
			client->broken = true;
		return 0;
	}
	count_add(&client->worker->counts.sent_bytes, (uint64_t)n);
	return (size_t)n;
}

/* The batch's replies leave with one call; what does not fit waits. */
static void
client_flush(struct client *client)
{
	struct buf *tx = &client->worker->tx;
	size_t sent = 0;

	if (tx->len == 0)
		return;
	if (client->gate != NULL && client->gate->shards != 0)
		client->held = true;
	else if (client->out.len == 0)
		sent = client_send(client, buf_span(tx));
	buf_drain(tx, sent);
	if (tx->len > 0 && buf_add_span(&client->out, buf_span(tx)) != HERD_OK)
		client->broken = true;
	buf_clear(tx);
}

/* --- the flow ----------------------------------------------------------- */

void
client_cut(struct client *client)
{
	(void)framer_last(&client->in);
	client->state = CLIENT_LINGERING;
}

static bool
client_next_line(struct client *client, struct batch *batch, struct wall now,
    struct span *line)
{
	enum herd_error error = framer_next(&client->in, line);

	if (error == HERD_ELIMIT) {
		client_answer_batch(client, batch, now);
		client_answer_long(client, *line);
		client_cut(client);
		return false;
	}
	if (error == HERD_EAGAIN && client->eof &&
	    framer_pending(&client->in) > 0) {
		*line = framer_last(&client->in);
		return true;
	}
	return error == HERD_OK;
}

static bool
client_may_parse(const struct client *client)
{
	return client->state == CLIENT_OPEN && !client->held &&
	       !client->broken && client->out.len < CLIENT_OUT_PAUSE;
}

bool
client_process(struct client *client)
{
	struct worker *worker = client->worker;
	uint64_t rate = atomic_load_explicit(
	    &worker->node->limits.request_rate, memory_order_relaxed);
	const struct timekeeper *timekeeper = &worker->node->timekeeper;
	struct mono mono = clock_mono();
	struct wall now = timekeeper_wall(timekeeper, mono);
	struct batch batch;
	struct span line;

	batch.count = 0;
	worker_rouse(worker);
	if (client->began.ns == 0)
		client->began = mono;
	worker->expiry = timekeeper_expiry(timekeeper, mono);
	while (client_may_parse(client)) {
		if (framer_pending(&client->in) == 0)
			break;
		if (rate != 0 && !rate_take(&client->rate, rate, mono)) {
			client->state = CLIENT_THROTTLED;
			break;
		}
		if (!client_next_line(client, &batch, now, &line)) {
			if (rate != 0)
				rate_give_back(&client->rate, rate);
			break;
		}
		client_answer(client, &batch, line, now);
		client->served = true;
		client->last_request = mono;
		if (worker->tx.len >= CLIENT_OUT_PAUSE)
			client_flush(client);
	}
	client_answer_batch(client, &batch, now);
	client_flush(client);
	return client_may_parse(client);
}

static void
client_arm(struct client *client, short want)
{
	short add = (short)(want & ~client->events);
	short del = (short)(client->events & ~want);

	if ((add & EV_READ) != 0)
		event_add(&client->readable, NULL);
	if ((add & EV_WRITE) != 0)
		event_add(&client->writable, NULL);
	if ((del & EV_READ) != 0)
		event_del(&client->readable);
	if ((del & EV_WRITE) != 0)
		event_del(&client->writable);
	client->events = want;
}

/* The replies have left: the peer is to read the end after them. */
static void
client_finish(struct client *client)
{
	if (client->tls != NULL)
		transport_finish(&client->tls->transport);
	else
		(void)shutdown(client->fd, SHUT_WR);
}

/* Nothing is in flight for this client. */
static bool
client_is_done(const struct client *client)
{
	return client->waiting == NULL && client->out.len == 0;
}

void
client_settle(struct client *client)
{
	bool open = client->state == CLIENT_OPEN && !client->held;
	bool lingers = client->state == CLIENT_LINGERING;
	struct mono now = clock_mono();
	bool shakes = client->state == CLIENT_HANDSHAKE;
	short want = 0;

	client_count(client);
	client_time(client, now);
	if (client->broken ||
	    (client_is_done(client) && ((client->eof && (open || lingers)) ||
					   client->worker->stopping))) {
		client_close(client);
		return;
	}
	if (lingers && client->out.len == 0)
		client_finish(client);
	if ((client->out.len > 0 && !client->held) ||
	    (shakes && client->tls != NULL && client->tls->wants_room))
		want |= EV_WRITE;
	if (!client->eof &&
	    ((open && client->out.len < CLIENT_OUT_PAUSE) || lingers || shakes))
		want |= EV_READ;
	client_arm(client, want);
	if (shakes)
		client_enqueue(client, QUEUE_HANDSHAKE);
	else if (client->held)
		client_enqueue(client, QUEUE_HELD);
	else if (client->state == CLIENT_THROTTLED)
		client_enqueue(client, QUEUE_THROTTLED);
	else if (client->out.len > 0)
		client_enqueue(client, QUEUE_STALLED);
	else if (lingers)
		client_enqueue(client, QUEUE_LINGERING);
	else if (open && framer_pending(&client->in) > 0)
		client_enqueue(client, QUEUE_PARTIAL);
	else
		client_enqueue(client, QUEUE_NONE);
	client_set_busy(client,
	    (shakes ? client->tls != NULL : client->queue != QUEUE_NONE) ||
		client->waiting != NULL);
	if (client->served)
		client_requeue_all(client);
	client_rest(client,
	    client->waiting == NULL && !client->held &&
		client->state != CLIENT_THROTTLED,
	    now);
}

static void
client_discard(struct client *client)
{
	char *data;
	size_t room;
	ssize_t n;

	if (framer_space(&client->in, WORKER_READ_SIZE, &data, &room) !=
	    HERD_OK) {
		client->broken = true;
		return;
	}
	n = client_recv(client, data, room);
	if (n > 0)
		client->discarded += (size_t)n;
	client->eof = n == 0;
	if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
	    client->discarded > CLIENT_LINGER_MAX)
		client->broken = true;
}

/* One read and its replies; false when the socket has no more for now. */
static bool
client_read(struct client *client)
{
	struct worker *worker = client->worker;
	size_t room;
	char *data;
	ssize_t n;

	if (framer_space(&client->in, WORKER_READ_SIZE, &data, &room) !=
	    HERD_OK) {
		client->broken = true;
		return false;
	}
	n = client_recv(client, data, room);
	if (n < 0) {
		client->broken = errno != EAGAIN && errno != EINTR;
		return false;
	}
	if (client->queue == QUEUE_PARTIAL &&
	    memchr(data, '\n', (size_t)n) != NULL)
		client_enqueue(client, QUEUE_NONE);
	client->eof = n == 0;
	framer_filled(&client->in, (size_t)n);
	count_add(&worker->counts.received_bytes, (uint64_t)n);
	/* TLS gives a record at a time. */
	return client_process(client) && n > 0 &&
	       (client->tls != NULL || (size_t)n == room);
}

/* Returns whether there may be a request to read. */
static bool
client_shake(struct client *client)
{
	switch (client_tls_shake(client, client_close)) {
	case CLIENT_TLS_GOES_ON: return false;
	case CLIENT_TLS_DONE: break;
	case CLIENT_TLS_PLAIN: client->in_clear = true; break;
	case CLIENT_TLS_FAILED:
		/* Closed at once, it might not read the alert that says why. */
		if (client->tls != NULL)
			client->state = CLIENT_LINGERING;
		else
			client->broken = true;
		return false;
	}
	client->state = CLIENT_OPEN;
	client_enqueue(client, QUEUE_NONE);
	return true;
}

static void
on_readable(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct client *client = arg;
	struct worker *worker = client->worker;

	loop_watch_begin("client-input");
	if (client->state == CLIENT_HANDSHAKE && !client_shake(client)) {
		client_settle(client);
		loop_watch_end();
		return;
	}
	framer_borrow(&client->in, &worker->spare);
	if (client->state == CLIENT_LINGERING) {
		client_discard(client);
	} else {
		for (unsigned i = 0; i < CLIENT_READS; i++) {
			if (!client_read(client))
				break;
		}
	}
	if (framer_give_back(&client->in, &worker->spare) != HERD_OK)
		client->broken = true;
	client_settle(client);
	loop_watch_end();
}

static void
on_writable(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct client *client = arg;
	size_t sent;

	loop_watch_begin("client-output");
	if (client->state == CLIENT_HANDSHAKE) {
		(void)client_shake(client);
		client_settle(client);
		loop_watch_end();
		return;
	}
	sent = client_send(client, buf_span(&client->out));
	buf_drain(&client->out, sent);
	if (client->out.len == 0) {
		buf_release(&client->out);
		(void)client_process(client);
	}
	client->served = client->served || sent > 0;
	/* Progress: if more is unsent, client_settle() sets a new deadline. */
	if (sent > 0 && client->queue == QUEUE_STALLED)
		client_enqueue(client, QUEUE_NONE);
	client_settle(client);
	loop_watch_end();
}

void
client_open(struct worker *worker, int fd, const struct sockaddr_storage *peer,
    struct source *source)
{
	const int unsent = CLIENT_UNSENT_MAX;
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		close(fd);
		worker_pool_on_closed(worker, source);
		return;
	}
	client->worker = worker;
	client->fd = fd;
	client->peer = *peer;
	client->source = source;
	client->opened_at = clock_mono();
	client->rests_since = client->opened_at;
	client->last_request = client->opened_at;
	client->number = ++worker->last_number;
	if (certificate_slot_is_set(&worker->node->clients_tls.slot))
		client->state = CLIENT_HANDSHAKE;
	framer_init(&client->in, worker->node->max_line);
	buf_init(&client->out, CLIENT_OUT_MAX);
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	event_assign(&client->readable, worker->base, fd, EV_READ | EV_PERSIST,
	    on_readable, client);
	event_assign(&client->writable, worker->base, fd, EV_WRITE | EV_PERSIST,
	    on_writable, client);
	TAILQ_INSERT_TAIL(&worker->clients, client, all);
	TAILQ_INSERT_TAIL(&worker->opened, client, opened);
	count_add(&worker->counts.connections, 1);
	worker_rouse(worker);
	client_settle(client);
}

/* --- time and stopping -------------------------------------------------- */

/* The first of that queue if it has been there for `after_ns`, else NULL. */
static struct client *
overdue(const struct worker *worker, enum client_queue queue, uint64_t after_ns,
    struct mono now)
{
	struct client *client = TAILQ_FIRST(&worker->queues[queue]);

	return client != NULL && mono_since(now, client->queued_at) >= after_ns
		   ? client
		   : NULL;
}

/*
 * The reply to an unfinished request is its beginning. Without a reply a client
 * that forgets the LF would wait for ever, and not know why.
 */
static void
expire_partial(struct worker *worker, uint64_t after_ns, struct mono now)
{
	struct client *client;

	while (
	    (client = overdue(worker, QUEUE_PARTIAL, after_ns, now)) != NULL) {
		count_add(&worker->counts.timed_out, 1);
		client_answer_unfinished(client, framer_last(&client->in));
		client_cut(client);
		client_flush(client);
		client_settle(client);
	}
}

static void
expire_handshakes(struct worker *worker, struct mono now)
{
	struct client *client;

	while ((client = overdue(worker, QUEUE_HANDSHAKE, CLIENT_HANDSHAKE_NS,
		    now)) != NULL) {
		count_add(&worker->counts.timed_out, 1);
		client_tls_fail(client, "the handshake took too long");
		client_close(client);
	}
}

/* Who lingers has had its replies, and was cut for what was counted then. */
static void
expire_others(struct worker *worker, uint64_t write_ns, struct mono now)
{
	struct client *client;

	while ((client = overdue(
		    worker, QUEUE_LINGERING, CLIENT_LINGER_NS, now)) != NULL)
		client_close(client);
	while (
	    (client = overdue(worker, QUEUE_STALLED, write_ns, now)) != NULL) {
		count_add(&worker->counts.timed_out, 1);
		client_close(client);
	}
}

/*
 * The store does not commit. Whether a report will last is not known, so its
 * client gets no reply and may report again elsewhere.
 */
static void
expire_held(struct worker *worker, uint64_t after_ns, struct mono now)
{
	struct client *client = TAILQ_FIRST(&worker->queues[QUEUE_HELD]);

	while (client != NULL) {
		struct client *next = TAILQ_NEXT(client, queued);

		if (mono_since(now, client->gate->since) >= after_ns) {
			count_add(&worker->counts.timed_out, 1);
			client_close(client);
		}
		client = next;
	}
}

static void
close_idle(struct worker *worker, uint64_t after_ns, struct mono now)
{
	struct client *client = TAILQ_FIRST(&worker->clients);

	for (unsigned i = 0; i < CLIENT_IDLE_LOOKS && client != NULL &&
			     mono_since(now, client->rests_since) >= after_ns;
	     i++) {
		/* Else another deadline has something to say of it. */
		if (client->queue == QUEUE_NONE && client->waiting == NULL) {
			count_add(&worker->counts.idle_closed, 1);
			client_close(client);
		} else {
			TAILQ_REMOVE(&worker->clients, client, all);
			TAILQ_INSERT_TAIL(&worker->clients, client, all);
		}
		client = TAILQ_FIRST(&worker->clients);
	}
}

bool
clients_give_way(struct worker *worker, struct source *source)
{
	struct client *client =
	    TAILQ_FIRST(&source->seats[worker->number].resting);
	char peer[SOCKET_PEER_MAX];

	if (client == NULL)
		return false;
	socket_peer_text(&client->peer, peer);
	LOG(worker->node->log, LOG_INFO, "client-gave-way",
	    log_text("peer", peer),
	    log_number("idle_ms",
		(int64_t)(mono_since(clock_mono(), client->rests_since) /
			  HERD_NS_PER_MS)),
	    log_text("limit", "max_connections"));
	count_add(&worker->counts.gave_way, 1);
	client_close(client);
	return true;
}

void
clients_tick(struct worker *worker, struct mono now)
{
	struct node_limits *limits = &worker->node->limits;
	uint64_t idle = atomic_load(&limits->idle_timeout_ns);
	uint64_t patience = worker->node->waits.patience_ns;
	struct client_list again;
	struct client *client;

	expire_partial(worker, atomic_load(&limits->request_timeout_ns), now);
	expire_handshakes(worker, now);
	expire_others(worker, atomic_load(&limits->write_timeout_ns), now);
	if (patience != 0)
		expire_held(worker, patience, now);
	if (idle != 0)
		close_idle(worker, idle, now);
	TAILQ_INIT(&again);
	TAILQ_CONCAT(&again, &worker->queues[QUEUE_THROTTLED], queued);
	while ((client = take_first(&again)) != NULL) {
		client->state = CLIENT_OPEN;
		(void)client_process(client);
		client_settle(client);
	}
}

bool
clients_wait(const struct worker *worker)
{
	for (unsigned i = 0; i < QUEUE_COUNT; i++) {
		if (!TAILQ_EMPTY(&worker->queues[i]))
			return true;
	}
	return false;
}

void
clients_release(struct worker *worker)
{
	struct store *store = worker->node->store;
	struct client_list held;
	struct client *client;

	TAILQ_INIT(&held);
	TAILQ_CONCAT(&held, &worker->queues[QUEUE_HELD], queued);
	while ((client = take_first(&held)) != NULL) {
		if (client_is_durable(client)) {
			client->held = false;
			buf_drain(&client->out,
			    client_send(client, buf_span(&client->out)));
			client_time(client, clock_mono());
			(void)client_process(client);
		} else if (store_has_failed(store)) {
			client->broken = true;
		}
		client_settle(client);
	}
}

void
clients_stop(struct worker *worker)
{
	struct client *client = TAILQ_FIRST(&worker->clients);

	while (client != NULL) {
		struct client *next = TAILQ_NEXT(client, all);

		if (client_is_done(client))
			client_close(client);
		client = next;
	}
}

unsigned
clients_kill(struct worker *worker)
{
	unsigned killed = 0;

	for (; !TAILQ_EMPTY(&worker->clients); killed++)
		client_close(TAILQ_FIRST(&worker->clients));
	return killed;
}
