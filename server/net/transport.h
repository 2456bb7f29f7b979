/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of a link: a plain socket, or TLS 1.3 with the herd's pre-shared
 * key, one of several while keys change; and of a client with TLS, by
 * certificates. Direct reads and writes on a
 * non-blocking socket: no queue beyond the session's own hides how far a slow
 * link lags.
 */
#ifndef HERD_TRANSPORT_H
#define HERD_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/keyring.h"
#include "herd/buf.h"
#include "herd/report.h"

/* Bytes not yet sent that the kernel may hold (TCP_NOTSENT_LOWAT). */
#define TRANSPORT_UNSENT_MAX 16384
#define TRANSPORT_ERROR_MAX 200u
#define TRANSPORT_KEY_MIN 16u /* bytes of a key */
#define TRANSPORT_KEY_MAX 4096u

/* Keys and settings of all TLS links of a node; one thread uses them. */
struct transport_tls;

/*
 * Copies the keys, at least one. `node`, which is borrowed, names this node to
 * its peers: who dials offers one key as the identity NODE#FINGERPRINT, and
 * who accepts takes its key of that fingerprint, or the first one for a plain
 * NODE, which nodes of versions before fingerprints send. HERD_ESYSTEM,
 * HERD_ENOMEM: `message` says what is wrong.
 */
HERD_MUST_CHECK enum herd_error transport_tls_open(const struct keyring *keys,
    const char *node, struct buf *message, struct transport_tls **out);
void transport_tls_close(struct transport_tls *tls); /* NULL is fine */

/* From now on handshakes use these keys; what has shaken hands goes on. */
void transport_tls_set_keys(
    struct transport_tls *tls, const struct keyring *keys);

const struct keyring *transport_tls_keys(const struct transport_tls *tls);

enum transport_result {
	TRANSPORT_DONE,
	TRANSPORT_WANTS_READ,
	TRANSPORT_WANTS_WRITE,
	TRANSPORT_CLOSED, /* the peer has hung up */
	TRANSPORT_FAILED, /* see `error` */
};

struct transport {
	int fd;
	struct transport_tls *tls; /* NULL: plain, or by certificates */
	bool client;
	struct ssl_st *ssl; /* NULL: plain, or no handshake has begun */
	bool wrong_key;     /* the handshake failed for want of the key */
	unsigned offer;     /* `client`: which key to offer, 0 the first */
	/* The fingerprint of the key that is used; "" none yet, or plain. */
	char key[KEYRING_FINGERPRINT_LEN + 1];
	/*
	 * Not `client`: the peer offered a key that we do not have, and who it
	 * said that it is, which nothing proves; "" otherwise.
	 */
	char unknown_key[KEYRING_FINGERPRINT_LEN + 1];
	char unknown_name[REPORT_ORIGIN_MAX + 1];
	char error[TRANSPORT_ERROR_MAX];
};

/* Takes the socket; borrows `tls`, NULL: plain. `client`: we have dialled. */
void transport_init(struct transport *transport, int fd,
    struct transport_tls *tls, bool client);

/*
 * For a connection that was accepted and shows a certificate; leaves the
 * socket's options alone: takes `ssl`, made by certificate_slot_begin().
 */
void transport_init_ssl(
    struct transport *transport, int fd, struct ssl_st *ssl);

/* The handshake has failed: what still comes is read as it is. */
void transport_drop_ssl(struct transport *transport);

/* Nothing more will be written: the peer reads the end after what was. */
void transport_finish(struct transport *transport);

/* Closes the socket. */
void transport_release(struct transport *transport);

/*
 * Call it again until it returns DONE, which a plain socket does at once. On a
 * link DONE means that the peer has the herd's key: a handshake with anything
 * else, such as a certificate, fails before a byte of ours is sent. By
 * certificates it means that a peer that has to show one has shown a good one.
 */
enum transport_result transport_handshake(struct transport *transport);

/* The peer has shown that it has the key; false for a plain socket. */
bool transport_is_keyed(const struct transport *transport);

enum transport_result transport_read(
    struct transport *transport, char *data, size_t room, size_t *len);
enum transport_result transport_write(
    struct transport *transport, struct span data, size_t *len);

#endif
