/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the REPL does in the background for the current node: the standing
 * connection, its events as notices, and client ids for completion. All of
 * it comes and goes quietly; only what an operator wants to know is said.
 */
#ifndef HERD_BACKGROUND_H
#define HERD_BACKGROUND_H

#include "run/app.h"

struct lookout;

/* Says something above the prompt. */
typedef void lookout_notice(void *arg, const char *text);
/* The prompt may have to change. */
typedef void lookout_changed(void *arg);

/* Gives a lookout that watches nothing yet. */
struct lookout *lookout_new(struct ctl *ctl, lookout_notice *notice,
    lookout_changed *changed, void *arg);
void lookout_free(struct lookout *lookout);

/* Watches this target from now on (NULL: none); the same one: no change. */
void lookout_follow(struct lookout *lookout, const struct target *target);

/* Is the current node known to be unreachable? */
bool lookout_is_down(const struct lookout *lookout);

/* Client ids for completion, ended by NULL; asks for newer ones if needed.
 * `prefix` is what is being typed. */
const char *const *lookout_clients(struct lookout *lookout, const char *prefix);

#endif
