/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/test_call.h"

#include <assert.h>

#include "base/clock.h"
#include "herd/json.h"
#include "places/network.h"

struct test_call_step *
test_call_step(struct test_call *test, enum places_kind kind)
{
	struct test_call_step *step;

	assert(test->count < SETTING_LIST_MAX);
	step = &test->steps[test->count++];
	*step = (struct test_call_step){
		.kind = kind,
		.facts = { .status = PLACES_UNKNOWN_ERROR },
		.dns_ms = -1,
		.connect_ms = -1,
		.tls_ms = -1,
		.first_byte_ms = -1,
		.total_ms = -1,
	};
	return step;
}

void
test_call_times(struct test_call_step *step, const struct fetch_result *result)
{
	step->http_status = result->http_status;
	step->dns_ms = result->dns_ms;
	step->connect_ms = result->connect_ms;
	step->tls_ms = result->tls_ms;
	step->first_byte_ms = result->first_byte_ms;
	step->total_ms = result->total_ms;
}

void
test_call_end(struct test_call *test)
{
	pthread_mutex_lock(&test->lock);
	test->has_ended = true;
	pthread_cond_signal(&test->ended);
	pthread_mutex_unlock(&test->lock);
}

/* The members of a step but its total time. */
static void
add_step(struct json *json, const struct test_call_step *step)
{
	json_text(json, "provider", span_from(places_kind_name(step->kind)));
	json_text(
	    json, "status", span_from(answer_status_name(step->facts.status)));
	json_count(json, "results", step->facts.results);
	if (step->http_status != 0)
		json_count(json, "http_status", step->http_status);
	else
		json_null(json, "http_status");
	json_rounded(json, "dns_ms", step->dns_ms);
	json_rounded(json, "connect_ms", step->connect_ms);
	json_rounded(json, "tls_ms", step->tls_ms);
	json_rounded(json, "first_byte_ms", step->first_byte_ms);
	if (step->text[0] != '\0')
		json_text(json, "error_message", span_from(step->text));
	else
		json_null(json, "error_message");
}

/* The last step is the one that counts; all of them are listed. */
static enum herd_error
write_answer(const struct test_call *test, double total_ms, struct buf *out)
{
	static const struct test_call_step none = {
		.kind = PLACES_NONE,
		.facts = { .status = PLACES_REQUEST_DENIED },
		.dns_ms = -1,
		.connect_ms = -1,
		.tls_ms = -1,
		.first_byte_ms = -1,
		.text = "no provider is configured",
	};
	struct json json;

	json_begin(&json, out, JSON_COMPACT);
	json_object(&json, NULL);
	add_step(
	    &json, test->count > 0 ? &test->steps[test->count - 1] : &none);
	json_rounded(&json, "total_ms", total_ms);
	json_array(&json, "steps");
	for (unsigned i = 0; i < test->count; i++) {
		json_object(&json, NULL);
		add_step(&json, &test->steps[i]);
		json_rounded(&json, "total_ms", test->steps[i].total_ms);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
	return json_end(&json);
}

/* Through the Places thread, as a client's question goes. */
static enum herd_error
ask_network(struct network *network, const struct places_question *question,
    struct test_call *test)
{
	struct places_asker *asker = NULL;
	enum herd_error error = places_asker_new(question, &asker);

	if (error != HERD_OK)
		return error;
	asker->test = test;
	error = network_post(network, asker);
	if (error != HERD_OK)
		places_asker_free(asker);
	pthread_mutex_lock(&test->lock);
	while (error == HERD_OK && !test->has_ended)
		pthread_cond_wait(&test->ended, &test->lock);
	pthread_mutex_unlock(&test->lock);
	places_asker_free(asker);
	return error;
}

static void
ask_gazetteer(struct places *places, const struct places_question *question,
    struct test_call *test)
{
	struct gazetteer_reader *reader = NULL;
	struct test_call_step *step = test_call_step(test, PLACES_GAZETTEER);
	struct mono start = clock_mono();
	const char *text = "its data could not be opened";
	struct gazetteer *gazetteer = places_hold_gazetteer(places);
	struct buf answer;
	enum herd_error error;

	buf_init(&answer, PLACES_ANSWER_MAX);
	error = gazetteer_reader_open(gazetteer, &reader);
	if (error == HERD_OK)
		error = gazetteer_reader_ask(
		    reader, question, &answer, &step->facts, &text);
	step->total_ms = (double)mono_since(clock_mono(), start) / 1e6;
	if (error != HERD_OK)
		places_keep_error(step->text, span_from(text));
	gazetteer_reader_close(reader);
	gazetteer_close(gazetteer);
	buf_release(&answer);
}

enum herd_error
places_test_json(struct places *places, const struct places_question *question,
    struct buf *out)
{
	struct test_call test = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER };
	struct mono start = clock_mono();
	enum herd_error error = HERD_OK;

	if (places->network != NULL)
		error = ask_network(places->network, question, &test);
	else if (places->has_gazetteer)
		ask_gazetteer(places, question, &test);
	if (error == HERD_OK)
		error = write_answer(
		    &test, (double)mono_since(clock_mono(), start) / 1e6, out);
	pthread_cond_destroy(&test.ended);
	pthread_mutex_destroy(&test.lock);
	return error;
}
