/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words that fit at the end of a line: one walk over the table of commands
 * for the REPL's Tab and for the shells' (`herdctl __complete').
 */
#ifndef HERD_CLIENT_COMPLETE_H
#define HERD_CLIENT_COMPLETE_H

#include "run/app.h"

/*
 * Names that cannot be had without asking; each function may be NULL and gives
 * a list ended by NULL, which stays theirs.
 */
struct complete_sources {
	const char *const *(*clients)(void *arg, const char *prefix);
	const char *const *(*metrics)(void *arg);
	void *arg;
	const struct aliases *aliases; /* or NULL */
};

struct completion {
	char *word;
	bool is_argument; /* no option, whatever it looks like */
};

struct completions {
	struct completion *items;
	size_t count;
	size_t room;
	bool files;              /* file names fit here as well */
	bool literal;            /* no option can be here */
	bool goes_on;            /* the word is a part of what is typed */
	enum complete_kind kind; /* what the word is */
};

/*
 * Words that begin with `prefix` and fit after `words`. In shells the words
 * are a whole command line, in the REPL one command of it. The words are
 * unquoted, with any byte but NUL. The caller quotes the one that it inserts,
 * and puts `--' before it if completion_wants_dashes().
 */
void complete(struct app *app, const char *const *words, size_t count,
    const char *prefix, const struct complete_sources *sources,
    struct completions *out);

/* Does this word, inserted as it is, count as an option by mistake? */
bool completion_wants_dashes(
    const struct completions *completions, const struct completion *item);
void completions_release(struct completions *completions);

#endif
