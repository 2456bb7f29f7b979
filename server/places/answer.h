/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The statuses of a Nearby Search answer, and the answer that has a status and
 * no results: how a failure reaches the client.
 */
#ifndef HERD_PLACES_ANSWER_H
#define HERD_PLACES_ANSWER_H

#include <stdbool.h>

#include "herd/buf.h"

/* Name on the wire; did the provider do its work? */
#define PLACES_STATUSES(X)         \
	X(OK, true)                \
	X(ZERO_RESULTS, true)      \
	X(INVALID_REQUEST, false)  \
	X(OVER_QUERY_LIMIT, false) \
	X(REQUEST_DENIED, false)   \
	X(UNKNOWN_ERROR, false)

enum places_status {
#define PLACES_STATUS_CODE(name, good) PLACES_##name,
	PLACES_STATUSES(PLACES_STATUS_CODE)
#undef PLACES_STATUS_CODE
	    PLACES_STATUS_COUNT
};

/* What an answer's text holds, so that nobody reads it again. */
struct answer_facts {
	enum places_status status;
	unsigned results;
	unsigned left_out; /* of the upstream's: without location or name */
};

/* "OK" ...; static. */
const char *answer_status_name(enum places_status status);

/* OK and ZERO_RESULTS. */
bool answer_is_good(enum places_status status);

/* HERD_ENOTFOUND: no status has that name. */
HERD_MUST_CHECK enum herd_error answer_status_find(
    struct span name, enum places_status *out);

/*
 * Appends the answer without results. `message` becomes error_message; an
 * empty one is left out; bytes that are not UTF-8 are replaced.
 */
HERD_MUST_CHECK enum herd_error answer_write_empty(
    struct buf *out, enum places_status status, struct span message);

#endif
