/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/answer.h"

#include <assert.h>

#include "herd/text.h"
#include "places/look.h"

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
places_status_name(enum places_status status)
{
	assert(status < PLACES_STATUS_COUNT);
	return STATUSES[status].name;
}

bool
places_status_is_good(enum places_status status)
{
	assert(status < PLACES_STATUS_COUNT);
	return STATUSES[status].good;
}

enum herd_error
places_status_find(struct span name, enum places_status *out)
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
places_answer_empty(
    struct buf *out, enum places_status status, struct span message)
{
	struct look look;
	struct buf clean;
	enum herd_error error;

	if (message.len > MESSAGE_MAX / 3) /* U+FFFD is three bytes */
		message.len = MESSAGE_MAX / 3;
	message = text_utf8_whole(message);
	buf_init(&clean, MESSAGE_MAX);
	error = text_to_utf8(&clean, message);
	if (error != HERD_OK)
		goto done;
	look_begin(&look, out, LOOK_GOOGLE);
	look_object(&look, NULL);
	if (clean.len > 0)
		look_text(&look, "error_message", buf_span(&clean));
	look_texts(&look, "html_attributions", NULL, 0);
	look_texts(&look, "results", NULL, 0);
	look_text(&look, "status", span_from(places_status_name(status)));
	look_object_end(&look);
	error = look_end(&look);
done:
	buf_release(&clean);
	return error;
}
