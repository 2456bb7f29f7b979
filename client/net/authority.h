/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A herd's own CA: it signs the certificates that nodes show to herdctl, to
 * Prometheus and to clients. All keys are of the curve P-256.
 */
#ifndef HERD_CLIENT_AUTHORITY_H
#define HERD_CLIENT_AUTHORITY_H

#include <stdbool.h>

#include "herd/buf.h"

#define AUTHORITY_DAYS 3650L /* of the CA's certificate */
#define AUTHORITY_NODE_DAYS 825L

struct authority;

/* A certificate and its key in PEM form; release it. */
struct authority_pair {
	struct buf certificate;
	struct buf
	    key; /* a secret: in memory that authority_pair_release() wipes */
};

void authority_pair_init(struct authority_pair *pair);
void authority_pair_release(struct authority_pair *pair);

/* Makes a CA of that name. NULL: `message` says why not. */
struct authority *authority_new(const char *name, struct buf *message);

/* The CA of these texts, of which the first may have several certificates.
 * NULL: `message` says what is wrong with them. */
struct authority *authority_read(
    const struct authority_pair *pair, struct buf *message);
void authority_free(struct authority *authority); /* NULL is fine */

/* Appends the CA's own certificate and key. */
bool authority_write(struct authority *authority, struct authority_pair *out,
    struct buf *message);

/*
 * Appends a new certificate for the node `name`, and its key. `hosts` are what
 * it is asked by, "IP:192.0.2.1,DNS:a.example.com". It does not outlive the
 * CA's. False: `message` says why not.
 */
bool authority_issue(struct authority *authority, const char *name,
    const char *hosts, struct authority_pair *out, struct buf *message);

#endif
