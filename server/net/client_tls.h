/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The TLS of a client's connection, for client.c and client_answer.c only. It
 * costs memory from the client's first byte on; there are HALF_OPEN_MAX
 * handshakes at one time in a worker, each for CLIENT_HANDSHAKE_NS.
 */
#ifndef HERD_CLIENT_TLS_H
#define HERD_CLIENT_TLS_H

#include "net/client.h"
#include "net/transport.h"

#define CLIENT_HANDSHAKE_NS (10u * HERD_NS_PER_S) /* from the connection on */
/* What OpenSSL may hold for a connection, with a client's certificates. */
#define CLIENT_TLS_IDLE_MAX (40u << 10)
#define CLIENT_TLS_BUSY_MAX (64u << 10) /* beside that */

struct client_tls {
	struct client *client;
	struct transport transport;
	struct half_open_place place;
	bool wants_room; /* the handshake waits for the socket */
	char name[CERTIFICATE_NAME_MAX + 1]; /* of its certificate, or "" */
};

enum client_tls_state {
	CLIENT_TLS_GOES_ON,
	CLIENT_TLS_DONE,
	CLIENT_TLS_PLAIN, /* what has come is not TLS; it is still to be read */
	CLIENT_TLS_FAILED, /* counted and logged; input is to be discarded */
};

/* Closes a client. */
typedef void client_tls_on_victim(struct client *client);

/*
 * Goes on with the handshake of a client of CLIENT_HANDSHAKE. Where there are
 * too many it closes another one by `on_victim`.
 */
enum client_tls_state client_tls_shake(
    struct client *client, client_tls_on_victim *on_victim);

/* Its handshake is over, well or not. Counts and logs one that failed. */
void client_tls_fail(struct client *client, const char *error);

/* Frees it and closes the socket. */
void client_tls_free(struct client *client);

/*
 * Read and write as recv() and send(): -1 with errno, EAGAIN: not now. With or
 * without TLS.
 */
ssize_t client_recv(struct client *client, char *data, size_t room);
ssize_t client_put_out(struct client *client, struct span data);

/* With clients.bind_ids: may its certificate's owner report that id? */
bool client_may_report(const struct client *client, struct span id);

#endif
