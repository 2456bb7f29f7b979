/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herdd.h"

#include <errno.h>
#include <event2/event.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/signals.h"
#include "base/traffic.h"
#include "base/watchdog.h"
#include "core/session_hello.h"
#include "net/peering.h"
#include "net/worker_pool.h"
#include "node/files.h"
#include "node/limits.h"
#include "node/reload.h"
#include "node/settings_apply.h"
#include "node/tls_files.h"
#include "phones/phones.h"
#include "places/places.h"
#include "store/store.h"

/* A pass over the table goes in slices, each of many locks' time. */
#define SWEEP_MS 50u
#define SWEEP_SLICE_NS (HERD_NS_PER_MS / 5)
#define SWEEP_SLOTS 4096u /* under one lock */
/* A pass begins so many times while a report lives, and every so often. */
#define SWEEPS 128u
#define SWEEP_REST_NS (5u * HERD_NS_PER_S)

/* Releases a file that has been replaced; the first one stays to the end. */
static void
file_drop(const struct node *node, struct herdfile *file)
{
	if (file->nodes != node->boot.nodes)
		herdfile_release(file);
}

/* --- opening ------------------------------------------------------------ */

/* From the end of a pass to the next one. */
static uint64_t
sweep_rest_ns(const struct herdd *herdd)
{
	uint64_t rest = herdd->node.boot.settings.expire_after / SWEEPS;

	if (rest == 0 || rest > SWEEP_REST_NS)
		return SWEEP_REST_NS;
	return rest < SWEEP_MS * HERD_NS_PER_MS ? SWEEP_MS * HERD_NS_PER_MS
						: rest;
}

/* Returns false when the pass is over. */
static bool
sweep_slice(struct herdd *herdd)
{
	struct mono start = clock_mono();
	struct mono now = start;

	do {
		if (!table_sweep(herdd->node.table, &herdd->sweep_at,
			SWEEP_SLOTS,
			timekeeper_expiry(&herdd->node.timekeeper, now)))
			return false;
		now = clock_mono();
	} while (mono_since(now, start) < SWEEP_SLICE_NS);
	return true;
}

static void
on_sweep(void *arg)
{
	struct herdd *herdd = arg;

	if (sweep_slice(herdd)) {
		tick_in(&herdd->sweep, SWEEP_MS * HERD_NS_PER_MS);
		return;
	}
	herdd->sweep_at = (struct table_cursor){ 0 };
	tick_in(&herdd->sweep, sweep_rest_ns(herdd));
}

static enum herd_error
open_table(struct herdd *herdd)
{
	struct node *node = &herdd->node;
	const struct settings *settings = &node->file.settings;
	struct table_config config = {
		.max_clients = settings->max_clients,
		.expire_after_ns = settings->expire_after,
	};
	enum herd_error error;
	uint64_t boot;

	if (getrandom(&config.key, sizeof(config.key), 0) !=
		sizeof(config.key) ||
	    getrandom(&boot, sizeof(boot), 0) != sizeof(boot))
		return HERD_ESYSTEM;
	error = table_new(&config, &node->table);
	if (error == HERD_OK)
		error = reload_names(node, &node->file);
	board_init(&node->board);
	timekeeper_init(&node->timekeeper, settings->expire_after, clock_mono(),
	    clock_wall());
	node->max_line = settings->max_line;
	node->sessions = (struct session_node){
		.table = node->table,
		.board = &node->board,
		.timekeeper = &node->timekeeper,
		.herd = span_from(node->herd),
		.name = span_from(node->name),
		.params = session_params(settings->max_line,
		    settings->max_clients, settings->expire_after),
		.boot = boot | 1, /* 0 would be none */
		.max_line = settings->max_line,
		.expire_after_ns = settings->expire_after,
	};
	return error;
}

static enum herd_error
open_traffic(struct node *node, struct buf *message)
{
	const char *path = node->file.settings.log.traffic;
	enum herd_error error;
	struct buf expanded;

	if (path[0] == '\0')
		return HERD_OK;
	buf_init(&expanded, PATH_MAX);
	error =
	    files_path(&expanded, FILES_LOGS, path, node->name, node->base_dir);
	if (error == HERD_OK && buf_cstr(&expanded) == NULL)
		error = HERD_ENOMEM;
	if (error == HERD_OK)
		error = traffic_open(
		    buf_cstr(&expanded), node->log, &node->traffic);
	if (error == HERD_ESYSTEM &&
	    buf_addf(message,
		"log.traffic: cannot write " SPAN_FMT ": %s; give it a "
		"regular file in a folder that the node may write",
		SPAN_ARG(buf_span(&expanded)), file_strerror(errno)) != HERD_OK)
		error = HERD_ENOMEM;
	buf_release(&expanded);
	return error;
}

static void
note_waits(struct node *node)
{
	struct store_hindrance hindrance;

	store_hindrance(node->store, &hindrance);
	atomic_store(&node->waits.since_ns, hindrance.since_ns);
	atomic_store(&node->waits.loads, hindrance.loads);
}

/* In the store's thread. */
static void
on_commit(void *arg)
{
	struct node *node = arg;

	note_waits(node);
	/* Durable service is over, and a load balancer must see it. */
	if (store_outbox(node->store) != NULL && store_has_failed(node->store))
		node_lose_store(node);
	worker_pool_wake(node->workers);
	phones_wake(node->phones);
}

/* In the store's thread. */
static bool
on_who_leads(void *arg)
{
	const struct node *node = arg;

	return atomic_load(&node->company.leads) &&
	       node_state(node) != NODE_STOPPING;
}

/* The paths are borrowed; whatever the engine is, it has one of them. */
static enum herd_error
open_store_with(struct node *node, const char *path, const char *url_file,
    struct buf *message)
{
	const struct settings *settings = &node->file.settings;
	const struct store_config config = {
		.engine = (enum store_engine)settings->store.engine,
		.path = path,
		.url_file = url_file,
		.herd = node->herd,
		.node = node->name,
		.params = node->sessions.params,
		.sync = settings->store.durability == DURABILITY_SYNC,
		.require = settings->store.require,
		.write = (enum store_write)settings->store.write,
		.batch = (unsigned)settings->store.batch,
		.timeout_ns = settings->store.timeout,
		.history_ns = settings->store.history,
		.compare_ns = settings->link.verify_every,
		.expire_after_ns = settings->expire_after,
		.table = node->table,
		.timekeeper = &node->timekeeper,
		.log = node->log,
	};

	return store_open(&config, message, &node->store);
}

static enum herd_error
open_store(struct node *node, struct buf *message)
{
	const struct settings *settings = &node->file.settings;
	struct buf path;
	struct buf url_file;
	enum herd_error error;

	if (settings->store.engine == STORE_NONE)
		return HERD_OK;
	buf_init(&path, PATH_MAX);
	buf_init(&url_file, PATH_MAX);
	error = files_path(&path, FILES_STATE, settings->store.path, node->name,
	    node->base_dir);
	if (error == HERD_OK)
		error = files_read_path(&url_file, settings->store.url_file,
		    node->name, node->base_dir);
	if (error == HERD_OK &&
	    (buf_cstr(&path) == NULL || buf_cstr(&url_file) == NULL))
		error = HERD_ENOMEM;
	if (error == HERD_OK)
		error = open_store_with(
		    node, buf_cstr(&path), buf_cstr(&url_file), message);
	buf_release(&path);
	buf_release(&url_file);
	return error;
}

/* What the engine is called with is read again, whatever has changed. */
static enum herd_error
on_read_url(void *arg HERD_UNUSED, struct reload *reload HERD_UNUSED,
    struct buf *message HERD_UNUSED)
{
	return HERD_OK;
}

static void
on_url_read(void *arg, bool use)
{
	struct node *node = arg;

	if (use)
		(void)store_retry(node->store);
}

static enum herd_error
start_store(struct node *node)
{
	static const struct reload_files url_file = { on_read_url,
		on_url_read };
	const struct store_hooks hooks = { node, on_commit, on_who_leads };

	if (node->store == NULL)
		return HERD_OK;
	node->waits.patience_ns = store_patience_ns(node->store);
	note_waits(node);
	if (store_engine_is_shared(
		(enum store_engine)node->file.settings.store.engine))
		node_on_reload_files(node, &url_file, node);
	return store_start(node->store, &hooks);
}

static unsigned
workers_wanted(const struct settings *settings)
{
	long cores;

	if (settings->workers != 0)
		return (unsigned)settings->workers;
	cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

/* Any thread of Places. */
static void
on_places_event(void *arg, enum log_level level, const char *message)
{
	const struct node *node = arg;

	LOG(node->log, level, "places", log_text("message", message));
}

static enum herd_error
open_modules(struct herdd *herdd, struct buf *message)
{
	struct node *node = &herdd->node;
	const struct settings *settings = &node->file.settings;
	const struct places_hooks hooks = { on_places_event, node };
	enum herd_error error = open_table(herdd);

	if (error == HERD_OK)
		error = open_traffic(node, message);
	if (error == HERD_OK &&
	    !(settings->places.provider.count == 1 &&
		settings->places.provider.items[0] == PLACES_NONE))
		error = places_open(settings, node->name, node->base_dir,
		    &hooks, message, &node->places);
	if (error == HERD_OK)
		error = open_store(node, message);
	if (error == HERD_OK)
		error = peering_open(node, message, &node->peering);
	if (error == HERD_OK)
		error = worker_pool_open(node,
		    &node->file.nodes[node->self].clients,
		    workers_wanted(settings), message, &node->workers);
	if (error == HERD_OK)
		error = phones_open(node, message, &node->phones);
	if (error == HERD_OK)
		error = start_store(node);
	if (error == HERD_OK)
		error = admin_open(node, herdd->base, message, &herdd->admin);
	if (error == HERD_OK) {
		loop_watch_register("main");
		error = watchdog_open(node->log, &herdd->watchdog);
	}
	return error;
}

static enum herd_error
open_certificates(struct node *node, struct buf *message)
{
	struct tls_files files;
	enum herd_error error = tls_files_load(
	    &node->file, node->name, node->base_dir, message, &files);

	if (error == HERD_OK)
		tls_files_take(node, &files);
	return error;
}

static enum herd_error
open_base(struct herdd *herdd)
{
	enum herd_error error;

	herdd->base = event_base_new();
	if (herdd->base == NULL)
		return HERD_ENOMEM;
	herdd->node.base = herdd->base;
	error =
	    tick_open(&herdd->sweep, herdd->base, -1, "sweep", on_sweep, herdd);
	if (error == HERD_OK)
		tick_in(&herdd->sweep, SWEEP_MS * HERD_NS_PER_MS);
	return error;
}

enum herd_error
herdd_open(struct herdd *herdd, const char *path, struct herdfile *file,
    size_t self, struct log *log, struct buf *message)
{
	struct node *node = &herdd->node;
	enum herd_error error = HERD_ENOMEM;

	memset(herdd, 0, sizeof(*herdd));
	node->file = *file;
	node->boot = *file;
	node->self = self;
	node->boot_self = self;
	node->log = log;
	node->started = clock_mono();
	node->started_wall = clock_wall();
	node->file_loaded = clock_wall();
	atomic_init(&node->state, NODE_STARTING);
	certificate_slot_init(&node->clients_tls.slot);
	certificate_slot_init(&node->admin_tls.slot);
	certificate_slot_init(&node->http_tls.slot);
	herdd->path = realpath(path, NULL);
	herdd->dir = herdd->path == NULL ? NULL : strdup(herdd->path);
	node->file_path = herdd->path;
	node->base_dir = herdd->dir == NULL ? NULL : dirname(herdd->dir);
	node->name = strdup(file->nodes[self].name);
	node->herd = strdup(file->herd);
	if (node->base_dir != NULL && node->name != NULL && node->herd != NULL)
		error = open_base(herdd);
	if (error == HERD_OK) {
		settings_apply(node);
		limits_tell(node);
		error = open_certificates(node, message);
	}
	if (error == HERD_OK)
		error = open_modules(herdd, message);
	if (error == HERD_OK) {
		(void)node_run(node);
		return HERD_OK;
	}
	if (error == HERD_ECANCELED)
		LOG(log, LOG_INFO, "stop",
		    log_text("by", signals_stop_wanted()));
	else if (message->len == 0 && buf_addf(message, "cannot start: %s",
					  herd_strerror(error)) != HERD_OK)
		error = HERD_ENOMEM;
	herdd_close(herdd);
	return error;
}

void
herdd_close(struct herdd *herdd)
{
	struct node *node = &herdd->node;

	(void)node_set_state(node, NODE_STOPPING);
	watchdog_close(herdd->watchdog);
	admin_close(herdd->admin);
	phones_stop(node->phones);
	worker_pool_stop(node->workers);
	peering_close(node->peering);
	store_close(node->store);
	worker_pool_free(node->workers);
	phones_free(node->phones);
	admin_release(herdd->admin);
	places_close(node->places);
	certificate_slot_set(&node->clients_tls.slot, NULL);
	certificate_slot_set(&node->admin_tls.slot, NULL);
	certificate_slot_set(&node->http_tls.slot, NULL);
	traffic_close(node->traffic);
	table_free(node->table);
	tick_close(&herdd->sweep);
	if (herdd->base != NULL)
		event_base_free(herdd->base);
	file_drop(node, &node->file);
	herdfile_release(&node->boot);
	free((void *)(uintptr_t)node->name);
	free((void *)(uintptr_t)node->herd);
	free(herdd->dir);
	free(herdd->path);
}
