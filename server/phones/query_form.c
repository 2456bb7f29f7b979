/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/query_form.h"

#include "herd/text.h"

static int
hex_value(char c)
{
	char lower = (char)(c | 0x20);

	if (text_is_digit(c))
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* A % that begins no escape is a %. */
static enum herd_error
decode(struct span text, char out[INTAKE_VALUE_MAX], struct span *value)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (n == INTAKE_VALUE_MAX)
			return HERD_ELIMIT;
		if (c == '%' && i + 2 < text.len &&
		    hex_value(text.data[i + 1]) >= 0 &&
		    hex_value(text.data[i + 2]) >= 0) {
			c = (char)(hex_value(text.data[i + 1]) * 16 +
				   hex_value(text.data[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		out[n++] = c;
	}
	*value = span_of(out, n);
	return HERD_OK;
}

enum herd_error
query_form_get(struct span query, const char *name, char out[INTAKE_VALUE_MAX],
    struct span *value)
{
	size_t len = strlen(name);

	while (query.len > 0) {
		struct span text = span_cut(&query, '&');

		if (!span_begins(text, span_from(name)))
			continue;
		text = span_of(text.data + len, text.len - len);
		if (text.len == 0)
			return decode(text, out, value);
		if (text.data[0] == '=')
			return decode(
			    span_of(text.data + 1, text.len - 1), out, value);
	}
	return HERD_ENOTFOUND;
}

size_t
query_form_find(struct span query, const char *name, char out[INTAKE_VALUE_MAX])
{
	struct span value;

	return query_form_get(query, name, out, &value) == HERD_OK ? value.len
								   : 0;
}

/* The first parameter of one of these names; the list ends with NULL. */
static struct span
find(struct span query, struct span body, const char *const *names,
    char out[INTAKE_VALUE_MAX])
{
	size_t len = 0;

	for (; *names != NULL && len == 0; names++) {
		len = query_form_find(query, *names, out);
		if (len == 0)
			len = query_form_find(body, *names, out);
	}
	return text_trim(span_of(out, len));
}

void
query_form_read(struct span query, struct span body, struct intake *intake)
{
	static const char *const ids[] = { "id", "deviceid", "device_id",
		NULL };
	static const char *const lats[] = { "lat", "latitude", NULL };
	static const char *const lons[] = { "lon", "lng", "longitude", NULL };
	static const char *const pairs[] = { "location", NULL };
	static const char *const times[] = { "timestamp", "time", NULL };
	char id[INTAKE_VALUE_MAX], lat[INTAKE_VALUE_MAX];
	char lon[INTAKE_VALUE_MAX], time[INTAKE_VALUE_MAX];
	struct fix_source source = { .or_now = true };

	intake_claim(intake, find(query, body, ids, id));
	source.lat = find(query, body, lats, lat);
	source.lon = find(query, body, lons, lon);
	if (source.lat.len == 0 && source.lon.len == 0) {
		source.lon = find(query, body, pairs, lat);
		source.lat = span_cut(&source.lon, ',');
	}
	source.time = find(query, body, times, time);
	intake_add(intake, &source);
}
