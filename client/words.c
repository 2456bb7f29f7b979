/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "words.h"

#include <stdlib.h>
#include <string.h>

#include "xbuf.h"

#define LINE_MAX_BYTES ((size_t)4 << 20)

/* Reads `text` from `at` on. */
struct reader {
	struct span text;
	size_t at;
};

static const char *const error_texts[] = {
	[WORDS_OK] = "ok",
	[WORDS_QUOTE] = "a quote is not closed",
	[WORDS_ESCAPE] = "a backslash has nothing valid behind it",
	[WORDS_NUL] = "a NUL byte in the line",
	[WORDS_TARGET] = "nothing behind | or >",
	[WORDS_EMPTY] = "no command in front of | or >",
	[WORDS_TWICE] = "the output can go to one place only",
	[WORDS_LIMIT] = "too many words",
};

const char *
words_strerror(enum words_error error)
{
	return error_texts[error];
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool
ends_word(char c)
{
	return is_blank(c) || c == ';' || c == '|' || c == '>' || c == '\n';
}

static bool
at_end(const struct reader *r)
{
	return r->at >= r->text.len;
}

static char
here(const struct reader *r)
{
	return r->text.data[r->at];
}

static void
skip_blanks(struct reader *r)
{
	while (!at_end(r) && is_blank(here(r)))
		r->at++;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The character behind a backslash inside "...". */
static enum words_error
read_escape(struct reader *r, struct buf *out)
{
	static const char from[] = "ntr\"\\";
	static const char to[] = "\n\t\r\"\\";
	const char *known;
	int high;
	int low;

	if (at_end(r))
		return WORDS_ESCAPE;
	known = here(r) == '\0' ? NULL : strchr(from, here(r));
	if (known != NULL) {
		put_byte(out, to[known - from]);
		r->at++;
		return WORDS_OK;
	}
	if (here(r) != 'x') {
		put_byte(out, '\\');
		return WORDS_OK;
	}
	if (r->text.len - r->at < 3)
		return WORDS_ESCAPE;
	high = hex_value(r->text.data[r->at + 1]);
	low = hex_value(r->text.data[r->at + 2]);
	if (high < 0 || low < 0)
		return WORDS_ESCAPE;
	if (high == 0 && low == 0)
		return WORDS_NUL;
	put_byte(out, (char)(high * 16 + low));
	r->at += 3;
	return WORDS_OK;
}

/* Behind the opening quote; moves behind the closing one. */
static enum words_error
read_quoted(struct reader *r, char quote, struct buf *out)
{
	while (!at_end(r)) {
		char c = here(r);

		r->at++;
		if (c == quote)
			return WORDS_OK;
		if (c == '\\' && quote == '"') {
			enum words_error error = read_escape(r, out);

			if (error != WORDS_OK)
				return error;
			continue;
		}
		put_byte(out, c);
	}
	return WORDS_QUOTE;
}

static enum words_error
read_word(struct reader *r, struct buf *out, bool *quoted)
{
	enum words_error error;

	*quoted = false;
	while (!at_end(r) && !ends_word(here(r))) {
		char c = here(r);

		r->at++;
		if (c == '\'' || c == '"') {
			*quoted = true;
			error = read_quoted(r, c, out);
			if (error != WORDS_OK)
				return error;
		} else if (c == '\\') {
			*quoted = true;
			if (at_end(r))
				return WORDS_ESCAPE;
			put_byte(out, here(r));
			r->at++;
		} else {
			put_byte(out, c);
		}
	}
	return WORDS_OK;
}

static void
add_word(struct words *words, struct buf *text, size_t start, size_t end,
    bool quoted)
{
	grow_array(words->words, words->count, words->room);
	words->words[words->count++] = (struct word){
		.text = xstrndup(buf_span(text).data, text->len),
		.start = start,
		.end = end,
		.quoted = quoted,
	};
	buf_clear(text);
}

/* The file behind > or the shell command behind |. */
static enum words_error
read_target(struct reader *r, struct words *words)
{
	struct buf text;
	enum words_error error = WORDS_OK;
	bool quoted;

	buf_init(&text, LINE_MAX_BYTES);
	if (words->count == 0)
		return WORDS_EMPTY;
	if (words->redirect != REDIRECT_NONE)
		return WORDS_TWICE;
	if (here(r) == '|') {
		words->redirect = REDIRECT_PIPE;
		r->at++;
		skip_blanks(r);
		while (!at_end(r) && here(r) != '\n') {
			put_byte(&text, here(r));
			r->at++;
		}
	} else {
		words->redirect = REDIRECT_WRITE;
		r->at++;
		if (!at_end(r) && here(r) == '>') {
			words->redirect = REDIRECT_APPEND;
			r->at++;
		}
		skip_blanks(r);
		error = read_word(r, &text, &quoted);
	}
	if (error == WORDS_OK && text.len == 0)
		error = WORDS_TARGET;
	words->target = xstrndup(buf_span(&text).data, text.len);
	buf_release(&text);
	return error;
}

static void
read_verbatim(struct reader *r, struct words *words, struct buf *text)
{
	size_t start;

	/* Exactly one blank separates; what follows is the user's. */
	if (!at_end(r) && is_blank(here(r)))
		r->at++;
	start = r->at;
	if (at_end(r))
		return;
	put(text, r->text.data + start, r->text.len - start);
	r->at = r->text.len;
	add_word(words, text, start, r->at, true);
}

/* One command, up to ; or the end of the line. */
static enum words_error
read_command(
    struct reader *r, words_is_verbatim *is_verbatim, struct words *words)
{
	struct buf text;
	enum words_error error = WORDS_OK;

	buf_init(&text, LINE_MAX_BYTES);
	for (;;) {
		size_t start;
		bool quoted;

		skip_blanks(r);
		if (at_end(r) || here(r) == '\n' || here(r) == ';')
			break;
		if (here(r) == '#') {
			while (!at_end(r) && here(r) != '\n')
				r->at++;
			break;
		}
		if (here(r) == '|' || here(r) == '>') {
			error = read_target(r, words);
			if (error != WORDS_OK || at_end(r) || here(r) == ';' ||
			    here(r) == '\n')
				break;
			continue;
		}
		start = r->at;
		error = read_word(r, &text, &quoted);
		add_word(words, &text, start, r->at, quoted);
		if (error != WORDS_OK)
			break;
		if (words->count >= WORDS_MAX) {
			error = WORDS_LIMIT;
			break;
		}
		if (words->count == 1 && is_verbatim != NULL &&
		    is_verbatim(words->words[0].text)) {
			read_verbatim(r, words, &text);
			break;
		}
	}
	buf_release(&text);
	return error;
}

enum words_error
line_split(struct span text, words_is_verbatim *is_verbatim, struct line *out)
{
	struct reader r = { .text = text, .at = 0 };
	enum words_error error = WORDS_OK;

	*out = (struct line){ 0 };
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		return WORDS_NUL;
	while (error == WORDS_OK && !at_end(&r)) {
		struct words words = { 0 };

		error = read_command(&r, is_verbatim, &words);
		if (words.count > 0 || error != WORDS_OK) {
			grow_array(out->commands, out->count, out->room);
			out->commands[out->count++] = words;
		}
		if (!at_end(&r))
			r.at++;
		if (out->count >= WORDS_COMMANDS_MAX && error == WORDS_OK)
			error = WORDS_LIMIT;
	}
	return error;
}

static void
words_release(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->words[i].text);
	free(words->words);
	free(words->target);
}

void
line_release(struct line *line)
{
	for (size_t i = 0; i < line->count; i++)
		words_release(&line->commands[i]);
	free(line->commands);
	*line = (struct line){ 0 };
}

void
words_quote(struct buf *out, const char *word)
{
	bool plain = word[0] != '\0' && word[0] != '#';

	for (const char *c = word; *c != '\0' && plain; c++)
		plain = !ends_word(*c) && strchr("'\"\\", *c) == NULL;
	if (plain) {
		put_text(out, word);
		return;
	}
	put_byte(out, '"');
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			put_byte(out, '\\');
		if (*c == '\n')
			put_text(out, "\\n");
		else
			put_byte(out, *c);
	}
	put_byte(out, '"');
}
