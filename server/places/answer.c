/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/answer.h"

#include <assert.h>

#include "herd/json.h"
#include "herd/text.h"

#define MESSAGE_MAX 4096u

static const struct {
	const char *name;
	bool good;
} STATUSES[] = {
#define PLACES_STATUS_ROW(name, good) { #name, good },
	PLACES_STATUSES(PLACES_STATUS_ROW)
#undef PLACES_STATUS_ROW
};

const char *
answer_status_name(enum places_status status)
{
	assert(status < PLACES_STATUS_COUNT);
	return STATUSES[status].name;
}

bool
answer_is_good(enum places_status status)
{
	assert(status < PLACES_STATUS_COUNT);
	return STATUSES[status].good;
}

enum herd_error
answer_status_find(struct span name, enum places_status *out)
{
	for (unsigned i = 0; i < PLACES_STATUS_COUNT; i++) {
		if (span_is(name, STATUSES[i].name)) {
			*out = (enum places_status)i;
			return HERD_OK;
		}
	}
	return HERD_ENOTFOUND;
}

enum herd_error
answer_write_empty(
    struct buf *out, enum places_status status, struct span message)
{
	struct json json;
	struct buf clean;
	enum herd_error error;

	if (message.len > MESSAGE_MAX / 3) /* U+FFFD is three bytes */
		message.len = MESSAGE_MAX / 3;
	message = text_utf8_whole(message);
	buf_init(&clean, MESSAGE_MAX);
	error = text_to_utf8(&clean, message);
	if (error != HERD_OK)
		goto done;
	json_begin(&json, out, JSON_GOOGLE);
	json_object(&json, NULL);
	if (clean.len > 0)
		json_text(&json, "error_message", buf_span(&clean));
	json_texts(&json, "html_attributions", NULL, 0);
	json_texts(&json, "results", NULL, 0);
	json_text(&json, "status", span_from(answer_status_name(status)));
	json_object_end(&json);
	error = json_end(&json);
done:
	buf_release(&clean);
	return error;
}
