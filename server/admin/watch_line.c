/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line of an event stream. */
#include "admin/watcher.h"
#include "base/clock.h"

const char *const WATCH_TYPE_WORDS[] = {
#define HERD_WATCH_TYPE_WORD(id, word) [id] = word,
	WATCH_TYPES(HERD_WATCH_TYPE_WORD)
#undef HERD_WATCH_TYPE_WORD
};

void
watch_begin_at(struct json *json, const char *event, struct wall at)
{
	char text[TIME_FORMAT_MAX];

	json_init(json);
	json_string(json, json->root, "event", event);
	json_span(
	    json, json->root, "at", span_of(text, time_format(at.ns, text)));
}

void
watch_begin(struct json *json, const char *event)
{
	watch_begin_at(json, event, clock_wall());
}

bool
watch_end(struct json *json, struct buf *out)
{
	char *text = json_print(json);
	size_t before = out->len;
	bool done = text != NULL && buf_add_text(out, text) == HERD_OK &&
		    buf_add_byte(out, '\n') == HERD_OK;

	if (!done)
		buf_truncate(out, before);
	cJSON_free(text);
	json_release(json);
	return done;
}
