/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The providers of places: /v1/places. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "base/thread.h"
#include "herd/request.h"
#include "places/places_report.h"
#include "places/places_search.h"
#include "places/question.h"

#define TEXT_MAX (2 * PLACES_ANSWER_MAX)
#define TEST_RADIUS_M 10000.0
#define TEST_RESULTS 5u
#define JOBS_MAX 8u

static void
fail_none(struct http_call *call)
{
	http_call_fail(call, ADMIN_UNAVAILABLE, "set places.provider",
	    "this node has no provider of places");
}

void
serve_places(struct http_call *call)
{
	struct json *json = http_call_answer(call);

	if (call->node->places != NULL) {
		places_report_status(call->node->places, json);
	} else {
		json_word(json, "provider", "none");
		json_word(json, "state", "off");
		json_count(json, "answered", 0);
		json_count(json, "failed", 0);
		json_null(json, "p50_ms");
		json_null(json, "p99_ms");
		json_array(json, "providers");
		json_array_end(json);
	}
	http_call_json(call);
}

void
serve_places_flush(struct http_call *call)
{
	struct json *json = http_call_answer(call);
	size_t flushed;

	if (call->node->places == NULL) {
		fail_none(call);
		return;
	}
	flushed = places_cache_flush(call->node->places);
	http_call_log(call, call->node->name);
	json_count(json, "flushed", flushed);
	http_call_json(call);
}

/* --- jobs that take their time -------------------------------------------- */

/*
 * A provider may take seconds, and so does a large file; each such job has
 * its own thread. It may outlive its call, but not its admin.
 */
struct places_job {
	struct message message;
	LIST_ENTRY(places_job) link; /* of the admin's */
	struct admin *admin;
	struct http_call *call; /* NULL: the client has left */
	pthread_t thread;
	bool joined;
	/* Appends the answer to `text`, or what is wrong. */
	enum herd_error (*work)(struct places_job *job);
	struct places_question question;
	struct buf text;
	enum herd_error error;
};

static void
on_gone(void *arg)
{
	struct places_job *job = arg;

	job->call = NULL;
}

static void
answer_job(struct http_call *call, struct places_job *job)
{
	http_call_keep(call, NULL, NULL);
	if (job->error == HERD_ENOMEM || job->error == HERD_ELIMIT ||
	    (job->error == HERD_OK &&
		buf_add_byte(&job->text, '\n') != HERD_OK))
		http_call_out_of_memory(call);
	else if (job->error == HERD_OK)
		http_call_text(
		    call, 200, "application/json", buf_span(&job->text));
	else
		http_call_fail(call, ADMIN_UNAVAILABLE, "the old answers go on",
		    "%s", buf_cstr(&job->text));
}

static void
on_done(struct message *message)
{
	struct places_job *job = (struct places_job *)message;

	if (!job->joined)
		pthread_join(job->thread, NULL);
	LIST_REMOVE(job, link);
	job->admin->places_job_count--;
	if (job->call != NULL)
		answer_job(job->call, job);
	buf_release(&job->text);
	free(job);
}

static void *
run_job(void *arg)
{
	struct places_job *job = arg;

	job->error = job->work(job);
	mailbox_post(&job->admin->mailbox, &job->message);
	return NULL;
}

void
places_jobs_join(struct admin *admin)
{
	struct places_job *job;

	/* Their messages free them when the mailbox is released. */
	LIST_FOREACH(job, &admin->places_jobs, link)
	{
		if (!job->joined)
			pthread_join(job->thread, NULL);
		job->joined = true;
	}
}

static struct places_job *
job_new(struct http_call *call, enum herd_error (*work)(struct places_job *job),
    const struct places_question *question)
{
	struct places_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->message.run = on_done;
	job->admin = call->admin;
	job->call = call;
	job->work = work;
	job->question = *question;
	buf_init(&job->text, TEXT_MAX);
	if (thread_start(&job->thread, "places-job", 0, run_job, job) != 0) {
		free(job);
		return NULL;
	}
	return job;
}

static void
start_job(struct http_call *call,
    enum herd_error (*work)(struct places_job *job),
    const struct places_question *question)
{
	struct places_job *job;

	if (call->node->places == NULL) {
		fail_none(call);
		return;
	}
	if (call->admin->places_job_count >= JOBS_MAX) {
		http_call_fail(call, ADMIN_UNAVAILABLE,
		    "try again in some seconds",
		    "other questions to places are under way");
		return;
	}
	job = job_new(call, work, question);
	if (job == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	LIST_INSERT_HEAD(&call->admin->places_jobs, job, link);
	call->admin->places_job_count++;
	http_call_keep(call, job, on_gone);
	http_call_log(call, call->node->name);
}

/* --- reload --------------------------------------------------------------- */

static enum herd_error
work_reload(struct places_job *job)
{
	struct buf message;
	struct json json;
	bool changed = false;
	enum herd_error error;

	buf_init(&message, TEXT_MAX / 2);
	error = places_reload(job->admin->node->places, &changed, &message);
	if (error != HERD_OK) {
		if (buf_add_span(&job->text, buf_span(&message)) != HERD_OK)
			error = HERD_ENOMEM;
	} else {
		json_begin(&json, &job->text, JSON_COMPACT);
		json_object(&json, NULL);
		json_bool(&json, "changed", changed);
		places_report_summary(job->admin->node->places, &json);
		json_object_end(&json);
		error = json_end(&json);
	}
	buf_release(&message);
	return error;
}

void
serve_places_reload(struct http_call *call)
{
	const struct places_question none = { .max = 0 };

	start_job(call, work_reload, &none);
}

/* --- a test call ---------------------------------------------------------- */

static struct span
param_text(const struct query *query, const char *name)
{
	const struct query_param *param = query_find(query, name);

	return param != NULL ? param->value : span_of("", 0);
}

static enum herd_error
find_param(void *arg, const char *name, struct span *value)
{
	const struct query_param *param = query_find(arg, name);

	if (param == NULL)
		return HERD_ENOTFOUND;
	*value = param->value;
	return HERD_OK;
}

/* The location that `near` has. */
static const char *
read_near(struct query *query, struct places_question *question)
{
	const struct query_param *near = query_find(query, "near");
	enum herd_error error;
	struct buf text;

	if (near == NULL)
		return "give near=LOCATION, like near=+34.068930-118.445127";
	buf_init(&text, 1024);
	error = location_from_human(near->value, &text, &question->at);
	buf_release(&text);
	return error == HERD_OK
		   ? NULL
		   : "near is a location like +34.068930-118.445127";
}

/* All but the location. */
static const char *
read_question(struct query *query, struct places_question *question)
{
	const struct query_param *km = query_find(query, "km");
	uint64_t max = TEST_RESULTS;

	question->radius_m = TEST_RADIUS_M;
	if (km != NULL &&
	    radius_parse(km->value, &question->radius_m) != HERD_OK)
		return "km is a number above 0, at most 50";
	if (query_count(query, "max", 1, REQUEST_BOUND_MAX, &max) != HERD_OK)
		return "max is a whole number from 1 to 20";
	question->max = (unsigned)max;
	return question_read_filter(question, find_param, query);
}

static enum herd_error
work_test(struct places_job *job)
{
	return places_test_json(
	    job->admin->node->places, &job->question, &job->text);
}

void
serve_places_test(struct http_call *call)
{
	struct places_question question;
	const char *fault = read_near(&call->query, &question);

	if (fault == NULL)
		fault = read_question(&call->query, &question);
	if (fault != NULL)
		http_call_fail(call, ADMIN_BAD_REQUEST, fault,
		    "a parameter has a wrong value");
	else
		start_job(call, work_test, &question);
}

/* --- search --------------------------------------------------------------- */

/* The question's point, then Nearby Search's answer as it is. */
static enum herd_error
work_search(struct places_job *job)
{
	struct buf answer;
	struct json json;
	enum herd_error error;

	buf_init(&answer, PLACES_ANSWER_MAX);
	error =
	    places_search(job->admin->node->places, &job->question, &answer);
	if (error == HERD_OK) {
		json_begin(&json, &job->text, JSON_COMPACT);
		json_object(&json, NULL);
		json_number(&json, "lat", location_lat(job->question.at));
		json_number(&json, "lon", location_lon(job->question.at));
		json_raw(&json, "answer", buf_span(&answer));
		json_object_end(&json);
		error = json_end(&json);
	}
	buf_release(&answer);
	return error;
}

/* Where the client is, by what this node holds. */
static enum herd_error
find_client(struct http_call *call, struct places_question *question)
{
	struct record record;
	enum herd_error error;

	record_init(&record);
	error = table_get(
	    call->node->table, param_text(&call->query, "client"), &record);
	if (error == HERD_OK && record.report.kind == REPORT_REMOVAL)
		error = HERD_ENOTFOUND;
	if (error == HERD_OK)
		error = location_parse(record.report.location, &question->at);
	record_release(&record);
	return error;
}

void
serve_places_search(struct http_call *call)
{
	bool of_client = query_find(&call->query, "client") != NULL;
	struct places_question question;
	const char *fault =
	    of_client ? NULL : read_near(&call->query, &question);

	if (fault == NULL)
		fault = read_question(&call->query, &question);
	if (fault != NULL)
		http_call_fail(call, ADMIN_BAD_REQUEST, fault,
		    "a parameter has a wrong value");
	else if (of_client && find_client(call, &question) != HERD_OK)
		http_call_fail(
		    call, ADMIN_NOT_FOUND, "", "there is no such client");
	else
		start_job(call, work_search, &question);
}
