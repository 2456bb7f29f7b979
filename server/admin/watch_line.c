/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line of an event stream. */
#include "admin/rows.h"
#include "admin/watcher.h"
#include "base/clock.h"

const char *const WATCH_TYPE_WORDS[] = {
#define HERD_WATCH_TYPE_WORD(id, word) [id] = word,
	WATCH_TYPES(HERD_WATCH_TYPE_WORD)
#undef HERD_WATCH_TYPE_WORD
};

struct json *
watch_begin_at(
    struct watch_line *line, struct buf *out, const char *event, struct wall at)
{
	struct json *json = &line->json;

	line->out = out;
	line->before = out->len;
	json_begin(json, out, JSON_COMPACT);
	json_object(json, NULL);
	json_word(json, "event", event);
	row_time(json, "at", at.ns);
	return json;
}

struct json *
watch_begin(struct watch_line *line, struct buf *out, const char *event)
{
	return watch_begin_at(line, out, event, clock_wall());
}

bool
watch_end(struct watch_line *line)
{
	json_object_end(&line->json);
	if (json_end(&line->json) == HERD_OK &&
	    buf_add_byte(line->out, '\n') == HERD_OK)
		return true;
	buf_truncate(line->out, line->before);
	return false;
}
