/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mutants: each rule of convergence can be switched off, to prove that the
 * simulation notices. Only a build with -DHERD_MUTANTS has them; elsewhere
 * MUTANT() is the constant false and the compiler drops the branch.
 */
#ifndef HERD_MUTANT_H
#define HERD_MUTANT_H

#include <stdbool.h>

#include "herd/time.h"

/* name, the rule that it leaves out */
#define HERD_MUTANT_TABLE(X)                                                  \
	X(ECHO, "echo", "records are sent back to where they came from")      \
	X(ECHO_BY_LINK, "echo-by-link", "no echo by link, not session")       \
	X(CLEAR_AFTER_COPY, "clear-after-copy", "take copies, then clears")   \
	X(OWE_BEFORE_CONTENT, "owe-before-content", "owed, then written")     \
	X(SKIP_DIGEST, "skip-digest", "9 of 10 connects skip the digest")     \
	X(KEEP_OUTBOX, "keep-outbox", "outbox outlives session, no digest")   \
	X(EARLY_NEXT_CHECK, "early-check", "exchange N+1 before SYNCED")      \
	X(ATTACH_LATE, "attach-late", "scans, then attaches the outbox")      \
	X(COMPARE_EARLY, "compare-early", "compares before the own scan")     \
	X(NEXT_EARLY, "next-early", "NEXT before the debt is drained")        \
	X(ONE_SIDE_OWES, "one-side-owes", "only one side owes")               \
	X(NO_TIE_BREAK, "no-tie-break", "equal times: first come")            \
	X(RELAY_AHEAD, "relay-ahead", "relays apply max_ahead")               \
	X(NO_CUT, "no-cut", "no agreed cut of expiry")                        \
	X(REMOVAL_AT_ONCE, "removal-at-once", "removals are not kept")        \
	X(REMOVAL_RETENTION, "removal-retention", "removals expire early")    \
	X(CAP_PER_SHARD, "cap-per-shard", "each shard has its own cap")       \
	X(EVICTION_TIES, "eviction-ties", "eviction ignores ties")            \
	X(CLEAR_ON_FREE, "clear-on-free", "freeing a slot clears its bit")    \
	X(ACK_BEFORE_COMMIT, "ack-before-commit", "sync: answer at take")     \
	X(ACK_AT_EMPTY, "ack-at-empty", "sync: answer at empty outbox")       \
	X(STALE_AT_ONCE, "stale-at-once", "sync: stale is not waited for")    \
	X(ACK_EVICTED, "ack-evicted", "sync: eviction is not waited for")     \
	X(ACK_CHAIN, "ack-chain", "sync: chains of evictions are cut")        \
	X(REPEAT_NOT_OWED, "repeat-not-owed", "a repeat is not owed")         \
	X(FINAL_ON_LOSS, "final-on-loss", "a lost database ends the store")   \
	X(PRUNE_SHARED, "prune-shared", "rows that a table lacks go")         \
	X(WRITE_NO_WHERE, "write-no-where", "an older row replaces a newer")  \
	X(WAIT_BOTH, "wait-both", "a node that waits reads no CHECK")         \
	X(SHORT_ALONE, "short-alone", "one side takes the short cut")         \
	X(NO_KNOCK, "no-knock", "a node that may not dial waits")             \
	X(RESET_AT_SYNCED, "reset-at-synced", "backoff by the last SYNCED")   \
	X(ADOPT_KEEPS_OLD, "adopt-keeps-old", "a link keeps its old one")     \
	X(FULL_SOCKET_FORGETS, "full-forgets", "not asked after full socket") \
	X(POISE_FOREVER, "poise-forever", "a link that is idle is not woken") \
	X(NO_MARGIN, "no-margin", "the cut has no margin")                    \
	X(MARGIN_FIXED, "margin-fixed", "120 s for every expire_after")       \
	X(EXPIRE_UNTRUSTED, "expire-untrusted", "untrusted clocks expire")    \
	X(CUT_UNTRUSTED, "cut-untrusted", "untrusted clocks cut")             \
	X(PRUNE_UNTRUSTED, "prune-untrusted", "the store does not wait")      \
	X(STEP_TRUSTED, "step-trusted", "a clock that was set is trusted")    \
	X(START_TRUSTED, "start-trusted", "clocks are trusted at start")      \
	X(NO_MAJORITY, "no-majority", "each node believes its own clock")     \
	X(NO_ADOPTION, "no-adoption", "nobody believes a judged clock")       \
	X(NO_CLOCK_VERIFY, "no-clock-verify", "no CHECK after a step")        \
	X(WAKE_NO_CHECK, "wake-no-check", "a link wakes without CHECK")       \
	X(NO_WAKE, "no-wake", "a lost eager link wakes nobody")               \
	X(LOCAL_WAKE, "local-wake", "it wakes its two nodes alone")           \
	X(REST_EARLY, "rest-early", "a link rests before SYNCED")             \
	X(REST_ALONE, "rest-alone", "rests whatever the others say")          \
	X(WAKE_OFTEN, "wake-often", "a link that woke may rest at once")      \
	X(WORDS_AT_ONCE, "words-at-once", "words leave whenever they change") \
	X(BELIEVE_ALL, "believe-all", "a word with the greatest number")      \
	X(NEW_BRIDGE, "new-bridge", "the eager links have new bridges")       \
	X(NEW_CUT, "new-cut", "the eager links have new cut vertices")

enum mutant {
#define HERD_MUTANT_ID(id, name, text) MUTANT_##id,
	HERD_MUTANT_TABLE(HERD_MUTANT_ID)
#undef HERD_MUTANT_ID
	    MUTANT_COUNT,
};

/* The one that is on, or MUTANT_COUNT. Owned by tests/sim/mutant.c. */
extern enum mutant mutant_on;

#ifdef HERD_MUTANTS
#define MUTANT_BUILD 1
#define MUTANT(id) (mutant_on == MUTANT_##id)
#else
#define MUTANT_BUILD 0
#define MUTANT(id) (0)
#endif

/* --- what tests/sim/mutant.c does for a mutant that is on ----------------- */

struct outbox;
struct report;
struct shard;
struct table;

/*
 * keep-outbox: the debt of a session that ends is kept. The next session on
 * the same link inherits it, and owes nothing else.
 */
void mutant_keep_outbox(struct outbox *outbox);
bool mutant_inherit_outbox(struct outbox *outbox);
bool mutant_has_inherited(const struct outbox *outbox);

/* relay-ahead: is the time further ahead than max_ahead allows? */
bool mutant_is_ahead(uint64_t time_ns, struct wall judged);

/*
 * owe-before-content: owes the slot if the report is newer than its record,
 * then lets other threads run. Under the shard's lock, which it gives up.
 */
void mutant_owe_early(struct table *table, struct shard *shard, uint32_t number,
    const struct report *report, uint32_t from);

/*
 * clear-after-copy: as if a take copied first and cleared later, without a
 * lock in between. Under the shard's lock, which it gives up.
 */
void mutant_clear_late(
    struct outbox *outbox, struct shard *shard, uint32_t number);

#endif
