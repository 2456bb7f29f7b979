/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsonl: an object a line, as `client export' writes them. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>

#include "base/xbuf.h"
#include "data/import_formats.h"
#include "herd/text.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: above, doubles skip some */
#define NUMBER_MAX 32u

/* A \u0000 that is not an escaped backslash with letters after it. */
static bool
has_nul(struct span raw)
{
	static const char nul[] = "\\u0000";
	const char *from = raw.data, *end = raw.data + raw.len, *at;

	while ((at = memmem(from, (size_t)(end - from), nul,
		    sizeof(nul) - 1u)) != NULL) {
		const char *first = at;

		while (first > raw.data && first[-1] == '\\')
			first--;
		if ((at - first) % 2 == 0)
			return true;
		from = at + 1;
	}
	return false;
}

cJSON *
import_json_object(struct span raw)
{
	const char *end = NULL;
	cJSON *object;

	raw = text_trim(raw);
	if (raw.len == 0 || raw.data[0] != '{' || has_nul(raw))
		return NULL;
	object = cJSON_ParseWithLengthOpts(raw.data, raw.len, &end, 0);
	if (object != NULL && end == raw.data + raw.len)
		return object;
	cJSON_Delete(object);
	return NULL;
}

bool
import_json_text(
    const cJSON *item, struct import_record *record, enum import_field field)
{
	char text[NUMBER_MAX];
	double number;
	int len;

	if (cJSON_IsString(item)) {
		import_record_put(record, field, span_from(item->valuestring));
		return true;
	}
	if (!cJSON_IsNumber(item) || fabs(item->valuedouble) >= EXACT_MAX)
		return false;
	number = item->valuedouble;
	/* A double has no more than microseconds of today. */
	len = snprintf(text, sizeof(text),
	    number == trunc(number) ? "%.0f" : "%.6f", number);
	import_record_put(record, field, span_of(text, (size_t)len));
	return true;
}

static void
put_degrees(
    const cJSON *item, struct import_record *record, enum import_field field)
{
	if (cJSON_IsNumber(item))
		import_record_put_degrees(record, field, item->valuedouble);
	else
		(void)import_json_text(item, record, field);
}

/* One pass over the members: looking each up takes as many. */
void
import_json_fields(const cJSON *object, struct import_record *record)
{
	static const struct {
		const char *key;
		enum import_field field;
	} fields[] = {
		{ "client", FIELD_CLIENT },
		{ "client_b64", FIELD_CLIENT_B64 },
		{ "location", FIELD_LOCATION },
		{ "time", FIELD_TIME },
		{ "skew", FIELD_SKEW },
		{ "origin", FIELD_ORIGIN },
	};
	const cJSON *node = NULL;
	const cJSON *item;

	cJSON_ArrayForEach(item, object) {
		if (strcmp(item->string, "lat") == 0)
			put_degrees(item, record, FIELD_LAT);
		else if (strcmp(item->string, "lon") == 0)
			put_degrees(item, record, FIELD_LON);
		else if (strcmp(item->string, "node") == 0)
			node = item;
		else if (strcmp(item->string, "removed") == 0)
			record->removed = cJSON_IsTrue(item);
		for (size_t i = 0; i < HERD_ARRAY_LEN(fields); i++) {
			/* Of two members of one name the first one counts. */
			if (strcmp(item->string, fields[i].key) == 0 &&
			    record->fields[fields[i].field].len == 0)
				(void)import_json_text(
				    item, record, fields[i].field);
		}
	}
	if (record->fields[FIELD_ORIGIN].len == 0)
		(void)import_json_text(node, record, FIELD_ORIGIN);
}

static bool
parse(struct import_reader *reader HERD_UNUSED, struct span raw,
    struct import_record *record)
{
	struct span line =
	    text_trim(record->line == 1 ? text_without_bom(raw) : raw);
	cJSON *object;

	if (line.len == 0)
		return false;
	object = import_json_object(line);
	if (object == NULL)
		record->fault = "not a JSON object on one line";
	else
		import_json_fields(object, record);
	cJSON_Delete(object);
	return true;
}

const struct import_format import_jsonl = {
	.name = "jsonl",
	.scan = import_scan_line,
	.parse = parse,
};
