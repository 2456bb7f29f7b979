/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench: load for a herd, and what its clients see of it. Each connection
 * keeps `pipeline` requests under way, or sends at its share of --rate; every
 * answer is checked to be one of the right kind and timed from when its
 * request was due, so that a server that stalls cannot hide it.
 */
#include "cmd/list.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/histogram.h"
#include "base/xbuf.h"
#include "cmd/typed.h"
#include "herd/text.h"
#include "net/connection.h"
#include "run/ask.h"
#include "run/conversation.h"

#define CONNECTIONS_MOST 10000u
#define CLIENTS_MOST 10000000u
#define PIPELINE_MOST 1024u
#define REPORTS_AT_ONCE 1000u
#define TICK_MS 5 /* how often requests that are due are sent */
#define LA_LAT 34.0
#define LA_LON -118.4

/* clang-format off */
#define BENCH_COLUMNS(X) \
	X(BENCH_KIND, "request", "REQUEST", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL) \
	X(BENCH_SENT, "answered", "ANSWERED", VALUE_INTEGER) \
	X(BENCH_REFUSED, "refused", "REFUSED", VALUE_INTEGER) \
	X(BENCH_SECONDS, "duration_s", "TOOK", VALUE_SECONDS) \
	X(BENCH_RATE, "rate_per_s", "PER SECOND", VALUE_REAL) \
	X(BENCH_P50, "p50_ms", "P50", VALUE_MS) \
	X(BENCH_P90, "p90_ms", "P90", VALUE_MS, .drop = 2) \
	X(BENCH_P99, "p99_ms", "P99", VALUE_MS) \
	X(BENCH_P999, "p99_9_ms", "P99.9", VALUE_MS, .drop = 1) \
	X(BENCH_MAX, "max_ms", "MAX", VALUE_MS, .drop = 1)
/* clang-format on */

COLUMN_TABLE(bench_columns, BENCH_COLUMNS);

static const struct view bench_view =
    VIEW(bench_columns, .schema = "herd.bench/1", .list = "results");

enum { KIND_IAMAT, KIND_WHATSAT, KINDS };

struct bench;

/* Requests under way on a connection, oldest first. */
struct flight {
	struct mono due;
	unsigned char kind;
};

struct bench_client {
	struct bench *bench;
	struct connection *connection;
	const struct target *target;
	struct flight *flights; /* ring of `room` */
	size_t room;
	size_t first;
	size_t count;
	bool failed;
	bool open;
};

struct bench {
	struct run *run;
	uint64_t clients;
	uint64_t connection_count;
	uint64_t pipeline;
	uint64_t rate;
	uint64_t duration_ns;
	char *prefix;   /* of the ids */
	bool own;       /* nobody else has that prefix */
	unsigned kinds; /* bits of KIND_... that are sent */
	struct bench_client *connections;
	struct histogram *latency[KINDS];
	uint64_t refused[KINDS];
	uint64_t sent;
	uint64_t turn; /* which connection is next, with --rate */
	uint64_t seed;
	struct mono began;
	struct mono end;
	struct mono last_shown;
	uint64_t shown_answers;
	struct event *tick;
	bool over; /* nothing more is sent */
	char *failure;
	struct buf request;
};

/* --- requests -------------------------------------------------------- */

/* xorshift64*: the load is the same in each run. */
static uint64_t
next_random(struct bench *b)
{
	b->seed ^= b->seed >> 12;
	b->seed ^= b->seed << 25;
	b->seed ^= b->seed >> 27;
	return b->seed * UINT64_C(2685821657736338717);
}

static unsigned
choose_kind(struct bench *b)
{
	if (b->kinds == 1u << KIND_IAMAT)
		return KIND_IAMAT;
	if (b->kinds == 1u << KIND_WHATSAT)
		return KIND_WHATSAT;
	/* mixed: nine reports to a question */
	return next_random(b) % 10 == 0 ? KIND_WHATSAT : KIND_IAMAT;
}

static void
put_iamat(struct bench *b, uint64_t client)
{
	char time[TIME_FORMAT_MAX];
	size_t len = time_format(now_wall().ns, time);

	putf(&b->request, "IAMAT %s%llu %+.6f%+.6f %.*s", b->prefix,
	    (unsigned long long)client,
	    LA_LAT + (double)(next_random(b) % 100000) / 1e6,
	    LA_LON + (double)(next_random(b) % 100000) / 1e6, (int)len, time);
}

static void
build_request(struct bench *b, unsigned kind)
{
	uint64_t client = next_random(b) % b->clients;

	buf_clear(&b->request);
	if (kind == KIND_WHATSAT)
		putf(&b->request, "WHATSAT %s%llu 10 5", b->prefix,
		    (unsigned long long)client);
	else
		put_iamat(b, client);
}

static void
put_flight(struct bench_client *c, struct mono due, unsigned kind)
{
	struct flight *flight = &c->flights[(c->first + c->count) % c->room];

	flight->due = due;
	flight->kind = (unsigned char)kind;
	c->count++;
}

static void
send_one(struct bench_client *c, struct mono due)
{
	struct bench *b = c->bench;
	unsigned kind = choose_kind(b);

	build_request(b, kind);
	put_flight(c, due, kind);
	connection_queue(c->connection, buf_span(&b->request));
	b->sent++;
}

/* Without a rate: as many under way as the pipeline allows. */
static void
fill_pipeline(struct bench_client *c)
{
	struct bench *b = c->bench;

	if (b->over || b->rate > 0 || !c->open)
		return;
	while (c->count < b->pipeline)
		send_one(c, now_mono());
	connection_push(c->connection);
}

/* With a rate: requests that are due go to the connections in turn. */
static void
send_due(struct bench *b)
{
	struct mono now = now_mono();
	uint64_t due = (uint64_t)((double)mono_since(now, b->began) / 1e9 *
				  (double)b->rate);
	size_t skipped = 0;

	while (b->sent < due && skipped < b->connection_count) {
		struct bench_client *c =
		    &b->connections[b->turn++ % b->connection_count];
		uint64_t at =
		    (uint64_t)((double)b->sent * 1e9 / (double)b->rate);

		if (!c->open || c->failed || c->count == c->room) {
			skipped++;
			continue;
		}
		skipped = 0;
		send_one(c, mono_add(b->began, at));
	}
	for (size_t i = 0; i < b->connection_count; i++)
		connection_push(b->connections[i].connection);
}

/* --- answers --------------------------------------------------------- */

static void
fail(struct bench_client *c, const char *message)
{
	struct bench *b = c->bench;

	c->failed = true;
	c->open = false;
	c->count = 0;
	if (b->failure == NULL)
		b->failure = xasprintf("%s: %s", c->target->name, message);
}

static void
on_open(void *arg)
{
	struct bench_client *c = arg;

	c->open = true;
	fill_pipeline(c);
}

static void
on_reply(void *arg, struct span reply, enum reply_kind kind HERD_UNUSED)
{
	struct bench_client *c = arg;
	struct bench *b = c->bench;
	struct flight *flight = &c->flights[c->first];

	c->first = (c->first + 1) % c->room;
	c->count--;
	histogram_add(b->latency[flight->kind],
	    mono_since(now_mono(), flight->due) / 1000);
	if (reply.data[0] == '?')
		b->refused[flight->kind]++;
	fill_pipeline(c);
}

static void
on_closed(void *arg, enum status why HERD_UNUSED, const char *message)
{
	fail(arg, message);
}

static const struct connection_events connection_events = {
	.on_open = on_open,
	.on_reply = on_reply,
	.on_closed = on_closed,
};

/* --- the run --------------------------------------------------------- */

static uint64_t
answers(const struct bench *b)
{
	return b->latency[KIND_IAMAT]->total + b->latency[KIND_WHATSAT]->total;
}

static void
show_progress(struct bench *b)
{
	struct mono now = now_mono();
	double s = (double)mono_since(now, b->last_shown) / 1e9;

	if (isatty(STDERR_FILENO) != 1 || s < 0.5 ||
	    prefs_is(&b->run->prefs, PREF_QUIET))
		return;
	fprintf(stderr, "\r%3.0f s  %10.0f/s  %llu answers ",
	    (double)mono_since(now, b->began) / 1e9,
	    (double)(answers(b) - b->shown_answers) / s,
	    (unsigned long long)answers(b));
	fflush(stderr);
	b->last_shown = now;
	b->shown_answers = answers(b);
}

static void
end_progress(const struct bench *b)
{
	if (isatty(STDERR_FILENO) == 1 && b->shown_answers > 0)
		fputs("\r                                              \r",
		    stderr);
}

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct bench *b = arg;

	if (mono_since(now_mono(), b->end) > 0)
		b->over = true;
	if (!b->over && b->rate > 0)
		send_due(b);
	show_progress(b);
}

static bool
is_over(const void *arg)
{
	const struct bench *b = arg;
	size_t alive = 0;

	for (size_t i = 0; i < b->connection_count; i++) {
		if (b->connections[i].count > 0 && b->over)
			return false;
		alive += !b->connections[i].failed;
	}
	return b->over || alive == 0;
}

static void
open_connections(struct bench *b)
{
	struct run *run = b->run;
	struct timeval every = { .tv_usec = TICK_MS * 1000 };

	b->connections = xcalloc(b->connection_count, sizeof(*b->connections));
	for (size_t i = 0; i < b->connection_count; i++) {
		struct bench_client *c = &b->connections[i];

		c->bench = b;
		c->target = run->targets[i % run->target_count];
		c->room = b->rate > 0 ? PIPELINE_MOST : b->pipeline;
		c->flights = xcalloc(c->room, sizeof(*c->flights));
		c->connection = connection_new(
		    app_loop(run->app)->base, &connection_events, c);
		connection_open(
		    c->connection, &c->target->clients, c->target->clients_tls);
	}
	b->tick =
	    event_new(app_loop(run->app)->base, -1, EV_PERSIST, on_tick, b);
	if (b->tick == NULL || event_add(b->tick, &every) != 0)
		out_of_memory();
}

static void
close_connections(struct bench *b)
{
	for (size_t i = 0; i < b->connection_count; i++) {
		connection_free(b->connections[i].connection);
		free(b->connections[i].flights);
	}
	free(b->connections);
	event_free(b->tick);
}

static void
add_row(struct bench *b, unsigned kind, const char *name, double s)
{
	struct out *out = &b->run->out;
	const struct histogram *h = b->latency[kind];
	static const struct {
		size_t column;
		double percent;
	} percentiles[] = {
		{ .column = BENCH_P50, .percent = 50 },
		{ .column = BENCH_P90, .percent = 90 },
		{ .column = BENCH_P99, .percent = 99 },
		{ .column = BENCH_P999, .percent = 99.9 },
	};

	out_word(out, BENCH_KIND, name);
	out_integer(out, BENCH_SENT, (int64_t)h->total);
	out_integer(out, BENCH_REFUSED, (int64_t)b->refused[kind]);
	out_real(out, BENCH_SECONDS, s);
	out_real(out, BENCH_RATE, (double)h->total / s);
	for (size_t i = 0; h->total > 0 && i < HERD_ARRAY_LEN(percentiles); i++)
		out_real(out, percentiles[i].column,
		    (double)histogram_percentile(h, percentiles[i].percent) /
			1e3);
	if (h->total > 0)
		out_real(out, BENCH_MAX, (double)h->max_us / 1e3);
	out_row(out);
}

static enum status
measure(struct bench *b)
{
	struct run *run = b->run;
	struct mono deadline;
	enum wait_result result;
	double s;

	b->began = now_mono();
	b->last_shown = b->began;
	b->end = mono_add(b->began, b->duration_ns);
	deadline = prefs_ns(&run->prefs, PREF_TIMEOUT) == 0
		       ? NO_DEADLINE
		       : mono_add(b->end, prefs_ns(&run->prefs, PREF_TIMEOUT));
	open_connections(b);
	result = loop_wait(app_loop(run->app), is_over, b, deadline);
	s = (double)mono_since(now_mono(), b->began) / 1e9;
	end_progress(b);
	close_connections(b);
	if ((b->kinds & 1u << KIND_IAMAT) != 0)
		add_row(b, KIND_IAMAT, "iamat", s);
	if ((b->kinds & 1u << KIND_WHATSAT) != 0)
		add_row(b, KIND_WHATSAT, "whatsat", s);
	out_end(&run->out);
	if (b->failure != NULL)
		return run_fail(run, STATUS_CONNECT, "%s", b->failure);
	return run_wait_status(run, result);
}

/*
 * Reports each client to each node before anything is measured, because a node
 * has almost nothing to do for a client that it does not know.
 */
static enum status
report_clients(struct bench *b)
{
	struct run *run = b->run;
	enum status status = STATUS_OK;

	for (uint64_t client = 0; client < b->clients && status == STATUS_OK;) {
		struct conversations answers;

		buf_clear(&b->request);
		for (unsigned i = 0; i < REPORTS_AT_ONCE && client < b->clients;
		     i++) {
			if (i > 0)
				put_byte(&b->request, '\n');
			put_iamat(b, client++);
		}
		run_renew_deadline(run);
		status = conversation_all(run, buf_span(&b->request), &answers);
		if (status == STATUS_OK)
			status = conversations_report(run, &answers);
		conversations_release(&answers);
	}
	return status;
}

/* Ids that no client has: they are removed at the end. */
static void
choose_prefix(struct bench *b)
{
	const char *given = run_flag(b->run, "prefix");
	uint32_t number = 0;

	b->own = given == NULL &&
		 getrandom(&number, sizeof(number), 0) == sizeof(number);
	b->prefix =
	    given != NULL ? xstrdup(given) : xasprintf("bench-%08x-", number);
}

static enum status
read_flags(struct bench *b)
{
	struct run *run = b->run;
	const char *kind = run_word(run, 0);
	enum status status =
	    run_number_flag(run, "clients", 1000, 1, CLIENTS_MOST, &b->clients);

	if (status == STATUS_OK)
		status = run_number_flag(run, "connections", 16, 1,
		    CONNECTIONS_MOST, &b->connection_count);
	if (status == STATUS_OK)
		status = run_number_flag(
		    run, "pipeline", 1, 1, PIPELINE_MOST, &b->pipeline);
	if (status == STATUS_OK)
		status =
		    run_number_flag(run, "rate", 0, 1, 100000000, &b->rate);
	if (status == STATUS_OK)
		status = run_duration_flag(
		    run, "duration", 10 * HERD_NS_PER_S, &b->duration_ns);
	choose_prefix(b);
	if (status == STATUS_OK)
		status = typed_client(run, b->prefix);
	b->kinds = 1u << KIND_IAMAT | 1u << KIND_WHATSAT;
	if (strcmp(kind, "mixed") != 0)
		b->kinds = strcmp(kind, "iamat") == 0 ? 1u << KIND_IAMAT
						      : 1u << KIND_WHATSAT;
	return status;
}

static enum status
confirm(struct bench *b)
{
	struct run *run = b->run;

	if (prefs_is(&run->prefs, PREF_PROTECTED))
		return run_fail(run, STATUS_USAGE,
		    "the context %s is protected: no bench here",
		    run->context == NULL ? "in use" : run->context);
	return run_confirm(run,
	    "Send load to %s (%s), as up to %llu clients %s*?", run_where(run),
	    run_herd_name(run), (unsigned long long)b->clients, b->prefix);
}

/* Makes the herd forget its clients; says so if they stay. */
static void
remove_clients(struct bench *b, enum status status)
{
	struct run *run = b->run;
	struct answers answers = { 0 };
	char *path = xasprintf("/v1/clients?prefix=%s", b->prefix);
	const struct question question = { .method = "DELETE", .path = path };
	enum status removed = status;

	run_renew_deadline(run);
	if (status != STATUS_SIGINT)
		removed = ask(
		    run, &question, run->targets, run->target_count, &answers);
	if (removed == STATUS_OK)
		removed = answers_status(&answers);
	if (removed != STATUS_OK)
		putf(&run->afterwards,
		    "herdctl: the clients of this bench stay; `client forget "
		    "'%s*'' removes them\n",
		    b->prefix);
	answers_release(&answers);
	free(path);
}

static enum status
bench_run(struct run *run)
{
	struct bench b = {
		.run = run, .seed = 88172645463325252u, .request = XBUF
	};
	enum status status = read_flags(&b);

	if (status == STATUS_OK)
		status = run_targets(run);
	if (status == STATUS_OK)
		status = confirm(&b);
	if (status == STATUS_OK)
		status = run_begin(run, &bench_view);
	if (status != STATUS_OK) {
		free(b.prefix);
		return status;
	}
	b.latency[KIND_IAMAT] = xcalloc(1, sizeof(struct histogram));
	b.latency[KIND_WHATSAT] = xcalloc(1, sizeof(struct histogram));
	if ((b.kinds & 1u << KIND_WHATSAT) != 0)
		status = report_clients(&b);
	if (status == STATUS_OK)
		status = measure(&b);
	if (b.own && run_flag(run, "keep") == NULL)
		remove_clients(&b, status);
	free(b.prefix);
	free(b.latency[KIND_IAMAT]);
	free(b.latency[KIND_WHATSAT]);
	free(b.failure);
	buf_release(&b.request);
	return status;
}

const struct command cmd_bench = {
	.path = "bench",
	.summary = "measure a herd under load",
	.help =
	    "Many connections send reports, questions or both; the answers "
	    "are checked and timed. Clients are reported before they are asked "
	    "for; that is not measured. The ids have a prefix of this bench "
	    "alone, and the herd forgets them at the end unless --keep or "
	    "--prefix is given. Asks first; refused in a protected context.",
	.group = GROUP_CLIENTS,
	.args = ARGS(ARG("iamat|whatsat|mixed", .complete = COMPLETE_WORDS,
	    .words = "iamat whatsat mixed", .fixed = true)),
	/* clang-format off */
	.flags = FLAGS(
	    FLAG("clients", .value = "N", .help = "different client ids (1000)"),
	    FLAG("connections", .value = "N", .help = "connections, spread over the nodes (16)"),
	    FLAG("pipeline", .value = "N", .help = "requests under way on each (1)"),
	    FLAG("rate", .value = "N",
		.help = "requests per second in all (as fast as they are answered)"),
	    FLAG("duration", .value = "DURATION", .help = "how long (10s)"),
	    FLAG("prefix", .value = "PREFIX", .help = "prefix of the client ids"),
	    FLAG("keep", .help = "leave the clients in the herd")),
	/* clang-format on */
	.view = &bench_view,
	.traits = COMMAND_WRITE | COMMAND_CONFIRM,
	.run = bench_run,
	.example = "bench iamat --clients 1000 --duration 10s --yes",
};
