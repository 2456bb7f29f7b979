/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/report.h"

#include "herd/location.h"
#include "herd/time.h"
#include "scan.h"

static int
u64_compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static char *
text_take(struct span *text, char *at)
{
	if (text->len > 0)
		memcpy(at, text->data, text->len);
	text->data = at;
	return at + text->len;
}

size_t
report_texts_len(const struct report *report)
{
	return report->client.len + report->location.len + report->time.len +
	       report->skew.len + report->origin.len;
}

void
report_take_texts(struct report *report, char *text)
{
	text = text_take(&report->client, text);
	text = text_take(&report->location, text);
	text = text_take(&report->time, text);
	text = text_take(&report->skew, text);
	(void)text_take(&report->origin, text);
}

int
report_compare(const struct report *a, const struct report *b)
{
	int order;

	order = u64_compare(a->time_ns, b->time_ns);
	if (order == 0)
		order = (a->kind > b->kind) - (a->kind < b->kind);
	if (order == 0)
		order = span_compare(a->origin, b->origin);
	if (order == 0)
		order = span_compare(a->location, b->location);
	if (order == 0)
		order = span_compare(a->skew, b->skew);
	if (order == 0)
		order = span_compare(a->time, b->time);
	return order;
}

int
report_compare_all(const struct report *a, const struct report *b)
{
	int order = report_compare(a, b);

	return order != 0 ? order : span_compare(a->client, b->client);
}

/*
 * The text from *at up to the next space; *at moves after that space. Empty
 * if no space ends the text, or if other white space or NUL does.
 */
static inline struct span
field_take(const char **at, const char *end)
{
	const char *begin = *at, *space = scan_field(begin, end);

	if (space == end || *space != ' ')
		return span_of(begin, 0);
	*at = space + 1;
	return span_of(begin, (size_t)(space - begin));
}

/* field_take gave both: neither holds white space or NUL. */
static enum herd_error
names_check(struct span client, struct span origin)
{
	if (client.len > REPORT_CLIENT_MAX || origin.len > REPORT_ORIGIN_MAX)
		return HERD_ELIMIT;
	return client.len > 0 && node_name_is_valid(origin) ? HERD_OK
							    : HERD_ESYNTAX;
}

/* Empty fields are left to the parsers of fields, which refuse them. */
static enum herd_error
position_parse(const char *p, const char *end, struct report *out)
{
	struct span origin = field_take(&p, end);
	struct span skew = field_take(&p, end);
	struct span client = field_take(&p, end);
	struct span location = field_take(&p, end);
	struct span time = span_of(p, (size_t)(end - p));
	struct location ignored;
	struct skew difference;
	uint64_t time_ns;
	enum herd_error error;

	error = names_check(client, origin);
	if (error == HERD_OK)
		error = skew_parse(skew, &difference);
	if (error == HERD_OK)
		error = location_parse(location, &ignored);
	if (error == HERD_OK)
		error = time_parse(time, &time_ns);
	if (error != HERD_OK)
		return error;
	*out = (struct report){ client, location, time, skew, origin, time_ns,
		REPORT_POSITION };
	return HERD_OK;
}

static enum herd_error
removal_parse(const char *p, const char *end, struct report *out)
{
	struct span origin = field_take(&p, end);
	struct span client = field_take(&p, end);
	struct span time = span_of(p, (size_t)(end - p));
	struct span none = span_of("", 0);
	uint64_t time_ns;
	enum herd_error error;

	error = names_check(client, origin);
	if (error == HERD_OK)
		error = time_parse(time, &time_ns);
	if (error != HERD_OK)
		return error;
	*out = (struct report){ client, none, time, none, origin, time_ns,
		REPORT_REMOVAL };
	return HERD_OK;
}

enum herd_error
report_parse(struct span line, struct report *out)
{
	const char *p = line.data, *end = p + line.len;
	struct span word = field_take(&p, end);

	if (span_is(word, "AT"))
		return position_parse(p, end, out);
	if (span_is(word, "GONE"))
		return removal_parse(p, end, out);
	return HERD_ESYNTAX;
}

size_t
report_line_len(const struct report *report)
{
	if (report->kind == REPORT_REMOVAL)
		return sizeof("GONE   ") - 1u + report->origin.len +
		       report->client.len + report->time.len;
	return sizeof("AT     ") - 1u + report->origin.len + report->skew.len +
	       report->client.len + report->location.len + report->time.len;
}

static char *
put(char *at, struct span text)
{
	memcpy(at, text.data, text.len);
	return at + text.len;
}

static char *
put_field(char *at, struct span text)
{
	*at++ = ' ';
	return put(at, text);
}

enum herd_error
report_format(struct buf *out, const struct report *report)
{
	size_t len = report_line_len(report);
	enum herd_error error;
	char *at;

	error = buf_reserve(out, len);
	if (error != HERD_OK)
		return error;
	at = buf_tail(out);
	if (report->kind == REPORT_REMOVAL) {
		at = put(at, span_of("GONE", 4));
		at = put_field(at, report->origin);
		at = put_field(at, report->client);
	} else {
		at = put(at, span_of("AT", 2));
		at = put_field(at, report->origin);
		at = put_field(at, report->skew);
		at = put_field(at, report->client);
		at = put_field(at, report->location);
	}
	(void)put_field(at, report->time);
	buf_grow(out, len);
	return HERD_OK;
}

uint64_t
report_received_ns(const struct report *report)
{
	struct skew skew;

	if (report->kind == REPORT_REMOVAL ||
	    skew_parse(report->skew, &skew) != HERD_OK)
		return report->time_ns;
	return skew_apply(report->time_ns, skew);
}

bool
node_name_is_valid(struct span name)
{
	size_t i;
	char c;

	if (name.len == 0 || name.len > REPORT_ORIGIN_MAX)
		return false;
	for (i = 0; i < name.len; i++) {
		c = name.data[i];
		if (!text_is_digit(c) && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool
client_id_is_valid(struct span id)
{
	const char *end = id.data + id.len;

	return id.len > 0 && id.len <= REPORT_CLIENT_MAX &&
	       scan_field(id.data, end) == end;
}
