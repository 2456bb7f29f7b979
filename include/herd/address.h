/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a listener is: "host:port", "[v6]:port" or "/path" of a Unix socket.
 * Parsing touches no resolver; hosts are numeric or names as written.
 */
#ifndef HERD_ADDRESS_H
#define HERD_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

#define ADDRESS_HOST_MAX 255u
#define ADDRESS_PATH_MAX 107u /* sun_path without its NUL */

enum address_kind {
	ADDRESS_NONE,
	ADDRESS_TCP,
	ADDRESS_UNIX,
};

struct address {
	enum address_kind kind;
	uint16_t port;                    /* TCP; 0 = the system picks */
	char host[ADDRESS_HOST_MAX + 1u]; /* TCP; without brackets */
	char path[ADDRESS_PATH_MAX + 1u]; /* Unix */
};

/* Where one listener can be reached, in the order of preference. */
#define ADDRESS_LIST_MAX 4u
struct address_list {
	unsigned count;
	struct address items[ADDRESS_LIST_MAX];
};

/* HERD_ESYNTAX, HERD_ERANGE (port), HERD_ELIMIT (host or path too long). */
HERD_MUST_CHECK enum herd_error address_parse(
    struct span text, struct address *out);

/* Appends the form that address_parse reads. */
HERD_MUST_CHECK enum herd_error address_format(
    struct buf *out, const struct address *address);

bool address_equal(const struct address *a, const struct address *b);

/* Appends them with ", " between; nothing for an empty list. */
HERD_MUST_CHECK enum herd_error address_list_format(
    struct buf *out, const struct address_list *list);
bool address_list_equal(
    const struct address_list *a, const struct address_list *b);

/*
 * Nothing beyond this machine reaches it: a Unix path, 127.0.0.0/8, ::1 or
 * "localhost".
 */
bool address_is_loopback(const struct address *address);

/* 0.0.0.0 or ::, where one may listen, and which nobody can dial. */
bool address_is_anywhere(const struct address *address);

/*
 * Empty, or only characters of a numeric IPv4 or IPv6 address; whether it is
 * one is for inet_pton() to say.
 */
bool address_is_numeric(struct span host);

/*
 * What is wrong with the URL of a service over HTTP, static; NULL: nothing.
 * It is https://, or http:// to this machine, then host and path; no user's
 * name (the herd file is no place for passwords), query or fragment.
 */
const char *address_url_fault(const char *url);

#endif
