/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/json.h"

#include <math.h>
#include <stdlib.h>

#include "herd/text.h"
#include "herd/time.h"

#define TEXT_MAX (4u << 20)

void
json_init(struct json *json)
{
	json->root = cJSON_CreateObject();
	json->failed = json->root == NULL;
}

void
json_release(struct json *json)
{
	cJSON_Delete(json->root);
	json->root = NULL;
}

/* Takes `item`, which may be NULL. */
static cJSON *
add(struct json *json, cJSON *parent, const char *key, cJSON *item)
{
	bool done = parent != NULL && item != NULL;

	if (done && key == NULL)
		done = cJSON_AddItemToArray(parent, item);
	else if (done)
		done = cJSON_AddItemToObject(parent, key, item);
	if (done)
		return item;
	json->failed = true;
	cJSON_Delete(item);
	return NULL;
}

cJSON *
json_object(struct json *json, cJSON *parent, const char *key)
{
	return add(json, parent, key, cJSON_CreateObject());
}

cJSON *
json_array(struct json *json, cJSON *parent, const char *key)
{
	return add(json, parent, key, cJSON_CreateArray());
}

void
json_span(struct json *json, cJSON *parent, const char *key, struct span text)
{
	cJSON *item = NULL;
	const char *clean;
	struct buf buf;

	buf_init(&buf, TEXT_MAX);
	if (text_to_utf8(&buf, text) == HERD_OK) {
		clean = buf_cstr(&buf);
		if (clean != NULL)
			item = cJSON_CreateString(clean);
	}
	buf_release(&buf);
	add(json, parent, key, item);
}

void
json_string(struct json *json, cJSON *parent, const char *key, const char *text)
{
	json_span(json, parent, key, span_from(text));
}

void
json_count(struct json *json, cJSON *parent, const char *key, uint64_t value)
{
	json_double(json, parent, key, (double)value);
}

void
json_double(struct json *json, cJSON *parent, const char *key, double value)
{
	add(json, parent, key, cJSON_CreateNumber(value));
}

void
json_bool(struct json *json, cJSON *parent, const char *key, bool value)
{
	add(json, parent, key, cJSON_CreateBool(value));
}

void
json_null(struct json *json, cJSON *parent, const char *key)
{
	add(json, parent, key, cJSON_CreateNull());
}

void
json_seconds(struct json *json, cJSON *parent, const char *key, uint64_t ns)
{
	json_double(json, parent, key, round((double)ns / 1e3) / 1e6);
}

void
json_ms(struct json *json, cJSON *parent, const char *key, uint64_t ns)
{
	json_double(json, parent, key, round((double)ns / 1e3) / 1e3);
}

char *
json_print(struct json *json)
{
	return json->failed ? NULL : cJSON_PrintUnformatted(json->root);
}
