/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of commands. Everything that knows commands reads it: dispatch,
 * help, --help, completion (REPL, bash, zsh, fish), did-you-mean, and the
 * manual page's synopsis.
 */
#ifndef HERD_CLIENT_COMMAND_H
#define HERD_CLIENT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/exit_status.h"
#include "out/values.h"

struct run;
struct fields_request;

/* The kind of word that fits in a place, for completion. */
enum complete_kind {
	COMPLETE_NONE,
	COMPLETE_WORDS, /* the words that the argument or flag lists */
	COMPLETE_NODE,
	COMPLETE_PEER,
	COMPLETE_CLIENT,
	COMPLETE_CONTEXT,
	COMPLETE_FILE,
	COMPLETE_FORMAT,
	COMPLETE_COMMAND,
	COMPLETE_COLUMN,   /* of the command's view */
	COMPLETE_SORT,     /* the same, with :desc or not */
	COMPLETE_WHERE,    /* an expression of them */
	COMPLETE_TEMPLATE, /* with them in braces */
	COMPLETE_SETTING,  /* what `set` takes */
	COMPLETE_VALUE,    /* of that setting */
	COMPLETE_METRIC,
	COMPLETE_ALIAS,
	COMPLETE_USER, /* of the users file */
};

struct argument {
	const char *name; /* "CLIENT"; NULL ends the list */
	enum complete_kind complete;
	bool optional;
	bool repeats; /* any number of them; last one only */
	/* COMPLETE_WORDS: separated by spaces. An argument with `fixed` has
	 * to be one of them. */
	const char *words;
	bool fixed;
};

struct flag {
	const char *name;  /* "map", used as --map; NULL ends the list */
	char letter;       /* -m, or 0 */
	const char *value; /* "KEY" when it takes a value */
	bool value_optional;
	enum complete_kind complete;
	const char *words; /* COMPLETE_WORDS */
	const char *help;
};

enum command_trait {
	/* Each command has one of these four, READ and WRITE among them. */
	COMMAND_WRITE = 1 << 0,    /* changes something: not with --read-only */
	COMMAND_CONFIRM = 1 << 1,  /* destroys something: asks */
	COMMAND_VERBATIM = 1 << 2, /* its arguments are bytes, never options */
	COMMAND_HERD = 1 << 3,     /* asks all nodes unless -n says otherwise */
	COMMAND_HIDDEN = 1 << 4,   /* not in help */
	COMMAND_READ = 1 << 6,     /* a read command: every format, --watch */
	COMMAND_STREAM = 1 << 7,   /* runs until it is stopped */
	COMMAND_PLUGIN = 1 << 8,   /* the monitoring plugins' exit statuses */
	COMMAND_HARMLESS = 1 << 9, /* changes nothing, though no READ */
	/*
	 * Its arguments decide whether it changes something; its run function
	 * calls run_may_change() before it does.
	 */
	COMMAND_BY_LINE = 1 << 10,
	COMMAND_ASSIGN = 1 << 11, /* NAME =, and what follows is no option */
};

/* Lists of arguments and flags, as a command has them. */
/* clang-format off */
#define ARGS(...) ((const struct argument[]){ __VA_ARGS__, { .name = NULL } })
#define ARG(...) { .name = __VA_ARGS__ }
#define FLAGS(...) ((const struct flag[]){ __VA_ARGS__, { .name = NULL } })
#define FLAG(...) { .name = __VA_ARGS__ }
/* clang-format on */

/* The sections of help, in this order. */
enum command_group {
	GROUP_CLIENTS,
	GROUP_LINKS,
	GROUP_TABLE,
	GROUP_HERD,
	GROUP_PLACES,
	GROUP_CONFIG,
	GROUP_WATCHING,
	GROUP_TOOL,
	GROUP_COUNT
};

struct command {
	const char *path; /* "peer ls" */
	const char *summary;
	const char *help; /* more, for `help CMD`; NULL = nothing to add */
	enum command_group group;
	const struct argument *args; /* NULL = none */
	const struct flag *flags;    /* NULL = none */
	const struct view *view;     /* what it prints, if rows */
	const char *format;          /* -o if none is given; NULL: as usual */
	const char *columns;         /* --columns if none are given, or NULL */
	unsigned traits;             /* enum command_trait */
	enum status (*run)(struct run *run);
	const char *live_flag; /* on a terminal it implies --watch; or NULL */
	const struct fields_request *request; /* of fields_run_command() */
	const char *example; /* one line without `herdctl`, or NULL */
};

/* All commands, ended by NULL; cmd/list.c defines it. */
extern const struct command *const command_table[];

/* Each in turn: commands_each(c) { ... } with c of type struct command **. */
#define commands_each(c) \
	for (const struct command *const *c = command_table; *c != NULL; c++)

/* "Clients and places" */
const char *command_group_title(enum command_group group);

/* The command of exactly that path, or NULL. */
const struct command *command_find(const char *path);

/*
 * The command whose path is the beginning of these words; *used gets how
 * many words it took. NULL: none.
 */
const struct command *command_match(
    const char *const *words, size_t count, size_t *used);

/* Is it the first word of commands of two words ("peer")? */
bool command_is_group(const char *word);

/* Is that the first word of this command's two? */
bool command_is_in(const struct command *command, const char *group);

/* Each command has exactly one of these: does it change something? */
#define COMMAND_EFFECTS \
	(COMMAND_WRITE | COMMAND_READ | COMMAND_HARMLESS | COMMAND_BY_LINE)

/* What was probably meant by these words; NULL = no idea. */
const char *command_did_you_mean(const char *const *words, size_t count);

/* Are the arguments of the command of that first word bytes (`raw`)? */
bool command_is_verbatim(const char *first_word);

/* Appends "peer show NAME": the path and arguments. */
void command_put_arguments(struct buf *out, const struct command *command);

/* Appends "peer show NAME [--flag KEY]": the path, arguments and flags. */
void command_synopsis(struct buf *out, const struct command *command);

/* Flags that every command takes, ended by one without name. */
const struct flag *command_global_flags(void);

#endif
