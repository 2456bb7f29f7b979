/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The exit statuses of herdctl, as one table. They are documented and never
 * renumbered; `herdctl check` alone uses the monitoring plugins' 0 to 3.
 */
#ifndef HERD_EXIT_STATUS_H
#define HERD_EXIT_STATUS_H

#include <stddef.h>

#define STATUSES(X)                                                         \
	X(STATUS_OK, 0, "ok", "done")                                       \
	X(STATUS_NEGATIVE, 1, "negative",                                   \
	    "it ran, and the answer is no: not found, not converged")       \
	X(STATUS_USAGE, 2, "usage", "wrong usage, or not confirmed")        \
	X(STATUS_CONNECT, 3, "connect", "cannot connect")                   \
	X(STATUS_TIMEOUT, 4, "timeout", "no answer in time")                \
	X(STATUS_REFUSED, 5, "refused",                                     \
	    "refused by the server (`? ...', permission) or by Places")     \
	X(STATUS_PARTIAL, 6, "partial", "some of the nodes did not answer") \
	X(STATUS_REPLY, 7, "bad-reply",                                     \
	    "the answer does not follow the protocol")                      \
	X(STATUS_LOCAL, 8, "local", "a local file or the configuration")    \
	X(STATUS_SIGINT, 130, "interrupted", "ended by Ctrl-C (SIGINT)")    \
	X(STATUS_SIGPIPE, 141, "closed", "the reader of the output has gone")

enum status {
#define STATUS_CODE(name, code, word, text) name = code,
	STATUSES(STATUS_CODE)
#undef STATUS_CODE
};

struct status_entry {
	enum status status;
	const char *word; /* for scripts: "refused" */
	const char *text; /* for people */
};

/* The table, ended by an entry whose word is NULL. */
const struct status_entry *exit_status_table(void);

/* The word of the table; "other" for a status that is not in it. */
const char *exit_status_word(enum status status);

/* The outcome of several things, each with its status. */
struct tally {
	size_t count;
	size_t failed;
	enum status first; /* that is not OK */
};

void tally_add(struct tally *tally, enum status status);

/* OK, PARTIAL, or what all failed with. */
enum status tally_status(const struct tally *tally);

/* The worse of two, for a script that goes on after an error. */
enum status exit_status_worst(enum status a, enum status b);

#endif
