/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The same questions round after round, for pictures that are drawn again
 * (`--watch', `top', the sketch of a one-shot that waits). A round
 * takes the answers that come quickly and goes on without the others; a
 * question that is still open then stays under way, its answer belongs to a
 * later round, and a node that was late is not waited for until it answers.
 */
#ifndef HERD_CLIENT_ROUNDS_H
#define HERD_CLIENT_ROUNDS_H

#include "run/ask.h"

struct rounds;

/* What the terminal shows while ask() waits for the late ones. */
struct rounds_sketch {
	void (*draw)(void *arg); /* asks the same again: gets what there is */
	void (*clear)(void *arg);
};

enum rounds_mode {
	ROUNDS_QUICK,   /* each round has the answers that come quickly */
	ROUNDS_PATIENT, /* waits once for the whole time, then no more */
};

/*
 * Gives rounds without questions. `sketch` (borrowed, as is `arg`) may be
 * NULL; with it there is one round, which waits for all.
 */
struct rounds *rounds_new(
    enum rounds_mode mode, const struct rounds_sketch *sketch, void *arg);
void rounds_free(struct rounds *rounds);

/* Begins a round: forgets the questions that the last one did not ask. */
void rounds_next(struct rounds *rounds);

/* ask() in a run that has rounds. */
enum status rounds_ask(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count, struct answers *out);

/*
 * The two halves of it, for a caller that waits by itself: asks those that
 * owe no answer; has the answers so far, late ones `waiting'.
 */
enum status rounds_start(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count);
void rounds_collect(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count, struct answers *out);

/* When a round of the present questions goes on without those still open. */
struct mono rounds_patience(const struct rounds *rounds);

/* Are no more answers to come? */
bool rounds_are_complete(const void *rounds);

/* Is there an answer that no round has had? */
bool rounds_have_news(const void *rounds);

/* Fails what is still open: "no answer in time". */
void rounds_give_up(struct rounds *rounds);

#endif
