/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client export: JSON lines that `client import' takes. An id that is not
 * UTF-8 also has its bytes in client_b64, so that an import gets the same
 * bytes.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/client_list.h"
#include "herd/text.h"
#include "run/fields.h"

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

static enum status
client_export_run(struct run *run)
{
	const struct target *target;
	char *cursor = NULL;
	char *query = xasprintf("sort=id&limit=%u", CLIENT_PAGE);
	enum status status = run_one_target(run, &target);

	run->sink.pager = NULL;
	while (status == STATUS_OK) {
		struct answers answers;
		const cJSON *client;

		run_renew_deadline(run);
		status =
		    client_list_page(run, target, query, &cursor, &answers);
		cJSON_ArrayForEach(
		    client, fields_at(answers.items[0].json, "clients")) {
			put_client(run, client);
		}
		answers_release(&answers);
		sink_flush(&run->sink);
		if (cursor == NULL || run->sink.gone)
			break;
	}
	free(cursor);
	free(query);
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
