/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last lines of the log, and new ones as they come: /v1/log. */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"

#define LINES_DEFAULT 100u
#define LINES_BYTES_MAX (8u << 20)
#define FOLLOW_EVERY_MS 100u

static void
add_lines(struct json *json, struct span text)
{
	json_array(json, "lines");
	while (text.len > 0)
		json_text(json, NULL, span_cut(&text, '\n'));
	json_array_end(json);
}

static void
answer_lines(struct http_call *call, unsigned count)
{
	struct json *json = http_call_answer(call);
	struct buf text;

	buf_init(&text, LINES_BYTES_MAX);
	if (log_lines(call->node->log, count, &text) == HERD_OK)
		add_lines(json, buf_span(&text));
	else
		json_fail(json, HERD_ENOMEM);
	buf_release(&text);
	http_call_json(call);
}

/* --- following -------------------------------------------------------- */

static void
send_missed(struct http_call *call, uint64_t missed)
{
	bool json = call->node->file.settings.log.format == LOG_JSON;
	struct buf line;

	buf_init(&line, 128);
	if (buf_addf(&line,
		json ? "{\"event\":\"missed\",\"count\":%llu}\n"
		     : "event=missed count=%llu\n",
		(unsigned long long)missed) == HERD_OK)
		http_call_send(call, buf_span(&line));
	buf_release(&line);
}

/* Sends new lines as far as the reader has room. */
static bool
on_step(struct http_call *call)
{
	uint64_t *follower = call->job;
	size_t room = http_call_room(call);
	uint64_t missed = 0;
	struct buf text;

	/* A line is never cut, so there must be room for the longest. */
	if (room < HTTP_CALL_UNSENT_MAX / 2)
		return true;
	buf_init(&text, room);
	if (log_lines_since(call->node->log, &text, follower, &missed) ==
	    HERD_OK) {
		if (missed > 0)
			send_missed(call, missed);
		http_call_send(call, buf_span(&text));
	}
	buf_release(&text);
	return true;
}

static void
follow(struct http_call *call, unsigned count)
{
	uint64_t *follower = malloc(sizeof(*follower));
	uint64_t next = log_next(call->node->log);

	if (follower == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	*follower = next > count ? next - count : 0;
	http_call_stream(call, "text/plain; charset=utf-8");
	http_call_walk(call, follower, free, on_step, FOLLOW_EVERY_MS);
}

void
serve_log(struct http_call *call)
{
	uint64_t count = LINES_DEFAULT;
	bool following = false;

	if (query_count(&call->query, "n", 0, LOG_KEPT, &count) != HERD_OK)
		http_call_fail(call, ADMIN_BAD_REQUEST,
		    "n is a whole number from 0 to 1024",
		    "a parameter has a wrong value");
	else if (query_flag(&call->query, "follow", &following) != HERD_OK)
		http_call_fail(call, ADMIN_BAD_REQUEST, "follow=1 or follow=0",
		    "a parameter has a wrong value");
	else if (following)
		follow(call, (unsigned)count);
	else
		answer_lines(call, (unsigned)count);
}
