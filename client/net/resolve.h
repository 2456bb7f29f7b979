/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses that connect() takes. Numeric ones come at once; names are looked
 * up in a thread, since the system's resolver can block for longer than any
 * deadline allows.
 */
#ifndef HERD_CLIENT_RESOLVE_H
#define HERD_CLIENT_RESOLVE_H

#include <sys/socket.h>

#include "herd/address.h"

#define RESOLVE_MAX 8u

struct resolved {
	struct sockaddr_storage addresses[RESOLVE_MAX];
	socklen_t lengths[RESOLVE_MAX];
	unsigned count;
};

struct event_base;
struct resolution;

/* `error` is NULL or a sentence; `result` is valid during the call. */
typedef void resolve_done(
    void *arg, const struct resolved *result, const char *error);

/* Fills *out when no lookup is needed. */
bool resolve_now(const struct address *address, struct resolved *out);

/* Looks the host up; `done` is called from the loop. NULL: no thread. */
struct resolution *resolve_start(struct event_base *base,
    const struct address *address, resolve_done *done, void *arg);

/* `done` will not be called. Not after it was. */
void resolve_cancel(struct resolution *resolution);

#endif
