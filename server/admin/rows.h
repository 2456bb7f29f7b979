/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What several endpoints show: a client, an address. Unknown is null.
 */
#ifndef HERD_ADMIN_ROWS_H
#define HERD_ADMIN_ROWS_H

#include "admin/json.h"
#include "herd/address.h"
#include "herd/report.h"

/*
 * Fills `row` with a report: client, client_b64 (only if the id is not
 * UTF-8), time, location, lat, lon, node, skew, received_at, from; and
 * "removed" if it is a removal, whose location and skew are null. `from` says
 * who gave it; "" is null.
 */
void row_client(struct json *json, cJSON *row, const struct report *report,
    const char *from);

/* Adds `address` as text; null if there is none. */
void row_address(struct json *json, cJSON *row, const char *key,
    const struct address *address);

#endif
