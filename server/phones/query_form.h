/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The query form: id=..&lat=..&lon=..&timestamp=.. in a URL or as a body, which
 * OsmAnd, GPSLogger, Traccar Client up to version 8 and many trackers send.
 */
#ifndef HERD_QUERY_FORM_H
#define HERD_QUERY_FORM_H

#include "phones/intake.h"

/* The two parts of a request that may have parameters; the URL's counts first.
 */
void query_form_read(
    struct span query, struct span body, struct intake *intake);

/*
 * The value of that parameter, decoded into `out'; "" if it has none.
 * HERD_ENOTFOUND; HERD_ELIMIT: it is longer than INTAKE_VALUE_MAX.
 */
HERD_MUST_CHECK enum herd_error query_form_get(struct span query,
    const char *name, char out[INTAKE_VALUE_MAX], struct span *value);

/* Its length; 0: there is none, or it is too long. */
size_t query_form_find(
    struct span query, const char *name, char out[INTAKE_VALUE_MAX]);

#endif
