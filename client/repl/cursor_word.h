/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The word at the cursor of a line that is being typed, and the line with that
 * word completed. Both use the grammar of tokens.h, so that inserted text is
 * read back as exactly one word: an id from the network is never a pipe, a
 * comment, an option or a second command.
 */
#ifndef HERD_CURSOR_WORD_H
#define HERD_CURSOR_WORD_H

#include "base/tokens.h"
#include "repl/complete.h"

struct cursor {
	struct line line;
	const struct tokens *command; /* in which it is */
	char *prefix;                 /* the word so far, without quotes */
	size_t start;                 /* of the word in the line */
	size_t len;                   /* of the line, up to the cursor */
	enum word_form form;          /* in which the word was begun */
	bool is_file;                 /* it follows > */
	bool is_shell;                /* it is the shell command after | */
};

/*
 * Finds the word that ends the first `len` bytes of `line`; with a blank
 * before the cursor it is empty. False: nothing can be completed there (a
 * comment, a broken escape). *out is to be released in any case.
 */
bool cursor_find(const char *line, size_t len, struct cursor *out);
void cursor_release(struct cursor *at);

/*
 * Lines that could replace those `len` bytes; `found` is not empty. First the
 * one to be inserted now: the only completion, or what all of them begin
 * with, an open quote kept open. Then each of them, if there are several.
 * Gives an array ended by NULL, each of it and itself for free().
 */
char **cursor_lines(
    const struct cursor *at, const char *line, const struct completions *found);

/* Is more to be typed after the only completion: a folder, --flag=? */
bool cursor_goes_on(const struct completions *found);

#endif
