/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * top: all nodes at work. Rates are differences between two samples of the
 * nodes' counters, so they are true for the interval that is shown.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "out/screen.h"
#include "run/fields.h"
#include "run/live.h"
#include "run/rounds.h"

/* clang-format off */
#define TOP_COLUMNS(X) \
	X(TOP_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT | COLUMN_SHRINK) \
	X(TOP_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE) \
	X(TOP_CLIENTS, "clients_count", "CLIENTS", VALUE_INTEGER, .drop = 1, \
	    .path = "clients.count") \
	X(TOP_CONNECTIONS, "connections", "CONN", VALUE_INTEGER, .drop = 3) \
	X(TOP_IAMAT, "iamat_per_s", "IAMAT/S", VALUE_REAL, .traits = COLUMN_COMPUTED, .digits = 1) \
	X(TOP_WHATSAT, "whatsat_per_s", "WHATSAT/S", VALUE_REAL, .traits = COLUMN_COMPUTED, \
	    .digits = 1) \
	X(TOP_INVALID, "invalid_per_s", "INVALID/S", VALUE_REAL, .traits = COLUMN_COMPUTED, \
	    .drop = 4, .digits = 1) \
	X(TOP_SYNCED, "peers_synced", "SYNCED", VALUE_INTEGER, .drop = 2, .path = "peers.synced") \
	X(TOP_TOTAL, "peers_total", "OF", VALUE_INTEGER, .drop = 2, .path = "peers.total") \
	X(TOP_OWED, "owed", "OWED", VALUE_INTEGER, .drop = 2, .path = "peers.owed") \
	X(TOP_LAG, "lag_ms", "LAG", VALUE_MS, .drop = 3, .path = "peers.lag_ms") \
	X(TOP_P99, "places_p99_ms", "PLACES P99", VALUE_MS, .drop = 5, .path = "places.p99_ms") \
	X(TOP_STORE_LAG, "store_lag", "STORE LAG", VALUE_INTEGER, .drop = 6, .path = "store.lag") \
	X(TOP_MEMORY, "rss_bytes", "MEMORY", VALUE_BYTES, .drop = 4) \
	X(TOP_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(top_columns, TOP_COLUMNS);

static const struct view top_view =
    VIEW(top_columns, .schema = "herd.top/1", .list = "nodes");

#define COUNTERS 3u

/* A node's counters at one moment, and their growth since the one before. */
struct sample {
	bool known;
	struct mono at;
	double counters[COUNTERS];
	double rates[COUNTERS]; /* per second; negative: not known */
};

static const char *const counter_paths[COUNTERS] = { "requests.iamat",
	"requests.whatsat", "requests.invalid" };
static const size_t counter_columns[COUNTERS] = { TOP_IAMAT, TOP_WHATSAT,
	TOP_INVALID };

/* Its orders: the key while it runs, the word for --sort. */
static const struct top_order {
	char key;
	const char *word;
	size_t column;
	bool ascending;
} orders[] = {
	{ .key = 'n', .word = "name", .column = TOP_NODE, .ascending = true },
	{ .key = 'c', .word = "clients", .column = TOP_CLIENTS },
	{ .key = 'i', .word = "iamat", .column = TOP_IAMAT },
	{ .key = 'w', .word = "whatsat", .column = TOP_WHATSAT },
	{ .key = 'v', .word = "invalid", .column = TOP_INVALID },
	{ .key = 'o', .word = "owed", .column = TOP_OWED },
	{ .key = 'l', .word = "lag", .column = TOP_LAG },
	{ .key = 'p', .word = "places", .column = TOP_P99 },
	{ .key = 'm', .word = "memory", .column = TOP_MEMORY },
};

struct top {
	struct run *run;
	struct sample *samples; /* one per target */
	struct answers answers; /* of the last round */
	const struct top_order
	    *order;        /* NULL: as --sort says, or the herd file */
	bool reversed;     /* `order` is */
	struct live *live; /* NULL: one picture */
	bool over;
	enum status status;
	struct buf complaint; /* why it ended, for after the picture */
};

static void
take_sample(struct sample *sample, const struct answer *a)
{
	struct sample now = { .known = a->status == STATUS_OK,
		.at = now_mono() };
	double s = (double)mono_since(now.at, sample->at) / 1e9;

	for (size_t i = 0; i < COUNTERS; i++) {
		double more;

		now.counters[i] = fields_number(a->json, counter_paths[i], 0);
		more = now.counters[i] - sample->counters[i];
		/* A restart counts from 0 again: more is negative then. */
		now.rates[i] =
		    now.known && sample->known && s > 0 ? more / s : -1;
	}
	*sample = now;
}

static void
add_rows(struct top *t)
{
	struct out *out = &t->run->out;

	for (size_t i = 0; i < t->answers.count; i++) {
		const struct answer *a = &t->answers.items[i];

		if (a->status != STATUS_OK) {
			answer_put_failure(out, a);
			continue;
		}
		out_raw(out, buf_span(&a->body));
		fields_set_node(out, a->target->name);
		fields_fill_row(out, a->json);
		for (size_t c = 0; c < COUNTERS; c++) {
			if (t->samples[i].rates[c] >= 0)
				out_real(out, counter_columns[c],
				    t->samples[i].rates[c]);
		}
		out_row(out);
	}
}

static const struct question question = { .path = "/v1/status" };

/* Asks those nodes that owe no answer yet. */
static enum status
begin_round(struct top *t)
{
	struct run *run = t->run;

	rounds_next(run->rounds);
	run_renew_deadline(run);
	return rounds_start(run, &question, run->targets, run->target_count);
}

/* The answers so far; they stay until the next time. */
static void
take_answers(struct top *t)
{
	struct run *run = t->run;

	rounds_collect(
	    run, &question, run->targets, run->target_count, &t->answers);
	for (size_t i = 0; i < t->answers.count; i++) {
		if (t->answers.items[i].fresh)
			take_sample(&t->samples[i], &t->answers.items[i]);
	}
}

static void
add_totals(struct run *run)
{
	double iamat = 0;
	double whatsat = 0;
	struct buf text = XBUF;

	for (size_t i = 0; i < run->out.count; i++) {
		iamat += run->out.rows[i][TOP_IAMAT].real;
		whatsat += run->out.rows[i][TOP_WHATSAT].real;
	}
	out_count_states(&run->out, TOP_STATE, "node", &text);
	out_footer(&run->out, "%s; %.1f iamat/s, %.1f whatsat/s",
	    text_of(&text), iamat, whatsat);
	buf_release(&text);
}

/* The order of the rows, and the keys that change it. */
static void
add_title(struct top *t)
{
	const char *sort = prefs_text(&t->run->prefs, PREF_SORT);
	struct buf text = XBUF;

	if (t->order != NULL)
		putf(&text, "sorted by %s%s", t->order->word,
		    t->reversed ? ", reversed" : "");
	else if (sort != NULL)
		putf(&text, "sorted by %s", sort);
	else
		put_text(&text, "in the herd file's order");
	put_text(&text, "  (q ends, r reverses; sort by");
	for (size_t i = 0; i < HERD_ARRAY_LEN(orders); i++)
		putf(&text, " %c=%s", orders[i].key, orders[i].word);
	out_heading(&t->run->out, "top  %s)\n", text_of(&text));
	buf_release(&text);
}

/* By the key that was pressed, or the word after --sort. */
static enum status
set_sort(struct top *t)
{
	struct run *run = t->run;
	const struct top_order *order = t->order;
	bool descending;
	char *sort;
	enum status status;

	if (order == NULL)
		return STATUS_OK;
	descending = order->ascending == t->reversed;
	sort = xasprintf(
	    "%s%s", top_columns[order->column].key, descending ? ":desc" : "");
	status = prefs_set(
	    &run->prefs, PREF_SORT, sort, ORIGIN_LINE, "--sort", &run->message);
	free(sort);
	return status == STATUS_OK ? status : run_fail_message(run, status);
}

static void
take_key(struct top *t, int key)
{
	if (key == 'r')
		t->reversed = t->order != NULL && !t->reversed;
	for (size_t i = 0; i < HERD_ARRAY_LEN(orders); i++) {
		if (orders[i].key != key)
			continue;
		t->order = &orders[i];
		t->reversed = false;
	}
}

static const struct top_order *
find_order(const char *word)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(orders) && word != NULL; i++) {
		if (strcmp(orders[i].word, word) == 0)
			return &orders[i];
	}
	return NULL;
}

/* The rows of one round, sorted as the user wants them. */
static enum status
write_round(struct top *t, bool live)
{
	struct run *run = t->run;
	enum status status = set_sort(t);

	if (status == STATUS_OK)
		status = run_begin(run, &top_view);
	if (status != STATUS_OK)
		return status;
	if (live)
		add_title(t);
	add_rows(t);
	add_totals(run);
	out_end(&run->out);
	return STATUS_OK;
}

/*
 * A node that is silent takes no more of the time of one picture than this.
 */
static uint64_t
last_share(struct run *run)
{
	uint64_t whole = prefs_ns(&run->prefs, PREF_TIMEOUT);
	uint64_t share = whole / 5;

	if (share < HERD_NS_PER_S / 2)
		share = HERD_NS_PER_S / 2;
	if (whole != 0 && share > whole)
		share = whole;
	return whole == 0 ? HERD_NS_PER_S : share;
}

/* The first round only makes the second one's rates possible. */
static enum status
run_once(struct top *t)
{
	struct run *run = t->run;
	struct loop *loop = app_loop(run->app);
	enum status status = begin_round(t);
	enum wait_result result;

	if (status == STATUS_OK &&
	    loop_rest(loop, HERD_NS_PER_S) == WAIT_INTERRUPTED)
		return STATUS_SIGINT;
	if (status != STATUS_OK)
		return status;
	take_answers(t);
	status = begin_round(t);
	if (status != STATUS_OK)
		return status;
	result = loop_wait(loop, rounds_are_complete, run->rounds,
	    mono_add(now_mono(), last_share(run)));
	if (result == WAIT_INTERRUPTED)
		return STATUS_SIGINT;
	rounds_give_up(run->rounds);
	take_answers(t);
	status = write_round(t, false);
	if (status == STATUS_OK)
		status = answers_report(run, &t->answers);
	return status;
}

/* One picture, written to memory and then drawn over the last one. */
static void
draw(struct top *t)
{
	struct run *run = t->run;
	struct sink screen = run->sink;
	struct sink memory;

	sink_init_memory(&run->sink, true);
	t->status = write_round(t, true);
	if (run->out_begun)
		out_release(&run->out);
	run->out_begun = false;
	memory = run->sink;
	run->sink = screen;
	if (t->status == STATUS_OK)
		live_draw(t->live, buf_span(&memory.held));
	else
		put_span(&t->complaint, buf_span(&memory.held));
	buf_release(&memory.held);
	t->over = t->over || t->status != STATUS_OK;
}

/* Keys sort what is shown, whatever is being waited for. */
static void
on_key(void *arg, int key)
{
	struct top *t = arg;

	if (t->over)
		return;
	if (key == 'q') {
		t->over = true;
		return;
	}
	take_key(t, key);
	if (t->answers.count > 0)
		draw(t);
}

static void
on_resize(void *arg)
{
	struct top *t = arg;

	if (t->answers.count > 0 && !t->over)
		draw(t);
}

static const struct live_events events = { on_key, on_resize };

static bool
is_answered(const void *arg)
{
	const struct top *t = arg;

	return t->over || rounds_are_complete(t->run->rounds);
}

static bool
has_news(const void *arg)
{
	const struct top *t = arg;

	return t->over || rounds_have_news(t->run->rounds);
}

/* The picture of a second; an answer that comes late is drawn at once. */
static enum wait_result
show_round(struct top *t, struct mono end)
{
	struct loop *loop = app_loop(t->run->app);
	enum wait_result result =
	    loop_wait(loop, is_answered, t, rounds_patience(t->run->rounds));

	while (result != WAIT_INTERRUPTED && !t->over) {
		take_answers(t);
		draw(t);
		result = loop_wait(loop, has_news, t, end);
		if (result == WAIT_TIMEOUT)
			break;
	}
	return result;
}

static enum status
run_live(struct top *t)
{
	struct run *run = t->run;
	enum wait_result result = WAIT_TIMEOUT;

	run->sink.pager = NULL;
	t->live = live_begin(
	    app_loop(run->app), &run->sink, true, run->app->utf8, &events, t);
	while (!t->over && result != WAIT_INTERRUPTED) {
		struct mono end = mono_add(now_mono(), HERD_NS_PER_S);

		t->status = begin_round(t);
		if (t->status != STATUS_OK)
			break;
		result = show_round(t, end);
	}
	live_end(t->live);
	fputs(text_of(&t->complaint), stderr);
	if (app_loop(run->app)->interrupted)
		return STATUS_SIGINT;
	return t->status;
}

static enum status
top_run(struct run *run)
{
	struct top t = { .run = run, .complaint = XBUF };
	enum status status = run_targets(run);
	bool live;

	if (status != STATUS_OK)
		return status;
	t.order = find_order(prefs_text(&run->prefs, PREF_SORT));
	t.samples = xcalloc(run->target_count, sizeof(*t.samples));
	run->rounds = rounds_new(ROUNDS_QUICK, NULL, NULL);
	live = run->args->count == 0 && run->to_terminal &&
	       isatty(STDIN_FILENO) == 1 && !screen_is_dumb() &&
	       prefs_text(&run->prefs, PREF_OUTPUT) == NULL &&
	       prefs_text(&run->prefs, PREF_TEMPLATE) == NULL;
	status = live ? run_live(&t) : run_once(&t);
	rounds_free(run->rounds);
	run->rounds = NULL;
	answers_release(&t.answers);
	buf_release(&t.complaint);
	free(t.samples);
	return status;
}

const struct command cmd_top = {
	.path = "top",
	.summary = "show the herd at work, live",
	.help =
	    "The key q leaves. n, c, i, w, v, o, l, p, m sort by name, clients, "
	    "iamat, whatsat, invalid, owed, lag, places and memory, the most "
	    "first, r the other way round. --sort takes these words too. OWED "
	    "counts the reports that all links of a node still owe, LAG is that "
	    "of the slowest link. -1 measures for a second and prints once; for a node "
	    "that is silent it waits a fifth of --timeout more, but at least half a second.",
	.group = GROUP_WATCHING,
	.args = ARGS(ARG("-1", .complete = COMPLETE_WORDS, .optional = true,
	    .words = "-1", .fixed = true)),
	.view = &top_view,
	.traits = COMMAND_HERD | COMMAND_HARMLESS,
	.run = top_run,
	.example = "top --sort lag",
};
