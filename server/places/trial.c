/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/trial.h"

#include <assert.h>

#include "herd/text.h"
#include "herd/json.h"

void
trial_init(struct trial *trial)
{
	memset(trial, 0, sizeof(*trial));
	pthread_mutex_init(&trial->lock, NULL);
	pthread_cond_init(&trial->ended, NULL);
}

void
trial_release(struct trial *trial)
{
	pthread_cond_destroy(&trial->ended);
	pthread_mutex_destroy(&trial->lock);
}

struct trial_step *
trial_step(struct trial *trial, enum places_kind kind)
{
	struct trial_step *step;

	assert(trial->count < SETTING_LIST_MAX);
	step = &trial->steps[trial->count++];
	*step = (struct trial_step){
		.kind = kind,
		.facts = { PLACES_UNKNOWN_ERROR, 0 },
		.dns_ms = -1,
		.connect_ms = -1,
		.tls_ms = -1,
		.first_byte_ms = -1,
		.total_ms = -1,
	};
	return step;
}

void
trial_step_times(struct trial_step *step, const struct fetch_result *result)
{
	step->http_status = result->http_status;
	step->dns_ms = result->dns_ms;
	step->connect_ms = result->connect_ms;
	step->tls_ms = result->tls_ms;
	step->first_byte_ms = result->first_byte_ms;
	step->total_ms = result->total_ms;
}

void
trial_step_text(struct trial_step *step, struct span text)
{
	if (text.len > sizeof(step->text) - 1)
		text.len = sizeof(step->text) - 1;
	text = text_utf8_whole(text);
	memcpy(step->text, text.data, text.len);
	step->text[text.len] = '\0';
}

void
trial_end(struct trial *trial)
{
	pthread_mutex_lock(&trial->lock);
	trial->has_ended = true;
	pthread_cond_signal(&trial->ended);
	pthread_mutex_unlock(&trial->lock);
}

void
trial_wait(struct trial *trial)
{
	pthread_mutex_lock(&trial->lock);
	while (!trial->has_ended)
		pthread_cond_wait(&trial->ended, &trial->lock);
	pthread_mutex_unlock(&trial->lock);
}

/* The members of a step but its total time. */
static void
add_step(struct json *json, const struct trial_step *step)
{
	json_text(json, "provider", span_from(places_kind_name(step->kind)));
	json_text(
	    json, "status", span_from(places_status_name(step->facts.status)));
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
enum herd_error
trial_write(const struct trial *trial, double total_ms, struct buf *out)
{
	static const struct trial_step none = {
		.kind = PLACES_NONE,
		.facts = { PLACES_REQUEST_DENIED, 0 },
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
	    &json, trial->count > 0 ? &trial->steps[trial->count - 1] : &none);
	json_rounded(&json, "total_ms", total_ms);
	json_array(&json, "steps");
	for (unsigned i = 0; i < trial->count; i++) {
		json_object(&json, NULL);
		add_step(&json, &trial->steps[i]);
		json_rounded(&json, "total_ms", trial->steps[i].total_ms);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
	return json_end(&json);
}
