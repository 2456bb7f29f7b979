/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the REPL does in the background for the current node: the standing
 * connection, its events as notices, and client ids for completion. All of
 * it comes and goes quietly; an operator is told only what matters.
 */
#ifndef HERD_BACKGROUND_H
#define HERD_BACKGROUND_H

#include "run/app.h"

struct background;

/* Says something above the prompt. */
typedef void background_notice(void *arg, const char *text);
/* The prompt may have to change. */
typedef void background_changed(void *arg);

/* Gives a background watch of nothing yet. */
struct background *background_new(struct app *app, background_notice *notice,
    background_changed *changed, void *arg);
void background_free(struct background *background);

/* Watches this target from now on (NULL: none); the same one: no change. */
void background_follow(
    struct background *background, const struct target *target);

/* Is the current node known to be unreachable? */
bool background_is_down(const struct background *background);

/*
 * Client ids for completion that begin with `prefix`, and others; the names of
 * the node's metrics. Ended by NULL, valid until the next call. What is not
 * known is asked for; the answer is waited for BACKGROUND_WAIT_MS at most, and
 * may still come afterwards.
 */
#define BACKGROUND_WAIT_MS 50u
const char *const *background_clients(
    struct background *background, const char *prefix);
const char *const *background_metrics(struct background *background);

#endif
