/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client top: who reports most to a node, by client and by address.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>

#include "base/xbuf.h"
#include "run/fields.h"

/* Of each kind: what people want to see, and the most that nodes tell. */
#define TOP_FEW 10u
#define TOP_ALL 1000u

/* clang-format off */
#define TOP_COLUMNS(X) \
	X(TOP_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL) \
	X(TOP_KIND, "kind", "KIND", VALUE_TEXT, .traits = COLUMN_COMPUTED | COLUMN_LABEL, .drop = 3) \
	X(TOP_CLIENT, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_LABEL | COLUMN_SHRINK | COLUMN_IF_ANY) \
	X(TOP_ADDRESS, "address", "ADDRESS", VALUE_TEXT, .traits = COLUMN_LABEL | COLUMN_IF_ANY) \
	X(TOP_REPORTS, "reports_per_s", "REPORTS/S", VALUE_REAL, \
	    .traits = COLUMN_IF_ANY, .digits = 1) \
	X(TOP_REQUESTS, "requests_per_s", "REQUESTS/S", VALUE_REAL, \
	    .traits = COLUMN_IF_ANY, .digits = 1) \
	X(TOP_SHARE, "share_percent", "SHARE", VALUE_PERCENT, .traits = COLUMN_COMPUTED, .drop = 1) \
	X(TOP_INVALID, "invalid_per_s", "INVALID/S", VALUE_REAL, \
	    .traits = COLUMN_IF_ANY, .drop = 2, .digits = 1) \
	X(TOP_CUT, "cut", "CUT", VALUE_BOOL, .traits = COLUMN_WIDE) \
	X(TOP_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(top_columns, TOP_COLUMNS);

static const struct view top_view =
    VIEW(top_columns, .schema = "herd.top/1", .list = "top");

static void
set_computed(struct out *out, const cJSON *row, const char *kind)
{
	double share = fields_number(row, "share", -1);

	out_word(out, TOP_KIND, kind);
	if (share >= 0)
		out_real(out, TOP_SHARE, 100 * share);
}

static void
derive_client(
    struct out *out, const struct answer *answer HERD_UNUSED, const cJSON *row)
{
	set_computed(out, row, "client");
}

static void
derive_address(
    struct out *out, const struct answer *answer HERD_UNUSED, const cJSON *row)
{
	set_computed(out, row, "address");
}

/* What the rates are parts of, and how far they may be wrong. */
static void
add_sums(struct run *run, const cJSON *json)
{
	double missed = fields_number(json, "clients_missed_per_s", 0);
	struct buf text = XBUF;

	put_text(&text, "in the last ");
	put_duration(&text, fields_number(json, "window_s", 0));
	putf(&text, ": %.1f reports/s, %.1f requests/s, %.1f invalid/s",
	    fields_number(json, "reports_per_s", 0),
	    fields_number(json, "requests_per_s", 0),
	    fields_number(json, "invalid_per_s", 0));
	if (missed > 0)
		putf(&text, "; a client may have %.1f/s more than shown",
		    missed);
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

static void
add_answer(struct run *run, struct answer *answer)
{
	struct answers one = { answer, 1 };

	fields_rows(run, &one, "clients", derive_client);
	if (answer->status != STATUS_OK)
		return;
	if (!out_is_raw(&run->out))
		fields_rows(run, &one, "addresses", derive_address);
	if (!run->all_nodes)
		add_sums(run, answer->json);
}

static enum status
client_top_run(struct run *run)
{
	uint64_t limit = prefs_number(&run->prefs, PREF_LIMIT);
	struct fields_request request = { .path = NULL };
	struct answers answers;
	struct buf path = XBUF;
	enum status status;

	/* Sorting and choosing rows here needs all of them. */
	if (prefs_text(&run->prefs, PREF_SORT) != NULL ||
	    prefs_text(&run->prefs, PREF_WHERE) != NULL || limit > TOP_ALL)
		limit = TOP_ALL;
	putf(&path, "/v1/top?limit=%llu",
	    (unsigned long long)(limit == 0 ? TOP_FEW : limit));
	request.path = text_of(&path);
	status = fields_ask(run, &request, &answers);
	if (status == STATUS_OK) {
		answers_each(answer, &answers)
			add_answer(run, answer);
		status = fields_finish(run, &answers);
	}
	buf_release(&path);
	return status;
}

const struct command cmd_client_top = {
	.path = "client top",
	.summary = "list the clients and addresses that report most",
	.help = "By each node, of the last 10 to 20 s: clients with reports a "
		"second, addresses (of IPv6, the /64) with requests and "
		"invalid lines a second, the ten first of each; --limit, "
		"--sort and --where see up to 1,000. `--where kind=address' "
		"leaves the clients out. A node counts in a memory of fixed "
		"size: the rates of rare clients may be too low.",
	.group = GROUP_TABLE,
	.view = &top_view,
	.traits = COMMAND_READ,
	.run = client_top_run,
	.example = "client top -n all --where 'share > 10%'",
};
