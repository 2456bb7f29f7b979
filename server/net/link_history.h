/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What became of a link lately: its last changes of state, for an operator
 * who asks after the fact. Dialling is not one of them, and the same failure
 * again and again is one change with a count: else a peer that stays away
 * for a minute would push out when and why it went.
 */
#ifndef HERD_LINK_HISTORY_H
#define HERD_LINK_HISTORY_H

#include "net/links.h"

struct link_history {
	struct link_change changes[LINK_CHANGES_MAX];
	unsigned count;
	unsigned next; /* where the next one goes */
};

/*
 * The link is in that state since `at`; `error` says why, "" if nothing went
 * wrong. All zero is an empty history.
 */
void link_history_note(struct link_history *history, enum link_state state,
    const char *error, struct wall at);

/* Copies them, the oldest first; returns how many. */
unsigned link_history_copy(const struct link_history *history,
    struct link_change out[LINK_CHANGES_MAX]);

#endif
