/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The target of an HTTP request ("/v1/clients/a%2Fb?limit=5") cut into
 * decoded path segments and parameters. Bytes only: no socket, no HTTP
 * library. A '+' is a plus, since locations have one.
 */
#ifndef HERD_ADMIN_QUERY_H
#define HERD_ADMIN_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"
#include "herd/location.h"

/* A client id of the longest line, every byte percent-encoded, fits. */
#define QUERY_TARGET_MAX (256u * 1024u)
#define QUERY_SEGMENTS_MAX 6u
#define QUERY_PARAMS_MAX 16u

struct query_param {
	struct span name;
	struct span value; /* empty also without '=' */
};

struct query {
	struct buf text; /* what the spans borrow */
	struct span segments[QUERY_SEGMENTS_MAX];
	unsigned segment_count;
	struct query_param params[QUERY_PARAMS_MAX];
	unsigned param_count;
};

/*
 * Gives *out; release it. One '/' at the end does not count. HERD_ESYNTAX: no
 * '/' first, a bad %-escape, a parameter without name or given twice;
 * HERD_ELIMIT: too long or too many parts; HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error query_parse(
    struct span target, struct query *out);
void query_release(struct query *query);

/* NULL when there is no such parameter. */
const struct query_param *query_find(
    const struct query *query, const char *name);

/*
 * The first parameter that is not among `known` (names with spaces between
 * them; NULL: none); NULL if all are.
 */
const struct query_param *query_unknown(
    const struct query *query, const char *known);

/* "1" "true" "yes" or no value: true; absent, "0" "false" "no": false. */
HERD_MUST_CHECK enum herd_error query_flag(
    const struct query *query, const char *name, bool *out);

/* *out stays when it is absent. HERD_ESYNTAX, HERD_ERANGE. */
HERD_MUST_CHECK enum herd_error query_count(const struct query *query,
    const char *name, uint64_t min, uint64_t max, uint64_t *out);

#endif
