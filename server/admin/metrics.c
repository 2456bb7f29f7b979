/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /metrics in Prometheus' text format, version 0.0.4. Every metric is one row
 * of a table here; those of places come from that room. Base units; never a
 * client id as a label.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/census.h"
#include "admin/guests.h"
#include "admin/process.h"
#include "base/clock.h"
#include "herd/text.h"
#include "herd/version.h"
#include "node/limits.h"
#include "net/links.h"
#include "net/workers.h"
#include "places/places.h"
#include "base/loop_watch.h"
#include "store/store.h"
#include "base/traffic.h"

#define METRICS_MAX (4u << 20)
/*
 * What does not grow with clients or connections: the program and its
 * libraries, the gazetteer's map, caches, the log; and per link and request
 * to the admin API, their buffers.
 */
#define MEMORY_FIXED (192u << 20)
#define MEMORY_OF_LINK (1u << 20)
#define MEMORY_OF_CALL (8u << 20)
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What the rows below point into. NaN is left out. */
struct facts {
	double isolated, ready, draining, uptime, start_time, config_loaded;
	double clients, removals, clients_max, table_bytes;
	double table_counted, table_max;
	double accepted, stale, equal, expired, evicted;
	double reported_rate, newest, oldest, strange, ahead;
	double clock_trusted, clock_overruled, clock_ahead, clock_steps;
	double iamat, whatsat, invalid;
	double requests_refused[REFUSAL_COUNT];
	double connections, busy, connections_max, opened, refused, timed_out;
	double gave_way, idle_closed;
	double received_bytes, sent_bytes;
	double traffic_lost;
	double store_failed, store_owed, store_commits, store_committed;
	double store_commit_s, store_loaded, store_damaged;
	double admin_answers, admin_errors, admin_calls;
	double admin_connections, admin_refused, admin_timed_out;
	double rss, memory_bound, cpu, open_files, max_files;
};

struct link_facts {
	double up, enabled, since, rtt, clock, owed, lag, verified;
	double sent, received, accepted, stale, repaired, restored, exchanges,
	    connects, twins;
	double sent_bytes, received_bytes, exchange_bytes;
};

struct metric {
	const char *name;
	const char *type;
	const char *labels; /* of this row, without braces; "" = none */
	size_t offset;      /* of a double */
	const char *help;
};

#define FACT(name, type, labels, field, help)                           \
	{                                                               \
		name, type, labels, offsetof(struct facts, field), help \
	}
#define GAUGE(name, field, help) FACT(name, "gauge", "", field, help)
#define COUNTER(name, field, help) FACT(name, "counter", "", field, help)

static const struct metric METRICS[] = {
	GAUGE("herd_ready", ready, "1 when the node is ready for clients."),
	GAUGE("herd_isolated", isolated,
	    "1 when no session with any neighbour lived for ready_after."),
	GAUGE("herd_draining", draining, "1 while the node drains."),
	GAUGE("herd_uptime_seconds", uptime, "Time since the node started."),
	GAUGE("herd_start_time_seconds", start_time,
	    "When the node started, since 1970."),
	GAUGE("herd_config_loaded_time_seconds", config_loaded,
	    "When the herd file was read, since 1970."),
	GAUGE("herd_clients", clients, "Clients whose report is held."),
	GAUGE("herd_removals", removals,
	    "Forgotten clients, still known so "
	    "that old reports stay out."),
	GAUGE("herd_clients_max", clients_max,
	    "Cap of clients and removals, 0 for none."),
	GAUGE("herd_table_bytes", table_bytes, "Memory of the table."),
	GAUGE("herd_table_counted_bytes", table_counted,
	    "Of it, what counts for max_memory: not removals, nor free slots."),
	GAUGE("herd_table_max_bytes", table_max,
	    "What it may be for reports of clients to be taken: max_memory, or "
	    "a neighbour's that is less."),
	COUNTER("herd_reports_accepted_total", accepted,
	    "Reports that were new or newer, from clients and links."),
	COUNTER("herd_reports_stale_total", stale,
	    "Reports older than what was held."),
	COUNTER("herd_reports_equal_total", equal,
	    "Reports that were held already."),
	COUNTER("herd_reports_expired_total", expired,
	    "Reports refused or dropped for their age."),
	COUNTER("herd_reports_evicted_total", evicted,
	    "Reports refused or thrown out at the cap."),
	GAUGE("herd_reported_per_second", reported_rate,
	    "IAMATs per second of the last ten seconds."),
	GAUGE("herd_newest_report_age_seconds", newest,
	    "Age of the newest report by its own time."),
	GAUGE("herd_oldest_report_age_seconds", oldest,
	    "Age of the oldest report by its own time."),
	GAUGE("herd_clients_strange_origin", strange,
	    "Records whose origin is no node of the herd file."),
	GAUGE("herd_clients_ahead", ahead,
	    "Clients whose newest time lies ahead of the node's clock."),
	GAUGE("herd_clock_trusted", clock_trusted,
	    "0 while nothing expires because nobody agrees to the clock yet."),
	GAUGE("herd_clock_overruled", clock_overruled,
	    "1 while the node judges by its neighbours' clocks, not its own."),
	GAUGE("herd_clock_ahead_seconds", clock_ahead,
	    "This node's clock minus the time by which it judges."),
	COUNTER("herd_clock_steps_total", clock_steps,
	    "How often the clock was set by more than 1 s."),
	FACT("herd_requests_total", "counter", "kind=\"iamat\"", iamat,
	    "Requests of clients."),
	FACT("herd_requests_total", "counter", "kind=\"whatsat\"", whatsat,
	    "Requests of clients."),
	FACT("herd_requests_total", "counter", "kind=\"invalid\"", invalid,
	    "Requests of clients."),
#define HERD_REFUSAL_METRIC(id, word, text)                                   \
	FACT("herd_requests_refused_total", "counter", "reason=\"" word "\"", \
	    requests_refused[id], "Requests answered as invalid, by reason."),
	REFUSALS(HERD_REFUSAL_METRIC)
#undef HERD_REFUSAL_METRIC
	    GAUGE("herd_connections", connections, "Connections of clients."),
	GAUGE("herd_connections_busy", busy,
	    "Of them, those with a request begun or replies unsent."),
	GAUGE("herd_connections_max", connections_max,
	    "Most connections of clients at one time."),
	COUNTER("herd_connections_opened_total", opened,
	    "Connections of clients that were taken."),
	COUNTER("herd_connections_refused_total", refused,
	    "Connections of clients that were refused at a limit."),
	COUNTER("herd_connections_timed_out_total", timed_out,
	    "Connections of clients closed for a slow request or reader."),
	COUNTER("herd_connections_gave_way_total", gave_way,
	    "Connections of clients closed for a new one at max_connections."),
	COUNTER("herd_connections_idle_closed_total", idle_closed,
	    "Connections of clients closed by idle_timeout."),
	COUNTER("herd_clients_received_bytes_total", received_bytes,
	    "Bytes that clients sent."),
	COUNTER("herd_clients_sent_bytes_total", sent_bytes,
	    "Bytes sent to clients."),
	COUNTER("herd_traffic_lines_lost_total", traffic_lost,
	    "Lines that the traffic log could not write."),
	GAUGE("herd_store_failed", store_failed,
	    "1 when a write failed: nothing is stored any more."),
	GAUGE("herd_store_owed_records", store_owed,
	    "Reports that are not stored yet."),
	COUNTER("herd_store_commits_total", store_commits,
	    "Transactions of the store."),
	COUNTER("herd_store_committed_records_total", store_committed,
	    "Reports that were stored."),
	GAUGE("herd_store_commit_seconds", store_commit_s,
	    "Time that the last transaction took."),
	GAUGE("herd_store_loaded_records", store_loaded,
	    "Reports that the store had at the start."),
	GAUGE("herd_store_damaged_records", store_damaged,
	    "Rows that the store could not believe at the start."),
	COUNTER("herd_admin_answers_total", admin_answers,
	    "Requests to the admin API that were answered."),
	COUNTER("herd_admin_errors_total", admin_errors,
	    "Of them, those that were answered with an error."),
	GAUGE("herd_admin_requests", admin_calls,
	    "Requests to the admin API under way, streams included."),
	GAUGE("herd_admin_connections", admin_connections,
	    "Connections to the admin API over TCP, at most 256."),
	COUNTER("herd_admin_connections_refused_total", admin_refused,
	    "Connections over TCP without a token closed at a limit."),
	COUNTER("herd_admin_connections_timed_out_total", admin_timed_out,
	    "Connections over TCP closed for a request not sent within 5 s."),
	GAUGE("herd_resident_memory_bytes", rss,
	    "Memory of the process that is in RAM."),
	GAUGE("herd_memory_bound_bytes", memory_bound,
	    "Most memory that the node may use for the clients, connections "
	    "and links of now."),
	COUNTER("herd_cpu_seconds_total", cpu,
	    "CPU time of the process, all threads."),
	GAUGE("herd_open_files", open_files, "Open file descriptors."),
	GAUGE("herd_open_files_max", max_files,
	    "Most file descriptors that the process may open."),
};

#define LINK(name, type, field, help)                                    \
	{                                                                \
		name, type, "", offsetof(struct link_facts, field), help \
	}

static const struct metric LINK_METRICS[] = {
	LINK("herd_link_up", "gauge", up, "1 when the link is synced."),
	LINK("herd_link_enabled", "gauge", enabled,
	    "0 when an operator has disabled the link."),
	LINK("herd_link_state_age_seconds", "gauge", since,
	    "Time since the link's state changed."),
	LINK("herd_link_rtt_seconds", "gauge", rtt, "Round trip time."),
	LINK("herd_link_clock_difference_seconds", "gauge", clock,
	    "The peer's clock minus this node's."),
	LINK("herd_link_owed_records", "gauge", owed,
	    "Reports that are still to be sent."),
	LINK("herd_link_lag_seconds", "gauge", lag,
	    "Age of the oldest report that was sent and not acknowledged."),
	LINK("herd_link_synced_age_seconds", "gauge", verified,
	    "Time since the tables were last compared and equal."),
	LINK("herd_link_sent_records_total", "counter", sent, "Reports sent."),
	LINK("herd_link_received_records_total", "counter", received,
	    "Reports received."),
	LINK("herd_link_accepted_records_total", "counter", accepted,
	    "Reports received that were new or newer."),
	LINK("herd_link_stale_records_total", "counter", stale,
	    "Reports received that were older or held already."),
	LINK("herd_link_repaired_records_total", "counter", repaired,
	    "Reports that a comparison found missing on a synced link; stays "
	    "0."),
	LINK("herd_link_restored_records_total", "counter", restored,
	    "The same, but a clock that was wrong or a cut is the reason."),
	LINK("herd_link_exchanges_total", "counter", exchanges,
	    "Comparisons of the tables."),
	LINK("herd_link_connects_total", "counter", connects,
	    "Sessions that became live."),
	LINK("herd_link_twins_total", "counter", twins,
	    "Connections refused because another process has the peer's "
	    "name."),
	LINK(
	    "herd_link_sent_bytes_total", "counter", sent_bytes, "Bytes sent."),
	LINK("herd_link_received_bytes_total", "counter", received_bytes,
	    "Bytes received."),
	LINK("herd_link_exchange_bytes_total", "counter", exchange_bytes,
	    "Bytes sent to compare the tables."),
};

/* --- gathering -------------------------------------------------------- */

static double
seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static double
age(bool known, uint64_t at_ns, uint64_t now_ns)
{
	if (!known)
		return (double)NAN;
	return now_ns > at_ns ? seconds(now_ns - at_ns) : 0;
}

static void
gather_table(struct call *call, struct facts *facts)
{
	struct census_facts census;
	struct table_counts counts;
	uint64_t now =
	    timekeeper_wall(&call->node->timekeeper, clock_mono()).ns;

	table_count(call->node->table, &counts);
	facts->clients = (double)(counts.records - counts.removals);
	facts->removals = (double)counts.removals;
	facts->clients_max = (double)call->node->boot.settings.max_clients;
	facts->table_bytes = (double)counts.bytes;
	facts->table_counted = (double)counts.counted;
	facts->table_max = (double)limits_table_bytes(&call->node->limits);
	facts->accepted = (double)counts.accepted;
	facts->stale = (double)counts.stale;
	facts->equal = (double)counts.equal;
	facts->expired = (double)counts.expired;
	facts->evicted = (double)counts.evicted;
	census_ask(call->admin->census, &census);
	facts->reported_rate = census.reported_per_s;
	facts->newest = age(census.known, census.newest_ns, now);
	facts->oldest = age(census.known, census.oldest_ns, now);
	facts->ahead = census.counted ? (double)census.ahead : (double)NAN;
	facts->strange =
	    census.strange_known ? (double)census.strange.records : (double)NAN;
}

static void
gather_clock(const struct timekeeper *keeper, struct facts *facts)
{
	unsigned state = atomic_load(&keeper->state);

	facts->clock_trusted = state != TIME_WAITING;
	facts->clock_overruled = state == TIME_OVERRULED;
	facts->clock_ahead = (double)atomic_load(&keeper->ahead_ns) / 1e9;
	facts->clock_steps = (double)atomic_load(&keeper->steps);
}

static void
gather_workers(struct call *call, struct facts *facts)
{
	struct workers_counts counts;

	workers_count(call->node->workers, &counts);
	facts->iamat = (double)counts.iamat;
	facts->whatsat = (double)counts.whatsat;
	facts->invalid = (double)counts.invalid;
	facts->connections = (double)counts.connections;
	facts->connections_max =
	    (double)atomic_load(&call->node->limits.max_connections);
	facts->opened = (double)counts.accepted;
	facts->busy = (double)counts.busy;
	facts->memory_bound = (double)counts.memory_max;
	facts->refused = (double)counts.refused;
	facts->timed_out = (double)counts.timed_out;
	facts->gave_way = (double)counts.gave_way;
	facts->idle_closed = (double)counts.idle_closed;
	for (unsigned i = 0; i < REFUSAL_COUNT; i++)
		facts->requests_refused[i] = (double)counts.requests_refused[i];
	facts->received_bytes = (double)counts.received_bytes;
	facts->sent_bytes = (double)counts.sent_bytes;
}

/* Without a store none of these is told. */
static void
gather_store(struct node *node, struct facts *facts)
{
	struct store_status status;

	if (node->store == NULL) {
		facts->store_failed = facts->store_owed = (double)NAN;
		facts->store_commits = facts->store_committed = (double)NAN;
		facts->store_commit_s = facts->store_loaded = (double)NAN;
		facts->store_damaged = (double)NAN;
		return;
	}
	store_status(node->store, &status);
	facts->store_failed = status.state == STORE_FAILED;
	facts->store_owed = (double)status.lag;
	facts->store_commits = (double)status.commits;
	facts->store_committed = (double)status.committed;
	facts->store_commit_s = seconds(status.commit_ns);
	facts->store_loaded = (double)status.loaded;
	facts->store_damaged = (double)status.damaged;
}

static void
gather(struct call *call, struct facts *facts)
{
	const struct guests_counts guests = guests_count(call->admin->guests);
	struct node *node = call->node;
	struct process_facts process;
	uint64_t uptime = mono_since(clock_mono(), node->started);

	gather_table(call, facts);
	gather_workers(call, facts);
	gather_clock(&node->timekeeper, facts);
	gather_store(node, facts);
	process_ask(&process);
	facts->ready = node_is_ready(node);
	facts->isolated = node_is_isolated(node);
	facts->draining = node_state(node) == NODE_DRAINING;
	facts->uptime = seconds(uptime);
	facts->start_time = seconds(clock_wall().ns - uptime);
	facts->config_loaded = seconds(node->file_loaded.ns);
	facts->traffic_lost = node->traffic == NULL
				  ? (double)NAN
				  : (double)traffic_lost(node->traffic);
	facts->admin_answers = (double)call->admin->answers;
	facts->admin_errors = (double)call->admin->errors;
	facts->admin_calls = call->admin->call_count;
	facts->admin_connections = guests.now;
	facts->admin_refused = (double)guests.refused;
	facts->admin_timed_out = (double)guests.timed_out;
	facts->rss = (double)process.rss_bytes;
	facts->memory_bound += facts->table_bytes + MEMORY_FIXED +
			       (double)node->file.link_count * MEMORY_OF_LINK +
			       facts->admin_calls * MEMORY_OF_CALL;
	facts->cpu = process.cpu_s;
	facts->open_files = (double)process.open_files;
	facts->max_files = (double)process.max_files;
}

static struct link_facts
link_facts_of(const struct link_status *link, struct mono now)
{
	const struct session_stats *stats = &link->stats;
	bool live = link->state == LINK_SYNCED || link->state == LINK_COMPARING;

	return (struct link_facts){
		.up = link->state == LINK_SYNCED,
		.enabled = link->enabled,
		.since = seconds(mono_since(now, link->since)),
		.rtt = link->rtt_ns < 0 ? (double)NAN
					: seconds((uint64_t)link->rtt_ns),
		.clock = link->clock_known ? (double)link->clock_ns / 1e9
					   : (double)NAN,
		.owed = (double)link->owed,
		.lag = live ? seconds(link->lag_ns) : (double)NAN,
		.verified = link->verified.ns == 0
				? (double)NAN
				: seconds(mono_since(now, link->verified)),
		.sent = (double)stats->sent,
		.received = (double)stats->received,
		.accepted = (double)stats->accepted,
		.stale = (double)stats->stale,
		.repaired = (double)stats->repaired,
		.restored = (double)stats->restored,
		.exchanges = (double)stats->exchanges,
		.connects = (double)link->connects,
		.twins = (double)link->twins,
		.sent_bytes = (double)stats->sent_bytes,
		.received_bytes = (double)stats->received_bytes,
		.exchange_bytes = (double)stats->exchange_bytes,
	};
}

/* --- writing ---------------------------------------------------------- */

static enum herd_error
add_head(struct buf *out, const struct metric *metric)
{
	return buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
	    metric->help, metric->name, metric->type);
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

static double
value_at(const void *facts, size_t offset)
{
	double value;

	memcpy(&value, (const char *)facts + offset, sizeof(value));
	return value;
}

static enum herd_error
add_node_metrics(struct buf *out, const struct facts *facts)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < HERD_ARRAY_LEN(METRICS) && error == HERD_OK;
	     i++) {
		const struct metric *metric = &METRICS[i];

		if (i == 0 || strcmp(METRICS[i - 1].name, metric->name) != 0)
			error = add_head(out, metric);
		if (error == HERD_OK)
			error = add_sample(out, metric->name, metric->labels,
			    value_at(facts, metric->offset));
	}
	return error;
}

static enum herd_error
add_link_metrics(
    struct buf *out, const struct link_status *links, unsigned count)
{
	struct mono now = clock_mono();
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < HERD_ARRAY_LEN(LINK_METRICS); i++) {
		const struct metric *metric = &LINK_METRICS[i];

		if (error == HERD_OK)
			error = add_head(out, metric);
		for (unsigned j = 0; j < count && error == HERD_OK; j++) {
			struct link_facts facts = link_facts_of(&links[j], now);
			char labels[REPORT_ORIGIN_MAX + 16];

			/* A node's name has no character to escape. */
			snprintf(labels, sizeof(labels), "peer=\"%s\"",
			    links[j].peer);
			error = add_sample(out, metric->name, labels,
			    value_at(&facts, metric->offset));
		}
	}
	return error;
}

/* A sample per state, 1 for the one that a link is in. */
static enum herd_error
add_link_states(
    struct buf *out, const struct link_status *links, unsigned count)
{
	static const struct metric metric = { "herd_link_state", "gauge", "", 0,
		"1 for the state that the link is in." };
	static const enum link_state STATES[] = {
#define HERD_LINK_STATE_ID(id, word) id,
		LINK_STATES(HERD_LINK_STATE_ID)
#undef HERD_LINK_STATE_ID
	};
	enum herd_error error = add_head(out, &metric);

	for (unsigned j = 0; j < count; j++) {
		for (size_t i = 0;
		     i < HERD_ARRAY_LEN(STATES) && error == HERD_OK; i++)
			error = buf_addf(out,
			    "%s{peer=\"%s\",state=\"%s\"} %d\n", metric.name,
			    links[j].peer, link_state_word(STATES[i]),
			    links[j].state == STATES[i]);
	}
	return error;
}

/* Who came to the links' port and did not become a link. */
static enum herd_error
add_strangers(struct buf *out, struct links *links)
{
	static const struct metric refused = {
		"herd_links_refused_total", "counter", "", 0,
		"Connections of the links' port that were refused, by reason."
	};
	static const struct metric gauges[] = {
		{ "herd_links_half_open", "gauge", "", 0,
		    "Connections to the links' port without an accepted "
		    "HELLO." },
		{ "herd_links_half_open_max", "gauge", "", 0,
		    "Most of them at one time." },
	};
	struct links_strangers strangers;
	enum herd_error error = add_head(out, &refused);

	links_strangers(links, &strangers);
	for (unsigned i = 0; i < SESSION_REASON_COUNT && error == HERD_OK; i++)
		error = buf_addf(out, "%s{reason=\"%s\"} %llu\n", refused.name,
		    session_reason_word((enum session_reason)i),
		    (unsigned long long)strangers.refused[i]);
	for (unsigned i = 0; i < HERD_ARRAY_LEN(gauges); i++) {
		if (error == HERD_OK)
			error = add_head(out, &gauges[i]);
		if (error == HERD_OK)
			error = add_sample(out, gauges[i].name, "",
			    i == 0 ? strangers.half_open
				   : strangers.half_open_max);
	}
	return error;
}

/* How long the loops' turns took, as the watchdog saw them. */
static enum herd_error
add_turns(struct buf *out)
{
	static const struct metric metrics[] = {
		{ "herd_slow_turns_total", "counter", "", 0,
		    "Turns of a loop that took 50 ms or more." },
		{ "herd_longest_turn_seconds", "gauge", "", 0,
		    "The longest of them, 0 without one." },
	};
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < HERD_ARRAY_LEN(metrics); i++) {
		if (error == HERD_OK)
			error = add_head(out, &metrics[i]);
		for (unsigned j = 0; j < pulse_count() && error == HERD_OK;
		     j++) {
			struct pulse *pulse = pulse_at(j);
			char labels[32];

			snprintf(labels, sizeof(labels), "thread=\"%s\"",
			    pulse->thread);
			error = add_sample(out, metrics[i].name, labels,
			    i == 0 ? (double)atomic_load(&pulse->slow)
				   : seconds(atomic_load(&pulse->longest_ns)));
		}
	}
	return error;
}

static enum herd_error
add_info(struct buf *out, const struct node *node)
{
	static const struct metric metric = { "herd_build_info", "gauge", "", 0,
		"Always 1; the labels say what runs." };
	enum herd_error error = add_head(out, &metric);

	if (error == HERD_OK)
		error = buf_addf(out, "%s{herd=\"", metric.name);
	if (error == HERD_OK)
		error = text_escape(out, span_from(node->herd), 256);
	if (error == HERD_OK)
		error = buf_addf(out, "\",node=\"%s\",version=\"%s\"} 1\n",
		    node->name, HERD_VERSION);
	return error;
}

static enum herd_error
add_all(struct call *call, struct buf *out)
{
	struct node *node = call->node;
	struct link_status *links = malloc(LINKS_MAX * sizeof(*links));
	struct facts facts = { .ready = 0 };
	enum herd_error error = HERD_ENOMEM;
	unsigned count;

	if (links == NULL)
		return HERD_ENOMEM;
	gather(call, &facts);
	count = links_status(node->links, links);
	error = add_info(out, node);
	if (error == HERD_OK)
		error = add_node_metrics(out, &facts);
	if (error == HERD_OK)
		error = add_link_states(out, links, count);
	if (error == HERD_OK)
		error = add_strangers(out, node->links);
	if (error == HERD_OK)
		error = add_turns(out);
	if (error == HERD_OK)
		error = add_link_metrics(out, links, count);
	if (error == HERD_OK && node->places != NULL)
		error = places_metrics(node->places, out);
	free(links);
	return error;
}

void
serve_metrics(struct call *call)
{
	struct buf text;

	buf_init(&text, METRICS_MAX);
	if (add_all(call, &text) == HERD_OK)
		call_text(call, 200, METRICS_TYPE, buf_span(&text));
	else
		call_out_of_memory(call);
	buf_release(&text);
}
