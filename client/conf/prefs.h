/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tool's own settings, as one table: name, flag, environment variable,
 * default, help. Each value remembers where it came from:
 *     flag > environment > user file > system file > default
 * A context's values count as given where the context was named, a value of
 * its own at the same level wins. `set` changes them for a session.
 */
#ifndef HERD_CLIENT_PREFS_H
#define HERD_CLIENT_PREFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/alias.h"
#include "line/args.h"

enum pref_id {
#define PREF(id, ...) PREF_##id,
#include "conf/prefs.def"
#undef PREF
	PREF_COUNT,
};

enum pref_type {
	PREF_TEXT,
	PREF_BOOL,
	PREF_NUMBER,
	PREF_DURATION,
	PREF_WORDS,  /* one of `words` */
	PREF_FORMAT, /* a name of the table of formats */
};

/* In rising order of precedence. */
enum pref_origin {
	ORIGIN_DEFAULT,
	ORIGIN_SYSTEM,
	ORIGIN_USER,
	ORIGIN_ENVIRONMENT,
	ORIGIN_FLAG,
	ORIGIN_SESSION, /* `set`, `context use` */
	ORIGIN_LINE,    /* a flag of one line of the REPL or a script */
};

enum pref_trait {
	PREF_SETTABLE = 1 << 0,   /* `set` and rc files take it */
	PREF_CONTEXTUAL = 1 << 1, /* a context may bring it */
	PREF_PATH = 1 << 2,       /* a file's name */
};

struct pref {
	enum pref_id id;
	const char *name;
	const char *environment; /* NULL = none */
	enum pref_type type;
	const char *words;
	const char *initial; /* NULL = none */
	unsigned traits;
	const char *help;
};

struct pref_value {
	char *text; /* NULL = none */
	enum pref_origin origin;
	bool from_context; /* and then one's own value hides it */
	char *where;       /* file and line, variable or flag */
};

struct prefs {
	struct pref_value values[PREF_COUNT];
};

/* The table, PREF_COUNT entries, by id. */
const struct pref *pref_table(void);
const struct pref *pref_find(const char *name);

/* All defaults. */
void prefs_init(struct prefs *prefs);
void prefs_release(struct prefs *prefs);
/* A copy of its own, for one command. */
void prefs_copy(struct prefs *out, const struct prefs *from);

/*
 * Sets a value unless what is there comes from a higher origin. STATUS_USAGE:
 * the text is no value of that type; `message` says what is allowed.
 */
enum status prefs_set(struct prefs *prefs, enum pref_id id, const char *text,
    enum pref_origin origin, const char *where, struct buf *message);

/* As prefs_set() for a context's value. */
enum status prefs_set_from_context(struct prefs *prefs, enum pref_id id,
    const char *text, enum pref_origin origin, const char *where,
    struct buf *message);

/* Back to the default. */
void prefs_unset(struct prefs *prefs, enum pref_id id);

/* Back to what it is in `before`, with where that comes from. */
void prefs_restore(
    struct prefs *prefs, enum pref_id id, const struct prefs *before);

/*
 * The environment. A malformed variable is STATUS_USAGE with `message`
 * naming it. NO_COLOR counts for color, and CLICOLOR and CLICOLOR_FORCE without
 * it.
 */
enum status prefs_read_environment(struct prefs *prefs, struct buf *message);

/*
 * A file of lines `NAME VALUE` or `set NAME VALUE`, and `alias NAME = COMMAND`;
 * a context's file (`aliases` is NULL) holds only settings that a context may
 * bring. A missing file is fine. STATUS_LOCAL: unreadable or malformed,
 * `message` says FILE:LINE.
 */
enum status prefs_read_file(struct prefs *prefs, const char *path,
    enum pref_origin origin, struct aliases *aliases, struct buf *message);

/* Global options of a command line, except those that are no settings. */
enum status prefs_read_options(struct prefs *prefs, const struct args *args,
    enum pref_origin origin, struct buf *message);

/* Values as what they are. Text: NULL when unset. */
const char *prefs_text(const struct prefs *prefs, enum pref_id id);
bool prefs_is(const struct prefs *prefs, enum pref_id id);
uint64_t prefs_number(const struct prefs *prefs, enum pref_id id);
uint64_t prefs_ns(const struct prefs *prefs, enum pref_id id);

/* "flag", "environment" ...; for `config show --origin`. */
const char *pref_origin_word(enum pref_origin origin);

#endif
