/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of a network provider that does no I/O: how a question becomes an
 * HTTP request and the response an answer. Each is a constant in
 * its own file and a row of PLACES_PROVIDERS in herd/settings.h.
 */
#ifndef HERD_PLACES_UPSTREAM_H
#define HERD_PLACES_UPSTREAM_H

#include <stdbool.h>

#include "herd/buf.h"
#include "herd/settings.h"
#include "places/answer.h"
#include "places/api_key.h"
#include "places/places.h"

#define UPSTREAM_URL_MAX 4096u
#define UPSTREAM_BODY_MAX 4096u
#define UPSTREAM_HEADERS_MAX 4u
#define UPSTREAM_HEADER_MAX 2048u

/* Why an answer failed, for people. */
#define UPSTREAM_WHY_MAX 1024u

/* What an operator configured. */
struct upstream_config {
	const char *base_url;      /* without a slash at its end */
	const struct api_key *key; /* len 0: none */
	bool rich;                 /* google_fields: rich */
	const char *icon_base;     /* result_icon.h */
};

/* Release it with upstream_request_release(). */
struct upstream_request {
	struct buf url;
	struct buf body; /* empty: GET; else POST of JSON */
	struct buf headers[UPSTREAM_HEADERS_MAX]; /* "Name: value" */
	unsigned header_count;
};

struct upstream {
	const char *base_url; /* its public one */
	bool may_cache;       /* its terms allow it */

	/* Appends to *request, which is empty. */
	enum herd_error (*ask)(const struct upstream_config *config,
	    const struct places_question *question,
	    struct upstream_request *request);

	/*
	 * Reads a response with HTTP status 200: appends the answer to `json`
	 * and sets *facts to a good status, or appends to `why` what is wrong
	 * and sets a bad one (then `json` may hold a part, which the caller
	 * drops). Errors are our own: HERD_ENOMEM, HERD_ELIMIT.
	 */
	enum herd_error (*read)(const struct upstream_config *config,
	    const struct places_question *question, struct span body,
	    struct buf *json, struct answer_facts *facts, struct buf *why);
};

#define UPSTREAM_NONE(id, word)
#define UPSTREAM_DECLARED(id, name, word, key) \
	extern const struct upstream upstream_##name;
PLACES_PROVIDERS(UPSTREAM_NONE, UPSTREAM_DECLARED)
#undef UPSTREAM_DECLARED

/* NULL: `kind` is not a provider on the network. */
const struct upstream *upstream_find(enum places_kind kind);

void upstream_request_init(struct upstream_request *request);
void upstream_request_release(struct upstream_request *request);

/* Adds "Name: value". */
HERD_MUST_CHECK enum herd_error upstream_request_header(
    struct upstream_request *request, const char *name, const char *value);

/* Upstreams take no smaller radius; places too far are left out later. */
#define UPSTREAM_RADIUS_MIN_M 1.0

/* The radius to ask for. */
double upstream_radius_m(const struct places_question *question);

/* How many to ask for: more than are wanted if some will not fit. */
unsigned upstream_max(const struct places_question *question, unsigned most);

#define UPSTREAM_DECIMAL_MAX 32u
/* Up to nine decimals, without zeros at the end and without an exponent. */
void upstream_decimal(double value, char out[UPSTREAM_DECIMAL_MAX]);

/*
 * As `read` above for any HTTP status. One that is not 200 becomes a bad status
 * and the message in the body's {"error":{"message":...}}.
 */
HERD_MUST_CHECK enum herd_error upstream_read(const struct upstream *upstream,
    const struct upstream_config *config,
    const struct places_question *question, unsigned http_status,
    struct span body, struct buf *json, struct answer_facts *facts,
    struct buf *why);

#endif
