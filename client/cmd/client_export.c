/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client export: JSON lines that `client import' takes. An id that is not UTF-8
 * also has its bytes in client_b64, so that what comes in is what went out.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "herd/text.h"
#include "base/xbuf.h"
#include "run/fields.h"
#include "cmd/client_list.h"

static void
put_client(struct run *run, const cJSON *client)
{
	struct json json;
	struct buf line = XBUF;

	json_begin(&json, &line, JSON_COMPACT);
	fields_write(&json, NULL, client);
	must(json_end(&json));
	put_byte(&line, '\n');
	sink_write_foreign(&run->sink, buf_span(&line));
	buf_release(&line);
}

/* One page. *cursor is replaced by the next one, or NULL at the end. */
static enum status
export_page(struct run *run, const struct target *target, char **cursor)
{
	struct question question = { 0 };
	struct answers answers;
	struct buf path = XBUF;
	const char *next;
	const cJSON *client;
	enum status status;

	putf(&path, "/v1/clients?sort=id&limit=%u", CLIENT_PAGE);
	if (*cursor != NULL) {
		put_text(&path, "&after=");
		must(text_to_percent(&path, span_from(*cursor)));
	}
	question.path = text_of(&path);
	run_renew_deadline(run);
	status = ask(run, &question, &target, 1, &answers);
	buf_release(&path);
	if (status == STATUS_OK)
		status = answers_report(run, &answers);
	free(*cursor);
	*cursor = NULL;
	if (status == STATUS_OK) {
		cJSON_ArrayForEach(
		    client, fields_at(answers.items[0].json, "clients"))
			put_client(run, client);
		next = fields_text(answers.items[0].json, "next");
		*cursor = next == NULL ? NULL : xstrdup(next);
	}
	answers_release(&answers);
	return status;
}

static enum status
client_export_run(struct run *run)
{
	const struct target *target;
	char *cursor = NULL;
	enum status status = run_one_target(run, &target);

	run->sink.pager = NULL;
	while (status == STATUS_OK) {
		status = export_page(run, target, &cursor);
		sink_flush(&run->sink);
		if (cursor == NULL || run->sink.gone)
			break;
	}
	free(cursor);
	return status;
}

const struct command cmd_client_export = {
	.path = "client export",
	.summary = "write all clients of a node as JSON lines",
	.group = GROUP_TABLE,
	.traits = COMMAND_HARMLESS,
	.run = client_export_run,
	.example = "client export > clients.jsonl",
};
