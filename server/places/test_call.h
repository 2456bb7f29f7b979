/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A test call: what each provider of the chain answered and how long it took,
 * until one succeeded. The Places thread writes it, then the waiting thread
 * reads it.
 */
#ifndef HERD_PLACES_TEST_CALL_H
#define HERD_PLACES_TEST_CALL_H

#include <pthread.h>

#include "places/fetch.h"
#include "places/places_internal.h"

/* One provider's part; times as in struct fetch_result, -1 = unknown. */
struct test_call_step {
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

struct test_call {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended; /* lock; the rest is written before it is set */
	struct test_call_step steps[SETTING_LIST_MAX];
	unsigned count;
};

/* Begins a step; all unknown. */
struct test_call_step *test_call_step(
    struct test_call *test, enum places_kind kind);

/* Copies the times of a request. */
void test_call_times(
    struct test_call_step *step, const struct fetch_result *result);

/* Wakes the thread of places_test_json(). */
void test_call_end(struct test_call *test);

#endif
