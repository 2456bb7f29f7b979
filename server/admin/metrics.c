/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /metrics in Prometheus' text format, version 0.0.4, or as OpenMetrics. Every
 * metric is one row of metrics_rows.def; those of places come from that room.
 * Base units; never a client id as a label.
 */
#include <event2/http.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "net/http_limits.h"
#include "admin/open_metrics.h"
#include "admin/process.h"
#include "admin/route.h"
#include "admin/table_stats.h"
#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/traffic.h"
#include "herd/text.h"
#include "herd/version.h"
#include "net/peering.h"
#include "net/worker_pool.h"
#include "node/config.h"
#include "node/limits.h"
#include "node/tls_files.h"
#include "phones/phones.h"
#include "places/places_report.h"
#include "store/store.h"

#define METRICS_MAX (4u << 20)
/*
 * Memory that does not grow with clients or connections: the program and its
 * libraries, the gazetteer's map, caches, the log. Then the buffers of a link
 * and of a request to the admin API.
 */
#define MEMORY_FIXED (192u << 20)
#define MEMORY_OF_LINK (1u << 20)
#define MEMORY_OF_CALL (8u << 20)
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Where the values of metrics come from, gathered once for all of them. */
struct gathered {
	struct node *node;
	const struct admin *admin;
	uint64_t uptime_ns;
	uint64_t judged_ns; /* the time by which the node judges */
	struct mono now;
	double wall_s; /* the node's clock minus `now` */
	struct table_counts table;
	struct table_stats_facts stats;
	struct worker_pool_counts workers;
	struct phones_counts phones;
	struct store_status store; /* if the node has one */
	struct store_disk disk;
	bool disk_known;
	enum config_on_disk file;
	struct http_limits_counts limits;
	struct process_facts process;
	struct peering_strangers strangers;
	struct peering_flood flood;
	struct link_status *links;
	unsigned link_count;
	const struct link_status *link; /* that is being written */
};

static double
seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static double
signed_seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

static double
since(const struct gathered *g, struct mono at)
{
	return seconds(mono_since(g->now, at));
}

/* To the millisecond: the two clocks are read one after the other. */
static double
timestamp(const struct gathered *g, struct mono at)
{
	return round((g->wall_s + seconds(at.ns)) * 1e3) / 1e3;
}

static double
age(const struct gathered *g, uint64_t at_ns)
{
	return g->judged_ns > at_ns ? seconds(g->judged_ns - at_ns) : 0;
}

static double
memory_bound(const struct gathered *g)
{
	return (double)g->workers.memory_max + (double)g->table.bytes +
	       (double)g->phones.memory_max + MEMORY_FIXED +
	       (double)g->node->file.link_count * MEMORY_OF_LINK +
	       (double)g->admin->call_count * MEMORY_OF_CALL;
}

static void
gather(const struct http_call *call, struct gathered *g)
{
	struct node *node = call->node;

	g->node = node;
	g->admin = call->admin;
	g->now = clock_mono();
	g->wall_s = seconds(clock_wall().ns) - seconds(g->now.ns);
	g->uptime_ns = mono_since(g->now, node->started);
	g->judged_ns = timekeeper_wall(&node->timekeeper, g->now).ns;
	table_count(node->table, &g->table);
	table_stats_ask(call->admin->stats, &g->stats);
	worker_pool_count(node->workers, &g->workers);
	phones_count(node->phones, &g->phones);
	if (node->store != NULL) {
		store_status(node->store, &g->store);
		g->disk_known = store_disk(node->store, &g->disk) == HERD_OK;
	}
	g->file = config_on_disk(node);
	g->limits = http_limits_count(call->admin->limits);
	process_ask(&g->process);
	peering_strangers(node->peering, &g->strangers);
	peering_flood(node->peering, &g->flood);
	g->link_count = peering_status(node->peering, g->links);
}

/* --- samples with labels ---------------------------------------------- */

#define PEER_LABEL_MAX (REPORT_ORIGIN_MAX + 16u)

/* A node's name has no character to escape. */
static void
peer_label(const struct link_status *link, char out[PEER_LABEL_MAX])
{
	snprintf(out, PEER_LABEL_MAX, "peer=\"%s\"", link->peer);
}

/* `labels` without braces, "" for none. */
static enum herd_error
add_sample(struct buf *out, const char *name, const char *labels, double value)
{
	bool labelled = labels[0] != '\0';

	if (isnan(value))
		return HERD_OK;
	return buf_addf(out, "%s%s%s%s %.15g\n", name, labelled ? "{" : "",
	    labels, labelled ? "}" : "", value);
}

static enum herd_error
add_info(struct buf *out, const char *name, const struct gathered *g)
{
	enum herd_error error = buf_addf(out, "%s{herd=\"", name);

	if (error == HERD_OK)
		error = text_escape(out, span_from(g->node->herd), 256);
	if (error == HERD_OK)
		error = buf_addf(out, "\",node=\"%s\",version=\"%s\"} 1\n",
		    g->node->name, HERD_VERSION);
	return error;
}

static enum herd_error
add_requests(struct buf *out, const char *name, const struct gathered *g)
{
	const struct worker_pool_counts *counts = &g->workers;
	enum herd_error error =
	    add_sample(out, name, "kind=\"iamat\"", (double)counts->iamat);

	if (error == HERD_OK)
		error = add_sample(
		    out, name, "kind=\"whatsat\"", (double)counts->whatsat);
	if (error == HERD_OK)
		error = add_sample(
		    out, name, "kind=\"invalid\"", (double)counts->invalid);
	return error;
}

static enum herd_error
add_request_times(struct buf *out, const char *name, const struct gathered *g)
{
	static const char *const LABELS[] = {
#define HERD_SORT_LABEL(id, word) [id] = "kind=\"" word "\"",
		REQUEST_SORTS(HERD_SORT_LABEL)
#undef HERD_SORT_LABEL
	};
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < SORT_COUNT && error == HERD_OK; i++)
		error = time_histogram_format(
		    out, name, LABELS[i], &g->workers.times[i]);
	return error;
}

/* Since when a shared store has taken nothing; 0: it takes what it gets. */
static double
store_away_since(const struct gathered *g)
{
	return g->store.state == STORE_AWAY || g->store.state == STORE_REFUSED
		   ? seconds(g->store.since.ns)
		   : 0;
}

static enum herd_error
add_commit_times(struct buf *out, const char *name, const struct gathered *g)
{
	return g->node->store == NULL ? HERD_OK
				      : time_histogram_format(out, name, "",
					    &g->store.commit_times);
}

static enum herd_error
add_propagation(struct buf *out, const char *name, const struct gathered *g)
{
	enum herd_error error = HERD_OK;
	char labels[PEER_LABEL_MAX];

	for (unsigned i = 0; i < g->link_count && error == HERD_OK; i++) {
		peer_label(&g->links[i], labels);
		error = time_histogram_format(
		    out, name, labels, &g->links[i].stats.propagation);
	}
	return error;
}

static enum herd_error
add_requests_refused(
    struct buf *out, const char *name, const struct gathered *g)
{
	static const char *const LABELS[] = {
#define HERD_REFUSAL_LABEL(id, word, text) [id] = "reason=\"" word "\"",
		REFUSALS(HERD_REFUSAL_LABEL)
#undef HERD_REFUSAL_LABEL
	};
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < REFUSAL_COUNT && error == HERD_OK; i++)
		error = add_sample(out, name, LABELS[i],
		    (double)g->workers.requests_refused[i]);
	return error;
}

/* No samples if the node has no listener for phones. */
static enum herd_error
add_http_reports(struct buf *out, const char *name, const struct gathered *g)
{
	static const char *const LABELS[] = {
#define HERD_APP_LABEL(id, word) [id] = "app=\"" word "\"",
		PHONES_APPS(HERD_APP_LABEL)
#undef HERD_APP_LABEL
	};
	enum herd_error error = HERD_OK;

	for (unsigned i = 0;
	     g->node->phones != NULL && i < APP_COUNT && error == HERD_OK; i++)
		error = add_sample(
		    out, name, LABELS[i], (double)g->phones.reports[i]);
	return error;
}

static enum herd_error
add_http_refused(struct buf *out, const char *name, const struct gathered *g)
{
	static const char *const LABELS[] = {
#define HERD_HTTP_LABEL(id, status, word, ...) [id] = "reason=\"" word "\"",
		PHONES_REFUSALS(HERD_HTTP_LABEL)
#undef HERD_HTTP_LABEL
	};
	static const char *const FAULTS[] = {
#define HERD_FAULT_LABEL(id, word) [id] = "reason=\"" word "\"",
		INTAKE_FAULTS(HERD_FAULT_LABEL)
#undef HERD_FAULT_LABEL
	};
	enum herd_error error = HERD_OK;

	if (g->node->phones == NULL)
		return HERD_OK;
	for (unsigned i = 0; i < PHONES_REFUSAL_COUNT && error == HERD_OK; i++)
		error = add_sample(
		    out, name, LABELS[i], (double)g->phones.refused[i]);
	for (unsigned i = 0; i < INTAKE_FAULT_COUNT && error == HERD_OK; i++)
		error = add_sample(
		    out, name, FAULTS[i], (double)g->phones.faults[i]);
	return error;
}

/* A sample per state, 1 for the one that a link is in. */
static enum herd_error
add_link_states(struct buf *out, const char *name, const struct gathered *g)
{
	static const enum link_state STATES[] = {
#define HERD_LINK_STATE_ID(id, word) id,
		LINK_STATES(HERD_LINK_STATE_ID)
#undef HERD_LINK_STATE_ID
	};
	enum herd_error error = HERD_OK;

	for (unsigned j = 0; j < g->link_count; j++) {
		const struct link_status *link = &g->links[j];

		for (size_t i = 0;
		     i < HERD_ARRAY_LEN(STATES) && error == HERD_OK; i++)
			error =
			    buf_addf(out, "%s{peer=\"%s\",state=\"%s\"} %d\n",
				name, link->peer, link_state_word(STATES[i]),
				link->state == STATES[i]);
	}
	return error;
}

static enum herd_error
add_strangers_refused(
    struct buf *out, const char *name, const struct gathered *g)
{
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < SESSION_REASON_COUNT && error == HERD_OK; i++)
		error = buf_addf(out, "%s{reason=\"%s\"} %llu\n", name,
		    session_reason_word((enum session_reason)i),
		    (unsigned long long)g->strangers.refused[i]);
	return error;
}

/* How long the loops' turns took, as the watchdog saw them. */
static enum herd_error
add_turns(struct buf *out, const char *name, bool longest)
{
	enum herd_error error = HERD_OK;
	char labels[32];

	for (unsigned i = 0; i < loop_watch_count() && error == HERD_OK; i++) {
		const struct loop_watch *watch = loop_watch_at(i);

		snprintf(
		    labels, sizeof(labels), "thread=\"%s\"", watch->thread);
		error = add_sample(out, name, labels,
		    longest ? seconds(atomic_load(&watch->longest_ns))
			    : (double)atomic_load(&watch->slow));
	}
	return error;
}

static enum herd_error
add_slow_turns(
    struct buf *out, const char *name, const struct gathered *g HERD_UNUSED)
{
	return add_turns(out, name, false);
}

static enum herd_error
add_longest_turns(
    struct buf *out, const char *name, const struct gathered *g HERD_UNUSED)
{
	return add_turns(out, name, true);
}

static enum herd_error
add_certificates(struct buf *out, const char *name, const struct gathered *g)
{
	struct tls_shown shown[TLS_SHOWN_MAX];
	unsigned count = tls_files_shown(g->node, shown);
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < count && error == HERD_OK; i++) {
		char labels[32];

		snprintf(labels, sizeof(labels), "use=\"%s\"", shown[i].use);
		error = add_sample(
		    out, name, labels, (double)shown[i].facts.expires);
	}
	return error;
}

/* --- the rows --------------------------------------------------------- */

#define IF(known, value) ((known) ? (double)(value) : (double)NAN)

/* A function for each row that has a value. */
#define GAUGE(name, help, value)                                            \
	static double value_of_##name(const struct gathered *g HERD_UNUSED) \
	{                                                                   \
		return (double)(value);                                     \
	}
#define COUNTER GAUGE
#define LINK_GAUGE GAUGE
#define LINK_COUNTER GAUGE
#define SAMPLES(name, type, help, add)

#include "admin/metrics_rows.def"

#undef GAUGE
#undef COUNTER
#undef LINK_GAUGE
#undef LINK_COUNTER
#undef SAMPLES

struct metric_row {
	const char *name;
	const char *type;
	const char *help;
	double (*value)(const struct gathered *g);
	bool of_link; /* a value for each link */
	/* Instead of a value: writes all samples. */
	enum herd_error (*add)(
	    struct buf *out, const char *name, const struct gathered *g);
};

#define VALUE(name, type, help, of_link) \
	{ #name, type, help, value_of_##name, of_link, NULL },
#define GAUGE(name, help, value) VALUE(name, "gauge", help, false)
#define COUNTER(name, help, value) VALUE(name, "counter", help, false)
#define LINK_GAUGE(name, help, value) VALUE(name, "gauge", help, true)
#define LINK_COUNTER(name, help, value) VALUE(name, "counter", help, true)
#define SAMPLES(name, type, help, add) { #name, type, help, NULL, false, add },

static const struct metric_row METRICS[] = {
#include "admin/metrics_rows.def"
};

/* --- writing ---------------------------------------------------------- */

static enum herd_error
add_links(struct buf *out, const struct metric_row *metric, struct gathered *g)
{
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < g->link_count && error == HERD_OK; i++) {
		char labels[PEER_LABEL_MAX];

		g->link = &g->links[i];
		peer_label(g->link, labels);
		error = add_sample(out, metric->name, labels, metric->value(g));
	}
	return error;
}

static enum herd_error
add_metric(struct buf *out, const struct metric_row *metric, struct gathered *g)
{
	enum herd_error error = buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n",
	    metric->name, metric->help, metric->name, metric->type);

	if (error != HERD_OK)
		return error;
	if (metric->add != NULL)
		return metric->add(out, metric->name, g);
	if (metric->of_link)
		return add_links(out, metric, g);
	return add_sample(out, metric->name, "", metric->value(g));
}

static enum herd_error
add_all(const struct http_call *call, struct buf *out)
{
	struct gathered g = {
		.links = malloc(LINKS_MAX * sizeof(struct link_status)),
	};
	enum herd_error error = HERD_OK;

	if (g.links == NULL)
		return HERD_ENOMEM;
	gather(call, &g);
	for (size_t i = 0; i < HERD_ARRAY_LEN(METRICS) && error == HERD_OK; i++)
		error = add_metric(out, &METRICS[i], &g);
	if (error == HERD_OK && call->node->places != NULL)
		error = places_report_metrics(call->node->places, out);
	free(g.links);
	return error;
}

void
serve_metrics(struct http_call *call)
{
	struct buf text;

	bool open = open_metrics_is_wanted(evhttp_find_header(
	    evhttp_request_get_input_headers(call->request), "Accept"));
	enum herd_error error;

	buf_init(&text, METRICS_MAX);
	error = add_all(call, &text);
	if (error == HERD_OK && open)
		error = open_metrics_convert(&text);
	if (error == HERD_OK)
		http_call_text(call, 200,
		    open ? OPEN_METRICS_TYPE : METRICS_TYPE, buf_span(&text));
	else
		http_call_out_of_memory(call);
	buf_release(&text);
}
