/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses of a host. A numeric host is read at once. The system's
 * resolver looks up a name, which may take very long if a DNS server never
 * answers. So each lookup has a thread of its own, which posts its answer to
 * the mailbox of the loop that asked. Nothing can interrupt a lookup: a
 * cancelled one goes on by itself and is then forgotten, so that nothing ever
 * waits for it, not even the end of the process.
 */
#ifndef HERD_RESOLVER_H
#define HERD_RESOLVER_H

#include <sys/socket.h>

#include "herd/address.h"
#include "base/mailbox.h"

#define RESOLVER_ADDRESSES_MAX 16u /* of a name; more are not tried */
#define RESOLVER_LOOKUPS_MAX 64u   /* at once, the forgotten ones included */

struct endpoint {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* In the order in which the system would have them tried. */
struct endpoints {
	unsigned count;
	struct endpoint list[RESOLVER_ADDRESSES_MAX];
};

/* Unix sockets and numeric hosts, without a lookup. HERD_ENOTFOUND: a name. */
HERD_MUST_CHECK enum herd_error resolver_numeric(
    const struct address *address, struct endpoints *out);

/*
 * Looks up at once, however long that takes: for the start, to listen on the
 * result. HERD_ENOTFOUND: *error is the reason, a static text.
 */
HERD_MUST_CHECK enum herd_error resolver_wait(
    const struct address *address, struct endpoints *out, const char **error);

struct resolver;
struct lookup;

/* Gives *out. Borrows the mailbox until resolver_close(). HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error resolver_open(
    struct mailbox *mailbox, struct resolver **out);

/* Lookups under way are forgotten. Cancel them first: on_done may be posted. */
void resolver_close(struct resolver *resolver);

/*
 * Called in the loop's thread; the lookup is over then. `error` is NULL, or
 * the reason why there is no address (then `found` is empty).
 */
typedef void resolver_on_done(
    void *arg, const struct endpoints *found, const char *error);

/*
 * Looks the name up. HERD_ELIMIT: RESOLVER_LOOKUPS_MAX are under way.
 * HERD_ENOMEM: no memory, or no thread.
 */
HERD_MUST_CHECK enum herd_error resolver_begin(struct resolver *resolver,
    const struct address *address, resolver_on_done *on_done, void *arg,
    struct lookup **out);

/* In the loop's thread: on_done will not be called. NULL is fine. */
void resolver_cancel(struct lookup *lookup);

#endif
