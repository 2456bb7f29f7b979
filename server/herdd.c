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

#define SWEEP_MS 50
#define SWEEP_SLOTS 4096u

/* Releases a file that has been replaced; the first one stays to the end. */
static void
file_drop(const struct node *node, struct herdfile *file)
{
	if (file->nodes != node->boot.nodes)
		herdfile_release(file);
}

/* --- opening ------------------------------------------------------------ */

static void
on_sweep(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct herdd *herdd = arg;

	loop_watch_begin("sweep");
	if (!table_sweep(herdd->node.table, &herdd->sweep_at, SWEEP_SLOTS,
		timekeeper_expiry(&herdd->node.timekeeper, clock_mono())))
		herdd->sweep_at = (struct table_cursor){ 0 };
	loop_watch_end();
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

/* In the store's thread. */
static void
on_commit(void *arg)
{
	struct node *node = arg;

	/* Durable service is over, and a load balancer must see it. */
	if (store_outbox(node->store) != NULL && store_has_failed(node->store))
		node_lose_store(node);
	worker_pool_wake(node->workers);
	phones_wake(node->phones);
}

static enum herd_error
open_store(struct node *node, struct buf *message)
{
	const struct settings *settings = &node->file.settings;
	enum herd_error error;
	const char *path;
	struct buf expanded;

	if (settings->store.engine == STORE_NONE)
		return HERD_OK;
	buf_init(&expanded, PATH_MAX);
	error = files_path(&expanded, FILES_STATE, settings->store.path,
	    node->name, node->base_dir);
	path = error == HERD_OK ? buf_cstr(&expanded) : NULL;
	error = path == NULL
		    ? HERD_ENOMEM
		    : store_open((enum store_engine)settings->store.engine,
			  path, settings->store.durability == DURABILITY_SYNC,
			  node->table, &node->timekeeper, node->log, message,
			  &node->store);
	buf_release(&expanded);
	return error;
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
	if (error == HERD_OK && node->store != NULL)
		error = store_start(node->store, on_commit, node);
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
	const struct timeval sweep = { 0, SWEEP_MS * 1000 };

	herdd->base = event_base_new();
	if (herdd->base == NULL)
		return HERD_ENOMEM;
	herdd->node.base = herdd->base;
	herdd->sweep = event_new(herdd->base, -1, EV_PERSIST, on_sweep, herdd);
	if (herdd->sweep == NULL || event_add(herdd->sweep, &sweep) != 0)
		return HERD_ENOMEM;
	return HERD_OK;
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
	if (herdd->sweep != NULL)
		event_free(herdd->sweep);
	if (herdd->base != NULL)
		event_base_free(herdd->base);
	file_drop(node, &node->file);
	herdfile_release(&node->boot);
	free((void *)(uintptr_t)node->name);
	free((void *)(uintptr_t)node->herd);
	free(herdd->dir);
	free(herdd->path);
}
