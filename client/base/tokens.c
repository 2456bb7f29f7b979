/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

#define LINE_MAX_BYTES ((size_t)4 << 20)

/* Reads `text` from `at` on. */
struct reader {
	struct span text;
	size_t at;
};

static const char *const error_texts[] = {
	[WORDS_OK] = "ok",
	[WORDS_QUOTE] = "a quote is not closed",
	[WORDS_ESCAPE] = "a backslash has nothing valid after it",
	[WORDS_NUL] = "a NUL byte in the line",
	[WORDS_TARGET] = "nothing after | or >",
	[WORDS_EMPTY] = "no command before | or >",
	[WORDS_TWICE] = "the output can go to one place only",
	[WORDS_LIMIT] = "too many words",
};

bool
tokens_is_among(const char *list, struct span word)
{
	for (; *list != '\0'; list += strspn(list, " ")) {
		size_t len = strcspn(list, " ");

		if (span_equal(span_of(list, len), word))
			return true;
		list += len;
	}
	return false;
}

const char *
tokens_strerror(enum words_error error)
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

/* The character after a backslash inside "...". */
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

/* Begins after the opening quote and ends after the closing one. */
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
read_word(struct reader *r, struct buf *out)
{
	enum words_error error;

	while (!at_end(r) && !ends_word(here(r))) {
		char c = here(r);

		r->at++;
		if (c == '\'' || c == '"') {
			error = read_quoted(r, c, out);
			if (error != WORDS_OK)
				return error;
		} else if (c == '\\') {
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
add_word(struct tokens *words, struct buf *text, size_t start, size_t end)
{
	grow_array(words->words, words->count, words->room);
	words->words[words->count++] = (struct word){
		.text = xstrndup(buf_span(text).data, text->len),
		.start = start,
		.end = end,
	};
	buf_clear(text);
}

/* The file after > or the shell command after |. */
static enum words_error
read_target(struct reader *r, struct tokens *words)
{
	struct buf text;
	enum words_error error = WORDS_OK;

	buf_init(&text, LINE_MAX_BYTES);
	if (words->count == 0)
		return WORDS_EMPTY;
	if (words->redirect != REDIRECT_NONE)
		return WORDS_TWICE;
	if (here(r) == '|') {
		words->redirect = REDIRECT_PIPE;
		r->at++;
		skip_blanks(r);
		words->target_start = r->at;
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
		words->target_start = r->at;
		error = read_word(r, &text);
	}
	words->target_end = r->at;
	if (error == WORDS_OK && text.len == 0)
		error = WORDS_TARGET;
	words->target = xstrndup(buf_span(&text).data, text.len);
	buf_release(&text);
	return error;
}

static void
read_verbatim(struct reader *r, struct tokens *words, struct buf *text)
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
	add_word(words, text, start, r->at);
}

/* One command, up to ; or the end of the line. */
static enum words_error
read_command(
    struct reader *r, tokens_is_verbatim *is_verbatim, struct tokens *words)
{
	struct buf text;
	enum words_error error = WORDS_OK;

	buf_init(&text, LINE_MAX_BYTES);
	for (;;) {
		size_t start;

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
		error = read_word(r, &text);
		add_word(words, &text, start, r->at);
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
line_split(struct span text, tokens_is_verbatim *is_verbatim, struct line *out)
{
	struct reader r = { .text = text, .at = 0 };
	enum words_error error = WORDS_OK;

	*out = (struct line){ 0 };
	if (span_find(text, '\0') != NULL)
		return WORDS_NUL;
	while (error == WORDS_OK && !at_end(&r)) {
		struct tokens words = { 0 };

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
tokens_release(struct tokens *words)
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
		tokens_release(&line->commands[i]);
	free(line->commands);
	*line = (struct line){ 0 };
}

/* --- writing --------------------------------------------------------- */

static bool
can_be(struct span word, enum word_form form)
{
	const char *forbidden = form == WORD_PLAIN ? "'\"\\" : "'";
	size_t len;

	if (form == WORD_PLAIN && (word.len == 0 || word.data[0] == '#'))
		return false;
	for (; word.len > 0; word = span_of(word.data + len, word.len - len)) {
		len = text_shown(word);
		if (len == 0 || strchr(forbidden, *word.data) != NULL ||
		    (form == WORD_PLAIN && ends_word(*word.data)))
			return false;
	}
	return true;
}

enum word_form
tokens_form(struct span word, enum word_form least)
{
	if (least == WORD_DOUBLE || can_be(word, least))
		return least;
	return WORD_DOUBLE;
}

static void
put_escaped(struct buf *out, struct span word)
{
	char piece[TEXT_ESCAPE_MAX];
	size_t len;

	for (; word.len > 0; word = span_of(word.data + len, word.len - len)) {
		len = text_shown(word);
		if (len > 1) {
			put(out, word.data, len);
			continue;
		}
		len = 1;
		put(out, piece, text_escape_byte(piece, *word.data));
	}
}

void
tokens_put(struct buf *out, struct span word, enum word_form form, bool open)
{
	switch (form) {
	case WORD_PLAIN: put_span(out, word); return;
	case WORD_SINGLE:
		put_byte(out, '\'');
		put_span(out, word);
		put_text(out, open ? "" : "'");
		return;
	case WORD_DOUBLE:
		put_byte(out, '"');
		put_escaped(out, word);
		put_text(out, open ? "" : "\"");
		return;
	}
}

void
tokens_quote(struct buf *out, const char *word)
{
	struct span text = span_from(word);

	tokens_put(out, text, tokens_form(text, WORD_PLAIN), false);
}
