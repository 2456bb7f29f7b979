/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the store is and how it does: /v1/store, and a check of its rows. */
#include "admin/store_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "herd/store_row.h"
#include "store/store.h"

/* Between two looks at what the store's thread does. */
#define LOOK_MS 10u
/* The rows are counted between two batches, unless that takes so long. */
#define COUNT_WAIT_NS HERD_NS_PER_S

bool
store_api_need(struct http_call *call)
{
	if (call->node->store != NULL)
		return true;
	http_call_fail(call, ADMIN_NOT_FOUND, "store.engine sets one",
	    "node %s keeps no store", call->node->name);
	return false;
}

void
store_api_refuse(
    struct http_call *call, enum herd_error error, const char *work)
{
	if (error == HERD_ENOTFOUND)
		http_call_fail(call, ADMIN_CONFLICT,
		    "use the database's own tools, as pg_dump for a backup",
		    "this store's engine has no %s", work);
	else if (error == HERD_EEXIST)
		http_call_fail(call, ADMIN_CONFLICT,
		    "try again when that is done; GET /v1/store shows it",
		    "the store is busy with a backup, a check or an erasure");
	else if (error == HERD_ECANCELED)
		http_call_fail(call, ADMIN_UNAVAILABLE,
		    "GET /v1/status has the store's error",
		    "the store has failed or is away, or the node stops");
	else
		http_call_out_of_memory(call);
}

void
store_api_fail(struct http_call *call, const struct engine_task *task)
{
	http_call_fail(call, ADMIN_UNAVAILABLE,
	    task->hint == NULL ? "" : task->hint, "%s", task->error);
}

/* --- status -----------------------------------------------------------------
 */

struct look {
	uint64_t counts; /* before the rows were asked for */
	struct mono until;
};

/* NULL: there is no memory, and the call is answered so. */
static struct look *
look_new(struct http_call *call)
{
	struct look *look = calloc(1, sizeof(*look));

	if (look == NULL)
		http_call_out_of_memory(call);
	return look;
}

static void
add_file(struct json *json, const char *key, const char *path, const char *end)
{
	char *name = NULL;
	size_t size = strlen(path) + strlen(end) + 1;
	struct stat file;
	bool known = false;

	name = malloc(size);
	if (name != NULL) {
		snprintf(name, size, "%s%s", path, end);
		known = stat(name, &file) == 0;
		free(name);
	}
	row_count(json, key, known, known ? (uint64_t)file.st_size : 0);
}

static void
add_moment(struct json *json, const char *key, struct wall at)
{
	if (at.ns == 0)
		json_null(json, key);
	else
		row_time(json, key, at.ns);
}

static void
add_work(struct json *json, struct store *store)
{
	struct store_work_report report;
	enum engine_work work;

	json_object(json, "work");
	if (store_look(store, &work, &report)) {
		static const char *const words[] = {
			[ENGINE_BACKUP] = "backup",
			[ENGINE_CHECK] = "check",
			[ENGINE_ERASE] = "erase",
		};

		json_word(json, "kind", words[work]);
		json_count(json, "done", report.task.done);
		json_count(json, "total", report.task.total);
	} else {
		json_null(json, "kind");
	}
	json_object_end(json);
}

static void
add_differences(struct json *json, const struct store_differences *found)
{
	bool known = found->number != 0;

	add_moment(json, "compared", found->at);
	row_count(json, "compared_rows", known, found->rows);
	row_count(json, "missing", known, found->missing);
	row_count(json, "stale", known, found->stale);
	row_count(json, "unknown", known, found->unknown);
	row_count(json, "newer", known, found->newer);
}

void
store_api_add_shared(struct json *json, const struct store_status *status)
{
	struct wall now = clock_wall();

	json_bool(json, "shared", true);
	row_word(json, "server", status->about.server);
	row_word(json, "address", status->about.address);
	row_count(json, "schema_version", status->about.schema != 0,
	    status->about.schema);
	json_bool(json, "replica", status->about.is_replica);
	row_time(json, "state_since", status->since.ns);
	json_seconds(json, "state_s",
	    now.ns > status->since.ns ? now.ns - status->since.ns : 0);
	json_count(json, "retries", status->retries);
	json_count(json, "repaired", status->repaired);
	json_count(json, "expired", status->expired);
	add_differences(json, &status->found);
}

static void
add_files(struct json *json, const char *path)
{
	add_file(json, "bytes", path, "");
	add_file(json, "log_bytes", path, "-wal");
}

static void
answer_status(struct http_call *call, const struct look *look)
{
	struct json *json = http_call_answer(call);
	struct store *store = call->node->store;
	struct store_status status;

	store_status(store, &status);
	json_word(json, "schema", "herd.store/1");
	json_word(json, "engine", status.engine);
	row_word(json, "path", store_path(store));
	json_word(json, "durability", status.sync ? "sync" : "async");
	json_word(json, "state", store_state_word(status.state));
	json_count(json, "lag", status.lag);
	row_count(json, "rows", status.counts > look->counts, status.rows);
	if (status.is_shared)
		store_api_add_shared(json, &status);
	else
		add_files(json, store_path(store));
	add_moment(json, "last_commit", status.last_commit);
	row_ms(json, "last_commit_ms", status.commits != 0, status.commit_ns);
	add_moment(json, "last_backup", status.last_backup);
	row_count(json, "last_backup_bytes", status.last_backup.ns != 0,
	    status.last_backup_bytes);
	json_count(json, "damaged", status.damaged);
	add_work(json, store);
	row_word(json, "error", status.error);
	http_call_json(call);
}

static bool
on_status_step(struct http_call *call)
{
	const struct look *look = call->job;
	struct store_status status;

	store_status(call->node->store, &status);
	if (status.counts == look->counts && status.state == STORE_OK &&
	    clock_mono().ns < look->until.ns)
		return true;
	answer_status(call, look);
	return false;
}

static void
answer_none(struct http_call *call)
{
	struct json *json = http_call_answer(call);

	json_word(json, "schema", "herd.store/1");
	json_word(json, "engine", "none");
	json_word(json, "state", "off");
	http_call_json(call);
}

void
serve_store(struct http_call *call)
{
	struct look *look;
	struct store_status status;
	bool brief;

	if (query_flag(&call->query, "brief", &brief) != HERD_OK) {
		http_call_fail(call, ADMIN_BAD_REQUEST, "brief=1 or brief=0",
		    "a parameter has a wrong value");
		return;
	}
	if (call->node->store == NULL) {
		answer_none(call);
		return;
	}
	look = look_new(call);
	if (look == NULL)
		return;
	store_status(call->node->store, &status);
	look->counts = status.counts;
	look->until = mono_add(clock_mono(), COUNT_WAIT_NS);
	if (brief)
		look->until = clock_mono();
	else
		store_ask_rows(call->node->store);
	http_call_walk(call, look, free, on_status_step, LOOK_MS);
}

/* --- check ------------------------------------------------------------------
 */

static void
end_work(void *work)
{
	store_work_end(work);
}

static bool
on_check_step(struct http_call *call)
{
	struct store_work_report report;
	struct json *json;

	store_work_look(call->job, &report);
	if (report.state == STORE_WORK_RUNS)
		return true;
	if (report.state == STORE_WORK_FAILED) {
		store_api_fail(call, &report.task);
		return false;
	}
	json = http_call_answer(call);
	row_word(json, "path", store_path(call->node->store));
	json_count(json, "format", STORE_ROW_FORMAT);
	json_count(json, "rows", report.task.rows);
	json_count(json, "removals", report.task.removals);
	json_count(json, "damaged", report.task.damaged);
	json_rounded(json, "ms", report.ms);
	http_call_json(call);
	return false;
}

void
serve_store_check(struct http_call *call)
{
	struct store_work *work;
	enum herd_error error;

	if (!store_api_need(call))
		return;
	error = store_work_begin(
	    call->node->store, ENGINE_CHECK, span_of("", 0), &work);
	if (error != HERD_OK)
		store_api_refuse(call, error, "check");
	else
		http_call_walk(call, work, end_work, on_check_step, LOOK_MS);
}

/* --- retry ------------------------------------------------------------------
 */

static bool
need_shared(struct http_call *call)
{
	if (!store_api_need(call))
		return false;
	if (store_is_shared(call->node->store))
		return true;
	http_call_fail(call, ADMIN_CONFLICT,
	    "store.engine names a file; GET /v1/store shows it",
	    "the store of node %s is its own", call->node->name);
	return false;
}

/* The answer is the state as it is now; contact comes later. */
void
serve_store_retry(struct http_call *call)
{
	const struct look look = { .counts = UINT64_MAX };

	if (!need_shared(call))
		return;
	(void)store_retry(call->node->store);
	http_call_log(call, store_path(call->node->store));
	answer_status(call, &look);
}

/* --- differences ------------------------------------------------------------
 */

static bool
on_diff_step(struct http_call *call)
{
	const struct look *look = call->job;
	struct store_status status;
	struct json *json;

	store_status(call->node->store, &status);
	if (status.found.number > look->counts && !status.found.mended) {
		json = http_call_answer(call);
		json_word(json, "schema", "herd.store-diff/1");
		json_bool(json, "same",
		    status.found.missing + status.found.stale +
			    status.found.unknown + status.found.newer ==
			0);
		add_differences(json, &status.found);
		http_call_json(call);
		return false;
	}
	if (status.state == STORE_OK || status.state == STORE_LOADING)
		return true;
	http_call_fail(call, ADMIN_UNAVAILABLE, "GET /v1/store has its state",
	    "the store is %s: %s", store_state_word(status.state),
	    status.error);
	return false;
}

void
serve_store_diff(struct http_call *call)
{
	struct look *look;
	struct store_status status;

	if (!need_shared(call))
		return;
	look = look_new(call);
	if (look == NULL)
		return;
	store_status(call->node->store, &status);
	look->counts = status.found.number;
	(void)store_ask_differences(call->node->store);
	http_call_walk(call, look, free, on_diff_step, LOOK_MS);
}
