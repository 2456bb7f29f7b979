/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HELLO, the first line of a session: who speaks, with which features, and
 * whether the two nodes may be linked. Source: herd-protocol(7), LINES OF
 * LINKS.
 */
#ifndef HERD_SESSION_HELLO_H
#define HERD_SESSION_HELLO_H

#include "core/session.h"

/* What a node can do beyond the first edition: a word each in HELLO. */
#define SESSION_FEATURES(X)                                     \
	X(KNOCK, "knock")   /* answers a knock by dialling */   \
	X(LIMITS, "limits") /* reads LIMIT */                   \
	X(CUTS, "cuts")     /* reads fractions in CHECK */      \
	X(JUDGED, "judged") /* reads the judged time in PONG */ \
	X(PAIRS, "pairs")   /* short DIGESTs, short cut */      \
	X(SPARSE, "sparse") /* reads EAGER */

enum session_feature_bit {
#define HERD_SESSION_FEATURE_BIT(id, word) SESSION_BIT_##id,
	SESSION_FEATURES(HERD_SESSION_FEATURE_BIT)
#undef HERD_SESSION_FEATURE_BIT
};

enum session_feature {
#define HERD_SESSION_FEATURE(id, word) SESSION_##id = 1u << SESSION_BIT_##id,
	SESSION_FEATURES(HERD_SESSION_FEATURE)
#undef HERD_SESSION_FEATURE
};

/* What must be equal on all nodes for tables to converge, as one hash. */
uint64_t session_params(
    uint64_t max_line, uint64_t max_clients, uint64_t expire_after_ns);

/* The answer to a held HELLO, as session_admit would have given it. */
void session_decide(struct session *session, enum session_reason reason,
    unsigned number, struct mono now, struct wall clock);

/* Do both sides know that feature? */
bool session_knows(const struct session *session, enum session_feature feature);

/* --- for session*.c only ------------------------------------------------- */

/* 16 lower-case hex digits, the most significant first. */
HERD_MUST_CHECK bool session_parse_hex(struct span text, uint64_t *out);

/* Queues our HELLO. */
HERD_MUST_CHECK enum herd_error session_queue_hello(struct session *session);

/* The peer's HELLO is here: `rest` is what follows the word. */
void session_on_hello(struct session *session, struct span rest,
    struct mono now, struct wall clock);

#endif
