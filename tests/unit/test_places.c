/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The chain of providers with the embedded one: opening, asking from several
 * threads, and what the operator sees of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "herd/settings.h"
#include "places/places_internal.h"
#include "places/places_report.h"
#include "places/question.h"

#define DATA "build/gazetteer.sqlite"
#define THREADS 4u
#define ASKS 500u

static void
set(struct settings *settings, const char *name, const char *value)
{
	const struct setting *setting = setting_find(span_from(name));

	assert_non_null(setting);
	assert_int_equal(
	    setting_set(settings, setting, span_from(value), NULL), HERD_OK);
}

static void
ignore_event(void *arg HERD_UNUSED, enum log_level level HERD_UNUSED,
    const char *message HERD_UNUSED)
{
}

static const struct places_hooks HOOKS = { ignore_event, NULL };

static struct places *
open_places(const char *provider, const char *data)
{
	struct places *places = NULL;
	struct settings settings;
	struct buf message;

	buf_init(&message, 8192);
	assert_int_equal(settings_init(&settings), HERD_OK);
	if (provider != NULL) {
		settings.places.provider.count =
		    0; /* in place of the default */
		set(&settings, "places.provider", provider);
	}
	set(&settings, "places.data", data);
	if (places_open(&settings, "Riley", NULL, &HOOKS, &message, &places) !=
	    HERD_OK)
		fail_msg(SPAN_FMT, SPAN_ARG(buf_span(&message)));
	settings_release(&settings);
	buf_release(&message);
	return places;
}

static const struct places_question FRANKFURT = {
	.at = { 50110000000, 8680000000 },
	.radius_m = 10000,
	.max = 5,
};

static void
never(void *arg HERD_UNUSED, struct span json HERD_UNUSED)
{
	abort();
}

static cJSON *
ask(struct places_reader *reader)
{
	struct places_asker *call = NULL;
	struct buf answer;
	cJSON *json;

	buf_init(&answer, PLACES_ANSWER_MAX);
	assert_int_equal(
	    places_ask(reader, &FRANKFURT, &answer, never, NULL, &call),
	    PLACES_ANSWERED);
	json = cJSON_ParseWithLength(buf_span(&answer).data, answer.len);
	assert_non_null(json);
	buf_release(&answer);
	return json;
}

static const char *
text_of(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

static cJSON *
status_of(struct places *places)
{
	struct buf out;
	struct json writer;
	cJSON *json;

	buf_init(&out, 65536);
	json_begin(&writer, &out, JSON_COMPACT);
	json_object(&writer, NULL);
	places_report_status(places, &writer);
	json_object_end(&writer);
	assert_int_equal(json_end(&writer), HERD_OK);
	json = cJSON_ParseWithLength(buf_span(&out).data, out.len);
	assert_non_null(json);
	buf_release(&out);
	return json;
}

static void
test_default_provider_answers_at_once(void **state HERD_UNUSED)
{
	struct places *places = open_places(NULL, DATA);
	struct places_reader *reader = NULL;
	cJSON *json;

	assert_int_equal(places_reader_open(places, &reader), HERD_OK);
	json = ask(reader);
	assert_string_equal(text_of(json, "status"), "OK");
	assert_int_equal(
	    cJSON_GetArraySize(cJSON_GetObjectItem(json, "results")), 5);
	cJSON_Delete(json);
	places_reader_close(reader);
	places_close(places);
}

static void
test_no_provider_denies(void **state HERD_UNUSED)
{
	struct places *places = open_places("none", "");
	struct places_reader *reader = NULL;
	cJSON *json;

	assert_int_equal(places_reader_open(places, &reader), HERD_OK);
	json = ask(reader);
	assert_string_equal(text_of(json, "status"), "REQUEST_DENIED");
	assert_non_null(cJSON_GetObjectItem(json, "error_message"));
	cJSON_Delete(json);
	json = status_of(places);
	assert_string_equal(text_of(json, "provider"), "none");
	assert_string_equal(text_of(json, "state"), "off");
	cJSON_Delete(json);
	places_reader_close(reader);
	places_close(places);
}

static void
test_missing_data_says_what_to_do(void **state HERD_UNUSED)
{
	struct places *places = NULL;
	struct settings settings;
	struct buf message;

	buf_init(&message, 8192);
	assert_int_equal(settings_init(&settings), HERD_OK);
	set(&settings, "places.data", "/nonexistent/gazetteer.sqlite");
	assert_int_not_equal(
	    places_open(&settings, "Riley", NULL, &HOOKS, &message, &places),
	    HERD_OK);
	assert_null(places);
	assert_non_null(
	    memmem(buf_span(&message).data, message.len, "/nonexistent", 12));
	settings_release(&settings);
	buf_release(&message);
}

static void *
ask_much(void *arg)
{
	struct places_reader *reader = NULL;
	struct places_asker *call = NULL;
	struct buf answer;

	if (places_reader_open(arg, &reader) != HERD_OK)
		abort();
	buf_init(&answer, PLACES_ANSWER_MAX);
	for (unsigned i = 0; i < ASKS; i++) {
		buf_clear(&answer);
		if (places_ask(reader, &FRANKFURT, &answer, never, NULL,
			&call) != PLACES_ANSWERED)
			abort();
	}
	buf_release(&answer);
	places_reader_close(reader);
	return NULL;
}

static double
number_of(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

/* Counted while they are open, and when they have gone. */
static void
test_status_counts_all_readers(void **state HERD_UNUSED)
{
	struct places *places = open_places("gazetteer", DATA);
	pthread_t threads[THREADS];
	const cJSON *provider;
	cJSON *json = status_of(places);

	assert_true(number_of(json, "answered") == 0);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "p99_ms")));
	cJSON_Delete(json);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, ask_much, places), 0);
	for (unsigned i = 0; i < 50; i++) {
		json = status_of(places);
		assert_true(number_of(json, "answered") <= THREADS * ASKS);
		cJSON_Delete(json);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	json = status_of(places);
	assert_true(number_of(json, "answered") == THREADS * ASKS);
	assert_true(number_of(json, "failed") == 0);
	assert_true(number_of(json, "p50_ms") > 0);
	assert_true(number_of(json, "p99_ms") >= number_of(json, "p50_ms"));
	assert_string_equal(text_of(json, "provider"), "gazetteer");
	provider =
	    cJSON_GetArrayItem(cJSON_GetObjectItem(json, "providers"), 0);
	assert_string_equal(text_of(provider, "name"), "gazetteer");
	assert_string_equal(text_of(provider, "state"), "ready");
	assert_string_equal(text_of(provider, "data"), DATA);
	assert_true(number_of(provider, "places") == 241843);
	cJSON_Delete(json);
	places_close(places);
}

static void
test_metrics_are_in_prometheus_form(void **state HERD_UNUSED)
{
	struct places *places = open_places("gazetteer", DATA);
	struct places_reader *reader = NULL;
	struct buf out;
	const char *text;

	assert_int_equal(places_reader_open(places, &reader), HERD_OK);
	cJSON_Delete(ask(reader));
	buf_init(&out, 65536);
	assert_int_equal(places_report_metrics(places, &out), HERD_OK);
	text = buf_cstr(&out);
	assert_non_null(text);
	assert_non_null(
	    strstr(text, "\n# TYPE herd_places_answers_total counter\n"));
	assert_non_null(strstr(text,
	    "\nherd_places_answers_total{provider=\"gazetteer\",status=\"OK\"}"
	    " 1\n"));
	assert_non_null(strstr(text,
	    "\nherd_places_answer_seconds_count{provider=\"gazetteer\"} 1\n"));
	assert_int_equal(text[out.len - 1], '\n');
	buf_release(&out);
	places_reader_close(reader);
	places_close(places);
}

static void
test_test_call_tells_result_and_time(void **state HERD_UNUSED)
{
	struct places *places = open_places("gazetteer", DATA);
	struct buf out;
	cJSON *json;

	buf_init(&out, 65536);
	assert_int_equal(places_test_json(places, &FRANKFURT, &out), HERD_OK);
	json = cJSON_ParseWithLength(buf_span(&out).data, out.len);
	assert_non_null(json);
	assert_string_equal(text_of(json, "provider"), "gazetteer");
	assert_string_equal(text_of(json, "status"), "OK");
	assert_true(number_of(json, "results") == 5);
	assert_true(number_of(json, "total_ms") > 0);
	cJSON_Delete(json);
	buf_release(&out);
	places_close(places);
}

/* What is to be read for filters is read before the first one. */
static void
test_filters_that_are_expected_find_the_gazetteer_warm(void **state HERD_UNUSED)
{
	struct places *places = open_places(NULL, DATA);
	struct gazetteer *gazetteer = places_hold_gazetteer(places);

	assert_false(gazetteer_is_warm(gazetteer));
	places_expect_filters(places);
	/* Waits for it. */
	places_close(places);
	assert_true(gazetteer_is_warm(gazetteer));
	gazetteer_close(gazetteer);
}

struct filtered {
	struct places *places;
	pthread_t thread;
	struct buf answer;
};

static void *
ask_for_frankfurt(void *arg)
{
	struct places_question question = FRANKFURT;
	struct places_reader *reader = NULL;
	struct places_asker *call = NULL;
	struct filtered *f = arg;

	assert_null(question_set_filter(&question, span_from("locality"),
	    span_from("FRANKF"), false, span_from("prominence")));
	assert_int_equal(places_reader_open(f->places, &reader), HERD_OK);
	assert_int_equal(
	    places_ask(reader, &question, &f->answer, never, NULL, &call),
	    PLACES_ANSWERED);
	places_reader_close(reader);
	return NULL;
}

/* The first one reads the names, and the others wait for it. */
static void
test_first_filters_of_all_threads_get_one_answer(void **state HERD_UNUSED)
{
	struct places *places = open_places(NULL, DATA);
	struct filtered all[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		all[i].places = places;
		buf_init(&all[i].answer, PLACES_ANSWER_MAX);
		assert_int_equal(pthread_create(&all[i].thread, NULL,
				     ask_for_frankfurt, &all[i]),
		    0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(all[i].thread, NULL);
	assert_non_null(strstr(buf_cstr(&all[0].answer), "Frankfurt am Main"));
	for (unsigned i = 0; i < THREADS; i++)
		assert_true(span_equal(
		    buf_span(&all[i].answer), buf_span(&all[0].answer)));
	for (unsigned i = 0; i < THREADS; i++)
		buf_release(&all[i].answer);
	places_close(places);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_provider_answers_at_once),
		cmocka_unit_test(test_no_provider_denies),
		cmocka_unit_test(test_missing_data_says_what_to_do),
		cmocka_unit_test(test_status_counts_all_readers),
		cmocka_unit_test(test_metrics_are_in_prometheus_form),
		cmocka_unit_test(test_test_call_tells_result_and_time),
		cmocka_unit_test(
		    test_filters_that_are_expected_find_the_gazetteer_warm),
		cmocka_unit_test(
		    test_first_filters_of_all_threads_get_one_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
