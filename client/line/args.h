/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words sorted into command, arguments and options. Options may be
 * anywhere; a word that begins with + or - and a digit is never one (it is a
 * place). `--` ends options. A command's own flags hide global ones of the
 * same letter after the command's name.
 */
#ifndef HERD_CLIENT_ARGS_H
#define HERD_CLIENT_ARGS_H

#include "line/command.h"

#define ARGS_OPTIONS_MAX 128u

struct option {
	const struct flag *flag;
	bool global;
	const char *value; /* NULL without one */
};

struct args {
	const struct command *command; /* NULL: none was named */
	const char **words;            /* the command's arguments */
	size_t count;
	struct option options[ARGS_OPTIONS_MAX];
	size_t option_count;
	bool help;
	/* The group that was named alone ("peer"), for its list. */
	const char *group;
};

/* Would this word be read as an option, unless `--' comes before it? */
bool args_is_option(const char *word);

/*
 * Appends `word` as a command that somebody may copy into a session needs it:
 * in quotes if it needs them, with `--' if it would be an option.
 */
void args_quote(struct buf *out, const char *word);

/*
 * Index of the word that is the command's first: neither an option nor an
 * option's value; `count` if there is none.
 */
size_t args_command_at(const char *const *words, size_t count);

/*
 * Sorts `words` (borrowed, as long as `out` is used). STATUS_USAGE: `message`
 * says what is wrong and what was probably meant. args_check() checks the
 * number of arguments.
 */
enum status args_parse(const char *const *words, size_t count, struct args *out,
    struct buf *message);
void args_release(struct args *args);

/*
 * The command that a line is for although it cannot be parsed: the first words
 * of it that name one. NULL: none.
 */
const struct command *args_guess(const char *const *words, size_t count);

/* Number and words of the arguments against the command's list. */
enum status args_check(const struct args *args, struct buf *message);

/* The last one of that name, global or the command's own; NULL if absent. */
const struct option *args_option(
    const struct args *args, const char *name, bool global);

/* Its value, "" without one, NULL if it is absent. */
const char *args_flag(const struct args *args, const char *name, bool global);

/*
 * The flag that a word such as --sort=x or -o is for, of the command (or NULL)
 * or a global one; NULL if there is none.
 */
const struct flag *args_find_flag(
    const struct command *command, const char *word);

#endif
