/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client export: a node's clients, for `client import' and other programs.
 * With --exact, all that a report has, so that the same table can be made
 * elsewhere: origin, skew and removals. An id that is not UTF-8 also has its
 * bytes in client_b64.
 */
#include "cmd/list.h"

#include <string.h>

#include "base/xbuf.h"
#include "cmd/client_list.h"
#include "run/fields.h"

static void
write_exact(void *arg, const struct cJSON *client, struct span text HERD_UNUSED)
{
	static const char *const keys[] = { "client", "client_b64", "time",
		"location", "skew", "node", "removed" };
	struct run *run = arg;
	struct json json;
	struct buf line = XBUF;

	json_begin(&json, &line, JSON_COMPACT);
	json_object(&json, NULL);
	for (size_t i = 0; i < HERD_ARRAY_LEN(keys); i++) {
		const struct cJSON *value = fields_at(client, keys[i]);

		if (value != NULL)
			fields_write(&json,
			    strcmp(keys[i], "node") == 0 ? "origin" : keys[i],
			    value);
	}
	json_object_end(&json);
	must(json_end(&json));
	put_byte(&line, '\n');
	sink_write_foreign(&run->sink, buf_span(&line));
	buf_release(&line);
}

static void
flush(void *arg)
{
	struct run *run = arg;

	sink_flush(&run->sink);
}

static enum status
export_exact(struct run *run, struct client_query *query)
{
	enum status status = STATUS_OK;

	if (strcmp(run_format(run)->name, "jsonl") != 0 ||
	    prefs_text(&run->prefs, PREF_COLUMNS) != NULL ||
	    prefs_text(&run->prefs, PREF_SORT) != NULL ||
	    prefs_number(&run->prefs, PREF_LIMIT) > 0)
		status = run_fail(run, STATUS_USAGE,
		    "--exact writes JSON lines of all that a report has, in no "
		    "order: no -o, --columns, --sort or --limit goes with it");
	if (status == STATUS_OK)
		status = client_query_where(run, query);
	if (status == STATUS_OK)
		status =
		    client_list_each(run, query, true, write_exact, flush, run);
	sink_flush(&run->sink);
	return status;
}

static enum status
client_export_run(struct run *run)
{
	struct client_query query = CLIENT_QUERY;
	const struct target *target;
	enum status status = run_one_target(run, &target);

	run->sink.pager = NULL;
	client_query_glob(&query, run_word(run, 0), false);
	if (status == STATUS_OK)
		status = run_flag(run, "exact") != NULL
			     ? export_exact(run, &query)
			     : client_list(run, &query, NULL);
	client_query_release(&query);
	return status;
}

const struct command cmd_client_export = {
	.path = "client export",
	.summary = "write the clients of a node, as JSON lines or otherwise",
	.help =
	    "JSON lines, or as -o, --columns, --where, --sort and --limit say. "
	    "GLOB as for `client ls'. With --exact the lines have origin, skew "
	    "and removals too, and `client import --exact' makes the same "
	    "table of them.",
	.group = GROUP_TABLE,
	.args =
	    ARGS(ARG("GLOB", .complete = COMPLETE_CLIENT, .optional = true)),
	.flags = FLAGS(FLAG("exact", .help = "all that a report has")),
	.view = &client_view,
	.format = "jsonl",
	.columns = "client,time,location,origin,skew,received_at,from",
	.traits = COMMAND_READ,
	.run = client_export_run,
	.example = "client export > clients.jsonl",
};
