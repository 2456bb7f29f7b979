/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

struct store_work {
	struct store_works *works;
	enum engine_work kind;
	char *client;
	size_t client_len;
	struct outbox_progress owed; /* when it was handed in */
	struct mono started;
	bool begun;
	struct engine_task task; /* the store's thread */

	/* under works->lock */
	struct store_work_report report;
	bool asked; /* somebody will look at it */
	bool done;  /* the store's thread does not know it any more */
};

void
store_works_init(struct store_works *works)
{
	*works = (struct store_works){ .closed = false };
	pthread_mutex_init(&works->lock, NULL);
}

void
store_works_release(struct store_works *works)
{
	pthread_mutex_destroy(&works->lock);
}

static void
work_free(struct store_work *work)
{
	if (work->report.task.fd >= 0)
		(void)close(work->report.task.fd);
	free(work->client);
	free(work);
}

static struct store_work *
work_new(struct store_works *works, enum engine_work kind, struct span client)
{
	struct store_work *work = calloc(1, sizeof(*work));

	if (work == NULL)
		return NULL;
	work->works = works;
	work->kind = kind;
	work->started = clock_mono();
	work->asked = true;
	work->task.fd = -1;
	work->report.task.fd = -1;
	work->client_len = client.len;
	work->client = malloc(client.len + 1);
	if (work->client == NULL) {
		free(work);
		return NULL;
	}
	memcpy(work->client, client.data, client.len);
	return work;
}

enum herd_error
store_works_add(struct store_works *works, enum engine_work kind,
    struct span client, const struct outbox_progress *owed,
    struct store_work **out)
{
	struct store_work *work = work_new(works, kind, client);
	enum herd_error error = work == NULL ? HERD_ENOMEM : HERD_OK;

	if (error != HERD_OK)
		return error;
	work->owed = *owed;
	pthread_mutex_lock(&works->lock);
	if (works->closed)
		error = HERD_ECANCELED;
	else if (works->current != NULL)
		error = HERD_EEXIST;
	else
		works->current = work;
	pthread_mutex_unlock(&works->lock);
	if (error == HERD_OK)
		*out = work;
	else
		work_free(work);
	return error;
}

static double
ms_since(struct mono start)
{
	return (double)mono_since(clock_mono(), start) / HERD_NS_PER_MS;
}

void
store_work_look(struct store_work *work, struct store_work_report *out)
{
	pthread_mutex_lock(&work->works->lock);
	*out = work->report;
	pthread_mutex_unlock(&work->works->lock);
	if (out->state == STORE_WORK_RUNS)
		out->ms = ms_since(work->started);
}

bool
store_works_look(struct store_works *works, enum engine_work *kind,
    struct store_work_report *out)
{
	const struct store_work *work;

	pthread_mutex_lock(&works->lock);
	work = works->current;
	if (work != NULL) {
		*kind = work->kind;
		*out = work->report;
	}
	pthread_mutex_unlock(&works->lock);
	return work != NULL;
}

int
store_work_take_file(struct store_work *work)
{
	int fd;

	pthread_mutex_lock(&work->works->lock);
	fd = work->report.task.fd;
	work->report.task.fd = -1;
	pthread_mutex_unlock(&work->works->lock);
	return fd;
}

void
store_work_end(struct store_work *work)
{
	struct store_works *works;
	bool done;

	if (work == NULL)
		return;
	works = work->works;
	pthread_mutex_lock(&works->lock);
	work->asked = false;
	done = work->done;
	pthread_mutex_unlock(&works->lock);
	if (done)
		work_free(work);
}

/* --- the store's thread ----------------------------------------------------
 */

struct store_work *
store_works_current(struct store_works *works)
{
	struct store_work *work;

	pthread_mutex_lock(&works->lock);
	work = works->current;
	pthread_mutex_unlock(&works->lock);
	return work;
}

bool
store_work_may_begin(
    const struct store_work *work, const struct outbox_progress *now)
{
	for (unsigned i = 0; i < TABLE_SHARDS && !work->begun; i++) {
		if (now->popped[i] < work->owed.appended[i])
			return false;
	}
	return true;
}

struct span
store_work_client(const struct store_work *work)
{
	return span_of(work->client, work->begun ? 0 : work->client_len);
}

/* Tells how far it is; returns whether somebody still wants it. */
static bool
tell(struct store_work *work, enum store_work_state state)
{
	struct store_works *works = work->works;
	bool over = state != STORE_WORK_RUNS;
	bool asked;

	pthread_mutex_lock(&works->lock);
	work->report.state = state;
	work->report.task = work->task;
	work->report.ms = ms_since(work->started);
	asked = work->asked;
	work->done = over;
	if (over)
		works->current = NULL;
	pthread_mutex_unlock(&works->lock);
	if (over && !asked)
		work_free(work);
	return asked;
}

enum store_work_turn
store_work_go_on(struct store_work *work, struct engine *engine)
{
	const struct engine_ops *ops = engine->ops;
	struct engine_task *task = &work->task;
	enum herd_error error;
	bool blocked;

	work->begun = true;
	task->is_blocked = false;
	error = ops->work[work->kind](engine, task);
	blocked = task->is_blocked;
	if (error == HERD_EAGAIN &&
	    (tell(work, STORE_WORK_RUNS) || work->kind == ENGINE_ERASE))
		return blocked ? STORE_WORK_BLOCKED : STORE_WORK_MORE;
	ops->drop[work->kind](task);
	if (error != HERD_OK && task->error[0] == '\0')
		snprintf(task->error, sizeof(task->error), "%s",
		    error == HERD_EAGAIN ? "nobody wants it any more"
					 : herd_strerror(error));
	(void)tell(
	    work, error == HERD_OK ? STORE_WORK_DONE : STORE_WORK_FAILED);
	return STORE_WORK_IDLE;
}

void
store_works_fail(
    struct store_works *works, struct engine *engine, const char *why)
{
	struct store_work *work = store_works_current(works);

	if (work == NULL)
		return;
	engine->ops->drop[work->kind](&work->task);
	snprintf(work->task.error, sizeof(work->task.error), "%s", why);
	work->task.hint = NULL;
	(void)tell(work, STORE_WORK_FAILED);
}

void
store_works_close(
    struct store_works *works, struct engine *engine, const char *why)
{
	pthread_mutex_lock(&works->lock);
	works->closed = true;
	pthread_mutex_unlock(&works->lock);
	store_works_fail(works, engine, why);
}
