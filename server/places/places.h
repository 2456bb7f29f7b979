/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places: what is near a point, as Nearby Search JSON. A chain of providers
 * answers: the embedded gazetteer at once in the calling thread, those on the
 * network later from the Places thread. An answer always comes: an upstream's
 * failure is an answer in the same form. The words:
 *   question   what a client asks for: a point, a radius, a number of places
 *   asker      one who waits for the answer to a question
 *   lookup     a question on its way through the chain, for all its askers
 *   provider   a member of the chain; its upstream is the network's service
 *   request    what goes to an upstream; a fetch is one over HTTP
 *   probe      the request that finds out whether a failing upstream works
 *   test call  an operator's question, with timings (`herdctl places test`)
 */
#ifndef HERD_PLACES_H
#define HERD_PLACES_H

#include "herd/buf.h"
#include "herd/location.h"
#include "herd/settings.h"

/* One answer's JSON is at most this; larger upstream answers are failures. */
#define PLACES_ANSWER_MAX (1u << 20)

/* Every question is answered within this, whatever an upstream does. */
#define PLACES_DEADLINE_MS 10000u

#define PLACES_TYPE_MAX 48u
#define PLACES_KEYWORD_MAX 96u

enum places_rank {
	PLACES_RANK_USUAL, /* as WHATSAT: each provider's own */
	PLACES_RANK_DISTANCE,
	PLACES_RANK_PROMINENCE,
};

/* What a place must be. Unused bytes are 0; question_set_filter() fills it. */
struct places_filter {
	char type[PLACES_TYPE_MAX + 1];       /* Google's word; "" = any */
	char keyword[PLACES_KEYWORD_MAX + 1]; /* folded; "" = any */
	bool open_now;                        /* and known to be */
	enum places_rank rank;
};

struct places_question {
	struct location at;
	double radius_m; /* 0 < x <= 50,000 */
	unsigned max;    /* 1 to 20 */
	struct places_filter filter;
};

enum places_result {
	PLACES_ANSWERED, /* the answer is in the buffer */
	PLACES_PENDING,  /* on_answer will be called */
};

/*
 * Called once in the Places thread. `json` is the whole answer in Google's
 * look, newlines squeezed, without trailing newline; valid during the call.
 * Never called after places_asker_cancel() returned.
 */
typedef void places_on_answer(void *arg, struct span json);

/*
 * Tells the operator what happens to a provider: it fails, it answers again,
 * the breaker opens. Called from any thread, also while a lock is held: it
 * must not call back. `message` is one line, valid during the call, and never
 * holds a key.
 */
struct places_hooks {
	void (*on_event)(void *arg, enum log_level level, const char *message);
	void *arg;
};

struct places;        /* the subsystem: providers, cache, thread */
struct places_reader; /* one worker's own handles; used by one thread */
struct places_asker;

/*
 * Opens the providers that `settings` names (herd file's directory is
 * `base_dir`, `node` expands %n) and starts the Places thread if one of them
 * needs it. HERD_ESYSTEM, HERD_ENOTFOUND ...: `message` says what is wrong and
 * what to do. Copies what it needs of the settings and the hooks.
 */
HERD_MUST_CHECK enum herd_error places_open(const struct settings *settings,
    const char *node, const char *base_dir, const struct places_hooks *hooks,
    struct buf *message, struct places **out);

/* Answers what is pending, stops the thread. All readers are closed before. */
void places_close(struct places *places);

HERD_MUST_CHECK enum herd_error places_reader_open(
    struct places *places, struct places_reader **out);
void places_reader_close(struct places_reader *reader);

/*
 * Asks. PLACES_ANSWERED: the JSON was appended to `answer` (which can
 * take PLACES_ANSWER_MAX) and on_answer is not called. PLACES_PENDING: *asker
 * is given; on_answer comes from the Places thread, maybe before this
 * returns; then free it with places_asker_free().
 */
enum places_result places_ask(struct places_reader *reader,
    const struct places_question *question, struct buf *answer,
    places_on_answer *on_answer, void *arg, struct places_asker **asker);

/*
 * After this returns on_answer is not called any more. The lookup goes on for
 * the other askers. Still to free.
 */
void places_asker_cancel(struct places_asker *asker);
/* NULL is fine. */
void places_asker_free(struct places_asker *asker);

/*
 * Reads the gazetteer's file again, if it is another one by now. Blocks; the
 * old answers go on meanwhile, and after a failure. *changed: it is in use
 * now. `message` says what is wrong.
 */
HERD_MUST_CHECK enum herd_error places_reload(
    struct places *places, bool *changed, struct buf *message);

/* The same in a thread of its own; the hooks hear of it. */
void places_reload_start(struct places *places);

/*
 * Questions with a filter will come from a thread that must not wait: what they
 * need is read now, in the thread of places_reload_start().
 */
void places_expect_filters(struct places *places);

/* Drops all cached answers; returns how many. From any thread. */
size_t places_cache_flush(struct places *places);

/*
 * A test call: past the cache, shared with nobody, with timings. Blocks the
 * calling thread for at most PLACES_DEADLINE_MS. Appends a JSON object
 * {"provider","status","results","total_ms","dns_ms",...}.
 */
HERD_MUST_CHECK enum herd_error places_test_json(struct places *places,
    const struct places_question *question, struct buf *out);

#endif
