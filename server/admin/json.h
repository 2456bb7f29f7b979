/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON answers: cJSON with a sticky error, so that a row is written without a
 * check at each field, and with texts that are always valid UTF-8. A field
 * whose parent is NULL (out of memory) is left out and the document has
 * failed.
 */
#ifndef HERD_ADMIN_JSON_H
#define HERD_ADMIN_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

struct json {
	cJSON *root;
	bool failed;
};

/* An object, ready for fields; look at json_print() for success. */
void json_init(struct json *json);
void json_release(struct json *json);

/* `key` is NULL when `parent` is an array. */
cJSON *json_object(struct json *json, cJSON *parent, const char *key);
cJSON *json_array(struct json *json, cJSON *parent, const char *key);
void json_span(
    struct json *json, cJSON *parent, const char *key, struct span text);
void json_string(
    struct json *json, cJSON *parent, const char *key, const char *text);
void json_count(
    struct json *json, cJSON *parent, const char *key, uint64_t value);
void json_double(
    struct json *json, cJSON *parent, const char *key, double value);
void json_bool(struct json *json, cJSON *parent, const char *key, bool value);
void json_null(struct json *json, cJSON *parent, const char *key);

/* Nanoseconds as seconds and as milliseconds, rounded to microseconds. */
void json_seconds(
    struct json *json, cJSON *parent, const char *key, uint64_t ns);
void json_ms(struct json *json, cJSON *parent, const char *key, uint64_t ns);

/* The whole text on one line, for free(); NULL: the document has failed. */
char *json_print(struct json *json);

#endif
