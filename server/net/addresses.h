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

/* The address as a number; false (*key as it was): it has none. */
bool addresses_key(const struct sockaddr_storage *peer, uint64_t *key);

HERD_MUST_CHECK enum herd_error addresses_new(struct addresses **out);
void addresses_free(struct addresses *addresses);

/* Counts one more unless it has `max` already (or there is no memory). */
HERD_MUST_CHECK bool addresses_enter(struct addresses *addresses,
    const struct sockaddr_storage *peer, uint64_t max);
void addresses_leave(
    struct addresses *addresses, const struct sockaddr_storage *peer);

#endif
