/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "cmd/parts.h"
#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT | COLUMN_SHRINK),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("peers_synced", "SYNCED", VALUE_INTEGER, .drop = 1, .path = "peers.synced"),
	COLUMN("peers_total", "OF", VALUE_INTEGER, .drop = 1, .path = "peers.total"),
	COLUMN("clients_count", "CLIENTS", VALUE_INTEGER, .drop = 1, .path = "clients.count"),
	COLUMN("reported_per_s", "PER SECOND", VALUE_REAL, .drop = 2,
	    .path = "clients.reported_per_s", .digits = 1),
	COLUMN("newest_s", "NEWEST", VALUE_SECONDS, .drop = 3, .path = "clients.newest_s"),
	COLUMN("uptime_s", "UP", VALUE_SECONDS, .drop = 4),
	COLUMN("store_state", "STORE", VALUE_TEXT, .drop = 5, .path = "store.state"),
	COLUMN("clock_state", "CLOCK", VALUE_TEXT, .traits = COLUMN_IF_ANY, .drop = 5,
	    .path = "clock.state"),
	COLUMN("version", "VERSION", VALUE_TEXT, .drop = 6),
	COLUMN("split", "HERD SPLIT", VALUE_TEXT, .traits = COLUMN_IF_ANY | COLUMN_COMPUTED |
	    COLUMN_SHRINK, .drop = 7), /* the footer has it whole */
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view herd_status_view =
    VIEW(columns, .schema = "herd.herd-status/1", .list = "nodes");

static void
add_footers(struct run *run, struct parts *parts)
{
	struct buf text = XBUF;

	out_count_states(
	    &run->out, out_column(&run->out, COLUMN_STATE), "node", &text);
	out_footer(&run->out, "%s", text_of(&text));
	if (parts->count > 1) {
		buf_clear(&text);
		put_clean(&text, buf_span(&parts->names));
		out_footer(&run->out, "the herd is split into %zu parts: %s",
		    parts->count, text_of(&text));
	}
	buf_release(&text);
}

static enum status
herd_status_run(struct run *run)
{
	struct answers answers;
	struct parts parts;
	enum status status = fields_ask(
	    run, &(struct fields_request){ .path = "/v1/status" }, &answers);

	if (status != STATUS_OK)
		return status;
	parts_find(run, &answers, &parts);
	parts_rows(run, &answers, &parts);
	add_footers(run, &parts);
	parts_release(&parts);
	return fields_finish(run, &answers);
}

const struct command cmd_herd_status = {
	.path = "herd status",
	.summary = "show all nodes, one to a line",
	.group = GROUP_HERD,
	.view = &herd_status_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = herd_status_run,
	.example = "herd status --watch",
};
