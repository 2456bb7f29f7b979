/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The providers of places: /v1/places. */
#include <pthread.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "base/thread.h"
#include "herd/request.h"
#include "places/places_report.h"

#define TEXT_MAX 65536u
#define TEST_RADIUS_M 10000.0
#define TEST_RESULTS 5u

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

/* --- a test call ------------------------------------------------------ */

/*
 * A provider may take seconds, so the test has its own thread. There is one
 * test at a time. It may outlive its call, but not its admin.
 */
struct places_test {
	struct message message;
	struct admin *admin;
	struct http_call *call; /* NULL: the client has left */
	pthread_t thread;
	bool joined;
	struct places_question question;
	struct buf text;
	enum herd_error error;
};

static void
on_gone(void *job)
{
	struct places_test *test = job;

	test->call = NULL;
}

static void
on_done(struct message *message)
{
	struct places_test *test = (struct places_test *)message;
	struct http_call *call = test->call;

	if (!test->joined)
		pthread_join(test->thread, NULL);
	test->admin->places_test = NULL;
	if (call != NULL) {
		http_call_keep(call, NULL, NULL);
		if (test->error == HERD_OK &&
		    buf_add_byte(&test->text, '\n') == HERD_OK)
			http_call_text(call, 200, "application/json",
			    buf_span(&test->text));
		else
			http_call_out_of_memory(call);
	}
	buf_release(&test->text);
	free(test);
}

static void *
run_test(void *arg)
{
	struct places_test *test = arg;

	test->error = places_test_json(
	    test->admin->node->places, &test->question, &test->text);
	mailbox_post(&test->admin->mailbox, &test->message);
	return NULL;
}

void
places_test_join(struct admin *admin)
{
	struct places_test *test = admin->places_test;

	if (test == NULL)
		return;
	/* Its message frees it when the mailbox is released. */
	pthread_join(test->thread, NULL);
	test->joined = true;
}

static const char *
read_question(const struct query *query, struct places_question *question)
{
	const struct query_param *near = query_find(query, "near");
	const struct query_param *km = query_find(query, "km");
	uint64_t max = TEST_RESULTS;
	enum herd_error error;
	struct buf text;

	if (near == NULL)
		return "give near=LOCATION, like near=+34.068930-118.445127";
	buf_init(&text, 1024);
	error = location_from_human(near->value, &text, &question->at);
	buf_release(&text);
	if (error != HERD_OK)
		return "near is a location like +34.068930-118.445127";
	question->radius_m = TEST_RADIUS_M;
	if (km != NULL &&
	    radius_parse(km->value, &question->radius_m) != HERD_OK)
		return "km is a number above 0, at most 50";
	if (query_count(query, "max", 1, REQUEST_BOUND_MAX, &max) != HERD_OK)
		return "max is a whole number from 1 to 20";
	question->max = (unsigned)max;
	return NULL;
}

static struct places_test *
test_start(struct http_call *call, const struct places_question *question)
{
	struct places_test *test = calloc(1, sizeof(*test));

	if (test == NULL)
		return NULL;
	test->message.run = on_done;
	test->admin = call->admin;
	test->call = call;
	test->question = *question;
	buf_init(&test->text, TEXT_MAX);
	if (thread_start(&test->thread, "places-test", 0, run_test, test) !=
	    0) {
		free(test);
		return NULL;
	}
	return test;
}

void
serve_places_test(struct http_call *call)
{
	struct places_question question;
	struct places_test *test;
	const char *fault = read_question(&call->query, &question);

	if (fault != NULL) {
		http_call_fail(call, ADMIN_BAD_REQUEST, fault,
		    "a parameter has a wrong value");
		return;
	}
	if (call->node->places == NULL) {
		fail_none(call);
		return;
	}
	if (call->admin->places_test != NULL) {
		http_call_fail(call, ADMIN_UNAVAILABLE,
		    "try again in some seconds", "another test is under way");
		return;
	}
	test = test_start(call, &question);
	if (test == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	call->admin->places_test = test;
	http_call_keep(call, test, on_gone);
	http_call_log(call, call->node->name);
}
