/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/reply.h"

#include <string.h>

#include "herd/request.h"

enum reply_kind
reply_expected(struct span request)
{
	struct request parsed;

	request_parse(request, &parsed);
	return parsed.kind == REQUEST_WHATSAT ? REPLY_WHATSAT : REPLY_LINE;
}

/* Can an answer begin so? */
static bool
begins_well(struct span in)
{
	static const char at[] = "AT ";
	static const char refusal[] = "? ";
	size_t n = in.len < 3 ? in.len : 3;

	if (memcmp(in.data, at, n) == 0)
		return true;
	n = in.len < 2 ? in.len : 2;
	return memcmp(in.data, refusal, n) == 0;
}

static enum herd_error
find_line(struct span in, struct reply_scan *scan, size_t *len)
{
	const char *end =
	    memchr(in.data + scan->looked, '\n', in.len - scan->looked);

	if (end == NULL) {
		scan->looked = in.len;
		return in.len > REPLY_MAX ? HERD_ELIMIT : HERD_EAGAIN;
	}
	*len = (size_t)(end - in.data) + 1;
	return HERD_OK;
}

/* The JSON ends at the first empty line; it holds none itself. */
static enum herd_error
find_empty_line(struct span in, struct reply_scan *scan, size_t *len)
{
	size_t from =
	    scan->looked > scan->at_len ? scan->looked - 1 : scan->at_len;
	const char *end = memmem(in.data + from, in.len - from, "\n\n", 2);

	if (end == NULL) {
		scan->looked = in.len;
		return in.len > REPLY_MAX ? HERD_ELIMIT : HERD_EAGAIN;
	}
	*len = (size_t)(end - in.data) + 2;
	return HERD_OK;
}

enum herd_error
reply_measure(
    struct span in, enum reply_kind kind, struct reply_scan *scan, size_t *len)
{
	enum herd_error error;

	if (in.len == 0)
		return HERD_EAGAIN;
	if (!begins_well(in))
		return HERD_EPROTOCOL;
	if (scan->at_len > 0)
		return find_empty_line(in, scan, len);
	error = find_line(in, scan, len);
	if (error != HERD_OK || kind == REPLY_LINE || in.data[0] == '?')
		return error;
	scan->at_len = *len;
	scan->looked = *len;
	return find_empty_line(in, scan, len);
}

enum herd_error
reply_parse(struct span bytes, enum reply_kind kind, struct reply *out)
{
	const char *end = span_find(bytes, '\n');
	struct span rest;

	if (end == NULL || !begins_well(bytes))
		return HERD_EPROTOCOL;
	*out = (struct reply){ 0 };
	out->line = span_of(bytes.data, (size_t)(end - bytes.data));
	rest = span_of(end + 1, bytes.len - out->line.len - 1);
	if (bytes.data[0] == '?') {
		out->refused = true;
		return rest.len == 0 ? HERD_OK : HERD_EPROTOCOL;
	}
	if (report_parse(out->line, &out->report) != HERD_OK)
		return HERD_EPROTOCOL;
	if (kind == REPLY_LINE)
		return rest.len == 0 ? HERD_OK : HERD_EPROTOCOL;
	while (rest.len > 0 && rest.data[rest.len - 1] == '\n')
		rest.len--;
	out->json = rest;
	return HERD_OK;
}
