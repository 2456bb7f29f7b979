/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The address of a PostgreSQL server: a libpq URI in a file that only the
 * daemon may read, because it has the password. It must name its hosts, and
 * beyond this machine sslmode=verify-full, so that nobody between can read
 * positions or take the server's part.
 */
#ifndef HERD_POSTGRES_URL_H
#define HERD_POSTGRES_URL_H

#include <postgresql/libpq-fe.h>

#include "herd/resolver.h"

#define POSTGRES_HOSTS_MAX 16u
#define POSTGRES_HOST_MAX 255u
#define POSTGRES_SHOWN_MAX 256u

struct postgres_host {
	char host[POSTGRES_HOST_MAX + 1];    /* a name, a number or a folder */
	char numeric[POSTGRES_HOST_MAX + 1]; /* hostaddr; "": not given */
	struct address address;              /* of numeric, else of host */
};

struct postgres_url {
	PQconninfoOption *options;
	struct postgres_host hosts[POSTGRES_HOSTS_MAX];
	unsigned count;
	bool is_verified;               /* sslmode=verify-full */
	char shown[POSTGRES_SHOWN_MAX]; /* user@host:port/database */
};

/*
 * Reads the file that store.url_file names. Gives *out, to be released, also
 * after a failure. HERD_ESYSTEM, HERD_ESYNTAX, HERD_ENOMEM: `message` says what
 * is wrong and what to do, and never has a part of the address.
 */
HERD_MUST_CHECK enum herd_error postgres_url_read(
    const char *url_file, struct postgres_url *out, struct buf *message);

/* The same of a text; `text` ends with NUL. */
HERD_MUST_CHECK enum herd_error postgres_url_parse(
    const char *text, struct postgres_url *out, struct buf *message);

void postgres_url_release(struct postgres_url *url);

#endif
