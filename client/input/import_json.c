/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/import_json.h"

bool
import_json_field(
    const struct json_item *value, struct import_record *record, unsigned field)
{
	struct buf *text = &record->fields[field];

	/* Of two members of one field the first one counts. */
	if (text->len > 0)
		return true;
	if (value->kind == JSON_NUMBER)
		import_record_put(record, field, value->text);
	else if (value->kind != JSON_STRING)
		return false;
	else if (json_members_text(value, text) != HERD_OK)
		buf_clear(text);
	return text->len > 0;
}

static enum import_field
field_of(struct span key)
{
	static const struct {
		const char *key;
		enum import_field field;
	} fields[] = {
		{ "client", FIELD_CLIENT },
		{ "client_b64", FIELD_CLIENT_B64 },
		{ "location", FIELD_LOCATION },
		{ "lat", FIELD_LAT },
		{ "lon", FIELD_LON },
		{ "time", FIELD_TIME },
		{ "origin", FIELD_ORIGIN },
		{ "node", FIELD_ORIGIN },
		{ "skew", FIELD_SKEW },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(fields); i++) {
		if (span_is(key, fields[i].key))
			return fields[i].field;
	}
	return FIELD_COUNT;
}

bool
import_json_fields(const struct json_item *object, struct import_record *record)
{
	struct json_members members = json_members(object);
	struct json_item value;
	struct span key;

	while (json_members_next(&members, &key, &value)) {
		enum import_field field = field_of(key);

		if (field != FIELD_COUNT)
			(void)import_json_field(&value, record, field);
		else if (span_is(key, "removed"))
			record->removed = span_is(value.text, "true");
	}
	return !members.bad;
}
