/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each node of the herd says of its eager links: the hash of the eager
 * links by its herd file, and one of them that is down. Such words are flooded
 * over all links. A node lets links rest only while every node of its part of
 * the herd says the same hash, and none says that an eager link is down.
 *
 * A word has a number, and the greater one holds. A node that hears a word of
 * its own from an earlier life says a greater one.
 * Source: herd-protocol(7), SPARSE FLOODING. In one thread: that of the links.
 */
#ifndef HERD_ROSTER_H
#define HERD_ROSTER_H

#include <sys/queue.h>

#include "herd/error.h"
#include "herd/report.h"

/* No node comes to it by itself, so a word with it is not believed. */
#define ROSTER_NUMBER_MAX (UINT64_C(1) << 62)

typedef char roster_name[REPORT_ORIGIN_MAX + 1];

struct roster_word {
	roster_name name;
	roster_name down;                   /* the peer; "": no link is down */
	uint64_t number;                    /* 0: it has not said anything */
	uint64_t hash;                      /* 0: it floods on all links */
	uint64_t changed;                   /* the roster's changes then */
	TAILQ_ENTRY(roster_word) by_change; /* once it has a number */
};

TAILQ_HEAD(roster_list, roster_word);

struct roster {
	struct roster_word *words; /* of all nodes, in the order of names */
	unsigned count;
	struct roster_word *self;   /* NULL: no herd file yet */
	struct roster_list changed; /* the last one last */
	uint64_t changes;
	unsigned against; /* words that keep links from resting */
	uint64_t sets;    /* how often it was set: all must be heard again */
	uint64_t wakes;   /* how often links had to stop resting */
};

void roster_init(struct roster *roster);
void roster_release(struct roster *roster);

/*
 * The node has another herd file: these are the nodes of its part of the herd,
 * in any order, and `self` is one of them. What those have said stays known.
 * The own word keeps its number; the next roster_say() sends it.
 * HERD_ENOMEM: nothing has changed.
 */
HERD_MUST_CHECK enum herd_error roster_set(struct roster *roster,
    const roster_name *names, unsigned count, struct span self);

/*
 * What this node has to say now; `hash` 0: it floods on all links. A node that
 * never said anything and has no reason to let others rest stays silent.
 */
void roster_say(struct roster *roster, uint64_t hash, const char *down);

/*
 * A word came over a link. Names that the herd file does not have are ignored:
 * see `sets`.
 */
void roster_hear(struct roster *roster, const struct roster_word *heard);

/* Has a word changed after `told`? */
bool roster_has_news(const struct roster *roster, uint64_t told);

/* The first word that changed after `told`, NULL if there is none. */
const struct roster_word *roster_next(
    const struct roster *roster, uint64_t told);

/* May the links that are not eager rest? */
bool roster_rests(const struct roster *roster);

/* Why a node keeps links from resting. */
#define ROSTER_REASONS(X)             \
	X(ROSTER_SILENT, "silent")    \
	X(ROSTER_ALL, "flood-all")    \
	X(ROSTER_OTHER, "other-file") \
	X(ROSTER_SPENT, "forged")     \
	X(ROSTER_DOWN, "link-down")

enum roster_reason {
#define HERD_ROSTER_REASON(id, word) id,
	ROSTER_REASONS(HERD_ROSTER_REASON)
#undef HERD_ROSTER_REASON
};

const char *roster_reason_word(enum roster_reason reason);

/*
 * The first word that keeps links from resting, NULL if there is none. Sets
 * *reason to the reason.
 */
const struct roster_word *roster_objection(
    const struct roster *roster, enum roster_reason *reason);

#endif
