/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS of a listener with a certificate: the files that the settings name, read
 * into a context of OpenSSL, which a reload replaces while connections go on.
 * TLS 1.2 or 1.3, no renegotiation, no tickets: each connection shows its
 * certificate itself.
 */
#ifndef HERD_CERTIFICATE_H
#define HERD_CERTIFICATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

#define CERTIFICATE_FILE_MAX 262144u    /* bytes of a file of certificates */
#define CERTIFICATE_KEY_MAX 16384u      /* and of a key */
#define CERTIFICATE_NAME_MAX 255u       /* of a name */
#define CERTIFICATE_SOON_S (30 * 86400) /* to its end: renew it */

struct ssl_ctx_st;
struct ssl_st;

/* The values of NAME.tls_cert, NAME.tls_key, NAME.client_ca; "" is none. */
struct certificate_files {
	const char *name; /* "admin", "clients" */
	const char *cert; /* and those that lead from it to a root */
	const char *key;
	const char *client_ca; /* who signs clients' certificates */
	const char *node;      /* for %n */
	const char *base_dir;  /* of relative paths */
};

/*
 * Reads the files and checks that they belong together. *out is NULL without a
 * certificate, else a context to be freed by certificate_drop(). HERD_ESYSTEM,
 * HERD_ENOMEM: `message` says what is wrong with which file and what to do.
 */
HERD_MUST_CHECK enum herd_error certificate_load(
    const struct certificate_files *files, struct buf *message,
    struct ssl_ctx_st **out);
void certificate_drop(struct ssl_ctx_st *context); /* NULL is fine */

/* Its name (CN), "" if that is of no use, and its last second since 1970. */
struct certificate_facts {
	char name[CERTIFICATE_NAME_MAX + 1];
	int64_t expires;
};
struct certificate_facts certificate_describe(struct ssl_ctx_st *context);

/*
 * Of all that a listener shows, and of those who sign for its clients; 0: there
 * is none. `context` may be NULL.
 */
struct certificate_hashes {
	uint64_t cert;
	uint64_t client_ca;
};
struct certificate_hashes certificate_hash(struct ssl_ctx_st *context);

/* What a listener has at present. All zero: no TLS. Any thread. */
struct certificate_slot {
	pthread_mutex_t lock;
	struct ssl_ctx_st *context;
};

void certificate_slot_init(struct certificate_slot *slot);
/* Takes the context, which may be NULL, in place of the present one. */
void certificate_slot_set(
    struct certificate_slot *slot, struct ssl_ctx_st *context);

/* Has the listener TLS at present? */
bool certificate_slot_is_set(struct certificate_slot *slot);

/* Of what the listener shows; false: it has no TLS at present. */
bool certificate_slot_describe(
    struct certificate_slot *slot, struct certificate_facts *out);

struct certificate_hashes certificate_slot_hash(struct certificate_slot *slot);

/*
 * The TLS of a new connection that was accepted. False: the listener has no
 * TLS. *out is NULL when out of memory; SSL_free() it.
 */
bool certificate_slot_begin(struct certificate_slot *slot, struct ssl_st **out);

/*
 * The name (CN) of the certificate that the peer has shown and that a CA of
 * ours has signed. False: it has shown none. A name that has spaces or control
 * characters, or is too long, is of no use and given as "".
 */
bool certificate_peer_name(
    const struct ssl_st *ssl, char out[CERTIFICATE_NAME_MAX + 1]);

#endif
