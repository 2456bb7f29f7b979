/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * raw: sends a line and shows the answer, byte for byte. Nothing is checked,
 * changed or formatted.
 */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "herd/request.h"
#include "run/ask.h"
#include "run/conversation.h"

static bool
any_refused(struct span bytes)
{
	bool at_start = true;

	for (size_t i = 0; i + 1 < bytes.len; i++) {
		if (at_start && bytes.data[i] == '?' &&
		    bytes.data[i + 1] == ' ')
			return true;
		at_start = bytes.data[i] == '\n';
	}
	return false;
}

/* Is each of the lines a WHATSAT? */
static bool
asks_only(struct span lines)
{
	struct request request;
	struct span line;

	for (;;) {
		const char *end = span_find(lines, '\n');

		line = end == NULL
			   ? lines
			   : span_of(lines.data, (size_t)(end - lines.data));
		request_parse(line, &request);
		if (request.kind != REQUEST_WHATSAT)
			return false;
		if (end == NULL)
			return true;
		lines = span_of(end + 1, lines.len - line.len - 1);
	}
}

static enum status
raw_run(struct run *run)
{
	struct conversations answers = { 0 };
	const struct target *target;
	struct buf request = XBUF;
	enum status status = run_one_target(run, &target);

	for (size_t i = 0; i < run->args->count; i++) {
		if (i > 0)
			put_byte(&request, ' ');
		put_text(&request, run_word(run, i));
	}
	if (status == STATUS_OK && !asks_only(buf_span(&request)))
		status = run_may_change(run);
	if (status == STATUS_OK)
		status = conversation_all(run, buf_span(&request), &answers);
	if (status == STATUS_OK) {
		sink_write_foreign(
		    &run->sink, buf_span(&answers.items[0].bytes));
		sink_flush(&run->sink);
		status = conversations_report(run, &answers);
	}
	if (status == STATUS_OK &&
	    any_refused(buf_span(&answers.items[0].bytes)))
		status = STATUS_REFUSED;
	conversations_release(&answers);
	buf_release(&request);
	return status;
}

const struct command cmd_raw = {
	.path = "raw",
	.summary = "send a line as it is, show the answer as it is",
	.help =
	    "In the REPL and in scripts the rest of the line is sent byte for "
	    "byte; on a command line the words are joined by one space, and a "
	    "line feed in them separates requests. The exit status is 5 when "
	    "an answer is `? ...'. Where it is read-only, only WHATSAT may be "
	    "sent.",
	.group = GROUP_CLIENTS,
	.args = ARGS(ARG("LINE", .optional = true, .repeats = true)),
	.traits = COMMAND_VERBATIM | COMMAND_BY_LINE,
	.run = raw_run,
	.example = "raw WHATSAT kiwi.cs.ucla.edu 10 5",
};
