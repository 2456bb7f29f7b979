/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is named for the data, as html_attributions has it: HTML. Names and
 * addresses are the upstream's users' own words, so they are escaped, and
 * only the web's addresses become links.
 */
#ifndef HERD_PLACES_ATTRIBUTION_H
#define HERD_PLACES_ATTRIBUTION_H

#include "herd/buf.h"

/* HTML of one attribution. */
#define ATTRIBUTION_MAX 2048u

/*
 * Appends `<a href="URI">NAME</a>`, or NAME alone when `uri` is not http:,
 * https: or without a scheme ("//host/..."). Both are UTF-8; .data NULL: not
 * there. HERD_ENOTFOUND: there is no name. HERD_ELIMIT, HERD_ENOMEM: nothing
 * was appended.
 */
HERD_MUST_CHECK enum herd_error attribution_format(
    struct buf *out, struct span uri, struct span name);

#endif
