/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a client has been: a question to the store's history, which the store's
 * thread puts to the engine between two batches. The asker looks now and then
 * whether there is an answer.
 */
#ifndef HERD_STORE_TRACK_H
#define HERD_STORE_TRACK_H

#include <pthread.h>

#include "store/engine.h"

#define STORE_TRACK_REPORTS 10000u /* of one answer, at most */
#define STORE_TRACK_BYTES (4u << 20)
#define STORE_TRACKS_MAX 16u /* questions that wait */

struct store;
struct store_track;

enum store_track_state {
	STORE_TRACK_RUNS,
	STORE_TRACK_DONE,
	STORE_TRACK_FAILED,
};

/* --- for those who ask; any thread ------------------------------------------
 */

/*
 * Asks for the client's reports since then, `max` at most, of which `max` is
 * not above STORE_TRACK_REPORTS. Gives *out: end it. HERD_ENOTFOUND: the store
 * keeps no history; HERD_ELIMIT: too many ask; HERD_ECANCELED: the store has
 * failed or stops; HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error store_track_begin(struct store *store,
    struct span client, uint64_t since_ns, unsigned max,
    struct store_track **out);

enum store_track_state store_track_state(struct store_track *track);

/* DONE: its reports as lines, oldest first, each with LF; lasts as it does. */
struct span store_track_lines(const struct store_track *track);

/* DONE: there may be more, after the last one. */
bool store_track_is_cut(const struct store_track *track);

/* FAILED: why, and in *hint what to do. */
const char *store_track_error(
    const struct store_track *track, const char **hint);

/* NULL is fine. */
void store_track_end(struct store_track *track);

/* --- for store.c ------------------------------------------------------------
 */

struct store_tracks {
	pthread_mutex_t lock;
	struct store_track *waiting[STORE_TRACKS_MAX]; /* the first is next */
	unsigned count;
	bool closed;
};

void store_tracks_init(struct store_tracks *tracks);
void store_tracks_release(struct store_tracks *tracks);

/* The rest of store_track_begin(). */
HERD_MUST_CHECK enum herd_error store_tracks_add(struct store_tracks *tracks,
    struct span client, uint64_t since_ns, unsigned max,
    struct store_track **out);

/*
 * The store's thread: answers one question. HERD_OK: it is answered, or there
 * is none; else the engine's error, which the asker has too.
 */
HERD_MUST_CHECK enum herd_error store_tracks_serve(
    struct store_tracks *tracks, struct engine *engine);

/* The questions that wait fail, for that reason. */
void store_tracks_fail(struct store_tracks *tracks, const char *why);

/* No more questions, the store ends. */
void store_tracks_close(struct store_tracks *tracks);

#endif
