/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names for the beginnings of command lines: `alias stale = client ls --where
 * 'age > 1h'`. A name is never that of a command, so no command can be hidden.
 */
#ifndef HERD_CLIENT_ALIAS_H
#define HERD_CLIENT_ALIAS_H

#include <stddef.h>

#include "base/exit_status.h"
#include "herd/buf.h"

#define ALIAS_MOST 256u     /* names */
#define ALIAS_NAME_MAX 64u  /* bytes of one */
#define ALIAS_DEPTH_MAX 16u /* aliases that begin with an alias */

struct alias {
	char *name;
	char **words; /* what it means */
	size_t count;
	char *where; /* FILE:LINE, or `session' */
};

struct aliases {
	struct alias *items;
	size_t count;
	size_t room;
};

/*
 * Defines a name, again if there is one. STATUS_USAGE: it is no name, or a
 * command's, or `count` is 0; `message` says so, and nothing changes.
 */
enum status alias_set(struct aliases *aliases, const char *name,
    const char *const *words, size_t count, const char *where,
    struct buf *message);

/* NULL: there is none. */
const struct alias *alias_find(const struct aliases *aliases, const char *name);

/* Appends the words that it means, quoted where they need it. */
void alias_put(struct buf *out, const struct alias *alias);

/* Forgets an alias of alias_find(). */
void alias_remove(struct aliases *aliases, const struct alias *alias);
void aliases_release(struct aliases *aliases);

/* Words of a command line, ours. */
struct alias_line {
	char **words;
	size_t count;
};

/*
 * A copy of the line with its command, if that is an alias, replaced; until it
 * is none. Gives the copy, for alias_line_release() in any case. STATUS_USAGE:
 * an alias leads to itself; `message` names it.
 */
enum status alias_expand(const struct aliases *aliases,
    const char *const *words, size_t count, struct alias_line *out,
    struct buf *message);
void alias_line_release(struct alias_line *line);

#endif
