/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/client_list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/client_line.h"
#include "cmd/typed.h"
#include "herd/text.h"
#include "run/fields.h"
#include "run/stream.h"

/* Rows that a node sorts, which it does for one answer; else they are here. */
#define SORTED_MOST 999u
#define SOON_NS (300 * HERD_NS_PER_MS)

/* --- what is asked for ------------------------------------------------ */

void
client_query_glob(struct client_query *query, const char *glob, bool exact)
{
	bool plain = glob != NULL && strpbrk(glob, "*?[\\") == NULL;

	put_query(&query->text, plain && !exact ? "&prefix=" : "&glob=", glob);
}

enum status
client_query_near(struct run *run, struct client_query *query,
    const char *place, const char *km)
{
	struct buf text = XBUF;
	struct location at;
	double metres;
	struct span number = span_from(km);
	enum status status;

	if (number.len > 2 &&
	    memcmp(number.data + number.len - 2, "km", 2) == 0)
		number.len -= 2;
	status = typed_location(run, place, &text, &at);
	if (status == STATUS_OK &&
	    (value_parse(VALUE_REAL, number, &metres) != HERD_OK ||
		metres <= 0))
		status = run_fail(
		    run, STATUS_USAGE, "`%s' is no distance in km", km);
	if (status == STATUS_OK) {
		put_query(&query->text, "&near=", text_of(&text));
		put_text(&query->text, "&km=");
		must(text_to_percent(&query->text, number));
		query->near = true;
	}
	buf_release(&text);
	return status;
}

enum status
client_query_where(struct run *run, struct client_query *query)
{
	const char *where = prefs_text(&run->prefs, PREF_WHERE);
	struct filter *filter = NULL;
	enum status status = STATUS_OK;
	struct buf why = XBUF;

	if (where == NULL || query->has_where)
		return STATUS_OK;
	if (filter_parse(span_from(where), &client_view, &filter, &why) !=
	    HERD_OK)
		status =
		    run_fail(run, STATUS_USAGE, "--where: %s", text_of(&why));
	else
		put_query(&query->text, "&where=", where);
	query->has_where = true;
	filter_free(filter);
	buf_release(&why);
	run->nodes_choose = true;
	return status;
}

bool
client_query_is_all(const struct client_query *query)
{
	return query->text.len == 0;
}

void
client_query_release(struct client_query *query)
{
	buf_release(&query->text);
}

/* --- rows ------------------------------------------------------------- */

struct listing {
	struct run *run;
	struct streams *streams;
	const struct client_query *query;
	uint64_t most; /* rows of all nodes together, 0 = all */
	uint64_t taken;
	bool cut;
};

/* The node's last line, if it could not send all; or one that is no client. */
static void
fail_stream(
    struct streams *streams, const struct target *target, const cJSON *line)
{
	const cJSON *error = fields_at(line, "error");

	if (error == NULL)
		streams_fail(streams, target, STATUS_REPLY,
		    "a line of the answer is not a client", NULL);
	else
		streams_fail(streams, target, STATUS_REFUSED,
		    fields_text(error, "message") == NULL
			? "it ended before its end"
			: fields_text(error, "message"),
		    fields_text(error, "hint"));
}

static bool
has_enough(const void *arg)
{
	const struct listing *l = arg;

	return l->run->sink.gone || l->cut;
}

static void
on_line(void *arg, const struct target *target, struct span line)
{
	struct listing *l = arg;
	struct out *out = &l->run->out;
	cJSON *client;

	if (has_enough(l))
		return;
	/* Each node sends one more than is wanted, if it has one more. */
	if (l->most > 0 && l->taken == l->most) {
		l->cut = true;
		return;
	}
	if (!client_line_fill(out, line)) {
		client = cJSON_ParseWithLength(line.data, line.len);
		fail_stream(l->streams, target, client);
		cJSON_Delete(client);
		return;
	}
	out_raw(out, line);
	fields_set_node(out, target->name);
	out_row(out);
	l->taken++;
}

static void
flush(void *arg)
{
	struct listing *l = arg;

	sink_flush(&l->run->sink);
}

/* Few clients are sorted by node and id, or by their distance. */
static void
sort_usually(struct out *out, bool near)
{
	static const struct sort_key by_id[] = { { CLIENT_NODE, false },
		{ CLIENT_ID, false } };
	static const struct sort_key by_distance = { CLIENT_DISTANCE, false };

	if (near)
		out_sort_usually(out, &by_distance, 1);
	else
		out_sort_usually(out, by_id, HERD_ARRAY_LEN(by_id));
}

/* On a screen a node that is silent does not hold up the rows of others. */
static enum status
show_soon(struct listing *l)
{
	struct run *run = l->run;
	struct buf late = XBUF;
	enum status status;

	if (!run->to_terminal || run->watched || run->target_count == 1 ||
	    !out_is_looks(&run->out))
		return STATUS_OK;
	status = streams_await(l->streams, mono_add(now_mono(), SOON_NS));
	for (size_t i = 0; i < run->target_count; i++) {
		const char *why;

		if (streams_state(l->streams, i, &why) == STREAM_WAITING)
			putf(&late, "%s%s", late.len > 0 ? ", " : "",
			    run->targets[i]->name);
	}
	if (late.len > 0 && status == STATUS_OK) {
		if (run->out.held_most > 0 && !run->out.streams) {
			run->sink.pager = NULL;
			sort_usually(&run->out, false);
			out_write_now(&run->out);
		}
		run_notice(run, "waiting for %s", text_of(&late));
	}
	buf_release(&late);
	return status;
}

/* In no order: each node sends what it finds, until there are enough. */
static enum status
list_as_found(struct listing *l)
{
	struct buf path = XBUF;
	enum status status;

	put_text(&path, "/v1/clients?stream");
	if (l->most > 0)
		putf(&path, "&limit=%llu", (unsigned long long)l->most + 1);
	put_span(&path, buf_span(&l->query->text));
	status = streams_start(l->run, text_of(&path), on_line, l, &l->streams);
	buf_release(&path);
	if (status != STATUS_OK)
		return status;
	streams_on_pause(l->streams, flush);
	status = show_soon(l);
	return status == STATUS_OK ? streams_finish(l->streams, has_enough, l)
				   : status;
}

static void
add_failures(struct listing *l)
{
	const struct run *run = l->run;

	for (size_t i = 0; i < run->target_count; i++) {
		const char *why;

		if (streams_state(l->streams, i, &why) == STREAM_ENDED &&
		    why != NULL)
			out_failure(&l->run->out, run->targets[i]->name,
			    run->watched ? "waiting" : "unreachable", why);
	}
}

/* Returns the parameter for `key`, of which a node sorts one, or NULL. */
static char *
sort_parameter(const struct run *run, const struct sort_key *key)
{
	return xasprintf("&sort=%s%s", run->out.view->columns[key->column].key,
	    key->descending ? ":desc" : ":asc");
}

/* The first rows of each node in that order; all are sorted again here. */
static enum status
list_sorted(struct listing *l, struct answers *answers)
{
	struct run *run = l->run;
	char *sort = sort_parameter(run, &run->out.sort[0]);
	char *path = xasprintf("/v1/clients?limit=%llu%s" SPAN_FMT,
	    (unsigned long long)l->most + 1, sort,
	    SPAN_ARG(buf_span(&l->query->text)));
	enum status status = ask_all(run, path, answers);

	free(sort);
	free(path);
	if (status != STATUS_OK)
		return status;
	answers_each(a, answers) {
		l->cut |= fields_text(a->json, "next") != NULL;
	}
	fields_rows(run, answers, "clients", NULL);
	l->cut |= run->out.count > l->most;
	return STATUS_OK;
}

static bool
node_can_sort(const struct listing *l)
{
	const struct out *out = &l->run->out;

	return out->sort_count == 1 && l->most > 0 && l->most <= SORTED_MOST &&
	       out->sort[0].column != CLIENT_NODE;
}

static void
finish(struct listing *l, void (*write)(struct run *run))
{
	struct out *out = &l->run->out;

	if (out->sort_count == 0 && !out->streams)
		sort_usually(out, false);
	out_member_bool(out, "complete", !l->cut);
	out->cut_said = l->cut;
	if (l->cut)
		out_footer(out, "more clients than shown (--limit)");
	if (write != NULL)
		write(l->run);
	else
		out_end(out);
}

static enum status
run_listing(struct listing *l, void (*write)(struct run *run))
{
	struct run *run = l->run;
	struct answers answers = { 0 };
	bool sorted = node_can_sort(l);
	enum status status =
	    sorted ? list_sorted(l, &answers) : list_as_found(l);
	enum status failed =
	    sorted ? answers_status(&answers) : streams_status(l->streams);

	if (status == STATUS_OK) {
		if (!sorted && run->all_nodes)
			add_failures(l);
		if (failed == STATUS_OK || run->all_nodes)
			finish(l, write);
		sink_flush(&run->sink);
		status = sorted ? answers_report(run, &answers)
				: streams_report(l->streams);
	}
	answers_release(&answers);
	streams_free(l->streams);
	return status;
}

enum status
client_list(
    struct run *run, struct client_query *query, void (*write)(struct run *run))
{
	struct listing l = { .run = run,
		.query = query,
		.most = prefs_number(&run->prefs, PREF_LIMIT) };
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = client_query_where(run, query);
	if (status == STATUS_OK)
		status = write == NULL ? run_begin_long(run, &client_view)
				       : run_begin(run, &client_view);
	if (status != STATUS_OK)
		return status;
	if (query->near)
		sort_usually(&run->out, true);
	if (run->out.sort_count > 0 && !node_can_sort(&l))
		l.most = 0;
	return run_listing(&l, write);
}

/* --- one by one ------------------------------------------------------- */

struct visiting {
	struct streams *streams;
	client_list_visit *visit;
	void (*on_pause)(void *arg);
	void *arg;
};

static void
on_client(void *arg, const struct target *target, struct span line)
{
	struct visiting *v = arg;
	cJSON *client = cJSON_ParseWithLength(line.data, line.len);

	if (fields_text(client, "client") == NULL)
		fail_stream(v->streams, target, client);
	else
		v->visit(v->arg, client, line);
	cJSON_Delete(client);
}

static void
on_visits_pause(void *arg)
{
	struct visiting *v = arg;

	if (v->on_pause != NULL)
		v->on_pause(v->arg);
}

/* As `| head -1' leaves. */
static bool
has_no_reader(const void *arg)
{
	const struct run *run = arg;

	return run->sink.gone;
}

enum status
client_list_each(struct run *run, const struct client_query *query,
    bool removals, client_list_visit *visit, void (*on_pause)(void *arg),
    void *arg)
{
	struct visiting v = {
		.visit = visit, .on_pause = on_pause, .arg = arg
	};
	char *path = xasprintf("/v1/clients?stream%s" SPAN_FMT,
	    removals ? "&removals" : "", SPAN_ARG(buf_span(&query->text)));
	enum status status =
	    streams_start(run, path, on_client, &v, &v.streams);

	if (status == STATUS_OK) {
		streams_on_pause(v.streams, on_visits_pause);
		status = streams_finish(v.streams, has_no_reader, run);
	}
	if (status == STATUS_OK && !has_no_reader(run))
		status = streams_report(v.streams);
	streams_free(v.streams);
	free(path);
	return status;
}
