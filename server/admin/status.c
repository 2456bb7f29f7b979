/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node at a glance: /v1/node, /v1/status, health. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/admin_room.h"
#include "admin/process.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "admin/store_api.h"
#include "admin/table_stats.h"
#include "base/clock.h"
#include "herd/version.h"
#include "net/peering.h"
#include "net/worker_pool.h"
#include "node/config.h"
#include "node/limits.h"
#include "node/tls_files.h"
#include "phones/phones.h"
#include "places/places_report.h"
#include "store/store.h"

/* --- the node --------------------------------------------------------- */

static void
add_addresses(struct http_call *call, struct json *json)
{
	const struct node *node = call->node;
	struct address_list own = admin_addresses(call->admin);
	const struct address *second = admin_listen_address(call->admin);

	json_object(json, "addresses");
	row_address(json, "clients", worker_pool_address(node->workers));
	row_address(json, "peers", peering_address(node->peering));
	if (node->phones != NULL)
		row_address(json, "http", phones_address(node->phones));
	if (own.count > 0)
		row_addresses(json, "admin", &own);
	else
		row_address(json, "admin", second);
	if (own.count > 0 && second->kind != ADDRESS_NONE)
		row_address(json, "admin_listen", second);
	json_object_end(json);
}

static void
add_node(struct http_call *call, struct json *json)
{
	struct node *node = call->node;
	struct worker_pool_counts counts;

	worker_pool_count(node->workers, &counts);
	json_word(json, "node", node->name);
	json_word(json, "herd", node->herd);
	json_word(json, "version", HERD_VERSION);
	json_count(json, "pid", (uint64_t)getpid());
	json_word(json, "state", node_state_word(node));
	json_bool(json, "isolated", node_is_isolated(node));
	json_seconds(json, "uptime_s", mono_since(clock_mono(), node->started));
	json_count(json, "workers", worker_pool_number(node->workers));
	add_addresses(call, json);
	json_count(json, "connections", counts.connections);
	row_time(json, "time", clock_wall().ns);
}

static void
add_memory(struct http_call *call, struct json *json)
{
	struct process_facts facts;
	struct table_counts counts;

	process_ask(&facts);
	table_count(call->node->table, &counts);
	json_count(json, "rss_bytes", facts.rss_bytes);
	json_count(json, "table_bytes", counts.bytes);
}

static void
add_phones(struct http_call *call, struct json *json)
{
	struct phones_counts counts;

	if (call->node->phones == NULL)
		return;
	phones_count(call->node->phones, &counts);
	json_object(json, "phones");
	json_count(json, "users", counts.users);
	json_count(json, "connections", counts.connections);
	json_count(json, "requests", counts.requests);
	json_object_end(json);
}

/* The limits for clients, and how far they are used. */
static void
add_bounds(struct http_call *call, struct json *json)
{
	struct node_limits *limits = &call->node->limits;
	struct process_facts process;
	struct worker_pool_counts counts;

	json_object(json, "bounds");
	process_ask(&process);
	worker_pool_count(call->node->workers, &counts);
	json_count(json, "table_bytes", table_bytes(call->node->table));
	json_count(json, "table_bytes_max", limits_table_bytes(limits));
	json_count(json, "connections", counts.connections);
	json_count(
	    json, "connections_max", atomic_load(&limits->max_connections));
	json_count(json, "open_files", process.open_files);
	json_count(json, "open_files_max", process.max_files);
	json_count(json, "memory_bytes", process.rss_bytes);
	json_count(json, "memory_bytes_max", limits_process_memory(limits));
	json_object_end(json);
}

void
serve_node(struct http_call *call)
{
	struct json *json = http_call_answer(call);

	json_word(json, "schema", "herd.node/1");
	add_node(call, json);
	add_memory(call, json);
	http_call_json(call);
}

/* --- the parts of status ---------------------------------------------- */

static void
add_config(struct http_call *call, struct json *json)
{
	const struct node *node = call->node;
	uint64_t now = clock_wall().ns;
	uint64_t loaded = node->file_loaded.ns;
	enum config_on_disk file = config_on_disk(node);

	json_object(json, "config");
	json_word(json, "path", node->file_path);
	json_seconds(json, "loaded_ago_s", now > loaded ? now - loaded : 0);
	json_bool(json, "changed_on_disk", file != CONFIG_SAME);
	if (file == CONFIG_UNREADABLE)
		json_null(json, "content_changed");
	else
		json_bool(json, "content_changed", file == CONFIG_CHANGED);
	json_object_end(json);
}

/* What listeners with TLS show, and when that ends. */
static void
add_certificates(struct http_call *call, struct json *json)
{
	struct tls_shown shown[TLS_SHOWN_MAX];
	unsigned count = tls_files_shown(call->node, shown);

	json_array(json, "certificates");
	for (unsigned i = 0; i < count; i++) {
		int64_t end = shown[i].facts.expires;

		json_object(json, NULL);
		json_word(json, "use", shown[i].use);
		json_word(json, "name", shown[i].facts.name);
		json_integer(json, "expires_s", end);
		if (end < 0 || (uint64_t)end > UINT64_MAX / HERD_NS_PER_S)
			json_null(json, "expires");
		else
			row_time(
			    json, "expires", (uint64_t)end * HERD_NS_PER_S);
		json_object_end(json);
	}
	json_array_end(json);
}

/* Whether the clock is trusted, and how it was set. */
static void
add_clock(struct http_call *call, struct json *json)
{
	const struct timekeeper *keeper = &call->node->timekeeper;
	struct mono stepped = { atomic_load(&keeper->stepped) };

	json_object(json, "clock");
	json_word(
	    json, "state", timekeeper_state_word(atomic_load(&keeper->state)));
	json_integer(json, "ahead_ms",
	    atomic_load(&keeper->ahead_ns) / (int64_t)HERD_NS_PER_MS);
	json_count(json, "steps", atomic_load(&keeper->steps));
	if (stepped.ns == 0)
		json_null(json, "step_ms");
	else
		json_integer(json, "step_ms",
		    atomic_load(&keeper->step_ns) / (int64_t)HERD_NS_PER_MS);
	row_seconds(json, "step_ago_s", stepped, clock_mono());
	json_object_end(json);
}

/* A twin that was refused tries again every 30 s. */
#define TWIN_RECENT_NS (120u * HERD_NS_PER_S)

static void
add_down_peer(
    struct json *json, const struct link_status *link, struct mono now)
{
	json_object(json, NULL);
	json_word(json, "peer", link->peer);
	json_word(json, "state", link_state_word(link->state));
	json_seconds(json, "since_s", mono_since(now, link->since));
	row_word(json, "last_error", link->error);
	row_seconds(json, "retry_in_s", now, link->retry_at);
	json_object_end(json);
}

/* How many links there are, how many work, and how much they owe. */
static void
add_link_sums(
    struct json *json, const struct link_status *links, unsigned count)
{
	unsigned synced = 0;
	unsigned up = 0;
	uint64_t owed = 0;
	uint64_t lag_ns = 0;

	for (unsigned i = 0; i < count; i++) {
		synced += links[i].state == LINK_SYNCED;
		owed += links[i].owed;
		if (!link_is_up(&links[i]))
			continue;
		up++;
		if (links[i].lag_ns > lag_ns)
			lag_ns = links[i].lag_ns;
	}
	json_count(json, "total", count);
	json_count(json, "synced", synced);
	json_count(json, "owed", owed);
	row_ms(json, "lag_ms", up > 0, lag_ns);
}

/* Whether links rest, and if not, why not. */
static void
add_flood(struct http_call *call, struct json *json)
{
	struct peering_flood flood;

	peering_flood(call->node->peering, &flood);
	json_object(json, "flood");
	json_word(json, "mode", flood.sparse ? "sparse" : "all");
	json_bool(json, "rests", flood.rests);
	row_seconds(json, "since_s", flood.since, clock_mono());
	json_count(json, "wakes", flood.wakes);
	row_word(json, "because",
	    flood.sparse && !flood.rests ? roster_reason_word(flood.reason)
					 : "");
	row_word(json, "node", flood.sparse ? flood.node : "");
	row_word(json, "peer", flood.sparse ? flood.peer : "");
	json_object_end(json);
}

static void
add_peers(struct http_call *call, struct json *json)
{
	struct link_status *links = malloc(LINKS_MAX * sizeof(*links));
	struct mono now = clock_mono();
	unsigned count;

	if (links == NULL) {
		json_fail(json, HERD_ENOMEM);
		return;
	}
	count = peering_status(call->node->peering, links);
	json_object(json, "peers");
	add_link_sums(json, links, count);
	json_array(json, "down");
	for (unsigned i = 0; i < count; i++) {
		if (links[i].state != LINK_SYNCED)
			add_down_peer(json, &links[i], now);
	}
	json_array_end(json);
	json_array(json, "twins");
	for (unsigned i = 0; i < count; i++) {
		if (links[i].twin_at.ns != 0 &&
		    mono_since(now, links[i].twin_at) < TWIN_RECENT_NS)
			json_word(json, NULL, links[i].peer);
	}
	json_array_end(json);
	json_object_end(json);
	free(links);
}

static void
add_report_age(struct http_call *call, struct json *json, const char *key,
    bool known, uint64_t at)
{
	uint64_t now =
	    timekeeper_wall(&call->node->timekeeper, clock_mono()).ns;

	if (!known)
		json_null(json, key);
	else if (now >= at)
		json_seconds(json, key, now - at);
	else /* a client's clock is ahead of this one */
		json_number(json, key, -(double)(at - now) / 1e9);
}

/* Records whose origin is no node of the herd file; null: not counted yet. */
static void
add_strange(struct json *json, const struct table_stats_facts *facts)
{
	json_array(json, "strange_origins");
	for (unsigned i = 0; facts->strange_known && i < facts->strange.count;
	     i++)
		json_word(json, NULL, facts->strange.names[i]);
	json_array_end(json);
	row_count(
	    json, "strange", facts->strange_known, facts->strange.records);
}

static void
add_clients(struct http_call *call, struct json *json)
{
	struct table_stats_facts facts;
	struct table_counts counts;

	json_object(json, "clients");
	table_stats_ask(call->admin->stats, &facts);
	table_count(call->node->table, &counts);
	json_count(json, "count", counts.records - counts.removals);
	json_count(json, "removals", counts.removals);
	json_count(json, "max", call->node->boot.settings.max_clients);
	row_count(json, "ahead", facts.counted, facts.ahead);
	json_number(json, "reported_per_s",
	    (double)(uint64_t)(facts.reported_per_s * 100 + 0.5) / 100);
	add_report_age(call, json, "newest_s", facts.known, facts.newest_ns);
	add_report_age(call, json, "oldest_s", facts.known, facts.oldest_ns);
	add_strange(json, &facts);
	json_object_end(json);
}

static void
add_requests(struct http_call *call, struct json *json)
{
	struct worker_pool_counts counts;

	json_object(json, "requests");
	worker_pool_count(call->node->workers, &counts);
	json_count(json, "iamat", counts.iamat);
	json_count(json, "whatsat", counts.whatsat);
	json_count(json, "invalid", counts.invalid);
	json_object_end(json);
}

static void
add_places(struct http_call *call, struct json *json)
{
	json_object(json, "places");
	if (call->node->places != NULL) {
		places_report_summary(call->node->places, json);
	} else {
		json_word(json, "provider", "none");
		json_word(json, "state", "off");
		json_null(json, "answered");
		json_null(json, "failed");
		json_null(json, "p50_ms");
		json_null(json, "p99_ms");
	}
	json_object_end(json);
}

/* The file system of the store's file; null: unknown. */
static void
add_disk(struct json *json, const struct store *store)
{
	struct store_disk disk;
	bool known = store_disk(store, &disk) == HERD_OK;

	row_count(json, "disk_bytes", known, disk.bytes);
	row_count(json, "disk_free_bytes", known, disk.free_bytes);
}

static void
add_store(struct http_call *call, struct json *json)
{
	struct store_status status = { .engine = "none" };
	bool open = call->node->store != NULL;

	if (open)
		store_status(call->node->store, &status);
	json_object(json, "store");
	json_word(json, "engine", status.engine);
	json_word(json, "durability", status.sync ? "sync" : "async");
	json_word(json, "state", open ? store_state_word(status.state) : "off");
	json_count(json, "lag", status.lag);
	if (open) {
		json_bool(json, "history", status.has_history);
		json_count(json, "damaged", status.damaged);
		add_disk(json, call->node->store);
	}
	row_ms(json, "last_commit_ms", status.commits != 0, status.commit_ns);
	if (status.is_shared)
		store_api_add_shared(json, &status);
	row_word(json, "error", status.error);
	json_object_end(json);
}

void
serve_status(struct http_call *call)
{
	struct json *json = http_call_answer(call);

	json_word(json, "schema", "herd.status/1");
	add_node(call, json);
	add_memory(call, json);
	add_config(call, json);
	add_certificates(call, json);
	add_clock(call, json);
	add_peers(call, json);
	add_flood(call, json);
	add_clients(call, json);
	add_requests(call, json);
	add_bounds(call, json);
	add_places(call, json);
	add_store(call, json);
	add_phones(call, json);
	http_call_json(call);
}

/* --- health ----------------------------------------------------------- */

void
serve_healthz(struct http_call *call)
{
	http_call_text(
	    call, 200, "text/plain; charset=utf-8", span_from("ok\n"));
}

void
serve_readyz(struct http_call *call)
{
	char text[32];

	snprintf(text, sizeof(text), "%s\n", node_state_word(call->node));
	http_call_text(call, node_is_ready(call->node) ? 200 : 503,
	    "text/plain; charset=utf-8", span_from(text));
}
