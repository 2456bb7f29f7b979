/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A backup of the running store: /v1/store/backup. The store's thread makes a
 * copy beside the store; then it is sent from the main loop, as fast as its
 * reader takes it. The copy has no name any more: whatever happens, it is gone
 * with the call.
 *
 * It needs the right to read, as the list of all clients does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/store_api.h"
#include "store/store.h"

#define BACKUP_TYPE "application/vnd.sqlite3"
#define LOOK_MS 10u
#define CHUNK_BYTES 32768u
/* Copies on the disk at one time. */
#define BACKUPS_MAX 2u

struct backup_job {
	struct admin *admin;
	struct store_work *work;
	int fd; /* of the copy, or -1 */
	uint64_t bytes;
	uint64_t sent;
	char chunk[CHUNK_BYTES];
};

static void
backup_job_free(void *arg)
{
	struct backup_job *job = arg;

	store_work_end(job->work);
	if (job->fd >= 0)
		(void)close(job->fd);
	job->admin->backups--;
	free(job);
}

static void
log_backup(struct http_call *call, const char *how, uint64_t bytes)
{
	LOG(call->node->log, LOG_INFO, "store-backup", log_text("state", how),
	    log_number("bytes", (int64_t)bytes), log_text("by", call->who));
}

/* A copy that cannot be read ends short: its reader sees that. */
static bool
send_some(struct http_call *call)
{
	struct backup_job *job = call->job;
	ssize_t n = read(job->fd, job->chunk, sizeof(job->chunk));

	if (n <= 0 || job->sent + (uint64_t)n > job->bytes) {
		log_backup(call, "cannot be read", job->sent);
		http_call_end(call);
		return false;
	}
	http_call_send(call, span_of(job->chunk, (size_t)n));
	job->sent += (uint64_t)n;
	if (job->sent < job->bytes)
		return true;
	store_note_backup(call->node->store, job->bytes);
	log_backup(call, "sent", job->bytes);
	http_call_end(call);
	return false;
}

static bool
on_backup_step(struct http_call *call)
{
	struct backup_job *job = call->job;
	struct store_work_report report;

	if (job->fd >= 0)
		return send_some(call);
	store_work_look(job->work, &report);
	if (report.state == STORE_WORK_RUNS)
		return true;
	if (report.state == STORE_WORK_FAILED) {
		store_api_fail(call, &report.task);
		return false;
	}
	job->fd = store_work_take_file(job->work);
	job->bytes = report.task.bytes;
	log_backup(call, "copied", job->bytes);
	call->every_ms = 0;
	http_call_send_file(call, BACKUP_TYPE, job->bytes);
	return true;
}

static struct backup_job *
backup_job_new(struct http_call *call)
{
	struct backup_job *job = NULL;

	if (call->admin->backups >= BACKUPS_MAX) {
		store_api_refuse(call, HERD_EEXIST, "backup");
		return NULL;
	}
	job = calloc(1, sizeof(*job));
	if (job == NULL) {
		http_call_out_of_memory(call);
		return NULL;
	}
	job->admin = call->admin;
	job->fd = -1;
	job->admin->backups++;
	return job;
}

void
serve_store_backup(struct http_call *call)
{
	struct backup_job *job;
	enum herd_error error;

	if (!store_api_need(call))
		return;
	job = backup_job_new(call);
	if (job == NULL)
		return;
	error = store_work_begin(
	    call->node->store, ENGINE_BACKUP, span_of("", 0), &job->work);
	if (error == HERD_OK) {
		http_call_walk(
		    call, job, backup_job_free, on_backup_step, LOOK_MS);
		return;
	}
	store_api_refuse(call, error, "backup");
	backup_job_free(job);
}
