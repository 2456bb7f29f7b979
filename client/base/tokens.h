/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line of the REPL or of a script, cut into commands and words:
 *   words are separated by spaces and tabs; '...' keeps everything, "..."
 *   knows \" \\ \n \r \t \xHH, \ keeps the next character; # at the start of
 *   a word begins a comment; ; separates commands; | hands the output to the
 *   shell command that the rest of the line is; > and >> write it to a file.
 * A verbatim command (`raw`) takes the rest of the line as it is.
 */
#ifndef HERD_TOKENS_H
#define HERD_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/buf.h"

#define WORDS_COMMANDS_MAX 4096u
#define WORDS_MAX 4096u

struct word {
	char *text;   /* unquoted, terminated; never holds NUL */
	size_t start; /* in the line, quotes included */
	size_t end;
};

enum redirect {
	REDIRECT_NONE,
	REDIRECT_PIPE,
	REDIRECT_WRITE,
	REDIRECT_APPEND,
};

/* One command of a line. */
struct tokens {
	struct word *words;
	size_t count;
	size_t room;
	enum redirect redirect;
	char *target;        /* shell command or file; NULL without redirect */
	size_t target_start; /* in the line, quotes included */
	size_t target_end;
};

struct line {
	struct tokens *commands;
	size_t count;
	size_t room;
};

enum words_error {
	WORDS_OK,
	WORDS_QUOTE,  /* a quote is not closed */
	WORDS_ESCAPE, /* a backslash at the end, or a bad \xHH */
	WORDS_NUL,
	WORDS_TARGET, /* nothing after | or > */
	WORDS_EMPTY,  /* | or > without a command */
	WORDS_TWICE,  /* a second > */
	WORDS_LIMIT,
};

/* Is `word' one of the words of a list with blanks between them? */
bool tokens_is_among(const char *list, struct span word);

/* What is wrong, as a sentence. */
const char *tokens_strerror(enum words_error error);

/* May be asked whether a command's first word makes the rest verbatim. */
typedef bool tokens_is_verbatim(const char *first_word);

/*
 * Cuts a whole line, without its LF. *out is always valid and to be released
 * with line_release(), also on failure: it then holds what was read so far,
 * the last word unfinished, which is what completion works on.
 */
enum words_error line_split(
    struct span text, tokens_is_verbatim *is_verbatim, struct line *out);
void line_release(struct line *line);

/* The ways to write a word in a line. */
enum word_form {
	WORD_PLAIN,
	WORD_SINGLE, /* in '...' */
	WORD_DOUBLE, /* in "...", with escapes; any word can */
};

/* `least`, or WORD_DOUBLE if the word cannot have that form. */
enum word_form tokens_form(struct span word, enum word_form least);

/*
 * Appends the word in a form of tokens_form(), so that line_split() reads
 * exactly it back and a terminal obeys nothing in it. With `open` there is no
 * quote at the end. No byte of the word is NUL.
 */
void tokens_put(
    struct buf *out, struct span word, enum word_form form, bool open);

/* Appends `word`, in quotes only where it needs them. */
void tokens_quote(struct buf *out, const char *word);

#endif
