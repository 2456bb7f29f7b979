/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/client_tls.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TLS_HANDSHAKE_BYTE 0x16 /* a record's type, RFC 8446, 5.1 */

/* --- the handshake ------------------------------------------------------- */

void
client_tls_fail(struct client *client, const char *error)
{
	struct worker *worker = client->worker;

	count_add(&worker->counts.refused[REFUSAL_TLS], 1);
	worker_pool_log_refusal(
	    worker, REFUSAL_TLS, &client->peer, "error", span_from(error));
}

static void
make_room(struct client *client, client_tls_on_victim *on_victim)
{
	struct worker *worker = client->worker;
	struct half_open_place *place;

	while ((place = half_open_victim(
		    &worker->half_open, client->source->key)) != NULL) {
		struct client_tls *tls =
		    (struct client_tls *)((char *)place -
					  offsetof(struct client_tls, place));
		struct client *victim = tls->client;

		client_tls_fail(victim, "too many handshakes under way");
		on_victim(victim);
	}
}

/* False: there is no memory. */
static bool
begin(struct client *client, client_tls_on_victim *on_victim)
{
	struct client_tls *tls = calloc(1, sizeof(*tls));
	struct ssl_st *ssl = NULL;

	if (tls == NULL ||
	    !certificate_slot_begin(
		&client->worker->node->clients_tls.slot, &ssl) ||
	    ssl == NULL) {
		free(tls);
		return false;
	}
	make_room(client, on_victim);
	transport_init_ssl(&tls->transport, client->fd, ssl);
	tls->client = client;
	client->tls = tls;
	half_open_enter(
	    &client->worker->half_open, &tls->place, client->source->key);
	return true;
}

/* The alert has left. What is kept until the end costs nothing. */
static enum client_tls_state
give_up(struct client *client, const char *error)
{
	client_tls_fail(client, error);
	half_open_leave(&client->worker->half_open, &client->tls->place);
	transport_drop_ssl(&client->tls->transport);
	return CLIENT_TLS_FAILED;
}

/* The peer has proved that it is there, and maybe who it is. */
static void
finish(struct client *client)
{
	struct client_tls *tls = client->tls;
	struct half_open *half_open = &client->worker->half_open;

	half_open_leave(half_open, &tls->place);
	half_open_add_neighbour(half_open, client->source->key);
	(void)certificate_peer_name(tls->transport.ssl, tls->name);
	tls->wants_room = false;
}

enum client_tls_state
client_tls_shake(struct client *client, client_tls_on_victim *on_victim)
{
	unsigned char first;
	ssize_t n;

	if (client->tls == NULL) {
		n = recv(client->fd, &first, 1, MSG_PEEK);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return CLIENT_TLS_GOES_ON;
		/* One who leaves without a word has done nothing wrong. */
		if (n <= 0 || first != TLS_HANDSHAKE_BYTE)
			return CLIENT_TLS_PLAIN;
		if (!begin(client, on_victim)) {
			client_tls_fail(client, "out of memory");
			return CLIENT_TLS_FAILED;
		}
	}
	client->tls->wants_room = false;
	switch (transport_handshake(&client->tls->transport)) {
	case TRANSPORT_DONE: finish(client); return CLIENT_TLS_DONE;
	case TRANSPORT_WANTS_WRITE:
		client->tls->wants_room = true;
		return CLIENT_TLS_GOES_ON;
	case TRANSPORT_WANTS_READ: return CLIENT_TLS_GOES_ON;
	case TRANSPORT_CLOSED: return give_up(client, "the client hung up");
	case TRANSPORT_FAILED:
		return give_up(client, client->tls->transport.error);
	}
	return CLIENT_TLS_FAILED;
}

void
client_tls_free(struct client *client)
{
	half_open_leave(&client->worker->half_open, &client->tls->place);
	transport_release(&client->tls->transport);
	free(client->tls);
	client->tls = NULL;
}

/* --- bytes --------------------------------------------------------------- */

static ssize_t
result_of(enum transport_result result, size_t len)
{
	switch (result) {
	case TRANSPORT_DONE: return (ssize_t)len;
	case TRANSPORT_WANTS_READ:
	case TRANSPORT_WANTS_WRITE: errno = EAGAIN; return -1;
	case TRANSPORT_CLOSED: return 0;
	case TRANSPORT_FAILED: break;
	}
	errno = EPROTO;
	return -1;
}

ssize_t
client_recv(struct client *client, char *data, size_t room)
{
	enum transport_result result;
	size_t len = 0;

	if (client->tls == NULL)
		return recv(client->fd, data, room, 0);
	result = transport_read(&client->tls->transport, data, room, &len);
	return result_of(result, len);
}

ssize_t
client_put_out(struct client *client, struct span data)
{
	size_t sent = 0;
	size_t len = 0;
	enum transport_result result = TRANSPORT_DONE;

	if (client->tls == NULL)
		return send(client->fd, data.data, data.len, MSG_NOSIGNAL);
	/* A record at a time. */
	while (sent < data.len && result == TRANSPORT_DONE) {
		result = transport_write(&client->tls->transport,
		    span_of(data.data + sent, data.len - sent), &len);
		if (result == TRANSPORT_DONE)
			sent += len;
	}
	return sent > 0 ? (ssize_t)sent : result_of(result, 0);
}

/* --- names --------------------------------------------------------------- */

bool
client_may_report(const struct client *client, struct span id)
{
	const char *name = client->tls == NULL ? "" : client->tls->name;
	size_t len = strlen(name);

	if (!atomic_load_explicit(
		&client->worker->node->limits.bind_ids, memory_order_relaxed))
		return true;
	return len > 0 && id.len >= len && memcmp(id.data, name, len) == 0;
}
