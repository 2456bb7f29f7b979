/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many connections each address has: an IPv4 address or an IPv6 /64.
 * Unix sockets are not counted. Any thread.
 */
#ifndef HERD_ADDRESSES_H
#define HERD_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "herd/compiler.h"
#include "herd/error.h"

struct addresses;

/*
 * The address as a number, that of an IPv6 one's /64; false for one that is
 * not counted. An IPv4 address can't equal a routed IPv6 prefix; one that came
 * to a listener on [::] is an IPv4 address.
 */
bool address_key(const struct sockaddr_storage *peer, uint64_t *key);

HERD_MUST_CHECK enum herd_error addresses_new(struct addresses **out);
void addresses_free(struct addresses *addresses);

/* Counts one more unless it has `max` already (or there is no memory). */
HERD_MUST_CHECK bool addresses_enter(struct addresses *addresses,
    const struct sockaddr_storage *peer, uint64_t max);
void addresses_leave(
    struct addresses *addresses, const struct sockaddr_storage *peer);

#endif
