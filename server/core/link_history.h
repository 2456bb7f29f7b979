/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last changes of a link's state, for an operator who asks after the fact.
 * Dialling is not one of them, and a failure that repeats is one change with a
 * count. Otherwise a peer that stays away for a minute would push out when and
 * why it went.
 */
#ifndef HERD_LINK_HISTORY_H
#define HERD_LINK_HISTORY_H

#include "core/session.h"

#define LINK_CHANGES_MAX 16u

/* What an operator sees of a link. */
#define LINK_STATES(X)                                                  \
	X(LINK_DISABLED, "disabled")     /* by an operator */           \
	X(LINK_WAITING, "waiting")       /* the other side dials */     \
	X(LINK_CONNECTING, "connecting") /* looks up, dials */          \
	X(LINK_HANDSHAKE, "handshake")   /* connected, TLS or HELLO */  \
	X(LINK_COMPARING, "comparing")   /* live, exchange under way */ \
	X(LINK_SYNCED, "synced")                                        \
	X(LINK_REFUSED, "refused") /* by name; redials slowly */        \
	X(LINK_BACKOFF, "backoff") /* will dial again */

enum link_state {
#define HERD_LINK_STATE(id, word) id,
	LINK_STATES(HERD_LINK_STATE)
#undef HERD_LINK_STATE
};

/* A link entered a state, `times` times in a row for the same reason. */
struct link_change {
	enum link_state state;
	char error[SESSION_ERROR_MAX]; /* "": nothing went wrong */
	struct wall at;
	struct wall last; /* of `times` */
	uint64_t times;
};

struct link_history {
	struct link_change changes[LINK_CHANGES_MAX];
	unsigned count;
	unsigned next; /* where the next one goes */
};

/*
 * The link entered that state at `at`; `error` says why, "" if nothing went
 * wrong. All zero is an empty history.
 */
void link_history_note(struct link_history *history, enum link_state state,
    const char *error, struct wall at);

/* Copies them, the oldest first; returns how many. */
unsigned link_history_copy(const struct link_history *history,
    struct link_change out[LINK_CHANGES_MAX]);

#endif
