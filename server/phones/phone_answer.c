/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/phone_answer.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "herd/json.h"
#include "herd/request.h"
#include "phones/friends.h"
#include "phones/query_form.h"
#include "places/question.h"

#define JSON_TYPE "application/json"
#define ANSWER_MAX 65536u
#define TAKEN "{\"result\":\"ok\"}\n"
#define DEFAULT_RADIUS_M 10000.0
#define DEFAULT_BOUND 5u

static void
answer_json(struct phone_call *call, int status, struct buf *body,
    enum herd_error error)
{
	if (error == HERD_OK)
		error = buf_add_byte(body, '\n');
	if (error == HERD_OK)
		phone_call_answer(call, status, JSON_TYPE, buf_span(body));
	else
		phone_call_refuse(call, PHONES_MEMORY);
	buf_release(body);
}

/* --- after a report --------------------------------------------------------
 */

static void
answer_friends(struct phone_call *call)
{
	struct account *account =
	    accounts_find(call->phones->config.accounts, phone_call_user(call));
	struct buf body;

	buf_init(&body, ANSWER_MAX);
	answer_json(
	    call, 200, &body, friends_write(call->phones, account, &body));
}

/* The reason why the query is none; it may be a person's own script. */
static void
answer_fault(struct phone_call *call, enum intake_fault fault)
{
	static const char *const texts[] = {
		[INTAKE_FORMAT] = "this is no query",
		[INTAKE_LOCATION] = "lat and lon, or location=LAT,LON, are "
				    "decimal degrees on Earth",
		[INTAKE_TIME] = "timestamp is seconds or milliseconds since "
				"1970, or ISO 8601; without it, it is now",
		[INTAKE_ENCRYPTED] = "the message is encrypted",
		[INTAKE_NUMBER] = "too many fixes",
	};
	struct json json;
	struct buf body;

	buf_init(&body, ANSWER_MAX);
	json_begin(&json, &body, JSON_COMPACT);
	json_object(&json, NULL);
	json_word(&json, "error", intake_fault_word(fault));
	json_word(&json, "message", texts[fault]);
	json_object_end(&json);
	answer_json(call, 400, &body, json_end(&json));
}

void
phone_answer_taken(struct phone_call *call)
{
	unsigned fault = 0;

	while (fault < INTAKE_FAULT_COUNT && call->intake.faults[fault] == 0)
		fault++;
	if (call->app == APP_OWNTRACKS)
		answer_friends(call);
	else if (call->app == APP_QUERY && fault < INTAKE_FAULT_COUNT)
		answer_fault(call, (enum intake_fault)fault);
	else
		phone_call_answer(call, 200, JSON_TYPE, span_from(TAKEN));
}

/* --- what the asker may see ------------------------------------------------
 */

/* USER/DEVICE, USER, or the asker's own DEVICE. */
static enum herd_error
find_named(struct phone_call *call, struct account *asker, struct span client,
    struct record *out)
{
	struct phones *phones = call->phones;
	struct span device = client;
	struct span user = span_cut(&device, '/');
	struct account *account = accounts_find(phones->config.accounts, user);

	if (account != NULL && account_sees(asker, account))
		return device.len == 0
			   ? friends_newest(phones, account, out)
			   : friends_report(phones, user, device, out);
	if (device.len > 0)
		return HERD_ENOTFOUND;
	return friends_report(phones, asker->name, client, out);
}

/* Finds the report that is asked for; the asker's own by default. */
static enum herd_error
find_report(struct phone_call *call, struct account *asker, struct record *out)
{
	char client[INTAKE_VALUE_MAX];
	size_t len = phone_call_parameter(call, "client", client);

	if (len > 0)
		return find_named(call, asker, span_of(client, len), out);
	if (call->device_len > 0)
		return friends_report(
		    call->phones, asker->name, phone_call_device(call), out);
	return friends_newest(call->phones, asker, out);
}

static void
answer_where(struct phone_call *call, const struct report *report)
{
	struct json json;
	struct buf body;

	buf_init(&body, ANSWER_MAX);
	json_begin(&json, &body, JSON_COMPACT);
	json_object(&json, NULL);
	json_text(&json, "client", report->client);
	friends_add_location(&json, report->location);
	json_text(&json, "location", report->location);
	json_text(&json, "time", report->time);
	json_text(&json, "origin", report->origin);
	json_object_end(&json);
	answer_json(call, 200, &body, json_end(&json));
}

/* --- places ----------------------------------------------------------------
 */

/* Places that come later; outlives its call. */
struct phone_places {
	struct message message;
	struct phones *phones;
	struct phone_call *call; /* NULL: it has left */
	struct places_asker *asker;
	_Atomic bool answered; /* the message is posted */
	struct buf reply;
};

static void
places_free(struct phone_places *places)
{
	if (places->asker != NULL)
		places_asker_free(places->asker);
	buf_release(&places->reply);
	free(places);
}

void
phone_answer_leave(struct phone_call *call)
{
	struct phone_places *places = call->places;

	call->places = NULL;
	places->call = NULL;
	places_asker_cancel(places->asker);
	if (!atomic_load(&places->answered))
		places_free(places);
}

/* Back in the phones thread. */
static void
on_places_message(struct message *message)
{
	struct phone_places *places = (struct phone_places *)message;
	struct phone_call *call = places->call;

	if (call != NULL) {
		call->places = NULL;
		answer_json(call, 200, &places->reply,
		    places->reply.len > 0 ? HERD_OK : HERD_ENOMEM);
	}
	places_free(places);
}

/* In the Places thread. */
static void
on_places(void *arg, struct span json)
{
	struct phone_places *places = arg;

	if (buf_add_span(&places->reply, json) != HERD_OK)
		buf_clear(&places->reply);
	atomic_store(&places->answered, true);
	mailbox_post(&places->phones->mailbox, &places->message);
}

/* Asks; the answer is in the reply at once, or comes later. */
static void
ask_places(struct phone_call *call, const struct places_question *question)
{
	struct phone_places *places = calloc(1, sizeof(*places));
	struct buf answer;
	enum herd_error error = HERD_ENOMEM;

	buf_init(&answer, PLACES_ANSWER_MAX + 1);
	if (places != NULL)
		error = buf_reserve(&answer, PLACES_ANSWER_MAX);
	if (error == HERD_OK) {
		places->message.run = on_places_message;
		places->phones = call->phones;
		places->call = call;
		buf_init(&places->reply, PLACES_ANSWER_MAX + 1);
		if (places_ask(call->phones->places, question, &answer,
			on_places, places, &places->asker) == PLACES_PENDING) {
			call->places = places;
			buf_release(&answer);
			return;
		}
	}
	if (places != NULL)
		places_free(places);
	answer_json(call, 200, &answer, error);
}

/* Room for the words of a filter. */
struct filter_words {
	struct span query;
	char values[4][INTAKE_VALUE_MAX];
	size_t used;
};

static enum herd_error
find_word(void *arg, const char *name, struct span *value)
{
	struct filter_words *words = arg;
	enum herd_error error;

	assert(words->used < HERD_ARRAY_LEN(words->values));
	error = query_form_get(
	    words->query, name, words->values[words->used], value);
	words->used += error == HERD_OK;
	return error;
}

/* NULL, or what is wrong. */
static const char *
read_question(struct phone_call *call, struct places_question *question)
{
	struct filter_words words = { .query = call->query };
	char text[INTAKE_VALUE_MAX];
	struct span value = { "", 0 };

	*question = (struct places_question){ .radius_m = DEFAULT_RADIUS_M,
		.max = DEFAULT_BOUND };
	if (query_form_get(call->query, "radius", text, &value) ==
		HERD_ELIMIT ||
	    (value.len > 0 &&
		radius_parse(value, &question->radius_m) != HERD_OK))
		return "radius is a number of km above 0, at most 50";
	value.len = 0;
	if (query_form_get(call->query, "bound", text, &value) == HERD_ELIMIT ||
	    (value.len > 0 && bound_parse(value, &question->max) != HERD_OK))
		return "bound is a whole number from 1 to 20";
	return question_read_filter(question, find_word, &words);
}

static void
answer_whatsat(struct phone_call *call, const struct report *report)
{
	static const char nothing[] =
	    "{\"html_attributions\":[],\"results\":[],"
	    "\"status\":\"ZERO_RESULTS\"}\n";
	struct places_question question;
	const char *fault = read_question(call, &question);

	if (fault != NULL)
		phone_call_explain(call, PHONES_PARAMETER, fault);
	else if (location_parse(report->location, &question.at) != HERD_OK)
		phone_call_refuse(call, PHONES_CLIENT);
	else if (call->phones->places == NULL)
		phone_call_answer(call, 200, JSON_TYPE, span_from(nothing));
	else
		ask_places(call, &question);
}

void
phone_answer_reader(struct phone_call *call, struct account *account)
{
	struct record record;
	enum herd_error error;

	record_init(&record);
	error = find_report(call, account, &record);
	if (error == HERD_ENOMEM)
		phone_call_refuse(call, PHONES_MEMORY);
	else if (error != HERD_OK)
		phone_call_refuse(call, PHONES_CLIENT);
	else if (call->route == ROUTE_WHERE)
		answer_where(call, &record.report);
	else
		answer_whatsat(call, &record.report);
	record_release(&record);
}
