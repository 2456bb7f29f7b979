/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ping: a request that changes nothing and that every node answers at once:
 * an invalid line, which comes back after `? '.
 */
#include "cmd/list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/histogram.h"
#include "base/xbuf.h"
#include "out/spark.h"
#include "run/ask.h"
#include "run/conversation.h"

/* clang-format off */
#define PING_COLUMNS(X) \
	X(PING_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(PING_SEQ, "seq", "SEQ", VALUE_INTEGER, .traits = COLUMN_LABEL, .drop = 1) \
	X(PING_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE) \
	X(PING_MS, "rtt_ms", "RTT", VALUE_MS) \
	X(PING_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_ERROR | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(ping_columns, PING_COLUMNS);

static const struct view ping_view =
    VIEW(ping_columns, .schema = "herd.ping/1", .list = "pings");

/* clang-format off */
#define SPREAD_COLUMNS(X) \
	X(SPREAD_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(SPREAD_FROM, "from_ms", "FROM", VALUE_MS, .traits = COLUMN_LABEL) \
	X(SPREAD_TO, "to_ms", "TO", VALUE_MS, .traits = COLUMN_LABEL) \
	X(SPREAD_COUNT, "count", "COUNT", VALUE_INTEGER) \
	X(SPREAD_PERCENT, "percent", "SHARE", VALUE_PERCENT, .drop = 1) \
	X(SPREAD_BAR, "bar", "BAR", VALUE_TEXT, .drop = 2)
/* clang-format on */

COLUMN_TABLE(spread_columns, SPREAD_COLUMNS);

static const struct view spread_view =
    VIEW(spread_columns, .schema = "herd.ping_histogram/1", .list = "buckets");

/* The steps of a histogram: 1, 2, 5, 10 us ... 10 s and what is above. */
#define SPREAD_BUCKETS 23u
#define BAR_COLUMNS 30u
#define HISTOGRAM_PINGS 100u
#define HISTOGRAM_INTERVAL_NS (10 * HERD_NS_PER_MS)

/*
 * After a round in which a node was silent it has as long as ten times the
 * slowest answer of the others, within these bounds.
 */
#define LATE_LEAST_NS (100 * HERD_NS_PER_MS)
#define LATE_MOST_NS HERD_NS_PER_S

/* One node's answers. */
struct spread {
	const struct target *target;
	struct histogram all;
	uint64_t counts[SPREAD_BUCKETS];
	uint64_t lost;
	uint64_t least_us;
};

struct pinger {
	struct run *run;
	char request[64];
	uint64_t seq;
	double slowest_ms;
	bool late;              /* a node was silent in the last round */
	struct spread *spreads; /* one per target, NULL: rows */
};

/* `ping Riley Bernard` is `ping -n Riley,Bernard`. */
static enum status
choose_targets(struct run *run)
{
	enum status status = STATUS_OK;

	if (run->args->count == 0)
		return run_targets(run);
	if (run->target_count > 0)
		return STATUS_OK;
	run->targets = xcalloc(run->args->count, sizeof(*run->targets));
	for (size_t i = 0; i < run->args->count && status == STATUS_OK; i++)
		status =
		    run_find_target(run, run_word(run, i), &run->targets[i]);
	if (status == STATUS_OK)
		run->target_count = run->args->count;
	run->all_nodes = run->args->count > 1;
	return status;
}

static bool
is_echoed(const struct pinger *p, const struct conversation *x)
{
	struct span bytes = buf_span(&x->bytes);
	size_t len = strlen(p->request);

	return x->status == STATUS_OK && bytes.len == len + 3 &&
	       memcmp(bytes.data + 2, p->request, len) == 0;
}

static void
add_row(const struct pinger *p, const struct conversation *x)
{
	struct out *out = &p->run->out;

	out_word(out, PING_NODE, x->target->name);
	out_integer(out, PING_SEQ, (int64_t)p->seq);
	if (is_echoed(p, x)) {
		out_word(out, PING_STATE, "ok");
		out_real(out, PING_MS, x->ms);
	} else {
		out_word(out, PING_STATE, "unreachable");
		out_word(out, PING_ERROR,
		    x->status == STATUS_OK
			? "what it sent is no answer of a herd's node"
			: x->message);
	}
	out_row(out);
}

/* The most that lies in a bucket, in us. */
static double
top_of(size_t bucket)
{
	static const double steps[] = { 1, 2, 5 };

	return steps[bucket % 3] * pow(10, (double)(bucket / 3));
}

static void
count_answer(struct spread *s, double ms)
{
	uint64_t us = (uint64_t)(ms * 1000);
	size_t bucket = 0;

	while (bucket + 1 < SPREAD_BUCKETS && (double)us > top_of(bucket))
		bucket++;
	s->counts[bucket]++;
	if (s->all.total == 0 || us < s->least_us)
		s->least_us = us;
	histogram_add(&s->all, us);
}

static void
take(struct pinger *p, const struct conversation *x)
{
	p->late = p->late || x->status == STATUS_TIMEOUT;
	if (x->status == STATUS_OK)
		p->slowest_ms = fmax(p->slowest_ms, x->ms);
	if (p->spreads == NULL) {
		add_row(p, x);
		return;
	}
	for (size_t i = 0; i < p->run->target_count; i++) {
		struct spread *s = &p->spreads[i];

		if (s->target == x->target && is_echoed(p, x))
			count_answer(s, x->ms);
		else if (s->target == x->target)
			s->lost++;
	}
}

static void
on_done(void *arg, const struct conversation *x)
{
	take(arg, x);
}

static void
set_deadline(struct pinger *p)
{
	struct run *run = p->run;
	uint64_t ns = (uint64_t)(p->slowest_ms * 10 * 1e6);
	struct mono soon;

	run_renew_deadline(run);
	if (!p->late)
		return;
	ns = ns < LATE_LEAST_NS ? LATE_LEAST_NS : ns;
	soon = mono_add(now_mono(), ns < LATE_MOST_NS ? ns : LATE_MOST_NS);
	if (soon.ns < run->deadline.ns)
		run->deadline = soon;
}

/* People see a node's row when it answers, programs in the nodes' order. */
static enum status
ping_once(struct pinger *p, enum status *result)
{
	struct run *run = p->run;
	bool at_once = run->out.streams && out_is_looks(&run->out);
	struct conversations answers;
	enum status status;

	(void)snprintf(p->request, sizeof(p->request), "PING herdctl %ld %llu",
	    (long)getpid(), (unsigned long long)p->seq);
	set_deadline(p);
	p->late = false;
	status = conversation_each(
	    run, span_from(p->request), at_once ? on_done : NULL, p, &answers);
	for (size_t i = 0; i < answers.count && status == STATUS_OK; i++) {
		if (!at_once)
			take(p, &answers.items[i]);
	}
	*result = conversations_status(&answers);
	conversations_release(&answers);
	return status;
}

static void
put_us(struct buf *out, const char *before, double us)
{
	put_text(out, before);
	put_duration(out, us / 1e6);
}

static void
add_summary(struct run *run, const struct spread *s)
{
	struct buf text = XBUF;

	put_clean(&text, span_from(s->target->name));
	putf(&text, ": %llu answered", (unsigned long long)s->all.total);
	if (s->lost > 0)
		putf(&text, ", %llu lost", (unsigned long long)s->lost);
	if (s->all.total > 0) {
		put_us(&text, ", min ", (double)s->least_us);
		put_us(&text, ", median ",
		    (double)histogram_percentile(&s->all, 50));
		put_us(
		    &text, ", p99 ", (double)histogram_percentile(&s->all, 99));
		put_us(&text, ", max ", (double)s->all.max_us);
	}
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

static void
add_bucket(struct run *run, const struct spread *s, size_t bucket)
{
	struct out *out = &run->out;
	double share = (double)s->counts[bucket] / (double)s->all.total;
	struct buf bar = XBUF;

	out_word(out, SPREAD_NODE, s->target->name);
	out_real(out, SPREAD_FROM, bucket == 0 ? 0 : top_of(bucket - 1) / 1000);
	if (bucket + 1 < SPREAD_BUCKETS)
		out_real(out, SPREAD_TO, top_of(bucket) / 1000);
	out_integer(out, SPREAD_COUNT, (int64_t)s->counts[bucket]);
	out_real(out, SPREAD_PERCENT, 100 * share);
	if (out_is_looks(out) && share > 0) {
		spark_bar(&bar, share, BAR_COLUMNS, run->app->utf8);
		out_text(out, SPREAD_BAR, buf_span(&bar));
	}
	out_row(out);
	buf_release(&bar);
}

/* From the first bucket with answers to the last. */
static void
add_buckets(struct run *run, const struct spread *s)
{
	size_t first = 0;
	size_t last = SPREAD_BUCKETS;

	if (s->all.total == 0)
		return;
	while (s->counts[first] == 0)
		first++;
	while (s->counts[last - 1] == 0)
		last--;
	for (size_t i = first; i < last; i++)
		add_bucket(run, s, i);
}

static enum status
begin(struct pinger *p, bool histogram, uint64_t count)
{
	struct run *run = p->run;
	bool several = run->target_count > 1 && run->to_terminal &&
		       !run->watched && !run->is_sketch &&
		       prefs_text(&run->prefs, PREF_SORT) == NULL;

	if (!histogram)
		return count > 1 || several ? run_begin_stream(run, &ping_view)
					    : run_begin(run, &ping_view);
	p->spreads = xcalloc(run->target_count, sizeof(*p->spreads));
	for (size_t i = 0; i < run->target_count; i++)
		p->spreads[i].target = run->targets[i];
	return run_begin(run, &spread_view);
}

static enum status
ping(struct pinger *p, uint64_t count, uint64_t every, enum status *worst)
{
	struct loop *loop = app_loop(p->run->app);
	enum status status = STATUS_OK;

	while (status == STATUS_OK && p->seq < count) {
		enum status result;

		if (p->seq > 0 && loop_rest(loop, every) == WAIT_INTERRUPTED)
			return STATUS_SIGINT;
		p->seq++;
		status = ping_once(p, &result);
		*worst = exit_status_worst(*worst, result);
	}
	return status;
}

/* Ctrl-C ends it early; what was counted until then is shown. */
static void
end(struct pinger *p)
{
	struct run *run = p->run;

	for (size_t i = 0; p->spreads != NULL && i < run->target_count; i++) {
		add_buckets(run, &p->spreads[i]);
		add_summary(run, &p->spreads[i]);
	}
	out_end(&run->out);
}

static enum status
ping_run(struct run *run)
{
	bool histogram = run_flag(run, "histogram") != NULL;
	struct pinger p = { .run = run };
	uint64_t count;
	uint64_t every = 0;
	enum status worst = STATUS_OK;
	enum status status = run_number_flag(run, "count",
	    histogram ? HISTOGRAM_PINGS : 1, 1, UINT32_MAX, &count);

	if (status == STATUS_OK)
		status = run_duration_flag(run, "interval",
		    histogram ? HISTOGRAM_INTERVAL_NS : HERD_NS_PER_S, &every);
	if (status == STATUS_OK)
		status = choose_targets(run);
	if (status == STATUS_OK)
		status = begin(&p, histogram, count);
	if (status == STATUS_OK) {
		status = ping(&p, count, every, &worst);
		if (status == STATUS_OK || status == STATUS_SIGINT)
			end(&p);
	}
	free(p.spreads);
	return status != STATUS_OK ? status : worst;
}

const struct command cmd_ping = {
	.path = "ping",
	.summary = "ask nodes whether they answer clients, and how fast",
	.help = "An invalid request is sent to the client listener, whose "
		"answer is timed; nothing changes.",
	.group = GROUP_CLIENTS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE, .optional = true,
	    .repeats = true)),
	/* clang-format off */
	.flags = FLAGS(
	    FLAG("count", .letter = 'c', .value = "N", .help = "ask each node N times (1)"),
	    FLAG("histogram",
		.help = "how many answers took how long; 100 questions, 10ms between them"),
	    FLAG("interval", .letter = 'i', .value = "DURATION",
		.help = "time between two questions (1s)")),
	/* clang-format on */
	.view = &ping_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = ping_run,
	.example = "ping Riley -c 3",
};
