/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * places test: one question, with the time of each step.
 */
#include "cmd/list.h"

#include <string.h>

#include "base/xbuf.h"
#include "cmd/places_filter.h"
#include "cmd/typed.h"
#include "herd/text.h"
#include "run/fields.h"

/* clang-format off */
static const struct column test_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("provider", "PROVIDER", VALUE_TEXT),
	COLUMN("status", "STATUS", VALUE_TEXT),
	COLUMN("results", "RESULTS", VALUE_INTEGER),
	COLUMN("total_ms", "TOTAL", VALUE_MS),
	COLUMN("http_status", "HTTP", VALUE_INTEGER, .traits = COLUMN_IF_ANY),
	COLUMN("dns_ms", "DNS", VALUE_MS, .traits = COLUMN_IF_ANY, .drop = 1),
	COLUMN("connect_ms", "CONNECT", VALUE_MS, .traits = COLUMN_IF_ANY, .drop = 1),
	COLUMN("tls_ms", "TLS", VALUE_MS, .traits = COLUMN_IF_ANY, .drop = 1),
	COLUMN("first_byte_ms", "FIRST BYTE", VALUE_MS, .traits = COLUMN_IF_ANY, .drop = 1),
	COLUMN("error_message", "MESSAGE", VALUE_TEXT, .traits = COLUMN_IF_ANY | COLUMN_SHRINK),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view test_view =
    VIEW(test_columns, .schema = "herd.places-test/1", .list = "tests");

static bool
is_good(const char *status)
{
	return status != NULL && (strcmp(status, "OK") == 0 ||
				     strcmp(status, "ZERO_RESULTS") == 0);
}

static enum status
use_test(struct run *run, struct answers *answers)
{
	bool good = true;
	enum status status;

	answers_each(a, answers) {
		if (a->status == STATUS_OK)
			good = good && is_good(fields_text(a->json, "status"));
	}
	/* Each provider that was asked; the last of them answered. */
	fields_rows(run, answers, "steps", NULL);
	status = fields_finish(run, answers);
	if (status == STATUS_OK && !good)
		return run_fail(
		    run, STATUS_REFUSED, "Places did not answer with OK");
	return status;
}

static enum status
places_test_run(struct run *run)
{
	struct answers answers = { 0 };
	struct buf text = XBUF;
	struct buf path = XBUF;
	struct location at;
	enum status status;

	status = typed_location(run, run_word(run, 0), &text, &at);
	put_query(&path, "/v1/places/test?near=", text_of(&text));
	places_filter_put(run, &path);
	if (status == STATUS_OK)
		status = fields_ask(run,
		    &(struct fields_request){
			.method = "POST", .path = text_of(&path) },
		    &answers);
	if (status == STATUS_OK)
		status = use_test(run, &answers);
	answers_release(&answers);
	buf_release(&text);
	buf_release(&path);
	return status;
}

const struct command cmd_places_test = {
	.path = "places test",
	.summary = "ask a node's Places once, with the time of each step",
	.help =
	    "There is a row for each provider that was asked, up to the one "
	    "that answered. The question does not use the cache and is not "
	    "shared with others.",
	.group = GROUP_PLACES,
	.args = ARGS(ARG("LOCATION")),
	.flags = FLAGS(PLACES_FILTER_FLAGS),
	.view = &test_view,
	.traits = COMMAND_WRITE,
	.run = places_test_run,
	.example = "places test 34.068930,-118.445127",
};
