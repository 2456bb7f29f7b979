/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom an answer credits, as html_attributions has it: HTML. Names and
 * addresses are the upstream's users' own words, so they are escaped, and
 * only the web's addresses become links.
 */
#ifndef HERD_PLACES_CREDIT_H
#define HERD_PLACES_CREDIT_H

#include "herd/buf.h"

/* One credit's HTML. */
#define CREDIT_MAX 2048u

/*
 * Appends `<a href="URI">NAME</a>`, or NAME alone when `uri` is not http:,
 * https: or without a scheme ("//host/..."). Both are UTF-8; .data NULL: not
 * there. HERD_ENOTFOUND: there is no name. HERD_ELIMIT, HERD_ENOMEM: nothing
 * was appended.
 */
HERD_MUST_CHECK enum herd_error credit_format(
    struct buf *out, struct span uri, struct span name);

#endif
