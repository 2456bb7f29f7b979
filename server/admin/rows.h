/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts that several endpoints show. Unknown is null.
 */
#ifndef HERD_ADMIN_ROWS_H
#define HERD_ADMIN_ROWS_H

#include "herd/address.h"
#include "herd/json.h"
#include "herd/time.h"

/* Adds an id: client, and client_b64 if it is not UTF-8. */
void row_client_id(struct json *json, struct span client);

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

/* Adds all of them as one text; null if there is none. */
void row_addresses(
    struct json *json, const char *key, const struct address_list *list);

#endif
