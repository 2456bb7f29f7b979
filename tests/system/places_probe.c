/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drives Places from a test, without a node around it:
 *     places_probe [NAME=VALUE]...
 * with settings of the herd file, then commands on standard input:
 *     ask ID LOCATION KM MAX    cancel ID    status    metrics    flush
 *     test LOCATION KM MAX      reader       quit
 * Each answer is a line of JSON on standard output, events too.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "herd/json.h"
#include "herd/request.h"
#include "herd/text.h"
#include "places/places_report.h"

#define ASKS_MAX 100000u

struct probe {
	pthread_mutex_t lock; /* of standard output and `answered` */
	pthread_cond_t changed;
	struct places *places;
	struct places_reader *reader;
	struct ask *asks;
	size_t count;
};

struct ask {
	struct probe *probe;
	struct places_asker *call;
	struct mono start;
	char id[32];
	bool ended; /* answered or cancelled; probe->lock */
};

static void
print(struct probe *probe, struct buf *line)
{
	pthread_mutex_lock(&probe->lock);
	printf(SPAN_FMT "\n", SPAN_ARG(buf_span(line)));
	fflush(stdout);
	pthread_mutex_unlock(&probe->lock);
	buf_release(line);
}

static void
begin(struct json *json, struct buf *line, const char *what)
{
	buf_init(line, 16u << 20);
	json_begin(json, line, JSON_COMPACT);
	json_object(json, NULL);
	json_text(json, "what", span_from(what));
}

static void
end(struct probe *probe, struct json *json, struct buf *line)
{
	json_object_end(json);
	if (json_end(json) != HERD_OK)
		abort();
	print(probe, line);
}

static void
print_answer(struct ask *ask, struct span answer, bool at_once)
{
	struct buf line;
	struct json json;

	begin(&json, &line, "answer");
	json_text(&json, "id", span_from(ask->id));
	json_rounded(
	    &json, "ms", (double)mono_since(clock_mono(), ask->start) / 1e6);
	json_bool(&json, "at_once", at_once);
	json_text(&json, "json", answer);
	end(ask->probe, &json, &line);
}

static void
on_answer(void *arg, struct span json)
{
	struct ask *ask = arg;

	print_answer(ask, json, false);
	pthread_mutex_lock(&ask->probe->lock);
	ask->ended = true;
	pthread_cond_signal(&ask->probe->changed);
	pthread_mutex_unlock(&ask->probe->lock);
}

static void
on_event(void *arg, enum log_level level, const char *message)
{
	struct probe *probe = arg;
	struct buf line;
	struct json json;

	begin(&json, &line, "event");
	json_count(&json, "level", (uint64_t)level);
	json_text(&json, "message", span_from(message));
	end(probe, &json, &line);
}

static void
print_text(struct probe *probe, const char *what, struct span text)
{
	struct buf line;
	struct json json;

	begin(&json, &line, what);
	json_text(&json, "text", text);
	end(probe, &json, &line);
}

/* LOCATION KM MAX */
static struct places_question
read_question(struct span *rest)
{
	struct places_question question = { .max = 0 };

	if (location_parse(text_next_field(rest), &question.at) != HERD_OK ||
	    radius_parse(text_next_field(rest), &question.radius_m) !=
		HERD_OK ||
	    bound_parse(text_next_field(rest), &question.max) != HERD_OK) {
		fputs("places_probe: a bad question\n", stderr);
		exit(2);
	}
	return question;
}

static void
do_ask(struct probe *probe, struct span rest)
{
	struct ask *ask = &probe->asks[probe->count++];
	struct span id = text_next_field(&rest);
	struct places_question question = read_question(&rest);
	struct buf answer;

	if (probe->count == ASKS_MAX)
		exit(2);
	ask->probe = probe;
	(void)snprintf(ask->id, sizeof(ask->id), SPAN_FMT, SPAN_ARG(id));
	ask->start = clock_mono();
	buf_init(&answer, PLACES_ANSWER_MAX);
	if (places_ask(probe->reader, &question, &answer, on_answer, ask,
		&ask->call) == PLACES_ANSWERED) {
		ask->ended = true;
		print_answer(ask, buf_span(&answer), true);
	}
	buf_release(&answer);
}

static void
do_cancel(struct probe *probe, struct span rest)
{
	struct span id = text_next_field(&rest);

	for (size_t i = 0; i < probe->count; i++) {
		struct ask *ask = &probe->asks[i];

		if (!span_is(id, ask->id) || ask->call == NULL)
			continue;
		places_asker_cancel(ask->call);
		pthread_mutex_lock(&probe->lock);
		ask->ended = true;
		pthread_mutex_unlock(&probe->lock);
		print_text(probe, "cancelled", id);
		return;
	}
}

static void
do_report(struct probe *probe, const char *what,
    enum herd_error (*report)(struct places *places, struct buf *out))
{
	struct buf out;

	buf_init(&out, 1u << 20);
	if (report(probe->places, &out) != HERD_OK)
		abort();
	print_text(probe, what, buf_span(&out));
	buf_release(&out);
}

static void
do_test(struct probe *probe, struct span rest)
{
	struct places_question question = read_question(&rest);
	struct buf out;

	buf_init(&out, 1u << 20);
	if (places_test_json(probe->places, &question, &out) != HERD_OK)
		abort();
	print_text(probe, "test", buf_span(&out));
	buf_release(&out);
}

static void
do_flush(struct probe *probe)
{
	char text[32];

	(void)snprintf(
	    text, sizeof(text), "%zu", places_cache_flush(probe->places));
	print_text(probe, "flush", span_from(text));
}

static enum herd_error
add_status(struct places *places, struct buf *out)
{
	struct json json;

	json_begin(&json, out, JSON_COMPACT);
	json_object(&json, NULL);
	places_report_status(places, &json);
	json_object_end(&json);
	return json_end(&json);
}

/* False: quit. */
static bool
obey(struct probe *probe, struct span line)
{
	struct span rest = line;
	struct span word = text_next_field(&rest);

	if (span_is(word, "ask"))
		do_ask(probe, rest);
	else if (span_is(word, "cancel"))
		do_cancel(probe, rest);
	else if (span_is(word, "status"))
		do_report(probe, "status", add_status);
	else if (span_is(word, "metrics"))
		do_report(probe, "metrics", places_report_metrics);
	else if (span_is(word, "test"))
		do_test(probe, rest);
	else if (span_is(word, "flush"))
		do_flush(probe);
	return !span_is(word, "quit");
}

/* All have ended after places_close(); then each call is freed. */
static void
finish(struct probe *probe)
{
	places_reader_close(probe->reader);
	places_close(probe->places);
	for (size_t i = 0; i < probe->count; i++) {
		if (!probe->asks[i].ended) {
			fprintf(stderr, "places_probe: %s was not answered\n",
			    probe->asks[i].id);
			exit(3);
		}
		if (probe->asks[i].call != NULL)
			places_asker_free(probe->asks[i].call);
	}
	free(probe->asks);
}

static void
set(struct settings *settings, const char *argument)
{
	struct span text = span_from(argument);
	const char *equals = strchr(argument, '=');
	const struct setting *setting = NULL;
	struct span name = text;

	if (equals != NULL) {
		name.len = (size_t)(equals - argument);
		setting = setting_find(name);
	}
	if (setting == NULL || setting_set(settings, setting,
				   span_from(equals + 1), NULL) != HERD_OK) {
		fprintf(stderr, "places_probe: bad setting %s\n", argument);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct probe probe = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	const struct places_hooks hooks = { on_event, &probe };
	static char line[4096];
	struct settings settings;
	struct buf message;

	buf_init(&message, 8192);
	if (settings_init(&settings) != HERD_OK)
		return EXIT_FAILURE;
	settings.places.provider.count = 0;
	for (int i = 1; i < argc; i++)
		set(&settings, argv[i]);
	probe.asks = calloc(ASKS_MAX, sizeof(*probe.asks));
	if (probe.asks == NULL ||
	    places_open(&settings, "Riley", NULL, &hooks, &message,
		&probe.places) != HERD_OK ||
	    places_reader_open(probe.places, &probe.reader) != HERD_OK) {
		fprintf(stderr, "places_probe: " SPAN_FMT "\n",
		    SPAN_ARG(buf_span(&message)));
		return EXIT_FAILURE;
	}
	buf_release(&message);
	settings_release(&settings);
	print_text(&probe, "ready", span_from(""));
	while (fgets(line, sizeof(line), stdin) != NULL &&
	       obey(&probe, span_of(line, strlen(line))))
		continue;
	finish(&probe);
	return EXIT_SUCCESS;
}
