/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/trial.h"

#include <assert.h>

#include "herd/text.h"
#include "places/look.h"

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
add_step(struct look *look, const struct trial_step *step)
{
	look_text(look, "provider", span_from(places_kind_name(step->kind)));
	look_text(
	    look, "status", span_from(places_status_name(step->facts.status)));
	look_count(look, "results", step->facts.results);
	if (step->http_status != 0)
		look_count(look, "http_status", step->http_status);
	else
		look_null(look, "http_status");
	look_ms(look, "dns_ms", step->dns_ms);
	look_ms(look, "connect_ms", step->connect_ms);
	look_ms(look, "tls_ms", step->tls_ms);
	look_ms(look, "first_byte_ms", step->first_byte_ms);
	if (step->text[0] != '\0')
		look_text(look, "error_message", span_from(step->text));
	else
		look_null(look, "error_message");
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
	struct look look;

	look_begin(&look, out, LOOK_COMPACT);
	look_object(&look, NULL);
	add_step(
	    &look, trial->count > 0 ? &trial->steps[trial->count - 1] : &none);
	look_ms(&look, "total_ms", total_ms);
	look_array(&look, "steps");
	for (unsigned i = 0; i < trial->count; i++) {
		look_object(&look, NULL);
		add_step(&look, &trial->steps[i]);
		look_ms(&look, "total_ms", trial->steps[i].total_ms);
		look_object_end(&look);
	}
	look_array_end(&look);
	look_object_end(&look);
	return look_end(&look);
}
