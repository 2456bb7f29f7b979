/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log tail. People get the lines as they are; other formats get rows.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "run/fields.h"
#include "run/stream.h"

#define LINES_INITIAL 20u
#define LINES_MOST 10000u

/* clang-format off */
#define LOG_COLUMNS(X) \
	X(LOG_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_NAME) \
	X(LOG_LINE, "line", "LINE", VALUE_TEXT)
/* clang-format on */

COLUMN_TABLE(columns, LOG_COLUMNS);

static const struct view log_view =
    VIEW(columns, .schema = "herd.log/1", .list = "lines");

static bool
wants_lines(const struct run *run)
{
	return (run_format(run)->traits & (FORMAT_PEOPLE | FORMAT_RAW)) != 0;
}

static void
put_log_line(struct run *run, const struct target *target, struct span line)
{
	struct buf text = XBUF;

	if (!wants_lines(run)) {
		out_word(&run->out, LOG_NODE, target->name);
		out_text(&run->out, LOG_LINE, line);
		out_row(&run->out);
		return;
	}
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
	enum status status = ask_all(run, path, &answers);

	free(path);
	for (size_t i = 0; i < answers.count && status == STATUS_OK; i++) {
		const struct answer *a = &answers.items[i];
		const cJSON *line;

		cJSON_ArrayForEach(line, fields_at(a->json, "lines")) {
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

static enum status
log_tail_run(struct run *run)
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

const struct command cmd_log_tail = {
	.path = "log tail",
	.summary = "print the end of a node's log",
	.help = "After `log tail' -n is the number of lines and -f follows; "
		"give the node before it, or with --node.",
	.group = GROUP_CONFIG,
	/* clang-format off */
	.flags = FLAGS(
	    FLAG("lines", .letter = 'n', .value = "N", .help = "how many lines (20)"),
	    FLAG("follow", .letter = 'f', .help = "and new lines as they are logged")),
	/* clang-format on */
	.view = &log_view,
	.traits = COMMAND_STREAM | COMMAND_HARMLESS,
	.run = log_tail_run,
	.example = "-n Riley log tail -n 50",
};
