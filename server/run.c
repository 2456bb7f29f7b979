/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run.h"

#include <errno.h>
#include <event2/event.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "core/session_hello.h"
#include "node/limits.h"
#include "net/links.h"
#include "net/workers.h"
#include "base/loop_watch.h"
#include "base/signals.h"
#include "store/store.h"
#include "base/traffic.h"
#include "base/watchdog.h"

#define SWEEP_MS 50
#define SWEEP_SLOTS 4096u

/* --- state -------------------------------------------------------------- */

bool
node_is_isolated(struct node *node)
{
	struct links_company company;

	if (node->links == NULL)
		return false;
	links_company(node->links, &company);
	return company.has_links &&
	       company.alone_ns > atomic_load(&node->limits.ready_after_ns);
}

bool
node_is_ready(struct node *node)
{
	struct links_company company;

	if (atomic_load(&node->state) != NODE_RUNNING)
		return false;
	if (node->links == NULL)
		return true;
	links_company(node->links, &company);
	/*
	 * One neighbour is enough: it has what the herd has. A node that has
	 * met one stays ready when its neighbours die: clients need it more.
	 */
	return !company.has_links || company.met_one || node_is_isolated(node);
}

const char *
node_state_word(struct node *node)
{
	switch ((enum node_state)atomic_load(&node->state)) {
	case NODE_STARTING: return "starting";
	case NODE_RUNNING: return node_is_ready(node) ? "ready" : "syncing";
	case NODE_DRAINING: return "draining";
	case NODE_STOPPING: return "stopping";
	}
	return "unknown";
}

bool
node_has_lost_store(const struct node *node)
{
	return node->store != NULL && store_outbox(node->store) != NULL &&
	       store_has_failed(node->store);
}

void
node_drain(struct node *node, bool drain, const char *who)
{
	unsigned expected = drain ? NODE_RUNNING : NODE_DRAINING;

	if ((!drain && node_has_lost_store(node)) ||
	    !atomic_compare_exchange_strong(
		&node->state, &expected, drain ? NODE_DRAINING : NODE_RUNNING))
		return;
	workers_drain(node->workers, drain);
	LOG(node->log, LOG_INFO, drain ? "drain" : "undrain",
	    log_text("by", who));
}

void
node_stop(struct node *node, const char *who)
{
	atomic_store(&node->state, NODE_STOPPING);
	LOG(node->log, LOG_INFO, "stop", log_text("by", who));
	event_base_loopexit(node->base, NULL);
}

/* Connections must never use up the files that the node itself needs. */
static uint64_t
connections_that_fit(struct node *node)
{
	uint64_t wanted = node->file.settings.max_connections;
	uint64_t files = limits_raise_files();
	uint64_t fit = limits_connections(wanted, files);

	if (fit < wanted)
		LOG(node->log, LOG_WARN, "file-limit",
		    log_number("limit", (int64_t)files),
		    log_number(
			"wanted", (int64_t)(wanted + LIMITS_FILES_RESERVED)),
		    log_number("max_connections", (int64_t)fit),
		    log_text("next", "fewer clients are served at one time; "
				     "raise LimitNOFILE or lower "
				     "max_connections"));
	return fit;
}

static void
settings_apply(struct node *node)
{
	const struct settings *settings = &node->file.settings;
	struct node_limits *limits = &node->limits;

	atomic_store(&limits->max_ahead_ns, settings->max_ahead);
	atomic_store(&limits->ready_after_ns, settings->ready_after);
	atomic_store(&limits->request_timeout_ns, settings->request_timeout);
	atomic_store(&limits->write_timeout_ns, settings->write_timeout);
	atomic_store(&limits->idle_timeout_ns, settings->idle_timeout);
	atomic_store(&limits->request_rate, settings->request_rate);
	atomic_store(&limits->max_connections, connections_that_fit(node));
	atomic_store(
	    &limits->max_per_address, settings->max_connections_per_address);
	atomic_store(&limits->max_memory,
	    settings->max_memory != 0 ? settings->max_memory
				      : limits_memory(limits_machine_memory()));
	atomic_store(
	    &limits->refuse_at_cap, settings->at_limit == AT_LIMIT_REFUSE);
	log_level_set(node->log, (enum log_level)settings->log.level);
	log_format_set(node->log, (enum log_format)settings->log.format);
}

/* --- reload ------------------------------------------------------------- */

/* A name beyond NAMES_MAX is left out: it is a strange origin. */
static enum herd_error
names_add_file(struct names *names, const struct herdfile *file)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < file->node_count && error != HERD_ENOMEM; i++)
		error = names_add(names, span_from(file->nodes[i].name));
	return error == HERD_ENOMEM ? error : HERD_OK;
}

/*
 * The table knows the names of that file's nodes; others are strange origins.
 * HERD_ENOMEM changes nothing.
 */
static enum herd_error
names_apply(struct node *node, const struct herdfile *file)
{
	struct names *names = table_names(node->table);
	enum herd_error error = names_add_file(names, file);

	if (error != HERD_OK)
		return error;
	names_unlist(names);
	return names_add_file(names, file);
}

static void
log_diagnostics(struct node *node, const struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		bool error = item->severity == DIAGNOSTIC_ERROR;

		LOG(node->log, error ? LOG_ERROR : LOG_WARN,
		    error ? "config-error" : "config-warning",
		    log_text("file", node->file_path),
		    log_number("line", item->line),
		    log_number("column", item->column),
		    log_text("text", item->text));
	}
}

/* Releases a file that has been replaced; the first one stays to the end. */
static void
file_drop(const struct node *node, struct herdfile *file)
{
	if (file->nodes != node->boot.nodes)
		herdfile_release(file);
}

enum herd_error
node_reload(struct node *node, const char *who, struct reload *reload)
{
	struct herdfile file;
	struct herdfile old = node->file;
	size_t old_self = node->self;
	size_t self = 0;
	enum herd_error error = config_load(
	    node->file_path, node->name, &file, &self, &reload->diagnostics);

	log_diagnostics(node, &reload->diagnostics);
	if (error == HERD_OK) {
		config_compare(reload, &node->boot, node->boot_self,
		    &node->file, &file, self);
		node->file = file;
		node->self = self;
		error = names_apply(node, &file);
		if (error == HERD_OK)
			error = links_apply(node->links);
		if (error != HERD_OK) {
			node->file = old;
			node->self = old_self;
			herdfile_release(&file);
		}
	}
	if (error != HERD_OK) {
		LOG(node->log, LOG_ERROR, "reload-rejected",
		    log_text("by", who),
		    log_number("errors", (int64_t)reload->diagnostics.errors),
		    log_text("next", "the running configuration stays; mend "
				     "the file and reload again"));
		return error;
	}
	settings_apply(node);
	file_drop(node, &old);
	node->file_loaded = clock_wall();
	LOG(node->log, LOG_INFO, "reloaded", log_text("by", who),
	    log_number("applied", (int64_t)reload->applied_count),
	    log_number("restart", (int64_t)reload->restart_count));
	return HERD_OK;
}

/* --- opening ------------------------------------------------------------ */

static void
on_sweep(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct run *run = arg;

	pulse_begin("sweep");
	if (!table_sweep(run->node.table, &run->sweep_at, SWEEP_SLOTS,
		timekeeper_expiry(&run->node.timekeeper, clock_mono())))
		run->sweep_at = (struct table_cursor){ 0 };
	pulse_end();
}

static enum herd_error
open_table(struct run *run)
{
	struct node *node = &run->node;
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
		error = names_apply(node, &node->file);
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
	error = herdfile_expand(&expanded, path, node->name, node->base_dir);
	if (error == HERD_OK && buf_cstr(&expanded) == NULL)
		error = HERD_ENOMEM;
	if (error == HERD_OK)
		error = traffic_open(
		    buf_cstr(&expanded), node->log, &node->traffic);
	if (error == HERD_ESYSTEM) {
		int cause = errno;

		if (buf_addf(message,
			"log.traffic: cannot write %.*s: %s; give it a "
			"regular file in a folder that the node may write",
			(int)expanded.len, buf_span(&expanded).data,
			file_strerror(cause)) != HERD_OK)
			error = HERD_ENOMEM;
	}
	buf_release(&expanded);
	return error;
}

/* Durable service is over: whoever balances must see it. Any thread. */
static void
node_look_at_store(struct node *node)
{
	unsigned running = NODE_RUNNING;

	if (node_has_lost_store(node) &&
	    atomic_compare_exchange_strong(
		&node->state, &running, NODE_DRAINING))
		workers_drain(node->workers, true);
}

/* In the store's thread. */
static void
on_commit(void *arg)
{
	struct node *node = arg;

	node_look_at_store(node);
	workers_wake(node->workers);
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
	error = herdfile_expand(
	    &expanded, settings->store.path, node->name, node->base_dir);
	path = error == HERD_OK ? buf_cstr(&expanded) : NULL;
	error = path == NULL
		    ? HERD_ENOMEM
		    : store_open(path,
			  settings->store.durability == DURABILITY_SYNC,
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
open_rooms(struct run *run, struct buf *message)
{
	struct node *node = &run->node;
	const struct settings *settings = &node->file.settings;
	const struct places_hooks hooks = { on_places_event, node };
	enum herd_error error = open_table(run);

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
		error = links_open(node, message, &node->links);
	if (error == HERD_OK)
		error =
		    workers_open(node, &node->file.nodes[node->self].clients,
			workers_wanted(settings), message, &node->workers);
	if (error == HERD_OK && node->store != NULL)
		error = store_start(node->store, on_commit, node);
	if (error == HERD_OK)
		error = admin_open(node, run->base, message, &run->admin);
	if (error == HERD_OK) {
		pulse_register("main");
		error = watchdog_open(node->log, &run->watchdog);
	}
	return error;
}

static enum herd_error
open_base(struct run *run)
{
	const struct timeval sweep = { 0, SWEEP_MS * 1000 };

	run->base = event_base_new();
	if (run->base == NULL)
		return HERD_ENOMEM;
	run->node.base = run->base;
	run->sweep = event_new(run->base, -1, EV_PERSIST, on_sweep, run);
	if (run->sweep == NULL || event_add(run->sweep, &sweep) != 0)
		return HERD_ENOMEM;
	return HERD_OK;
}

enum herd_error
run_open(struct run *run, const char *path, struct herdfile *file, size_t self,
    struct log *log, struct buf *message)
{
	struct node *node = &run->node;
	enum herd_error error = HERD_ENOMEM;

	memset(run, 0, sizeof(*run));
	node->file = *file;
	node->boot = *file;
	node->self = self;
	node->boot_self = self;
	node->log = log;
	node->started = clock_mono();
	node->file_loaded = clock_wall();
	atomic_init(&node->state, NODE_STARTING);
	run->path = realpath(path, NULL);
	run->dir = run->path == NULL ? NULL : strdup(run->path);
	node->file_path = run->path;
	node->base_dir = run->dir == NULL ? NULL : dirname(run->dir);
	node->name = strdup(file->nodes[self].name);
	node->herd = strdup(file->herd);
	if (node->base_dir != NULL && node->name != NULL && node->herd != NULL)
		error = open_base(run);
	if (error == HERD_OK) {
		settings_apply(node);
		error = open_rooms(run, message);
	}
	if (error == HERD_OK) {
		atomic_store(&node->state, NODE_RUNNING);
		/* It may have failed before that. */
		node_look_at_store(node);
		return HERD_OK;
	}
	if (error == HERD_ECANCELED)
		LOG(log, LOG_INFO, "stop",
		    log_text("by", signals_stop_wanted()));
	else if (message->len == 0 && buf_addf(message, "cannot start: %s",
					  herd_strerror(error)) != HERD_OK)
		error = HERD_ENOMEM;
	run_close(run);
	return error;
}

void
run_close(struct run *run)
{
	struct node *node = &run->node;

	atomic_store(&node->state, NODE_STOPPING);
	watchdog_close(run->watchdog);
	admin_close(run->admin);
	workers_stop(node->workers);
	links_close(node->links);
	store_close(node->store);
	workers_free(node->workers);
	admin_release(run->admin);
	places_close(node->places);
	traffic_close(node->traffic);
	table_free(node->table);
	if (run->sweep != NULL)
		event_free(run->sweep);
	if (run->base != NULL)
		event_base_free(run->base);
	file_drop(node, &node->file);
	herdfile_release(&node->boot);
	free((void *)(uintptr_t)node->name);
	free((void *)(uintptr_t)node->herd);
	free(run->dir);
	free(run->path);
}
