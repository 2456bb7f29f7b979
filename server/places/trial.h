/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A test call for the operator: what each provider of the chain said and how
 * long it took, until one answered. The Places thread writes it, then the
 * waiting thread reads it.
 */
#ifndef HERD_PLACES_TRIAL_H
#define HERD_PLACES_TRIAL_H

#include <pthread.h>

#include "places/fetch.h"
#include "places/places_internal.h"

/* One provider's part; times as in struct fetch_result, -1 = unknown. */
struct trial_step {
	enum places_kind kind;
	struct answer_facts facts;
	unsigned http_status; /* 0 = no response */
	double dns_ms;
	double connect_ms;
	double tls_ms;
	double first_byte_ms;
	double total_ms;
	char text[PLACES_ERROR_TEXT_MAX]; /* "" = no error */
};

struct trial {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended; /* lock; the rest is written before it is set */
	struct trial_step steps[SETTING_LIST_MAX];
	unsigned count;
};

void trial_init(struct trial *trial);
void trial_release(struct trial *trial);

/* Begins a step; all unknown. */
struct trial_step *trial_step(struct trial *trial, enum places_kind kind);

/* Copies the times of a call. */
void trial_step_times(
    struct trial_step *step, const struct fetch_result *result);

/* Keeps what went wrong, cut to its room. `text` is valid UTF-8. */
void trial_step_text(struct trial_step *step, struct span text);

void trial_end(struct trial *trial);
void trial_wait(struct trial *trial);

/* Appends the object of places_test_json(). */
HERD_MUST_CHECK enum herd_error trial_write(
    const struct trial *trial, double total_ms, struct buf *out);

#endif
