/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The subsystem's state, for asking (places.c, lookup.c) and for the operator
 * (places_report.c, test_call.c).
 */
#ifndef HERD_PLACES_INTERNAL_H
#define HERD_PLACES_INTERNAL_H

#include <pthread.h>

#include "herd/time.h"
#include "places/gazetteer_reader.h"
#include "places/places.h"
#include "places/places_stats.h"

/* An error's text is kept for the operator, cut to this. */
#define PLACES_ERROR_TEXT_MAX 256u

struct network;
struct provider;

struct places {
	/* constant once open */
	struct places_hooks hooks;
	struct setting_list chain; /* enum places_kind, as asked in turn */
	struct provider *providers[SETTING_LIST_MAX]; /* NULL: no network */
	bool has_gazetteer;                           /* it is in the chain */
	pthread_mutex_t search_lock; /* of the reader of places_search() */
	struct places_reader *search_reader;
	struct network *network; /* NULL when all answer at once */
	bool uses_curl;
	/* one reload at a time; `reload` is joined when there was one */
	pthread_mutex_t reload_lock;
	pthread_t reload;
	_Atomic bool reload_runs;
	bool reload_began;
	_Atomic bool expects_filters; /* places_expect_filters() */
	_Atomic unsigned generation;  /* of `gazetteer` */
	/* lock: readers come and go, failures are noted; no answer takes it,
	 * but for the first of a new gazetteer */
	pthread_mutex_t lock;
	struct gazetteer *gazetteer; /* places_hold_gazetteer() */
	struct places_reader *readers;
	struct places_stats closed_gazetteer; /* of readers that have gone */
	struct places_stats closed_answers;
	char last_error[PLACES_ERROR_TEXT_MAX]; /* of the gazetteer */
	struct mono last_error_at;
	struct mono last_error_told; /* the operator heard of one */
};

struct places_reader {
	struct places *places;
	struct gazetteer_reader *data;  /* NULL when not in the chain */
	unsigned generation;            /* of the gazetteer that it knows */
	struct gazetteer_reader *fresh; /* to take; places->lock */
	/* by its thread: what the gazetteer did, what was answered at once */
	struct places_stats gazetteer;
	struct places_stats answers;
	struct places_reader *next; /* places->lock */
};

/* The gazetteer that counts now, held; NULL: it is not in the chain. */
struct gazetteer *places_hold_gazetteer(struct places *places);

/* The word that places.provider has for `kind`; static. */
const char *places_kind_name(enum places_kind kind);

/* Keeps `text`, which is UTF-8, cut and terminated. */
void places_keep_error(char out[PLACES_ERROR_TEXT_MAX], struct span text);

/* Tells the hooks. */
void places_event(struct places *places, enum log_level level, const char *fmt,
    ...) HERD_PRINTF(3, 4);

/*
 * Asks the gazetteer with the calling thread's reader, and counts. False: it
 * failed, *facts has the status; ask the next of the chain.
 */
bool places_ask_gazetteer(struct places_reader *reader,
    const struct places_question *question, struct buf *answer,
    struct answer_facts *facts);

#endif
