/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "herd/text.h"
#include "herd/time.h"

#define NAME_SHOWN_MAX 64u /* of a wrong one */
#define NUMBER_MAX 63u     /* characters of a number with its unit */

static const enum value_base bases[] = {
	[VALUE_TEXT] = BASE_TEXT,
	[VALUE_STATE] = BASE_TEXT,
	[VALUE_INTEGER] = BASE_INTEGER,
	[VALUE_REAL] = BASE_REAL,
	[VALUE_PERCENT] = BASE_REAL,
	[VALUE_BOOL] = BASE_INTEGER,
	[VALUE_TIME] = BASE_DECIMAL,
	[VALUE_CLOCK] = BASE_DECIMAL,
	[VALUE_SECONDS] = BASE_REAL,
	[VALUE_MS] = BASE_REAL,
	[VALUE_DISTANCE] = BASE_REAL,
	[VALUE_BEARING] = BASE_REAL,
	[VALUE_PLACE] = BASE_TEXT,
	[VALUE_BYTES] = BASE_REAL,
	[VALUE_JSON] = BASE_TEXT,
};

enum value_base
value_base(enum value_type type)
{
	return bases[type];
}

/* --- columns ---------------------------------------------------------- */

static struct span
without_unit(struct span key)
{
	static const char *const units[] = { "_ms", "_s", "_m", "_deg",
		"_bytes", "_percent" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(units); i++) {
		size_t len = strlen(units[i]);

		if (key.len > len &&
		    memcmp(key.data + key.len - len, units[i], len) == 0)
			return span_of(key.data, key.len - len);
	}
	return key;
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Titles are upper case; people may type them in any. */
static bool
is_title(struct span name, const char *title)
{
	if (strlen(title) != name.len)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (upper(name.data[i]) != upper(title[i]))
			return false;
	}
	return true;
}

size_t
view_find(const struct view *view, struct span name)
{
	for (size_t i = 0; i < view->count; i++) {
		if (span_is(name, view->columns[i].key))
			return i;
	}
	for (size_t i = 0; i < view->count; i++) {
		const struct column *c = &view->columns[i];

		if (span_equal(name, without_unit(span_from(c->key))))
			return i;
		if (is_title(name, c->title))
			return i;
	}
	return view->count;
}

/* The key nearest to `name`, or NULL. */
static const char *
nearest_key(const struct view *view, struct span name)
{
	const char **keys = calloc(view->count + 1, sizeof(*keys));
	const char *near = NULL;

	for (size_t i = 0; keys != NULL && i < view->count; i++)
		keys[i] = view->columns[i].key;
	if (keys != NULL)
		near = text_did_you_mean(name, keys);
	free(keys);
	return near;
}

enum herd_error
view_unknown(const struct view *view, struct span name, struct buf *message)
{
	const char *near = nearest_key(view, name);
	enum herd_error error = buf_add_text(message, "no column `");

	if (name.len > NAME_SHOWN_MAX)
		name.len = NAME_SHOWN_MAX;
	if (error == HERD_OK)
		error = text_to_terminal(message, name);
	if (error == HERD_OK && near != NULL)
		error = buf_addf(message, "', did you mean `%s'?", near);
	else if (error == HERD_OK)
		error = buf_add_text(message, "'; there are");
	for (size_t i = 0; i < view->count && near == NULL && error == HERD_OK;
	     i++)
		error = buf_addf(
		    message, "%s %s", i > 0 ? "," : "", view->columns[i].key);
	return error == HERD_ENOMEM ? HERD_ENOMEM : HERD_ESYNTAX;
}

/* --- values ----------------------------------------------------------- */

bool
value_time(const struct value *value, uint64_t *ns)
{
	if (!value->known || value_base(value->type) != BASE_DECIMAL)
		return false;
	*ns = value->ns;
	return value->exact || time_parse(value->text, ns) == HERD_OK;
}

bool
value_is_number(const struct value *value, double *number)
{
	uint64_t ns;

	if (!value->known)
		return false;
	switch (value_base(value->type)) {
	case BASE_TEXT: return false;
	case BASE_INTEGER: *number = (double)value->integer; return true;
	case BASE_REAL: *number = value->real; return true;
	case BASE_DECIMAL:
		if (!value_time(value, &ns))
			return false;
		*number = (double)ns / 1e9;
		return true;
	}
	return false;
}

static int
compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int
compare_decimals(const struct value *a, const struct value *b)
{
	uint64_t a_ns;
	uint64_t b_ns;

	if (value_time(a, &a_ns) && value_time(b, &b_ns) && a_ns != b_ns)
		return a_ns < b_ns ? -1 : 1;
	return span_compare(a->text, b->text);
}

int
value_compare(const struct value *a, const struct value *b, bool descending)
{
	int order = 0;

	if (a->known != b->known)
		return a->known ? -1 : 1;
	if (!a->known)
		return 0;
	switch (value_base(a->type)) {
	case BASE_TEXT: order = span_compare(a->text, b->text); break;
	case BASE_INTEGER:
		order = (a->integer > b->integer) - (a->integer < b->integer);
		break;
	case BASE_REAL: order = compare_numbers(a->real, b->real); break;
	case BASE_DECIMAL: order = compare_decimals(a, b); break;
	}
	return descending ? -order : order;
}

/* --- as people type them ---------------------------------------------- */

static const struct {
	enum value_type type;
	const char *unit;
	double factor;
} units[] = {
	{ VALUE_SECONDS, "ns", 1e-9 },
	{ VALUE_SECONDS, "us", 1e-6 },
	{ VALUE_SECONDS, "ms", 1e-3 },
	{ VALUE_SECONDS, "s", 1 },
	{ VALUE_SECONDS, "m", 60 },
	{ VALUE_SECONDS, "h", 3600 },
	{ VALUE_SECONDS, "d", 86400 },
	{ VALUE_MS, "ns", 1e-6 },
	{ VALUE_MS, "us", 1e-3 },
	{ VALUE_MS, "ms", 1 },
	{ VALUE_MS, "s", 1e3 },
	{ VALUE_MS, "m", 60e3 },
	{ VALUE_MS, "h", 3600e3 },
	{ VALUE_DISTANCE, "m", 1 },
	{ VALUE_DISTANCE, "km", 1e3 },
	{ VALUE_DISTANCE, "mi", 1609.344 },
	{ VALUE_BYTES, "K", 1024 },
	{ VALUE_BYTES, "M", 1048576 },
	{ VALUE_BYTES, "G", 1073741824 },
	{ VALUE_PERCENT, "%", 1 },
};

enum herd_error
value_parse(enum value_type type, struct span text, double *out)
{
	char copy[NUMBER_MAX + 1];
	char *end;
	double number;
	struct span unit;

	if (text.len == 0 || text.len > NUMBER_MAX)
		return HERD_ESYNTAX;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	number = strtod(copy, &end);
	if (end == copy || !isfinite(number))
		return HERD_ESYNTAX;
	*out = number;
	unit = span_from(end);
	if (unit.len == 0)
		return HERD_OK;
	for (size_t i = 0; i < HERD_ARRAY_LEN(units); i++) {
		if (units[i].type == type && span_is(unit, units[i].unit)) {
			*out = number * units[i].factor;
			return HERD_OK;
		}
	}
	return HERD_ESYNTAX;
}
