/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts that several endpoints show: a client, an address. Unknown is null.
 */
#ifndef HERD_ADMIN_ROWS_H
#define HERD_ADMIN_ROWS_H

#include "herd/address.h"
#include "herd/json.h"
#include "herd/report.h"
#include "herd/time.h"
#include "node/node.h"

/*
 * Fills `row` with a report: client, client_b64 (only if the id is not
 * UTF-8), time, location, lat, lon, node, skew, received_at, from; and
 * "removed" if it is a removal, whose location and skew are null. `from` says
 * who gave it: "client", "store" or a peer; null if that is not known.
 */
void row_client(struct json *json, struct node *node,
    const struct report *report, uint32_t from);

/*
 * Who gave a record that the table holds, for row_client(). A neighbour may
 * give back what it had from this node; the origin has it from the client all
 * the same.
 */
uint32_t row_giver(
    const struct node *node, const struct report *report, uint32_t from);

/* Adds an id: client, and client_b64 if it is not UTF-8. */
void row_client_id(struct json *json, struct span client);

/*
 * Adds ahead_s if the report's time is after `now`: until then it hides what
 * the client reports with the right time.
 */
void row_ahead(struct json *json, const struct report *report, struct wall now);

/* Adds a text, null if it is "". */
void row_word(struct json *json, const char *key, const char *text);

/* Add a number that is null unless it is known. */
void row_count(struct json *json, const char *key, bool known, uint64_t value);
void row_ms(struct json *json, const char *key, bool known, uint64_t ns);

/* Adds the seconds from `from` to `to`; null if `from` or `to` never was. */
void row_seconds(
    struct json *json, const char *key, struct mono from, struct mono to);

/* Adds a moment as text, like 2024-02-29T12:00:00.000Z. */
void row_time(struct json *json, const char *key, uint64_t ns);

/*
 * Adds what is in `text` and releases it. `error` says what became of writing
 * it: HERD_ENOTFOUND is null, another one spoils the answer.
 */
void row_text(struct json *json, const char *key, struct buf *text,
    enum herd_error error);

/* Adds `address` as text; null if there is none. */
void row_address(
    struct json *json, const char *key, const struct address *address);

#endif
