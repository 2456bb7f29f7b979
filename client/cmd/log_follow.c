/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log level, log tail. People get the lines as they are; other formats get
 * rows.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "cmd/config_family.h"
#include "run/fields.h"
#include "run/stream.h"
#include "base/xbuf.h"

#define LINES_INITIAL 20u
#define LINES_MOST 10000u

/* --- level ------------------------------------------------------------------
 */

static const struct column level_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME,
	    0, NULL, 0 },
	{ "level", "LEVEL", LEAF_TEXT, 0, 0, "level", 0 },
	{ "for_s", "FOR", LEAF_SECONDS, COLUMN_IF_ANY, 0, "for_s", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

const struct view log_level_view = { "herd.log-level/1", "nodes", VIEW_LIST,
	level_columns, HERD_ARRAY_LEN(level_columns) };

static enum status
ask_level(struct run *run, const char *level, struct answers *answers)
{
	uint64_t for_ns;
	struct buf body;
	enum status status = run_duration_flag(run, "for", 0, &for_ns);

	if (status != STATUS_OK)
		return status;
	buf_init(&body, XBUF_MAX);
	put_text(&body, "{\"level\":");
	json_put_string(&body, span_from(level));
	if (run_flag(run, "for") != NULL) {
		put_text(&body, ",\"for_s\":");
		json_put_number(&body, (double)for_ns / 1e9);
	}
	put_byte(&body, '}');
	status = ask_all(run, "PUT", "/v1/log/level", text_of(&body), answers);
	buf_release(&body);
	return status;
}

enum status
log_run_level(struct run *run)
{
	struct answers answers = { 0 };
	const char *level = run_word(run, 0);
	enum status status = run_targets(run);

	if (level == NULL && run_flag(run, "for") != NULL)
		return run_fail(run, STATUS_USAGE, "--for wants a LEVEL");
	if (level != NULL && status == STATUS_OK)
		status = run_may_change(run);
	if (status == STATUS_OK)
		status = run_begin(run, &log_level_view);
	if (status == STATUS_OK)
		status = level == NULL ? ask_all(run, "GET", "/v1/log/level",
					     NULL, &answers)
				       : ask_level(run, level, &answers);
	if (status == STATUS_OK) {
		json_rows(run, &answers, NULL, NULL);
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}

/* --- tail -------------------------------------------------------------------
 */

enum { LOG_NODE, LOG_LINE, LOG_COLUMNS };

static const struct column log_columns[LOG_COLUMNS] = {
	[LOG_NODE] = { "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_NAME, 0,
	    NULL, 0 },
	[LOG_LINE] = { "line", "LINE", LEAF_TEXT, 0, 0, NULL, 0 },
};

const struct view log_view = { "herd.log/1", "lines", VIEW_LIST, log_columns,
	LOG_COLUMNS };

static bool
wants_lines(const struct run *run)
{
	return (run_format(run)->traits & (FORMAT_PEOPLE | FORMAT_RAW)) != 0;
}

static void
put_log_line(struct run *run, const struct target *target, struct span line)
{
	struct buf text;

	if (!wants_lines(run)) {
		out_word(&run->out, LOG_NODE, target->name);
		out_text(&run->out, LOG_LINE, line);
		out_row(&run->out);
		return;
	}
	buf_init(&text, XBUF_MAX);
	if (run->all_nodes)
		putf(&text, "%s: ", target->name);
	put_span(&text, line);
	put_byte(&text, '\n');
	sink_write_foreign(&run->sink, buf_span(&text));
	buf_release(&text);
}

static void
on_line(void *arg, const struct target *target, struct span line)
{
	struct run *run = arg;

	put_log_line(run, target, line);
	sink_flush(&run->sink);
}

static bool
is_gone(const void *arg)
{
	return ((const struct run *)arg)->sink.gone;
}

static enum status
follow(struct run *run, uint64_t count)
{
	struct streams *streams = NULL;
	char *path =
	    xasprintf("/v1/log?follow=1&n=%llu", (unsigned long long)count);
	enum status status = streams_open(run, path, on_line, run, &streams);

	if (status == STATUS_OK)
		status = streams_wait(streams, is_gone, run, NO_DEADLINE);
	if (!wants_lines(run))
		out_end(&run->out);
	if (status == STATUS_OK)
		status = streams_report(streams);
	streams_free(streams);
	free(path);
	return status;
}

static enum status
print_end(struct run *run, uint64_t count)
{
	struct answers answers;
	char *path = xasprintf("/v1/log?n=%llu", (unsigned long long)count);
	enum status status = ask_all(run, "GET", path, NULL, &answers);

	free(path);
	for (size_t i = 0; i < answers.count && status == STATUS_OK; i++) {
		const struct answer *a = &answers.items[i];
		const cJSON *line;

		cJSON_ArrayForEach(line, json_at(a->json, "lines"))
		{
			if (cJSON_IsString(line))
				put_log_line(run, a->target,
				    span_from(line->valuestring));
		}
	}
	if (status == STATUS_OK) {
		if (!wants_lines(run))
			out_end(&run->out);
		status = answers_report(run, &answers);
	}
	answers_release(&answers);
	return status;
}

enum status
log_run_tail(struct run *run)
{
	uint64_t count;
	enum status status =
	    run_number_flag(run, "lines", LINES_INITIAL, 0, LINES_MOST, &count);
	bool follows = run_flag(run, "follow") != NULL;

	if (status == STATUS_OK)
		status = run_targets(run);
	if (status == STATUS_OK)
		status = follows && !wants_lines(run)
			     ? run_begin_stream(run, &log_view)
			     : run_begin(run, &log_view);
	if (status != STATUS_OK)
		return status;
	if (follows)
		run->sink.pager = NULL;
	return follows ? follow(run, count) : print_end(run, count);
}
