/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/settings_apply.h"

#include "node/limits.h"
#include "node/memory_bound.h"

/* A number or truth value that threads read from the node. */
#define APPLY(apply, member, value)                                           \
	static void apply(struct node *node, const struct settings *settings) \
	{                                                                     \
		node->member = settings->value;                               \
	}

APPLY(apply_max_ahead, limits.max_ahead_ns, max_ahead)
APPLY(apply_at_limit, limits.refuse_at_cap, at_limit == AT_LIMIT_REFUSE)
APPLY(
    apply_max_per_address, limits.max_per_address, max_connections_per_address)
APPLY(apply_request_timeout, limits.request_timeout_ns, request_timeout)
APPLY(apply_write_timeout, limits.write_timeout_ns, write_timeout)
APPLY(apply_idle_timeout, limits.idle_timeout_ns, idle_timeout)
APPLY(apply_request_rate, limits.request_rate, request_rate)
APPLY(apply_ready_after, limits.ready_after_ns, ready_after)
APPLY(apply_link_ping_after, timings.ping_after_ns, link.ping_after)
APPLY(apply_link_dead_after, timings.dead_after_ns, link.dead_after)
APPLY(apply_link_stall_after, timings.stall_after_ns, link.stall_after)
APPLY(apply_link_verify_every, timings.verify_every_ns, link.verify_every)
APPLY(apply_link_flush_every, timings.flush_every_ns, link.flush_every)
APPLY(apply_flood, timings.sparse, flood == FLOOD_SPARSE)
APPLY(apply_link_rest_after, timings.rest_after_ns, link.rest_after)
APPLY(apply_link_redial_max, timings.redial_max_ns, link.redial_max)
APPLY(apply_bind_ids, limits.bind_ids, clients.bind_ids)
APPLY(apply_clients_cert, clients_tls.cert, clients.tls_cert)
APPLY(apply_clients_key, clients_tls.key, clients.tls_key)
APPLY(apply_clients_ca, clients_tls.client_ca, clients.client_ca)
APPLY(apply_admin_cert, admin_tls.cert, admin.tls_cert)
APPLY(apply_admin_key, admin_tls.key, admin.tls_key)
APPLY(apply_admin_ca, admin_tls.client_ca, admin.client_ca)
APPLY(apply_http_cert, http_tls.cert, http.tls_cert)
APPLY(apply_http_key, http_tls.key, http.tls_key)
APPLY(apply_http_friends, http_friends, http.friends)
APPLY(apply_http_proxy, http_proxy, http.trust_proxy)
APPLY(apply_http_rate, limits.http_rate, http.rate)
APPLY(apply_admin_group, admin_group, admin.group)
APPLY(apply_admin_plaintext, admin_plaintext, admin.plaintext)

/* What only herdctl uses. */
static void
apply_nothing(
    struct node *node HERD_UNUSED, const struct settings *settings HERD_UNUSED)
{
}

static void
apply_max_memory(struct node *node, const struct settings *settings)
{
	uint64_t bound = memory_bound(MEMORY_BOUND_CGROUPS, MEMORY_BOUND_OWN);

	node->limits.memory_bound = bound;
	node->limits.max_memory =
	    settings->max_memory != 0
		? settings->max_memory
		: limits_memory_within(limits_machine_memory(), bound);
}

/* Connections must never use up the files that the node itself needs. */
static void
apply_max_connections(struct node *node, const struct settings *settings)
{
	uint64_t wanted = settings->max_connections;
	uint64_t files = limits_raise_files();
	bool has_phones =
	    node->boot.nodes[node->boot_self].http.kind != ADDRESS_NONE;
	uint64_t fit = limits_connections(wanted, files, has_phones);

	if (fit < wanted)
		LOG(node->log, LOG_WARN, "file-limit",
		    log_number("limit", (int64_t)files),
		    log_number(
			"wanted", (int64_t)limits_files(wanted, has_phones)),
		    log_number("max_connections", (int64_t)fit),
		    log_text("next", "fewer clients are served at one time; "
				     "raise LimitNOFILE or lower "
				     "max_connections"));
	node->limits.max_connections = fit;
}

static void
apply_log_level(struct node *node, const struct settings *settings)
{
	log_level_set(node->log, (enum log_level)settings->log.level);
}

static void
apply_log_format(struct node *node, const struct settings *settings)
{
	log_format_set(node->log, (enum log_format)settings->log.format);
}

typedef void apply_function(struct node *node, const struct settings *settings);

#define AT_RESTART NULL
#define ON_RELOAD(apply) apply
#define SETTING(field, effect, ...) effect,

static apply_function *const APPLY_FUNCTIONS[] = {
#include "herd/settings_rows.def"
};

void
settings_apply(struct node *node)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(APPLY_FUNCTIONS); i++)
		if (APPLY_FUNCTIONS[i] != NULL)
			APPLY_FUNCTIONS[i](node, &node->file.settings);
}
