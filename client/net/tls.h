/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS to a herd's nodes: the files that a person has named for it, and the
 * connections to listeners for clients that are made with them. The node's
 * certificate is always checked: its CA, its dates, the host's name.
 */
#ifndef HERD_CLIENT_TLS_H
#define HERD_CLIENT_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/exit_status.h"
#include "herd/buf.h"

/* Names of files, each NULL for none. */
struct tls_names {
	const char *ca;   /* certificates to trust; NULL: the system's */
	const char *cert; /* one's own */
	const char *key;  /* and its key */
};

struct tls;

/* Copies the names; reads nothing yet. Gives one with one holder. */
struct tls *tls_new(const struct tls_names *files);
struct tls *tls_hold(struct tls *tls); /* NULL is fine */
void tls_drop(struct tls *tls);        /* NULL is fine */
const struct tls_names *tls_names(const struct tls *tls);

/*
 * Can the files be used? The key has to be the user's alone. STATUS_LOCAL:
 * `message` says which cannot and what to do.
 */
enum status tls_check(const struct tls *tls, struct buf *message);

/*
 * What a node's certificate lacks, by OpenSSL's X509_V_ERR_ number; 0 is a
 * name that is not `host`. *hint says what to do. Static texts.
 */
const char *tls_certificate_fault(long number, const char **hint);

/*
 * What the text of an OpenSSL error means, NULL if that is not known. *hint
 * says what to do. Static texts.
 */
const char *tls_error_meaning(const char *text, const char **hint);

/* --- one connection -------------------------------------------------- */

struct tls_session;

enum tls_result {
	TLS_DONE,
	TLS_WAITS, /* for more from the other side */
	TLS_CLOSED,
	TLS_FAILED, /* see tls_error() */
};

/*
 * Begins on a connected socket, which it borrows, with the node at `host`.
 * NULL: `message` says why not.
 */
struct tls_session *tls_begin(
    struct tls *tls, int fd, const char *host, struct buf *message);
void tls_end(struct tls_session *session); /* NULL is fine */

/* Goes on with the handshake; after each call send what tls_output() has. */
enum tls_result tls_shake(struct tls_session *session);
enum tls_result tls_read(
    struct tls_session *session, char *data, size_t room, size_t *len);
enum tls_result tls_write(struct tls_session *session, struct span data);
/* Appends the bytes that are to be sent. */
void tls_output(struct tls_session *session, struct buf *out);

/* Why it failed, for people, with what to do. */
const char *tls_error(const struct tls_session *session);

#endif
